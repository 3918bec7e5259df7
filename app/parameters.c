#include "app/parameters.h"

#include <math.h>
#include <stddef.h>

#define NONE ((double)NAN)
/* A number of one kind of stimulus: `value` where the block has it. */
#define OF(kind, name, value)                                                                      \
    static double name(const ProtocolBlock *block, const PlanTrial *trial)                         \
    {                                                                                              \
        (void)trial;                                                                               \
        return block->kind ? (double)(value) : NONE;                                               \
    }

OF(flicker, period_ms, trial->value)
OF(flicker, flashes, block->flicker->flashes)
OF(flicker, omitted_flash, block->flicker->omitted)
OF(step, duration_ms, block->step->duration_ms)
OF(bar, travel_um, block->bar->travel_um)
OF(reversal, turn_um, trial->value)
OF(reversal, approach_um, block->reversal->approach_um)
OF(checkerboard, columns, block->checkerboard->columns)
OF(checkerboard, rows, block->checkerboard->rows)
OF(checkerboard, check_um, block->checkerboard->check_um)
OF(checkerboard, hold_ms, block->checkerboard->hold_ms)
OF(checkerboard, duration_s, block->checkerboard->duration_s)
OF(checkerboard, is_gaussian, block->checkerboard->distribution == PROTOCOL_NOISE_GAUSSIAN)
OF(checkerboard, is_ran1, block->checkerboard->generator == PROTOCOL_NOISE_RAN1)

static double contrast(const ProtocolBlock *block, const PlanTrial *trial)
{
    return block->flicker    ? block->flicker->contrast
           : block->step     ? trial->value
           : block->bar      ? block->bar->contrast
           : block->reversal ? block->reversal->contrast
                             : block->checkerboard->contrast;
}

static double flash_ms(const ProtocolBlock *block, const PlanTrial *trial)
{
    return block->flicker                      ? block->flicker->flash_ms
           : block->bar && !(trial->value > 0) ? block->bar->flash_ms
                                               : NONE;
}

static double speed_um_per_s(const ProtocolBlock *block, const PlanTrial *trial)
{
    return block->bar ? trial->value : block->reversal ? block->reversal->speed_um_per_s : NONE;
}

static double width_um(const ProtocolBlock *block, const PlanTrial *trial)
{
    (void)trial;
    return block->bar ? block->bar->width_um : block->reversal ? block->reversal->width_um : NONE;
}

static double direction_deg(const ProtocolBlock *block, const PlanTrial *trial)
{
    (void)trial;
    return block->bar        ? block->bar->direction_deg
           : block->reversal ? block->reversal->direction_deg
                             : NONE;
}

static double before_ms(const ProtocolBlock *block, const PlanTrial *trial)
{
    (void)trial;
    return block->before_ms;
}

static double after_ms(const ProtocolBlock *block, const PlanTrial *trial)
{
    (void)trial;
    return block->after_ms;
}

const Parameter parameters[PARAMETERS] = {
    {"contrast", "Weber contrast on the background; of Gaussian noise its standard deviation",
     contrast},
    {"period_ms", "onset to onset of the flashes of a train", period_ms},
    {"flash_ms", "length of a flash", flash_ms},
    {"flashes", "places in the train, the omitted one included", flashes},
    {"omitted_flash", "which place stays empty, from 1; 0: none", omitted_flash},
    {"duration_ms", "length of the step", duration_ms},
    {"speed_um_per_s", "speed of the bar on the retina; 0: it is flashed and stands still",
     speed_um_per_s},
    {"width_um", "width of the bar on the retina", width_um},
    {"direction_deg", "direction of motion, 0 to the right, 90 up", direction_deg},
    {"travel_um", "path of the bar's centre", travel_um},
    {"turn_um", "where the bar's centre turns back, along its direction from the field's centre",
     turn_um},
    {"approach_um", "path before the turn, and again after it", approach_um},
    {"columns_count", "checks in a row of the board", columns},
    {"rows_count", "checks in a column of the board", rows},
    {"check_um", "side of a check on the retina", check_um},
    {"hold_ms", "how long one pattern stays", hold_ms},
    {"duration_s", "length of the noise", duration_s},
    {"gaussian", "1: Gaussian noise, 0: binary", is_gaussian},
    {"ran1", "1: the numbers are those of ran1, 0: of a counter-based generator (Philox)", is_ran1},
    {"before_ms", "background before the stimulus, part of the trial", before_ms},
    {"after_ms", "background after the stimulus, part of the trial", after_ms},
};

const char *parameter_stimulus(const ProtocolBlock *block)
{
    return block->flicker    ? "flicker"
           : block->step     ? "step"
           : block->bar      ? "bar"
           : block->reversal ? "reversal"
                             : "checkerboard";
}

bool parameter_is_used(const Parameter *parameter, const Plan *plan)
{
    for (int t = 0; t < plan->trials_count; t++) {
        const PlanTrial *trial = &plan->trials[t];
        if (!isnan(parameter->of(&plan->protocol->blocks[trial->block], trial)))
            return true;
    }
    return false;
}
