#pragma once
/* The moment of a trial that its response is timed from, and where that response is looked for.
 *
 *   flicker    from the last flash; the response is one to its end: 40 to 300 ms after the next
 *              flash was due (as phenomenon_omitted.c)
 *   step       from the onset, to the end of the step
 *   reversal   from the turn; 70 to 300 ms after it (Schwartz et al. 2007; phenomenon_reversal.c)
 *   bar        from the moment its centre passes the cell's, while it moves; a flashed one from its
 *              onset
 *   others     from the onset, to the trial's end */
#include "app/trial.h"

typedef struct {
    const char *name; // "last flash", …
    double at_s;      // after the onset, as the next two
    double from_s, to_s;
} Landmark;

/* x_um, y_um: the cell's centre, or NaN: then a bar is timed from the middle of the field. */
Landmark landmark_of(const Plan *plan, int trial, double x_um, double y_um);

typedef struct {
    double time_ms;   // from the landmark; NaN: no peak
    double height_hz; // of the highest bin; NaN: no peak
} LandmarkPeak;

/* The highest peak of rates_hz (bins) where the response is looked for; bin b is at first_s + b ·
 * bin_s from the onset. Its time is the centroid of what stands above four fifths of its height
 * around it: broad tops have no sharp highest bin. */
LandmarkPeak landmark_peak(const Landmark *landmark, double first_s, double bin_s,
                           const float *rates_hz, int bins);
