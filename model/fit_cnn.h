#pragma once
/* The inside of the CNN under fitting, shared by the files that build it and run it. */
#include "model/fit_dft.h"
#include "model/fit_net.h"

/* One layer of convolution, all planes in the frequency domain of its input. */
typedef struct {
    FitDft dft;                                     // of the input's size
    int in_width, in_height, width, height, kernel; // input, valid output, kernel side
    int inputs, channels; // input planes a bin (lags or channels), output channels
    float *weight;        // (channels, inputs, kernel, kernel), in the parameter vector
    float *scale, *shift; // (channels), batch-norm, likewise
    size_t weight_at, scale_at, shift_at;
    float *product;                   // (half, ny, 2 channels, 2 inputs): conj(W) as a real matrix
    float *running_mean, *running_sd; // (channels), in the state vector
    float *mean, *sd;                 // (channels) in force: of the minibatch, or running
    float *grad_mean, *grad_dot;      // (channels) mean of dy, and of dy times the normalised value
    float *transpose;                 // scratch (channels * inputs * kernel²) and its spectrum
    float *spectrum;                  // (half, ny, 2, channels * inputs)
    float *rows;                      // scratch (kernel, 2 half, channels * inputs)
} FitLayer;

/* What one run leaves behind for its way back. */
typedef struct {
    float *stimulus; // spectrum (half1, ny1, 2, frames)
    float *z1;       // (h1, w1, c1, bins) before batch-norm; on the way back dz
    float *g1;       // (h1, w1, c1, bins) gradient after batch-norm
    float *a1;       // spectrum (half2, ny2, 2, c1, bins)
    float *z2, *g2;  // (h2, w2, c2, bins)
} FitCnnRun;

typedef struct {
    FitCnnRun *runs;            // (runs)
    float *rows;                // scratch: rows of a transform
    float *plane_row;           // scratch: one row of a plane, (width, channels, bins)
    float *part;                // scratch: (ny, 2, channels * bins), one kx
    float *history;             // scratch: (2 inputs, bins)
    float *drive;               // (cells, bins)
    float *product1, *product2; // gradient of layer products, summed over this lane's runs
    float *readout;             // (cells, units) gradient
    double *bias;               // (cells) gradient
    double *sums[2]; // per layer (2 channels): sum, sum of squares; on the way back dy, dy·ẑ
} FitCnnLane;

typedef struct {
    const FitBatch *batch;
    FitNet *net;
    FitLayer layer[2];
    int units;                  // of layer 2: channels * height * width
    size_t readout_at, bias_at; // (cells, height2, width2, channels2), the order of z2; (cells)
    bool is_training;
    float *file; // the tensors of the model file, filled by describe
    FitCnnLane lanes[FIT_LANES];
} FitCnn;

enum { FIT_CNN_TRAIN_PHASES = 5, FIT_CNN_PREDICT_PHASES = 3 };

extern const FitPhase fit_cnn_train[FIT_CNN_TRAIN_PHASES];
extern const FitPhase fit_cnn_predict[FIT_CNN_PREDICT_PHASES];

size_t fit_layer_weights(const FitLayer *layer);
size_t fit_layer_products(const FitLayer *layer);

/* The entries of FitNet that live in files of their own. */
void fit_cnn_changed(void *net);
void fit_cnn_begin(void *net, bool is_training);
bool fit_cnn_start(void *net, const FitStart *start, char *err);

/* The work of a lane, in the order of training. */
void fit_cnn_forward1(void *net, int lane);
void fit_cnn_forward2(void *net, int lane);
void fit_cnn_readout(void *net, int lane);
void fit_cnn_readout_only(void *net, int lane);
void fit_cnn_back2(void *net, int lane);
void fit_cnn_back1(void *net, int lane);
