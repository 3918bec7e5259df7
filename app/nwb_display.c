#include "app/nwb.h"

#include <stdio.h>
#include <string.h>

#include "app/digest.h"
#include "app/paths.h"
#include "config/gamma.h"

enum { TEXT_BYTES = 1024, FIGURES_MAX = 8 };

/* The display's figures, one a row. */
typedef struct {
    const char *names[FIGURES_MAX], *units[FIGURES_MAX];
    double values[FIGURES_MAX];
    int64_t count;
} Figures;

static void add(Figures *figures, const char *name, double value, const char *unit)
{
    figures->names[figures->count] = name;
    figures->units[figures->count] = unit;
    figures->values[figures->count++] = value;
}

static void fill_figures(const Export *export, Figures *figures)
{
    if (export->run) {
        const RunDisplay *display = &export->run->display;
        add(figures, "refresh", display->refresh_hz, "Hz");
        if (display->measured_hz > 0) {
            add(figures, "measured refresh", display->measured_hz, "Hz");
            add(figures, "refresh jitter (SD)", display->jitter_us, "microseconds");
        }
        add(figures, "pixel on the retina", display->um_per_px, "micrometers");
        add(figures, "width", display->width_px, "pixels");
        add(figures, "height", display->height_px, "pixels");
        return;
    }
    const ProtocolDisplay *display = &export->protocol->display;
    add(figures, "planned refresh", export->plan->refresh_hz, "Hz");
    add(figures, "pixel on the retina", display->um_per_px, "micrometers");
    add(figures, "width", display->width_px, "pixels");
    add(figures, "height", display->height_px, "pixels");
}

/* The gamma table in force, where its file is at hand and still the one that was used. */
static bool find_gamma(const Export *export, char *path)
{
    char sha256[DIGEST_BYTES];
    const RunFile *run = export->run;
    const char *table = run ? run->display.gamma_table : export->protocol->display.gamma_table;
    if (!table || !table[0])
        return false;
    path_find_near(run ? run->protocol.path : export->source_name, table, path);
    return digest_file(path, sha256) &&
           (!run || (run->display.gamma_sha256 && !strcmp(sha256, run->display.gamma_sha256)));
}

static void write_gamma(NwbWriter *w, const char *path)
{
    char err[GAMMA_ERR_BYTES];
    float *drive = nwb_keep(w, GAMMA_LEVELS * sizeof *drive);
    double *lum = nwb_keep(w, GAMMA_LEVELS * sizeof *lum);
    if (!drive || !lum || !gamma_load(path, drive, err))
        return;
    for (int i = 0; i < GAMMA_LEVELS; i++)
        lum[i] = (double)i / (GAMMA_LEVELS - 1);
    NwbTable table = {.path = "/analysis/display_gamma",
                      .type = "DynamicTable",
                      .description = "Drive level of the display for each luminance, from the "
                                     "measured gamma table",
                      .rows = GAMMA_LEVELS};
    nwb_column(&table, "luminance", HDF5_TREE_DOUBLE, lum, "share of the brightest, linear light");
    nwb_column(&table, "drive_level", HDF5_TREE_FLOAT, drive, "0 to 1, what the display was given");
    nwb_table(w->tree, &table);
}

static void write_device(const NwbWriter *w, bool has_gamma)
{
    const RunFile *run = w->export->run;
    char text[TEXT_BYTES];
    const char *gamma = run ? run->display.gamma_table : w->export->protocol->display.gamma_table;
    bool is_linear = !gamma || !gamma[0];
    int used =
        run ? snprintf(text, sizeof text, "Display of the stimulus: %s%s%.300s.",
                       run->display.driver, run->display.detail[0] ? ", " : "", run->display.detail)
            : snprintf(text, sizeof text, "Display the plan was made for.");
    snprintf(text + used, sizeof text - (size_t)used, " Gamma: %s%.200s%s.",
             is_linear   ? "none, taken to be linear"
             : has_gamma ? "display_gamma, from "
                         : "of a file that is not at hand as it was used, ",
             is_linear ? "" : gamma,
             is_linear                          ? ""
             : run && run->display.gamma_sha256 ? ", sha256 in run_yaml"
                                                : "");
    nwb_object(w->tree, "/general/devices/display", "core", "Device", text);
}

void nwb_write_display(NwbWriter *w)
{
    char gamma[PATH_BYTES];
    Figures figures = {.count = 0};
    bool has_gamma = find_gamma(w->export, gamma);
    write_device(w, has_gamma);
    fill_figures(w->export, &figures);
    NwbTable table = {.path = "/analysis/display_calibration",
                      .type = "DynamicTable",
                      .description = "Figures of the display",
                      .rows = figures.count};
    nwb_column_texts(&table, "quantity", figures.names, "what the value is of");
    nwb_column(&table, "value", HDF5_TREE_DOUBLE, figures.values, "in the unit beside it");
    nwb_column_texts(&table, "unit", figures.units, "unit of the value");
    nwb_table(w->tree, &table);
    if (has_gamma)
        write_gamma(w, gamma);
}
