#pragma once
/* A stimulus that is already frames: a dataset (frames, height, width) in any HDF5 file.
 *
 * 8-bit integers are levels, luminance = level × the root attribute lum_per_level, or level / 255
 * where the file has none; floats are luminance 0 … 1 themselves. Not for the frame path; one
 * thread at a time. */
#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"

typedef struct {
    int64_t frames;
    int width_px, height_px;
} MovieInfo;

typedef struct Movie Movie;

/* name is FILE:/path/in/file. NULL with a sentence in err (MODEL_ERR_BYTES). */
Movie *movie_open(const char *name, char *err);
const MovieInfo *movie_info(const Movie *movie);

/* lum (height_px, width_px) of one frame. False with a sentence in err for a frame that cannot be
 * read or holds values outside 0 … 1. */
bool movie_read(Movie *movie, int64_t frame, float *lum, char *err);
void movie_close(Movie *movie);
