#pragma once
/* A simulated recording: which preparation, which mix of stimuli, for how long; as the file has
 * it. */
#include <stdbool.h>
#include <stdint.h>

#include "config/protocol.h"

/* A class of ganglion cells. */
typedef struct {
    char *name;
    double off, on_fast, on_slow; // weights of the three bipolar pathways
    double threshold;
    double alpha_hz; // rate for a unit of drive above threshold
    double pool_um;  // SD of the pool
} RetinaClass;

/* A triangular lattice of every class, its first cell at the centre and just as the class says. */
typedef struct {
    int sites;                    // of each class: those nearest to the centre
    double x_um, y_um;            // centre; x right, y up, centre of the field 0
    double spacing_um, jitter_um; // jitter: most that a site is off, in x and in y
    double spread;                // the cells' numbers are off by factors of 1 ± spread
    int64_t seed;
} RetinaLattice;

/* One cell more, just as its class says. */
typedef struct {
    char *name;
    char *kind; // name of its class
    double x_um, y_um;
} RetinaCell;

typedef struct {
    int width_px, height_px;
    double um_per_px;
} RetinaField;

/* Shares of the time, on any scale. */
typedef struct {
    double natural, noise, full_field, objects, flashes;
} RetinaMix;

typedef enum { RETINA_POISSON, RETINA_REFRACTORY } RetinaSpiking;

typedef struct {
    char *name;
    char *about;
    int64_t seed;
    double minutes;      // of the train part
    double test_minutes; // of the test part, with fresh stimuli of the same mix
    int test_repeats;
    double segment_s; // how long one kind of stimulus stays
    RetinaField field;
    RetinaMix mix;
    char *photographs; // folder of PNG images instead of made-up natural ones; NULL: none
    RetinaSpiking spiking;
    char *circuit;  // a variant of model/circuit.h; NULL: "tuned"
    char **blocked; // switches of model/circuit.h
    unsigned blocked_count;
    RetinaClass *classes;
    unsigned classes_count;
    RetinaLattice *lattice; // NULL: none
    RetinaCell *cells;      // beside the lattice's
    unsigned cells_count;
} Retina;

/* NULL with `FILE:LINE: key: what is wrong; what is allowed` in err (CONFIG_ERR_BYTES). */
Retina *retina_load(const char *path, char *err);

/* Cells in all; and the class of a name, or NULL. */
unsigned retina_cells(const Retina *retina);
const RetinaClass *retina_class(const Retina *retina, const char *name);
void retina_destroy(Retina *retina);
