#include "app/run_rig.h"

#include "app/commands.h"

// A code that is too large would arrive as another one: none is sent, and this is said before the run.
static void warn_of_codes(const Run *run)
{
    int most = triggers_code_most(run->triggers);
    for (unsigned b = 0; b < run->protocol->blocks_count; b++) {
        const ProtocolBlock *block = &run->protocol->blocks[b];
        if (block->trigger_code > most)
            fprintf(stderr,
                    "warning: block '%s': trigger_code %d is not sent; this wiring carries 0 to %d"
                    "%s\n",
                    block->name, block->trigger_code, most,
                    run->options->rig.code == RIG_CODE_UPPER && most > 0
                        ? " (code=byte carries 255, but has no line for the run)"
                        : "");
    }
}

int run_open_rig(Run *run, char *err)
{
    const RunOptions *options = run->options;
    RigDelay delay;
    if (!options->rig_text)
        return EXIT_DONE;
    if (run->style == RUN_OFFLINE) {
        snprintf(err, RUN_ERR_BYTES,
                 "--rig: predict shows nothing, so there is nothing to mark; "
                 "allowed: none");
        return EXIT_BAD_INPUT;
    }
    if (options->rig_delay && !rig_delay_load(options->rig_delay, &delay, err))
        return EXIT_BAD_INPUT;
    run->triggers = triggers_open(&options->rig, options->rig_delay ? &delay : NULL, err);
    if (!run->triggers)
        return EXIT_NO_DEVICE;
    warn_of_codes(run);
    return EXIT_DONE;
}

bool run_describe_rig(const Run *run, RunRig *rig)
{
    if (!run->triggers)
        return false;
    const RigInfo *info = triggers_rig(run->triggers);
    const RigDelay *delay = triggers_delay(run->triggers);
    *rig = (RunRig){
        .spec = run->options->rig_text,
        .device = info->name,
        .pulse_us = info->pulse_us,
        .outputs = info->outputs,
        .inputs = info->inputs,
        .has_clock = info->has_clock,
        .is_pulse_timed_inside = info->is_pulse_timed_inside,
        .delay_out_us = delay ? (double)delay->out_ns * 1e-3 : -1,
        .delay_in_us = delay ? (double)delay->in_ns * 1e-3 : -1,
    };
    return true;
}

void run_announce_rig(const Run *run)
{
    const RigInfo *info = triggers_rig(run->triggers);
    fprintf(run->talk, "rig: %s, pulses of %d us%s\n", info->name, info->pulse_us,
            info->is_pulse_timed_inside ? "" : " or longer, timed by this machine");
    if (run->options->rig.start_line >= 0)
        fprintf(run->talk, "rig: begins with the next rising edge of input %d\n",
                run->options->rig.start_line);
}
