#pragma once
/* What to know before a wire goes from a trigger device into a recorder: levels, pulse lengths,
 * which connector, which USB port. Sources stand with each device in rig_advice.c. */
#include <stdio.h>

#include "rig/rig.h"

/* For this device, opened with this spec. */
void rig_advice_print(const RigSpec *spec, const RigInfo *info, FILE *to);
