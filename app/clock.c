#include "app/clock.h"

#include <errno.h>
#include <time.h>

int64_t session_now_ns(void *unused)
{
    (void)unused;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void session_sleep_until_ns(void *unused, int64_t until_ns)
{
    (void)unused;
    struct timespec until = {.tv_sec = (time_t)(until_ns / 1000000000),
                             .tv_nsec = (long)(until_ns % 1000000000)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        continue;
}

DisplayClock clock_real(void)
{
    return (DisplayClock){session_now_ns, session_sleep_until_ns, NULL};
}

static int64_t simulated_now_ns(void *now_ns)
{
    return *(int64_t *)now_ns;
}

static void simulated_sleep_until_ns(void *now_ns, int64_t until_ns)
{
    if (*(int64_t *)now_ns < until_ns)
        *(int64_t *)now_ns = until_ns;
}

DisplayClock clock_simulated(int64_t *now_ns)
{
    return (DisplayClock){simulated_now_ns, simulated_sleep_until_ns, now_ns};
}

int64_t clock_unix_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void clock_utc(char *text)
{
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
}
