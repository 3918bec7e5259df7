#pragma once
/* The matrices of a transform (transform.h): cosines and sines about the middle of the region. */
#include "model/transform.h"

/* Allocates transform->block and fills everything in it. False without memory. */
bool transform_basis_init(Transform *transform);
