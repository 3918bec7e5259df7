#include "model/fit_crew.h"

#include <pthread.h>
#include <stdlib.h>

enum { HELPERS_MAX = 63 };

struct FitCrew {
    pthread_mutex_t lock; // guards all below; never held while working
    pthread_cond_t woken, idle;
    pthread_t helpers[HELPERS_MAX];
    int helper_count;
    void (*work)(void *ctx, int lane);
    void *ctx;
    int lanes, next_lane, busy;
    bool is_over;
};

/* Takes lanes until there are none; the lock is held on entry and on return. */
static void take_lanes(FitCrew *crew)
{
    while (crew->next_lane < crew->lanes) {
        int lane = crew->next_lane++;
        crew->busy++;
        pthread_mutex_unlock(&crew->lock);
        crew->work(crew->ctx, lane);
        pthread_mutex_lock(&crew->lock);
        crew->busy--;
    }
}

static void *help(void *argument)
{
    FitCrew *crew = argument;
    pthread_mutex_lock(&crew->lock);
    while (!crew->is_over) {
        take_lanes(crew);
        if (crew->busy == 0)
            pthread_cond_signal(&crew->idle);
        pthread_cond_wait(&crew->woken, &crew->lock);
    }
    pthread_mutex_unlock(&crew->lock);
    return NULL;
}

FitCrew *fit_crew_create(int threads)
{
    FitCrew *crew = calloc(1, sizeof *crew);
    if (!crew)
        return NULL;
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->woken, NULL);
    pthread_cond_init(&crew->idle, NULL);
    int wanted = threads - 1 < HELPERS_MAX ? threads - 1 : HELPERS_MAX;
    for (; crew->helper_count < wanted; crew->helper_count++)
        if (pthread_create(&crew->helpers[crew->helper_count], NULL, help, crew) != 0) {
            fit_crew_destroy(crew);
            return NULL;
        }
    return crew;
}

void fit_crew_run(FitCrew *crew, int lanes, void (*work)(void *ctx, int lane), void *ctx)
{
    pthread_mutex_lock(&crew->lock);
    crew->work = work;
    crew->ctx = ctx;
    crew->next_lane = 0;
    crew->lanes = lanes;
    pthread_cond_broadcast(&crew->woken);
    take_lanes(crew);
    while (crew->busy > 0)
        pthread_cond_wait(&crew->idle, &crew->lock);
    crew->lanes = 0;
    pthread_mutex_unlock(&crew->lock);
}

void fit_crew_destroy(FitCrew *crew)
{
    if (!crew)
        return;
    pthread_mutex_lock(&crew->lock);
    crew->is_over = true;
    pthread_cond_broadcast(&crew->woken);
    pthread_mutex_unlock(&crew->lock);
    for (int i = 0; i < crew->helper_count; i++)
        pthread_join(crew->helpers[i], NULL);
    pthread_mutex_destroy(&crew->lock);
    pthread_cond_destroy(&crew->woken);
    pthread_cond_destroy(&crew->idle);
    free(crew);
}
