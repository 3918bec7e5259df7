#pragma once
/* The inside of a circuit, shared by the files that build it and run it; nobody else includes this.
 */
#include <stddef.h>

#include "model/circuit.h"

/* Planes of the state, each (height_px, width_px). */
enum {
    PLANE_SURROUND,
    PLANE_CROSSOVER,
    PLANE_CURRENT,
    PLANE_RESOURCE,
    PLANE_PATHWAYS, // from here on STAGES planes a pathway
    STAGES = 6,     // four low-passes, slow copy, gain
    PLANES = PLANE_PATHWAYS + STAGES * CIRCUIT_PATHWAYS,
};

/* States of a ganglion cell, each (cells). */
enum { CELL_WIDE, CELL_WIDE_LATE, CELL_POTENTIAL, CELL_GAIN, CELL_STATES };

enum { POOL_CENTRE, POOL_SURROUND, POOL_CROSSOVER, POOLS };

struct Circuit {
    ModelInfo info;
    CircuitParams params;
    CircuitCell *cells; // (cells)
    const char **names; // (cells)
    float *cell_x_um, *cell_y_um;
    char provenance[512];
    int width_px, height_px, points;
    float *pool_x[POOLS], *pool_y[POOLS]; // Gaussian rows: (width, width), (height, height); POOL_*
    float *own_x, *own_y;   // (width, cells), (height, cells): the ganglion cells' pools
    float *wide_x, *wide_y; // likewise, the wide-field amacrine's pools there
    float *across;          // (CIRCUIT_PATHWAYS * height, cells): pooled along x
    float *state, *marked;  // (PLANES * points + CELL_STATES * cells)
    size_t state_count;
    float *contrast, *centre, *outer; // (points) input; after the centre and surround pools
    float *input;                     // (points) centre less surround
    float *drive;                     // (CIRCUIT_PATHWAYS, points) what the terminals release
    float *pooled, *scratch;          // (points)
    float *pulled;                    // (CIRCUIT_PATHWAYS + 1, cells) pooled drives, wide last
};
