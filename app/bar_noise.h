#pragma once
/* A model's linear prediction, by reverse correlation with bar noise: stripes one pixel wide, each
 * bin of each a Gaussian number of its own (SD 1 of the model's input), seeded.
 *
 * White noise makes the spike-triggered average the least-squares linear model around that
 * operating point. Of it the experiments ask where a bar's response would peak if the model
 * were linear: whatever the output nonlinearity, as long as it rises. */
#include <stdbool.h>
#include <stddef.h>

#include "app/subject.h"

typedef struct {
    int cells, lags, columns;
    double *kernel; // (cells, lags, columns), Hz a unit of contrast; lag 0 is the bin itself; owned
} BarKernel;

/* Upright stripes for `bins` bins. False without memory or when stopped; the kernel is then empty.
 */
bool bar_noise_fit(Subject *subject, int bins, BarKernel *kernel);
void bar_noise_finish(BarKernel *kernel);

/* response (bins, cells) := the kernel on light (bins, columns), grey before. */
void bar_noise_predict(const BarKernel *kernel, const float *light, int bins, float *response);

/* x_um and y_um of the subject := centre of gravity of the squared kernels of upright and of level
 * stripes around their peaks. */
bool bar_noise_places(Subject *subject);
