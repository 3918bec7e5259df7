#include "app/realtime.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

// Above ordinary work, below the kernel's own interrupt threads at 50.
enum { FRAME_PRIORITY = 40 };

// On fault: what the loop has touched stays, and the hundreds of megabytes of thread stacks and drivers that
// it never touches are not brought in.
RealtimeGrant realtime_request(void)
{
    struct sched_param param = {.sched_priority = FRAME_PRIORITY};
    return (RealtimeGrant){
        .has_priority = pthread_setschedparam(pthread_self(), SCHED_FIFO, &param) == 0,
        .has_locked_memory = mlockall(MCL_CURRENT | MCL_ONFAULT) == 0,
    };
}

void realtime_release(void)
{
    struct sched_param param = {.sched_priority = 0};
    pthread_setschedparam(pthread_self(), SCHED_OTHER, &param);
    munlockall();
}
