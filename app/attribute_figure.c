#include "app/attribute.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/figure.h"
#include "app/plot.h"

static const double TEXT_PT = 8.0, MARGIN_PT = 16.0, HEAD_PT = 78.0;
static const double LABELS_PT = 66.0, TIME_PT = 330.0, GAP_PT = 30.0, PLACES_PT = 130.0;
static const double TITLE_PT = 18.0, TRACE_PT = 54.0, BETWEEN_PT = 6.0, CHANNEL_PT = 9.0;
static const double BELOW_PT = 40.0;
static const double SHOWN_MOST_S = 15.0, AROUND_PEAK_S = 1.5;

enum { TICKS = 8 };

typedef struct {
    cairo_t *cairo;
    const Attribute *attribute;
    const ChannelCard *cards;
    const AttributeTrial *trials;
    int count, columns; // trials side by side
    bool has_places;
    double panel_width_pt, panel_height_pt, map_pt;
    double largest_hz, largest_place_hz; // ends of the colour scales
    PlotRange rates;
} Page;

/* The bins of a trial that are shown: all, or those around the peak. */
typedef struct {
    int from, count;
} Shown;

static Shown shown_of(const AttributeTrial *trial, double bin_hz)
{
    int half = (int)(AROUND_PEAK_S * bin_hz);
    if (trial->bins <= (int)(SHOWN_MOST_S * bin_hz))
        return (Shown){0, trial->bins};
    int from = trial->peak_bin > half ? trial->peak_bin - half : 0;
    int to = from + 2 * half < trial->bins ? from + 2 * half : trial->bins;
    return (Shown){from, to - from};
}

static void measure_ranges(Page *page)
{
    double highest = 0;
    for (int t = 0; t < page->count; t++) {
        const AttributeTrial *trial = &page->trials[t];
        for (int i = 0; i < trial->channels * trial->bins; i++)
            page->largest_hz = fmax(page->largest_hz, fabs((double)trial->channels_hz[i]));
        for (int i = 0; i < trial->channels * trial->places; i++)
            page->largest_place_hz =
                fmax(page->largest_place_hz, fabs((double)trial->folded_hz[i]));
        for (int bin = 0; bin < trial->bins; bin++)
            highest = fmax(highest, trial->rates_hz[bin]);
        page->has_places = page->has_places || (trial->is_symmetric && trial->places > 1);
    }
    page->largest_hz = fmax(page->largest_hz, 1e-3);
    page->largest_place_hz = fmax(page->largest_place_hz, 1e-3);
    page->rates = (PlotRange){0, 1.08 * fmax(highest, 1e-3)};
}

static void draw_events(const Page *page, const AttributeTrial *trial, bool has_flashes,
                        const PlotArea *area)
{
    const Plan *plan = page->attribute->plan;
    const PlanTrial *planned = &plan->trials[trial->trial];
    int64_t onset = planned->first_refresh + planned->before_frames;
    TrialEvent event;
    for (int64_t i = 0; trial_event(plan, trial->trial, i, &event); i++) {
        double at_s = (double)(event.refresh - onset) / plan->refresh_hz;
        bool is_special = event.kind == TRIAL_EVENT_OMITTED_FLASH || event.kind == TRIAL_EVENT_TURN;
        bool is_border =
            event.kind == TRIAL_EVENT_STIMULUS_ONSET || event.kind == TRIAL_EVENT_STIMULUS_END;
        double x = plot_x_px(area, at_s), top = area->box.y_px;
        if (at_s < area->x.low || at_s > area->x.high)
            continue;
        if (is_special || is_border)
            plot_line(page->cairo, is_special ? plot_on_paper.series[1] : plot_on_paper.faint, 0.7,
                      x, top, x, top + area->box.height_px);
        else if (has_flashes && event.kind == TRIAL_EVENT_FLASH)
            plot_line(page->cairo, plot_on_paper.faint, 0.7, x, top, x, top + 4.0);
    }
}

static void draw_trace(const Page *page, const AttributeTrial *trial, Shown shown,
                       const PlotArea *area)
{
    const PlotText name = {plot_on_paper.faint, TEXT_PT, false, PLOT_CENTRE, 0.0};
    plot_y_axis(page->cairo, &plot_on_paper, area, plot_tick_step(area->y, 3), TEXT_PT);
    double rest_pt = plot_y_px(area, trial->rest_hz);
    plot_line(page->cairo, plot_on_paper.faint, 0.6, area->box.x_px, rest_pt,
              area->box.x_px + area->box.width_px, rest_pt);
    draw_events(page, trial, true, area);
    plot_trace(page->cairo, area, plot_on_paper.ink, 1.0, trial->times_s + shown.from,
               trial->rates_hz + shown.from, (size_t)shown.count);
    plot_text_up(page->cairo, &name, area->box.x_px - 26.0,
                 area->box.y_px + 0.5 * area->box.height_px, "rate, Hz");
}

/* values (channels, stride) from column `from` on. */
static bool draw_map(const Page *page, const PlotBox *box, const float *values, int channels,
                     int stride, Shown shown, double largest_hz)
{
    float *shown_values = calloc((size_t)(channels * shown.count), sizeof *shown_values);
    if (!shown_values)
        return false;
    for (int c = 0; c < channels; c++)
        memcpy(shown_values + c * shown.count, values + c * stride + shown.from,
               (size_t)shown.count * sizeof *values);
    const PlotImage image = {
        shown_values, shown.count, channels, PLOT_DIVERGING, {-largest_hz, largest_hz}};
    plot_image(page->cairo, &plot_on_paper, box, &image);
    free(shown_values);
    return true;
}

static void draw_channel_names(const Page *page, const PlotBox *box)
{
    const PlotText name = {plot_on_paper.ink, 0.9 * TEXT_PT, false, PLOT_RIGHT, 0.0};
    int channels = page->trials[0].channels;
    double height_pt = box->height_px / channels;
    for (int c = 0; c < channels; c++) {
        char text[PLOT_LABEL_BYTES];
        snprintf(text, sizeof text, "%d %s %.0f ms", c + 1, page->cards[c].is_on ? "ON" : "OFF",
                 page->cards[c].peak_ms);
        plot_text(page->cairo, &name, box->x_px - 4.0,
                  box->y_px + (c + 0.5) * height_pt + 0.32 * TEXT_PT, text);
    }
}

static bool draw_places(const Page *page, const AttributeTrial *trial, const PlotBox *map)
{
    const PlotText name = {plot_on_paper.faint, TEXT_PT, false, PLOT_CENTRE, 0.0};
    double half_um = 0.5 * trial->places * page->attribute->info->um_per_px;
    const PlotArea area = {{map->x_px + TIME_PT + GAP_PT, map->y_px, PLACES_PT, map->height_px},
                           {-half_um, half_um},
                           {0, 1}};
    plot_x_axis(page->cairo, &plot_on_paper, &area, plot_tick_step(area.x, 4), TEXT_PT);
    if (!draw_map(page, &area.box, trial->folded_hz, trial->channels, trial->places,
                  (Shown){0, trial->places}, page->largest_place_hz))
        return false;
    bool is_lying = trial->claimed == ATTRIBUTION_SYMMETRY_ALONG_X;
    plot_text(page->cairo, &name, area.box.x_px + 0.5 * PLACES_PT,
              area.box.y_px + area.box.height_px + 2.8 * TEXT_PT,
              is_lying ? "place down the rows, um" : "place, um");
    char text[PLOT_LABEL_BYTES];
    snprintf(text, sizeof text, "at %.3f s", trial->times_s[trial->peak_bin]);
    plot_text(page->cairo, &name, area.box.x_px + 0.5 * PLACES_PT, area.box.y_px - 4.0, text);
    return true;
}

static bool draw_trial(const Page *page, int t)
{
    const AttributeTrial *trial = &page->trials[t];
    double bin_hz = page->attribute->info->bin_hz;
    double x_pt = MARGIN_PT + LABELS_PT + (t % page->columns) * page->panel_width_pt;
    double y_pt = HEAD_PT + (t / page->columns) * page->panel_height_pt;
    Shown shown = shown_of(trial, bin_hz);
    const PlotRange times = {trial->times_s[shown.from] - 0.5 / bin_hz,
                             trial->times_s[shown.from + shown.count - 1] + 0.5 / bin_hz};
    const PlotArea trace = {{x_pt, y_pt + TITLE_PT, TIME_PT, TRACE_PT}, times, page->rates};
    const PlotArea map = {
        {x_pt, y_pt + TITLE_PT + TRACE_PT + BETWEEN_PT, TIME_PT, page->map_pt}, times, {0, 1}};
    const PlotText title = {plot_on_paper.ink, TEXT_PT, true, PLOT_LEFT, 0.0};
    const PlotText name = {plot_on_paper.faint, TEXT_PT, false, PLOT_CENTRE, 0.0};
    char text[PLOT_LABEL_BYTES];
    snprintf(text, sizeof text, "%s%strial %d", trial->condition, trial->condition[0] ? ", " : "",
             trial->trial);
    plot_text(page->cairo, &title, x_pt, y_pt + 1.4 * TEXT_PT, text);
    draw_trace(page, trial, shown, &trace);
    plot_x_axis(page->cairo, &plot_on_paper, &map, plot_tick_step(times, TICKS), TEXT_PT);
    bool is_drawn = draw_map(page, &map.box, trial->channels_hz, trial->channels, trial->bins,
                             shown, page->largest_hz);
    draw_events(page, trial, false, &map);
    draw_channel_names(page, &map.box);
    plot_text(page->cairo, &name, x_pt + 0.5 * TIME_PT, map.box.y_px + page->map_pt + 2.8 * TEXT_PT,
              "time from the stimulus's onset, s");
    if (is_drawn && trial->is_symmetric && trial->places > 1)
        is_drawn = draw_places(page, trial, &map.box);
    return is_drawn;
}

/* Returns its right end. */
static double draw_scale(const Page *page, double x_pt, double y_pt, double largest_hz,
                         const char *what)
{
    const PlotText text = {plot_on_paper.faint, TEXT_PT, false, PLOT_LEFT, 0.0};
    char label[PLOT_LABEL_BYTES];
    snprintf(label, sizeof label, "%s: −%.3g", what, largest_hz);
    x_pt += plot_text(page->cairo, &text, x_pt, y_pt, label) + 5.0;
    const PlotBox bar = {x_pt, y_pt - 0.8 * TEXT_PT, 64.0, TEXT_PT};
    plot_scale_bar(page->cairo, &bar, PLOT_DIVERGING);
    snprintf(label, sizeof label, "+%.3g Hz", largest_hz);
    x_pt += bar.width_px + 5.0;
    return x_pt + plot_text(page->cairo, &text, x_pt, y_pt, label);
}

static void draw_head(const Page *page, double width_pt)
{
    const ModelInfo *info = page->attribute->info;
    const Plan *plan = page->attribute->plan;
    double room_pt = width_pt - 2 * MARGIN_PT;
    const PlotText large = {plot_on_paper.ink, 1.4 * TEXT_PT, true, PLOT_LEFT, room_pt};
    const PlotText small = {plot_on_paper.ink, TEXT_PT, false, PLOT_LEFT, room_pt};
    const PlotText faint = {plot_on_paper.faint, TEXT_PT, false, PLOT_LEFT, room_pt};
    char text[PLOT_LABEL_BYTES];
    snprintf(text, sizeof text, "%.80s: %.100s", plan->protocol->name,
             plan->protocol->blocks[plan->trials[page->trials[0].trial].block].name);
    plot_text(page->cairo, &large, MARGIN_PT, 2.6 * TEXT_PT, text);
    snprintf(text, sizeof text, "%s%s, cell %.60s: attribution by first-layer channel", info->name,
             info->is_simulated ? " (simulated)" : "", info->cell_names[page->attribute->cell]);
    plot_text(page->cairo, &small, MARGIN_PT, 4.3 * TEXT_PT, text);
    snprintf(text, sizeof text,
             "path from luminance %g; level line: its rate; upright: onset, end; blue: omission, "
             "turn",
             page->trials[0].background_lum);
    plot_text(page->cairo, &faint, MARGIN_PT, 5.8 * TEXT_PT, text);
    double right_pt = draw_scale(page, MARGIN_PT, 7.5 * TEXT_PT, page->largest_hz, "channel");
    if (page->has_places)
        draw_scale(page, right_pt + 20.0, 7.5 * TEXT_PT, page->largest_place_hz,
                   "channel and place");
}

bool attribute_draw(const Attribute *attribute, const ChannelCard *cards,
                    const AttributeTrial *trials, int count, const char *path, char *err)
{
    Page page = {.attribute = attribute, .cards = cards, .trials = trials, .count = count};
    measure_ranges(&page);
    page.columns = count > 3 ? 2 : 1;
    page.map_pt = fmax(trials[0].channels * CHANNEL_PT, 3.0 * CHANNEL_PT);
    page.panel_width_pt =
        LABELS_PT + TIME_PT + (page.has_places ? GAP_PT + PLACES_PT : 0.0) + MARGIN_PT;
    page.panel_height_pt = TITLE_PT + TRACE_PT + BETWEEN_PT + page.map_pt + BELOW_PT;
    double width_pt = MARGIN_PT + page.columns * page.panel_width_pt;
    int rows = (count + page.columns - 1) / page.columns;
    Figure *figure = figure_open(path, width_pt, HEAD_PT + rows * page.panel_height_pt, err);
    if (!figure)
        return false;
    page.cairo = figure_cairo(figure);
    draw_head(&page, width_pt);
    bool is_drawn = true;
    for (int t = 0; t < count && is_drawn; t++)
        is_drawn = draw_trial(&page, t);
    bool is_kept = figure_close(figure, err);
    if (!is_drawn)
        snprintf(err, FIGURE_ERR_BYTES, "out of memory for the figure %.400s", path);
    return is_drawn && is_kept;
}
