#include <math.h>
#include <string.h>

#include "model/channel_card.h"
#include "model/reduction.h"

ReducedAxis reduction_axis(const ModelInfo *info, AttributionSymmetry symmetry)
{
    if (symmetry == ATTRIBUTION_SYMMETRY_FULL)
        return (ReducedAxis){1, 1};
    if (symmetry == ATTRIBUTION_SYMMETRY_ALONG_Y)
        return (ReducedAxis){1, info->width_px};
    return (ReducedAxis){info->height_px, 1};
}

/* Where a pixel of the kernel lies along the axis. */
static int tap_of(AttributionSymmetry symmetry, int x, int y)
{
    return symmetry == ATTRIBUTION_SYMMETRY_FULL      ? 0
           : symmetry == ATTRIBUTION_SYMMETRY_ALONG_Y ? x
                                                      : y;
}

static double window_at(const ReductionUnit *unit, int place, int places)
{
    double off = (place - unit->centre) / unit->spread;
    return places == 1 ? 1 : exp(-0.5 * off * off);
}

void reduction_filter(const ModelFile *file, AttributionSymmetry symmetry,
                      const ReductionUnit *unit, float *filter)
{
    const ModelTensor *weights = model_file_find(file, "conv1_weight");
    int history = weights->dims[1], height = weights->dims[2], width = weights->dims[3];
    ReducedAxis axis = reduction_axis(&file->info, symmetry);
    int means = axis.rows * axis.columns;
    int places = means - tap_of(symmetry, width - 1, height - 1);
    const float *kernel = weights->values + unit->channel * history * height * width;
    double total = 0;
    for (int place = 0; place < places; place++)
        total += window_at(unit, place, places);
    memset(filter, 0, (size_t)(history * means) * sizeof *filter);
    for (int place = 0; place < places; place++) {
        float share =
            channel_turn(file, unit->channel) * (float)(window_at(unit, place, places) / total);
        for (int i = 0; i < history; i++)
            for (int y = 0; y < height; y++)
                for (int x = 0; x < width; x++)
                    filter[i * means + place + tap_of(symmetry, x, y)] +=
                        share * kernel[(i * height + y) * width + x];
    }
}
