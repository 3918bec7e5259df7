#pragma once
/* What a piece of work costs at least, from its shapes: floating-point operations of the form in
 * which the program does it, bytes that have to be brought to the processor once, and the
 * operations of the network's plain definition, which a program without transforms has to do.
 *
 * A multiplication and an addition are two operations, a complex multiplication with its addition
 * eight. Left out, as small: rectifiers, batch-norm, softplus, and the additions that fold a
 * transform's rows. Bytes are of weights, kept spectra and sums; what one layer hands to the next
 * stays in the cache and does not count. */
#include <stdbool.h>

/* The network of cnn.h; channels[1] 0: a subunit model, without the second layer. Fits and
 * attributions are counted for networks of two layers. */
typedef struct {
    int width_px, height_px, history_bins, cells;
    int channels[2], kernel_px[2]; // square kernels
    bool is_factorised;            // the readout: a mask and a weight a channel (cnn_readout.h)
} BenchNet;

typedef struct {
    double flops, bytes;
} BenchCost;

/* 40 × 50 × 50 → 8 × 36 × 36 → 8 × 26 × 26 → cells, as Maheswaranathan 2018 and Tanaka 2019. */
BenchNet bench_net_published(int cells);

/* One bin: from the frame known to the rates known, and the part that needs no new frame. */
BenchCost bench_cost_critical(const BenchNet *net);
BenchCost bench_cost_settle(const BenchNet *net);

/* One bin of a stimulus whose images have all rows alike, in all. */
BenchCost bench_cost_rows_alike(const BenchNet *net);

/* One bin of a stimulus whose images are uniform (cnn_uniform.h), of a network of two layers whose tables are
 * there: P and Q of every channel, the units between the drive and the nearest kept, and what follows. A drive is
 * taken to lie anywhere among the thresholds. */
BenchCost bench_cost_uniform(const BenchNet *net);

/* One bin by the definition: Σ over lags, channels and kernel places. */
double bench_flops_plain(const BenchNet *net);

/* One bin of training, forwards and backwards, in runs of run_bins (fit.h). The weights' own
 * transforms and the optimiser's step are shared by a minibatch and left out. */
BenchCost bench_cost_fit(const BenchNet *net, int run_bins);
double bench_flops_fit_plain(const BenchNet *net);

/* One bin fed and one cell attributed, in `steps` panels that began as steps_least
 * (attribution.h). */
BenchCost bench_cost_attribution(const BenchNet *net, int steps_least, int steps);

/* One bin of a model of kind "reduced" whose kernels take `taps` means of the image, at `places` places. */
BenchCost bench_cost_reduced(int pixels, int units, int history_bins, int taps, int places,
                             int cells);
