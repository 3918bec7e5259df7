#pragma once
/* Spikes of a known rate, trial by trial, seeded and counter-based: a draw is named by part, trial,
 * bin and cell, and does not depend on the ones before it.
 *
 * Poisson: the count of a bin is drawn from its mean rate. Refractory: in steps of 1 ms a cell that
 * fired s ms ago fires with probability q w(s), the free firing rate times a recovery function
 * (Berry & Meister, J. Neurosci. 18:2200, 1998). Here w is 0 for 2 ms, then 1 − exp(−(s − 2 ms) /
 * 10 ms). q follows from the rate r that is wanted: the ages s of an endless number of trials are
 * carried along, and q = r / (mean of w over them), so that the mean over trials is r at every ms,
 * as long as no trial would have to fire more than once in a ms. Counts then vary less than
 * Poisson's: towards 1 / (1 + 12 ms × q)² of it where the rate holds. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { SPIKING_POISSON, SPIKING_REFRACTORY } SpikingKind;

typedef struct {
    SpikingKind kind;
    int64_t seed;
    uint32_t part; // parts of a recording share no draw
    int trials, cells;
    int steps; // of 1 ms in a bin
} SpikingSpec;

typedef struct Spiking Spiking;

/* NULL when out of memory. No cell has fired before. */
Spiking *spiking_create(const SpikingSpec *spec);

/* rates_hz (steps, cells) of the bin; spikes (trials, cells). Bins are to come in order. */
void spiking_draw(Spiking *spiking, int64_t bin, const float *rates_hz, uint8_t *spikes);

/* What is carried from bin to bin, for keeping and putting back; 0 bytes for Poisson. */
size_t spiking_state_bytes(const Spiking *spiking);
void spiking_keep(const Spiking *spiking, void *state);
void spiking_restore(Spiking *spiking, const void *state);
void spiking_destroy(Spiking *spiking);
