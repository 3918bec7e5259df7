#pragma once
/* A model's linear prediction, by reverse correlation with bar noise: stripes one pixel wide, each
 * the same maximum-length binary sequence, 8191 bins long, at a shift of its own (Reid, Victor &
 * Shapley 1997), shown once and once again with light and dark swapped (inverse repeat). Or one
 * stripe that fills the field, and a sequence of 2047 bins.
 *
 * A whole cycle of such a sequence is white to one part in its length, so the correlation with it is
 * the least-squares linear model, and the swap takes out every even-order part of the response,
 * rectification above all. The contrast is low (0.3): the linear model is that of grey, the state
 * in which a bar finds the model. Whatever the output nonlinearity, as long as it rises, the
 * prediction's peak stands where that of a linear-nonlinear model would. */
#include <stdbool.h>
#include <stddef.h>

#include "app/subject.h"

typedef struct {
    int cells, lags, columns;
    double *kernel; // (cells, lags, columns), Hz a unit of contrast; lag 0 is the bin itself; owned
} BarKernel;

/* Upright stripes of contrast 0.3. False without memory or when stopped; the kernel is then empty. */
bool bar_noise_fit(Subject *subject, BarKernel *kernel);

/* The same light everywhere, of that contrast; the kernel has one column. */
bool flicker_noise_fit(Subject *subject, double contrast, BarKernel *kernel);
void bar_noise_finish(BarKernel *kernel);

/* response (bins, cells) := the kernel on light (bins, columns), grey before. */
void bar_noise_predict(const BarKernel *kernel, const float *light, int bins, float *response);

/* x_um and y_um of the subject := centre of gravity of the squared kernels of upright and of level
 * stripes around their peaks. */
bool bar_noise_places(Subject *subject);
