#pragma once
/* A recording as a lab has it: samples of a photodiode, or the sample numbers of edges or pulses.
 */
#include <stdbool.h>
#include <stdint.h>

#include "app/sync_edges.h"

enum { ALIGN_READ_ERR_BYTES = 512 };

typedef struct {
    const char *where; // FILE.npy, FILE.csv, FILE.h5:/path …; or raw int16
    int channels;      // of raw int16; 0: not raw
    int channel;       // column, from 0
} AlignSource;

/* samples := the channel's, for free(). The time is the longer dimension of a table. Memory is
 * 4 bytes a sample. False with a sentence in err (ALIGN_READ_ERR_BYTES). */
bool align_read_samples(const AlignSource *source, float **samples, int64_t *count, char *err);

/* edges := (count) sample numbers, rising, from the first column; where there is a second, 1 (or
 * above 0) up and 0 or −1 down. For free(). */
bool align_read_edges(const AlignSource *source, SyncEdge **edges, int64_t *count, char *err);
