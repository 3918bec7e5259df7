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
    double mean_rate_hz;  // over the cells, train part
    int64_t resumed_bins; // of them, taken over from an earlier run
    bool was_stopped;
} RecordingSummary;

/* The circuit that a file asks for. cells (retina_cells()) is filled and lent to the spec. False
 * with a sentence in err (RECORDING_ERR_BYTES) that names the key. */
bool recording_circuit(const Retina *retina, CircuitSpec *spec, CircuitCell *cells, char *err);

typedef struct {
    const Retina *retina;
    const char *photographs; // folder, where the preparation's is; NULL: none
    const char *path;
    const atomic_bool *stop;
    void (*progress)(void *ctx, int64_t done, int64_t total); // bins done and in all; may be NULL
    void *progress_ctx;
} RecordingOrder;

/* Writes path; the test part first, so that a recording that was stopped has one. A recording that
 * is stopped is a whole, shorter data set; one that is killed is none yet. Either leaves its
 * journal, path with ".resume" behind it, and the same order then goes on from there (journal.h)
 * and ends in the data set that nobody disturbed. False with a sentence in err
 * (RECORDING_ERR_BYTES); *is_input says whether the retina is at fault or the writing. */
bool recording_make(const RecordingOrder *order, RecordingSummary *summary, bool *is_input,
                    char *err);
