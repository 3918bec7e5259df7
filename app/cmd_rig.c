#include "app/commands.h"

#include <stdio.h>
#include <string.h>

#include "app/arguments.h"
#include "app/json.h"
#include "app/rig_advice.h"
#include "app/rig_measure.h"
#include "app/stop.h"

enum { FOUND_MOST = 32 };

typedef struct {
    const char *action;
    RigSpec spec;
    bool has_spec;
    double seconds, rate_hz;
    ArgumentInteger events, input;
    const char *json;
} Options;

static bool take_word(void *options, const char *text, char *err)
{
    Options *o = options;
    char why[RIG_SPEC_ERR_BYTES];
    if (!o->action) {
        o->action = text;
        return true;
    }
    if (o->has_spec) {
        snprintf(err, ARGUMENTS_ERR_BYTES, "'%.100s' is one argument too many", text);
        return false;
    }
    o->has_spec = true;
    if (rig_spec_read(text, &o->spec, why))
        return true;
    snprintf(err, ARGUMENTS_ERR_BYTES, "%.480s", why);
    return false;
}

static const Argument rows[] = {
    {"seconds", "S", "test: for how long (default 10)",
     ARGUMENT_NUMBER(Options, seconds, 0.1, 1e6)},
    {"rate", "HZ", "test: pulses a second (default 10)",
     ARGUMENT_NUMBER(Options, rate_hz, 0.1, 240)},
    {"events", "N", "loop: how many round trips (default 1000)",
     ARGUMENT_INTEGER(Options, events, 1, 1000000)},
    {"input", "LINE", "loop: which input output 0 is wired to (default 0)",
     ARGUMENT_INTEGER(Options, input, 0, RIG_LINES - 1)},
    {"json", "FILE|-", "the findings for machines; what `run --rig-delay FILE` reads",
     ARGUMENT_TEXT(Options, json)},
};

static const ArgumentTable table = {
    .command = "rig",
    .usage = "list | test SPEC | loop SPEC [options]",
    .about =
        "list: which trigger devices are connected, and whether they may be used.\n"
        "test: a pulse train to look at with a scope, line 0 every time and the others in turn.\n"
        "loop: with output 0 wired to an input, how long a pulse takes there and back.\n\n"
        "A SPEC names a device and how it is wired, here and in `run --rig SPEC`:\n"
        "  DEVICE[:PART,PART…]   DEVICE is cdc (Teensy, Arduino, Pico with "
        "rig/retrace_trigger.ino), box\n"
        "                        (a serial box that takes one byte a code), u3, u6 (LabJack), "
        "ftdi,\n"
        "                        ftdi-lines (DTR, RTS), null (nothing, looped back), replay:RUN\n"
        "  VID:PID serial=TEXT path=BUS-PORT    which one, if there are several\n"
        "  pulse_us=200…2550 polarity=high|low  the pulse (500, high)\n"
        "  every=N code=upper|byte              a pulse every N-th refresh; block codes on lines 2 "
        "to 7\n"
        "                                       beside frame and run line, or on all eight\n"
        "  start=LINE                           the run begins with a rising edge of this input\n"
        "  delay_us jitter_us loss fail drift_ppm seed   null alone: how bad it is\n\n"
        "Exit status 0: fine; 1: triggers failed or edges did not come back; 3: no device to "
        "use.\n",
    .example = "retrace rig loop cdc --json loop.json",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .positional = "action",
    .positional_read = take_word,
    .is_positional_needed = true,
};

static int complain(const char *sentence, int status)
{
    fprintf(stderr, "retrace rig: %s\n", sentence);
    return status;
}

static int write_json(const Options *options, json_t *summary, int status)
{
    char err[JSON_ERR_BYTES];
    bool is_written = !options->json || json_write(summary, options->json, err);
    json_decref(summary);
    return is_written ? status : complain(err, EXIT_IO);
}

static json_t *found_json(const RigFound *found)
{
    return json_pack("{sssssisisssssssb}", "device", found->device, "name", found->name, "vid",
                     found->vid, "pid", found->pid, "serial", found->serial, "path", found->path,
                     "problem", found->problem, "usable", (int)!found->problem[0]);
}

static int list(const Options *options)
{
    RigFound found[FOUND_MOST];
    char err[RIG_ERR_BYTES];
    FILE *talk = json_talk(options->json);
    json_t *devices = json_array();
    int usable = 0, count = rig_list(found, FOUND_MOST, err);
    for (int i = 0; i < count; i++) {
        bool is_usable = !found[i].problem[0];
        usable += is_usable;
        fprintf(talk, "%-4s  %-5s %s\n", is_usable ? "ok" : "NO", found[i].device, found[i].name);
        if (!is_usable)
            fprintf(talk, "            → %s\n", found[i].problem);
        json_array_append_new(devices, found_json(&found[i]));
    }
    if (count < 0)
        fprintf(stderr, "retrace %s\n", err); // which begins with "rig: "
    int status = write_json(options, json_pack("{so}", "devices", devices),
                            usable > 0 ? EXIT_DONE : EXIT_NO_DEVICE);
    if (count == 0)
        fprintf(stderr,
                "retrace rig: no trigger device is connected; plug one in, or name a box by "
                "its VID:PID (lsusb shows it); --rig null and --rig none need none\n");
    return status;
}

static json_t *rig_json(const Rig *rig)
{
    const RigInfo *info = rig_info(rig);
    return json_pack("{sssisisisbsb}", "name", info->name, "pulse_us", info->pulse_us, "outputs",
                     info->outputs, "inputs", info->inputs, "clock", (int)info->has_clock,
                     "timed_inside", (int)info->is_pulse_timed_inside);
}

static json_t *spread_json(const RigSpread *spread)
{
    return json_pack("{sfsfsf}", "p50", spread->p50_us, "p99", spread->p99_us, "max",
                     spread->max_us);
}

static int test(const Options *options, Rig *rig)
{
    FILE *talk = json_talk(options->json);
    RigTrain train = {.seconds = options->seconds, .rate_hz = options->rate_hz};
    fprintf(talk, "%s\n", rig_info(rig)->name);
    rig_advice_print(&options->spec, rig_info(rig), talk);
    fprintf(talk, "%.1f s of pulses at %g Hz …\n", train.seconds, train.rate_hz);
    fflush(talk);
    rig_measure_train(rig, &train, stop_catch_signals());
    fprintf(talk,
            "%d pulses sent, %d failed; %.0f us from submission to the device having it (p50; p99 "
            "%.0f, max %.0f); %d edges came in\n",
            train.sent, train.failed, train.latency.p50_us, train.latency.p99_us,
            train.latency.max_us, train.edges);
    json_t *summary =
        json_pack("{sosisisosi}", "rig", rig_json(rig), "sent", train.sent, "failed", train.failed,
                  "latency_us", spread_json(&train.latency), "edges", train.edges);
    return write_json(options, summary, train.failed > 0 ? EXIT_BAD_VERDICT : EXIT_DONE);
}

static int loop(const Options *options, Rig *rig)
{
    FILE *talk = json_talk(options->json);
    RigLoop loop = {.events = options->events.is_given ? (int)options->events.value : 1000,
                    .input = options->input.is_given ? (int)options->input.value : 0};
    if (loop.input >= rig_info(rig)->inputs)
        return complain(rig_info(rig)->inputs == 0
                            ? "this device has no inputs; loop wants one"
                            : "--input: this device has no such line; `rig test` says which",
                        EXIT_BAD_INPUT);
    fprintf(talk, "%s: %d round trips, output 0 to input %d …\n", rig_info(rig)->name, loop.events,
            loop.input);
    fflush(talk);
    rig_measure_loop(rig, &loop, stop_catch_signals());
    if (loop.returned == 0)
        complain("no edge came back: wire output 0 to the input, ground to ground, and check with "
                 "`rig test` and a scope that there is a pulse",
                 EXIT_BAD_VERDICT);
    else
        fprintf(talk,
                "round trip %.0f us (p50; p99 %.0f, max %.0f), jitter %.0f us (SD); %d of %d came "
                "back\nout %.0f us, in %.0f us%s\n",
                loop.round_trip.p50_us, loop.round_trip.p99_us, loop.round_trip.max_us,
                loop.jitter_us, loop.returned, loop.events, (double)loop.delay.out_ns * 1e-3,
                (double)loop.delay.in_ns * 1e-3,
                loop.delay.is_halved ? " (half the round trip each: it has no clock of its own)"
                                     : " (by the device's clock)");
    json_t *summary =
        json_pack("{sosisisosfs{sfsfsb}}", "rig", rig_json(rig), "events", loop.events, "returned",
                  loop.returned, "round_trip_us", spread_json(&loop.round_trip), "jitter_us",
                  loop.jitter_us, "delay", "out_us", (double)loop.delay.out_ns * 1e-3, "in_us",
                  (double)loop.delay.in_ns * 1e-3, "halved", (int)loop.delay.is_halved);
    return write_json(options, summary, loop.returned < loop.events ? EXIT_BAD_VERDICT : EXIT_DONE);
}

int cmd_rig(int argc, char **argv)
{
    Options options = {.seconds = 10, .rate_hz = 10};
    char err[RIG_ERR_BYTES];
    int status;
    if (!arguments_read(&table, &options, argc, argv, &status))
        return status;
    bool is_list = !strcmp(options.action, "list"), is_test = !strcmp(options.action, "test");
    if (!is_list && !is_test && strcmp(options.action, "loop") != 0) {
        fprintf(stderr, "retrace rig: there is no '%s'; allowed: list, test SPEC, loop SPEC\n",
                options.action);
        return EXIT_BAD_INPUT;
    }
    if (is_list)
        return options.has_spec ? complain("list takes no SPEC", EXIT_BAD_INPUT) : list(&options);
    if (!options.has_spec)
        return complain("which device? e.g. retrace rig test cdc", EXIT_BAD_INPUT);
    Rig *rig = rig_measure_open(&options.spec, err);
    if (!rig) {
        fprintf(stderr, "retrace %s\n", err); // which begins with "rig: "
        return EXIT_NO_DEVICE;
    }
    status = is_test ? test(&options, rig) : loop(&options, rig);
    rig_close(rig);
    return status;
}
