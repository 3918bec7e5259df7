#pragma once
/* A simulated recording: the circuit of a preparation looks at a mix of stimuli, and what it sees
 * and fires goes into a data set. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/retina.h"
#include "model/circuit.h"

enum { RECORDING_ERR_BYTES = 1024 };

typedef struct {
    int64_t train_bins, test_bins;
    double mean_rate_hz; // over the cells, train part
    bool was_stopped;
} RecordingSummary;

/* The circuit that a file asks for. cells (retina_cells()) is filled and lent to the spec. False
 * with a sentence in err (RECORDING_ERR_BYTES) that names the key. */
bool recording_circuit(const Retina *retina, CircuitSpec *spec, CircuitCell *cells, char *err);

/* Writes path; the test part first, so that a recording that was stopped has one. progress (may be
 * NULL) is told bins done and bins in all. False with a sentence in err (RECORDING_ERR_BYTES);
 * *is_input says whether the retina is at fault or the writing. */
bool recording_make(const Retina *retina, const char *path, const atomic_bool *stop,
                    void (*progress)(void *ctx, int64_t done, int64_t total), void *progress_ctx,
                    RecordingSummary *summary, bool *is_input, char *err);
