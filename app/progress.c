#include "app/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "app/clock.h"

void progress_start(Progress *progress, const char *what, const char *unit)
{
    int64_t now_ns = session_now_ns(NULL);
    *progress = (Progress){what, unit, now_ns, now_ns, isatty(STDERR_FILENO)};
}

void progress_show(Progress *p, int64_t done, int64_t total)
{
    int64_t now_ns = session_now_ns(NULL);
    if (!p->is_terminal || now_ns - p->last_ns < 100000000)
        return;
    p->last_ns = now_ns;
    double elapsed_s = (double)(now_ns - p->start_ns) * 1e-9;
    double rate = (double)done / elapsed_s;
    double left_s = rate > 0 ? (double)(total - done) / rate : 0;
    fprintf(stderr, "\r%s: %" PRId64 " of %" PRId64 " %s, %.3g a second, %.0f s left \033[K",
            p->what, done, total, p->unit, rate, left_s);
}

void progress_end(Progress *p)
{
    if (p->is_terminal)
        fprintf(stderr, "\r\033[K");
}
