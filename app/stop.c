#include "app/stop.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

static atomic_bool wants_stop;

static void on_signal(int number)
{
    atomic_store(&wants_stop, true);
    signal(number, SIG_DFL);
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
