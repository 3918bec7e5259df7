#pragma once
/* A crew of threads for the lanes of a minibatch. Which thread does which lane makes no difference
 * to the result: lanes share nothing they write. */
#include <stdbool.h>

typedef struct FitCrew FitCrew;

/* The caller is one of the threads. NULL when a thread or memory is not to be had. */
FitCrew *fit_crew_create(int threads);

/* work(ctx, lane) for every lane from 0 to lanes − 1; returns when all are done. */
void fit_crew_run(FitCrew *crew, int lanes, void (*work)(void *ctx, int lane), void *ctx);

/* Joins the threads. */
void fit_crew_destroy(FitCrew *crew);
