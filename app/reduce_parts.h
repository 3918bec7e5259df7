#pragma once
/* What the files of `reduce` share among themselves; reduce.h is for the rest. Steps of
 * reduce_measure(), in their order; each false without memory or when stopped. */
#include "app/reduce.h"

/* rates_hz and full. */
bool reduce_keep_rates(Reduce *reduce);

/* units, filters, outputs and rest of the first steps_count channels. */
bool reduce_make_units(Reduce *reduce, char *err);

/* ablations[].full: the full model without each of those channels, and without all that inhibit. */
bool reduce_silence_full(Reduce *reduce, char *err);

/* steps; reduced: of the kept one. */
bool reduce_fit_steps(Reduce *reduce, const ReduceRule *rule);

/* ablations[].reduced, and how much changes. */
bool reduce_silence_reduced(Reduce *reduce, const ReduceRule *rule);

/* The first k channels' units over all bins, and what the network makes of them; borrowed from
 * reduce. */
ReductionTask reduce_task(const Reduce *reduce, int channels);

/* As reduce_fit_steps() fits: without some of the units, or NULL. */
bool reduce_fit_task(const Reduce *reduce, int channels, const bool *is_left_out,
                     const ReductionStarts *starts, ReductionNumbers *numbers);

/* Fewer where fits are long. */
int reduce_starts(const Reduce *reduce, const ReduceRule *rule);

/* Root mean square of the change, over that of the rate less its mean; 0 for a constant rate. */
double reduce_change(const float *with_hz, const float *without_hz, int bins);

bool reduce_curve_alloc(const Reduce *reduce, ReduceCurve *curve);

/* How far the peaks of a curve are from those of the full model's, into step. False without memory. */
bool reduce_compare_peaks(const Reduce *reduce, const ReduceCurve *curve, ReduceStep *step);

/* The peaks of a curve whose rates are there. */
void reduce_find_peaks(const Reduce *reduce, ReduceCurve *curve);

bool reduce_is_stopped(const Reduce *reduce);
