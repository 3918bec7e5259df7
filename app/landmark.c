#include "app/landmark.h"

#include <math.h>

#include "app/peak.h"

static const double WAIT_S = 0.04, OMISSION_S = 0.3, TURN_FROM_S = 0.07, TURN_TO_S = 0.3;
static const double FLASHED_S = 0.3, TOP = 0.8, DEGREE = 3.14159265358979323846 / 180;

static double seconds_of(const Plan *plan, int64_t frames)
{
    return (double)frames / plan->refresh_hz;
}

/* When the last event of a kind happens, after the onset; NaN when none does. */
static double last_event_s(const Plan *plan, int trial, TrialEventKind kind)
{
    const PlanTrial *planned = &plan->trials[trial];
    double found_s = (double)NAN;
    TrialEvent event;
    for (int64_t i = 0; trial_event(plan, trial, i, &event); i++)
        if (event.kind == kind)
            found_s =
                seconds_of(plan, event.refresh - planned->first_refresh - planned->before_frames);
    return found_s;
}

static Landmark flicker_landmark(const Plan *plan, int trial)
{
    double last_s = last_event_s(plan, trial, TRIAL_EVENT_FLASH);
    double due_s = last_s + seconds_of(plan, plan->trials[trial].period_frames);
    return (Landmark){"last flash", last_s, due_s + WAIT_S, due_s + OMISSION_S};
}

static Landmark turn_landmark(const Plan *plan, int trial)
{
    double turn_s = last_event_s(plan, trial, TRIAL_EVENT_TURN);
    return (Landmark){"turn", turn_s, turn_s + TURN_FROM_S, turn_s + TURN_TO_S};
}

static Landmark bar_landmark(const Plan *plan, int trial, double x_um, double y_um)
{
    const PlanTrial *planned = &plan->trials[trial];
    const ProtocolBar *bar = plan->protocol->blocks[planned->block].bar;
    double direction = bar->direction_deg * DEGREE;
    double place_um = isnan(x_um) ? 0 : x_um * cos(direction) + y_um * sin(direction);
    if (!(planned->value > 0))
        return (Landmark){"onset", 0, 0, FLASHED_S};
    return (Landmark){"bar over the cell", (0.5 * bar->travel_um + place_um) / planned->value, 0,
                      seconds_of(plan, planned->stimulus_frames)};
}

Landmark landmark_of(const Plan *plan, int trial, double x_um, double y_um)
{
    const PlanTrial *planned = &plan->trials[trial];
    const ProtocolBlock *block = &plan->protocol->blocks[planned->block];
    if (block->flicker)
        return flicker_landmark(plan, trial);
    if (block->reversal)
        return turn_landmark(plan, trial);
    if (block->bar)
        return bar_landmark(plan, trial, x_um, y_um);
    double shown_s = seconds_of(plan, planned->stimulus_frames);
    return (Landmark){"onset", 0, 0,
                      shown_s + (block->step ? 0 : seconds_of(plan, planned->after_frames))};
}

/* In bins: of what stands above TOP of the height, without a break, around the peak. */
static double centroid(const float *rates_hz, int from, int to, const Peak *peak)
{
    double floor_hz = TOP * peak->height, sum = 0, moment = 0;
    int highest = (int)lround(peak->at); // the parabola's top is within half a bin of it
    for (int step = -1; step <= 1; step += 2)
        for (int bin = step < 0 ? highest : highest + 1;
             bin >= from && bin < to && (double)rates_hz[bin] > floor_hz; bin += step) {
            sum += (double)rates_hz[bin] - floor_hz;
            moment += ((double)rates_hz[bin] - floor_hz) * bin;
        }
    return moment / sum;
}

LandmarkPeak landmark_peak(const Landmark *landmark, double first_s, double bin_s,
                           const float *rates_hz, int bins)
{
    int from = (int)fmax(ceil((landmark->from_s - first_s) / bin_s - 1e-6), 0);
    int to = (int)fmin(floor((landmark->to_s - first_s) / bin_s + 1e-6) + 1, bins);
    Peak peak = peak_find(rates_hz, 1, from, to);
    if (isnan(peak.at))
        return (LandmarkPeak){(double)NAN, (double)NAN};
    double at = centroid(rates_hz, from, to, &peak);
    return (LandmarkPeak){1e3 * (first_s + at * bin_s - landmark->at_s), peak.height};
}
