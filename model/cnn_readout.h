#pragma once
/* From the last layer of a convolutional network to every cell's drive, the argument of its softplus.
 *
 * Dense: a weight for every unit, cells · units numbers to be read in every bin. Factorised (Klindt et al. 2017): where
 * a cell looks, a mask over the layer's places, times what it looks for, a weight a channel; drive = Σ_c
 * feature_c Σ_yx mask_yx unit_cyx. With a thousand cells that reads an eighth of it, for 8 channels. */
#include "model/cnn_file.h"

typedef struct {
    int cells, places, lanes; // of the last layer
    float *block;             // owned: all arrays below
    float *dense;             // (cells, places, lanes); NULL if factorised
    float *masks;             // weights of Kernels.weigh: (cells, places); NULL if dense
    float *features;          // (cells, lanes)
    float *sums;              // scratch: (cells, KERNEL_LANES), of one block of channels
    float *scale, *shift;     // (cells)
} CnnReadout;

/* False without memory; finish() either way. */
bool cnn_readout_init(CnnReadout *readout, const ModelFile *file, const CnnUnits *last);
void cnn_readout_finish(CnnReadout *readout);

/* units (places, lanes), drive (cells). */
void cnn_readout_drive(CnnReadout *readout, const float *units, float *drive);
