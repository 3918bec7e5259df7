#include <assert.h>
#include <math.h>

#include "model/attribution_parts.h"

double attribution_deviation(const Attribution *a, AttributionSymmetry symmetry)
{
    const float *const uneven[] = {
        [ATTRIBUTION_SYMMETRY_ALONG_Y] = a->uneven_y,
        [ATTRIBUTION_SYMMETRY_ALONG_X] = a->uneven_x,
        [ATTRIBUTION_SYMMETRY_FULL] = a->uneven,
    };
    double largest = 0;
    if (symmetry == ATTRIBUTION_SYMMETRY_NONE)
        return 0;
    for (int i = 0; i < a->history; i++)
        largest = fmax(largest, (double)uneven[symmetry][i]);
    return largest;
}

int attribution_places(const Attribution *a, AttributionSymmetry symmetry)
{
    const CnnUnits *first = &a->layers.first;
    const int places[] = {
        [ATTRIBUTION_SYMMETRY_NONE] = first->height * first->width,
        [ATTRIBUTION_SYMMETRY_ALONG_Y] = first->width,
        [ATTRIBUTION_SYMMETRY_ALONG_X] = first->height,
        [ATTRIBUTION_SYMMETRY_FULL] = 1,
    };
    return places[symmetry];
}

/* How a symmetry folds: the kernels summed along it, and how a line of the image lies. */
typedef struct {
    const float *sums; // (c1, history, taps)
    int taps, step;    // of the kernel; in the image, from place to place
} Fold;

static Fold fold_of(const Attribution *a, AttributionSymmetry symmetry)
{
    if (symmetry == ATTRIBUTION_SYMMETRY_FULL)
        return (Fold){a->kernel_sums, 1, 1};
    if (symmetry == ATTRIBUTION_SYMMETRY_ALONG_Y)
        return (Fold){a->column_sums, a->kernel_width, 1};
    return (Fold){a->row_sums, a->kernel_height, a->layers.image.width};
}

static double folded_drive(const Attribution *a, const Fold *fold, int channel, int place)
{
    size_t pixels = cnn_units_count(&a->layers.image);
    const float *kernel = fold->sums + channel * a->history * fold->taps;
    double sum = 0;
    for (int i = 0; i < a->history; i++) {
        const float *line = a->images + attribution_slot(a, i) * pixels + place * fold->step;
        for (int k = 0; k < fold->taps; k++)
            sum += (double)*kernel++ * (double)line[k * fold->step];
    }
    return sum;
}

/* Σ G over the units of one place. */
static double folded_weight(const Attribution *a, AttributionSymmetry symmetry, int channel,
                            int place)
{
    const CnnUnits *first = &a->layers.first;
    const float *g = a->weights_out + channel * first->height * first->width;
    bool is_column = symmetry == ATTRIBUTION_SYMMETRY_ALONG_Y;
    int count = is_column                                  ? first->height
                : symmetry == ATTRIBUTION_SYMMETRY_ALONG_X ? first->width
                                                           : first->height * first->width;
    int start = is_column ? place : place * first->width, step = is_column ? first->width : 1;
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += (double)g[start + i * step];
    return sum;
}

double attribution_fold(const Attribution *a, AttributionSymmetry symmetry, float *folded_hz)
{
    assert(symmetry != ATTRIBUTION_SYMMETRY_NONE);
    const Fold fold = fold_of(a, symmetry);
    int places = attribution_places(a, symmetry);
    double total = 0;
    for (int c = 0; c < a->layers.first.channels; c++)
        for (int place = 0; place < places; place++) {
            double value = folded_drive(a, &fold, c, place) * folded_weight(a, symmetry, c, place);
            *folded_hz++ = (float)value;
            total += value;
        }
    return total;
}
