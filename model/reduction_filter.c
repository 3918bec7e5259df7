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

int reduction_taps(const ModelFile *file, AttributionSymmetry symmetry)
{
    const ModelTensor *weights = model_file_find(file, "conv1_weight");
    return 1 + tap_of(symmetry, weights->dims[3] - 1, weights->dims[2] - 1);
}

void reduction_filter(const ModelFile *file, AttributionSymmetry symmetry, int channel,
                      float *filter)
{
    const ModelTensor *weights = model_file_find(file, "conv1_weight");
    int history = weights->dims[1], height = weights->dims[2], width = weights->dims[3];
    int taps = reduction_taps(file, symmetry);
    const float *kernel = weights->values + channel * history * height * width;
    memset(filter, 0, (size_t)(history * taps) * sizeof *filter);
    for (int i = 0; i < history; i++)
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                filter[i * taps + tap_of(symmetry, x, y)] +=
                    channel_turn(file, channel) * kernel[(i * height + y) * width + x];
}
