#pragma once
/* The session clock: CLOCK_MONOTONIC in nanoseconds, the time base of every record. */
#include <stdint.h>

#include "render/display.h"

int64_t session_now_ns(void *unused);
void session_sleep_until_ns(void *unused, int64_t until_ns);

/* The display's view of the session clock. */
DisplayClock clock_real(void);

/* A clock for work without a display: sleeping just moves it. now_ns is borrowed state, starts
 * anywhere. */
DisplayClock clock_simulated(int64_t *now_ns);

/* Nanoseconds of UTC since 1970, for the one moment that ties the session clock to the day. */
int64_t clock_unix_ns(void);

/* UTC as "2026-01-31T12:00:00Z"; text holds at least 32 bytes. */
void clock_utc(char *text);
