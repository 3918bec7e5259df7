#pragma once
/* A run without a protocol: the frames of an HDF5 dataset, one after the other, into the models.
 *
 * The movie must have the raster of every model; one frame lasts 1 / refresh, by default one bin of
 * the first model. It is recorded as any other run, but a session's trials and a display are
 * lacking. */
#include "app/run_parts.h"

/* Opens the movie named by options->stimulus and stands a protocol without blocks in for the run.
 * False with a sentence in err (RUN_ERR_BYTES). */
bool run_movie_open(Run *run, char *err);

/* Once the models are open: fixes rate, length and raster; false when a model has another raster.
 * */
bool run_movie_fit(Run *run, char *err);

/* SESSION_DISK also when the movie cannot be read on; the sentence is then printed. */
SessionEnd run_movie_play(Run *run, Progress *progress, const atomic_bool *stop);
void run_movie_close(Run *run);
