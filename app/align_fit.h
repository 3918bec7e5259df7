#pragma once
/* The recording's clock against the run's: a line through the edges. For align.c. */
#include "app/align.h"
#include "app/align_look.h"

/* sample = offset + rate_hz · seconds since refresh 0, as below. False without memory; *is_there:
 * there are two edges to lay it through. */
bool align_fit_line(const AlignOrder *order, const AlignView *view, const int64_t *row,
                    double *offset, double *rate_hz, bool *is_there);

/* Fills drift, offset and residuals of the answer and of its places: least squares of the edges'
 * samples on the times that the record has for their refreshes, rising and falling ones brought
 * together, those more than six times the median off left out of the line (and not of the
 * residuals). False without memory. */
bool align_fit_clock(const AlignOrder *order, const AlignView *view, const int64_t *row,
                     AlignAnswer *answer);
