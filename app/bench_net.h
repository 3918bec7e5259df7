#pragma once
/* Networks and data for timing: right in shape, random in content. Files go into a temporary folder
 * and are gone once they have been read. */
#include <stdbool.h>

#include "app/bench_cost.h"
#include "model/attribution.h"
#include "model/dataset.h"
#include "model/model.h"

typedef enum { BENCH_CHECKERBOARD, BENCH_FULL_FIELD, BENCH_BARS } BenchStimulus;

enum { BENCH_FRAMES = 64 };

/* NULL with a sentence in err (MODEL_ERR_BYTES). Batch-norm is one number a unit. */
Model *bench_net_open(const BenchNet *net, char *err);
Attribution *bench_net_attribution(const BenchNet *net, char *err);

/* frames (BENCH_FRAMES, height_px, width_px), owned by the caller; NULL without memory. Light of 0
 * or 1 a pixel, a frame, or a bar of 4 px that goes a pixel a frame. */
float *bench_frames(int width_px, int height_px, BenchStimulus stimulus);

/* Noise and spikes, bins long; close with dataset_close(). NULL with a sentence in err. */
Dataset *bench_data_open(const BenchNet *net, int bins, char *err);
