#include "app/nwb.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "app/clock.h"
#include "app/run_folder.h"

enum { TEXT_BYTES = 8192, DATE_BYTES = 40 };

/* "2026-01-31T12:00:00.123456Z" */
static void write_date(char *text, int64_t unix_ns)
{
    time_t seconds = (time_t)(unix_ns / 1000000000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    size_t used = strftime(text, DATE_BYTES, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + used, DATE_BYTES - used, ".%06dZ", (int)(unix_ns % 1000000000 / 1000));
}

/* Adds a sentence. */
static void say(char *text, const char *format, ...)
{
    va_list arguments;
    size_t used = strlen(text);
    va_start(arguments, format);
    vsnprintf(text + used, TEXT_BYTES - used, format, arguments);
    va_end(arguments);
}

static bool is_simulated(const RunFile *run)
{
    for (unsigned m = 0; m < run->models_count; m++)
        if (run->models[m].is_simulated)
            return true;
    return false;
}

static void describe_run(const Export *export, char *text)
{
    const RunFile *run = export->run;
    say(text, "Visual stimulation by Retrace %s: %s, %lld refreshes at %g Hz.", run->retrace,
        run->protocol.name, (long long)export->frames.count, run->refresh_hz);
    if (!export->is_complete)
        say(text, " The run was cut short: %lld refreshes were planned.",
            (long long)run->refreshes);
    if (!strcmp(run->display.time_source, "simulated"))
        say(text, " All times are simulated: no display told of its vertical blanks.");
    if (run->models_count > 0)
        say(text, " Firing rates are predictions of models; no spikes were recorded.");
    if (is_simulated(run))
        say(text, " Some of these models are, or were fitted to, a simulated retina.");
}

static void describe_session(const Export *export, char *text)
{
    if (export->run)
        describe_run(export, text);
    else
        say(text,
            "Planned by Retrace %s: %s at %g Hz. Nothing has been shown: all times are those of "
            "a display that keeps its rate, and the session start is when the plan was made.",
            RETRACE_VERSION, export->protocol->name, export->plan->refresh_hz);
}

static void describe_models(const RunFile *run, char *text)
{
    for (unsigned m = 0; m < run->models_count; m++) {
        const RunModel *model = &run->models[m];
        say(text, "Model %s: %s, %s%s%s%s\n", model->name, model->kind,
            model->is_simulated ? "simulated; " : "", model->provenance,
            model->sha256[0] ? "; file of sha256 " : "", model->sha256);
    }
}

static void write_notes(const NwbWriter *w)
{
    const RunFile *run = w->export->run;
    char text[TEXT_BYTES] = "";
    if (!run)
        return;
    say(text, "Timing at start of the run: %s; times from %s (%s).\n", run->display.verdict,
        run->display.ladder, run->display.time_source);
    describe_models(run, text);
    say(text, "Machine: %s, %s, %d cores.", run->machine.kernel, run->machine.cpu,
        run->machine.cores);
    hdf5_tree_text(w->tree, "/general/notes", text);
}

static const char *protocol_name(const Export *export)
{
    return export->run ? export->run->protocol.name : export->protocol->name;
}

static void write_stimulus(const NwbWriter *w)
{
    const RunDisplay *display = w->export->run ? &w->export->run->display : NULL;
    char text[TEXT_BYTES] = "";
    if (display)
        say(text, "%s display, %d x %d px of %g um on the retina, %g Hz.", display->driver,
            display->width_px, display->height_px, display->um_per_px, display->refresh_hz);
    else
        say(text, "Planned for a display of %d x %d px of %g um on the retina, %g Hz.",
            w->export->protocol->display.width_px, w->export->protocol->display.height_px,
            w->export->protocol->display.um_per_px, w->export->plan->refresh_hz);
    say(text, " Luminance is linear light, 0 black to 1 the brightest of the display; contrast is "
              "Weber contrast on the background. Stimuli are given by their parameters and seeds, "
              "from which Retrace makes the same frames again.");
    hdf5_tree_text(w->tree, "/general/stimulus", text);
}

static void write_general(const NwbWriter *w)
{
    static const char *const keywords[] = {"retina", "visual stimulation", "Retrace"};
    const Export *export = w->export;
    const char *about = export->protocol ? export->protocol->about : NULL;
    hdf5_tree_group(w->tree, "/general");
    nwb_text(w->tree, "/general/experiment_description",
             about && about[0] ? about : protocol_name(export));
    nwb_text(w->tree, "/general/protocol", protocol_name(export));
    hdf5_tree_texts(w->tree, "/general/keywords", keywords, sizeof keywords / sizeof *keywords);
    write_stimulus(w);
    write_notes(w);
    if (export->source && export->source[0]) {
        hdf5_tree_text(w->tree, "/general/source_script", export->source);
        hdf5_tree_attribute_text(w->tree, "/general/source_script", "file_name",
                                 export->source_name);
    }
}

/* run.yaml, byte for byte. */
static void write_run_file(NwbWriter *w)
{
    char path[RUN_FOLDER_PATH_BYTES], uuid[NWB_UUID_BYTES];
    if (!w->export->run)
        return;
    run_folder_path(w->export->folder, "run.yaml", path);
    FILE *file = fopen(path, "rb");
    if (!file)
        return; // gone since it was read
    fseek(file, 0, SEEK_END);
    long bytes = ftell(file);
    rewind(file);
    char *text = nwb_keep(w, bytes > 0 ? (size_t)bytes : 0);
    size_t got = text && bytes > 0 ? fread(text, 1, (size_t)bytes, file) : 0;
    fclose(file);
    if (got == 0)
        return;
    hdf5_tree_text(w->tree, "/scratch/run_yaml", text);
    nwb_uuid(uuid);
    hdf5_tree_attribute_text(w->tree, "/scratch/run_yaml", "namespace", "core");
    hdf5_tree_attribute_text(w->tree, "/scratch/run_yaml", "neurodata_type", "ScratchData");
    hdf5_tree_attribute_text(w->tree, "/scratch/run_yaml", "object_id", uuid);
    hdf5_tree_attribute_text(w->tree, "/scratch/run_yaml", "notes",
                             "run.yaml of Retrace: everything needed to repeat this run");
}

void nwb_write_head(NwbWriter *w)
{
    static const char *const groups[] = {"/acquisition", "/analysis", "/processing",
                                         "/stimulus/presentation", "/stimulus/templates"};
    char date[DATE_BYTES], now[DATE_BYTES], uuid[NWB_UUID_BYTES], text[TEXT_BYTES] = "";
    const char *const dates[] = {now};
    nwb_object(w->tree, "/", "core", "NWBFile", NULL);
    hdf5_tree_attribute_text(w->tree, "/", "nwb_version", "2.7.0");
    nwb_uuid(uuid);
    hdf5_tree_text(w->tree, "/identifier", uuid);
    describe_session(w->export, text);
    hdf5_tree_text(w->tree, "/session_description", text);
    write_date(date, w->export->start_unix_ns);
    write_date(now, clock_unix_ns());
    hdf5_tree_text(w->tree, "/session_start_time", date);
    hdf5_tree_text(w->tree, "/timestamps_reference_time", date);
    hdf5_tree_texts(w->tree, "/file_create_date", dates, 1);
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        hdf5_tree_group(w->tree, groups[i]);
    write_general(w);
    write_run_file(w);
}
