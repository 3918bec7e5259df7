#pragma once
/* The inside of a convolutional network under fitting, shared by the files that build it and run it:
 * one layer of convolution for the subunit model, two for the CNN. */
#include "model/fit_dft.h"
#include "model/fit_net.h"
#include "model/unit_noise.h"
#include "model/fit_stack.h"

enum { FIT_CNN_LAYERS_MAX = 2 };

/* One layer of convolution, all planes in the frequency domain of its input. */
typedef struct {
    FitDft dft;                                     // of the input's size
    int in_width, in_height, width, height, kernel; // input, valid output, kernel side
    int inputs, channels;   // input planes a bin (lags or channels), output channels
    int norms;              // batch-norms: channels, or units where each has its own
    FitStack stack;         // of 3×3 factors, where the kernel is one; else zeroed
    float *weight;          // (channels, inputs, kernel, kernel), a parameter or collapsed from the
                            // stack
    float *weight_gradient; // likewise
    float *scale, *shift;   // (norms), batch-norm, in the parameter vector
    size_t weight_at, scale_at, shift_at;
    float *product;                   // (half, ny, 2 channels, 2 inputs): conj(W) as a real matrix
    float *running_mean, *running_sd; // (norms), in the state vector
    float *mean, *sd;                 // (norms) in force: of the minibatch, or running
    float *grad_mean, *grad_dot;      // (norms) mean of dy, and of dy times the normalised value
    float *transpose;                 // scratch (channels * inputs * kernel²) and its spectrum
    float *spectrum;                  // (half, ny, 2, channels * inputs)
    float *rows;                      // scratch (kernel, 2 half, channels * inputs)
} FitLayer;

/* What one run leaves behind for its way back. */
typedef struct {
    float *stimulus;              // spectrum (half1, ny1, 2, frames)
    float *z[FIT_CNN_LAYERS_MAX]; // (height, width, channels, bins) before batch-norm
    float *g[FIT_CNN_LAYERS_MAX]; // (height, width, channels, bins) gradient after batch-norm
    float *a1;                    // spectrum of the second layer's input (half2, ny2, 2, c1, bins)
} FitCnnRun;

typedef struct {
    FitCnnRun *runs;                    // (runs)
    float *rows;                        // scratch: rows of a transform
    float *plane_row;                   // scratch: one row of a plane, (width, channels, bins)
    float *noise;                       // scratch, likewise
    float *part;                        // scratch: (ny, 2, channels * bins), one kx
    float *history;                     // scratch: (2 inputs, bins)
    float *drive;                       // (cells, bins)
    float *product[FIT_CNN_LAYERS_MAX]; // gradient of layer products, summed over this lane's runs
    float *readout;                     // (cells, units) gradient
    double *bias;                       // (cells) gradient
    double *sums[FIT_CNN_LAYERS_MAX]; // (2 norms): sum, sum of squares; on the way back dy, dy·ẑ
} FitCnnLane;

typedef struct {
    const FitBatch *batch;
    FitNet *net;
    int layers;
    FitLayer layer[FIT_CNN_LAYERS_MAX];
    float noise_sd; // added to every unit between batch-norm and ReLU, in training
    UnitNoise noise;
    int units;                  // of the last layer: channels * height * width
    size_t readout_at, bias_at; // (cells, height, width, channels), the order of z; (cells)
    bool is_training;
    float *file; // the tensors of the model file, filled by describe
    FitCnnLane lanes[FIT_LANES];
} FitCnn;

/* The phases of a network of so many layers. */
void fit_cnn_plan(int layers, FitNet *parts);

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
