#pragma once
/* The wish to stop, as a flag that Ctrl-C, termination and hang-up set. */
#include <stdatomic.h>

/* From now on those signals set the flag that is returned, and another, a second or more later, ends
 * the program at once. A full disk and a vanished reader are errors of write() from now on, not the
 * end of the process. */
const atomic_bool *stop_catch_signals(void);
