#include "render/calibrate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double valid_share = 0.2, snap_share = 0.002;
static const double fastest_hz = 500, slowest_hz = 20;

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare);
    return 0.5 * (values[(count - 1) / 2] + values[count / 2]);
}

static double interval_us(const VblankSample *samples, int i)
{
    double ns = (double)(samples[i + 1].time_ns - samples[i].time_ns);
    return ns / 1e3 / (double)(samples[i + 1].tick - samples[i].tick);
}

static void measure_jitter(const VblankSample *samples, int count, Calibration *calibration)
{
    double sorted[CALIBRATE_MAX_STAMPS];
    for (int i = 0; i < count - 1; i++)
        sorted[i] = interval_us(samples, i);
    double middle = median(sorted, count - 1), sum = 0, squares = 0;
    calibration->median_us = middle;
    for (int i = 0; i < count - 1; i++) {
        double off = interval_us(samples, i) - middle;
        if (fabs(off) > valid_share * middle) {
            calibration->discarded++;
            continue;
        }
        calibration->intervals++;
        sum += off;
        squares += off * off;
    }
    double n = calibration->intervals;
    if (n > 1)
        calibration->jitter_us = sqrt(fmax(0, squares - sum * sum / n) / (n - 1));
}

typedef struct {
    double period_ns, start_ns, sd_ns; // time of tick t after the first: start + t·period
    int points;
} Line;

/* Least squares over the samples that lie within limit_ns of an earlier line. */
static Line fit(const VblankSample *samples, int count, Line earlier, double limit_ns)
{
    double n = 0, x = 0, y = 0, xx = 0, xy = 0, yy = 0;
    for (int i = 0; i < count; i++) {
        double tick = (double)(samples[i].tick - samples[0].tick);
        double time_ns = (double)(samples[i].time_ns - samples[0].time_ns);
        double off_ns = time_ns - earlier.start_ns - tick * earlier.period_ns;
        if (fabs(off_ns) > limit_ns)
            continue;
        n++;
        x += tick;
        y += off_ns;
        xx += tick * tick;
        xy += tick * off_ns;
        yy += off_ns * off_ns;
    }
    double spread = xx - x * x / n, slope = (xy - x * y / n) / spread;
    double rest = yy - y * y / n - slope * slope * spread;
    return (Line){.period_ns = earlier.period_ns + slope,
                  .start_ns = earlier.start_ns + (y - slope * x) / n,
                  .sd_ns = sqrt(fmax(0, rest) / fmax(1, n - 2)),
                  .points = (int)n};
}

void calibrate_measure(const VblankSample *samples, int count, Calibration *calibration)
{
    *calibration = (Calibration){0};
    if (count < 3)
        return;
    if (count > CALIBRATE_MAX_STAMPS)
        count = CALIBRATE_MAX_STAMPS;
    measure_jitter(samples, count, calibration);
    double ticks = (double)(samples[count - 1].tick - samples[0].tick);
    Line chord = {.period_ns = (double)(samples[count - 1].time_ns - samples[0].time_ns) / ticks};
    Line all = fit(samples, count, chord, HUGE_VAL);
    Line line = fit(samples, count, all, valid_share * all.period_ns);
    if (line.points < 3)
        line = all;
    calibration->measured_hz = 1e9 / line.period_ns;
    double error_ns = line.sd_ns * sqrt(12 / pow(line.points, 3));
    double error_hz = calibration->measured_hz * error_ns / line.period_ns;
    calibration->nominal_hz = calibrate_nominal_hz(calibration->measured_hz, error_hz);
}

double calibrate_nominal_hz(double hz, double error_hz)
{
    const double television = 1000.0 / 1001.0;
    double whole_hz = round(hz), television_hz = round(hz / television) * television;
    bool is_television =
        fabs(hz - television_hz) < fabs(hz - whole_hz) && fabs(hz - whole_hz) > 2 * error_hz;
    double snapped_hz = is_television ? television_hz : whole_hz;
    return fabs(hz - snapped_hz) <= snap_share * hz ? snapped_hz : hz;
}

void calibrate_judge(const Calibration *calibration, FlipTimeSource source, double claimed_hz,
                     char *verdict)
{
    const char *without_display[] = {
        [FLIP_TIME_SWAP_RETURN] = "times are the return of the swap, not the display's own",
        [FLIP_TIME_SIMULATED] = "nothing says when an image is shown; times are simulated",
    };
    double hz = calibration->measured_hz;
    if (source != FLIP_TIME_DISPLAY)
        snprintf(verdict, CALIBRATE_VERDICT_BYTES, "unsafe: %s", without_display[source]);
    else if (calibration->intervals < CALIBRATE_MIN_INTERVALS)
        snprintf(verdict, CALIBRATE_VERDICT_BYTES,
                 "unsafe: only %d even refresh intervals of %d (limit %d)", calibration->intervals,
                 calibration->intervals + calibration->discarded, CALIBRATE_MIN_INTERVALS);
    else if (!(calibration->jitter_us < CALIBRATE_MAX_SD_US))
        snprintf(verdict, CALIBRATE_VERDICT_BYTES,
                 "unsafe: refresh intervals scatter by %.0f us SD (limit %d us)",
                 calibration->jitter_us, CALIBRATE_MAX_SD_US);
    else if (claimed_hz > 0 && !(fabs(hz - claimed_hz) <= valid_share * claimed_hz))
        snprintf(verdict, CALIBRATE_VERDICT_BYTES,
                 "unsafe: %.2f Hz measured where the system claims %.2f Hz", hz, claimed_hz);
    else
        snprintf(verdict, CALIBRATE_VERDICT_BYTES, "ok");
}

bool calibrate_swap_blocks(const int64_t *interval_ns, int count)
{
    double straight[CALIBRATE_MAX_STAMPS], paused[CALIBRATE_MAX_STAMPS];
    int pairs = count / 2 < CALIBRATE_MAX_STAMPS ? count / 2 : CALIBRATE_MAX_STAMPS;
    if (pairs < 2)
        return false;
    for (int i = 0; i < pairs; i++) {
        straight[i] = (double)interval_ns[2 * i];
        paused[i] = (double)interval_ns[2 * i + 1];
    }
    double straight_ns = median(straight, pairs), paused_ns = median(paused, pairs);
    return straight_ns >= 1e9 / fastest_hz && straight_ns <= 1e9 / slowest_hz &&
           fabs(paused_ns - straight_ns) < 0.25 * CALIBRATE_PROBE_DELAY_NS;
}
