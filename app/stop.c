#include "app/stop.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "app/clock.h"

static atomic_bool wants_stop;

// A tool such as timeout(1) signals the child and then its whole group: that is one wish, not two.
static const int64_t ONE_WISH_NS = 1000000000;
static _Atomic int64_t first_ns;

static void on_signal(int number)
{
    int64_t now_ns = session_now_ns(NULL);
    if (!atomic_exchange(&wants_stop, true)) {
        atomic_store(&first_ns, now_ns);
    } else if (now_ns - atomic_load(&first_ns) > ONE_WISH_NS) {
        signal(number, SIG_DFL);
        raise(number);
    }
}

const atomic_bool *stop_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    struct sigaction hangup;
    sigaction(SIGHUP, NULL, &hangup);
    if (hangup.sa_handler != SIG_IGN) // nohup means it
        sigaction(SIGHUP, &action, NULL);
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    return &wants_stop;
}
