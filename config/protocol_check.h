#pragma once
/* What a protocol's values may be, as far as no display is needed to judge it: ranges, luminances a
 * display can show, one stimulus a block, seeds its generator accepts. */
#include <stdbool.h>

#include "config/locate.h"
#include "config/protocol.h"

/* False with `FILE:LINE: key: what is wrong; what is allowed` in err (CONFIG_ERR_BYTES). */
bool protocol_check(const Locate *locate, const Protocol *protocol, char *err);
