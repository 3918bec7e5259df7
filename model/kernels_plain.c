#define WIDTH 4
#include "model/kernels_body.h"

const Kernels *kernels_plain(void)
{
    return &table;
}

const Kernels *kernels(void)
{
    const Kernels *wide = kernels_avx2();
    return wide ? wide : kernels_plain();
}

/* Rows in tiles of KERNEL_TILE_ROWS, the last filled up with zeros; in a tile one term after the other, the even
 * rows' weights and then the odd ones'. */
size_t kernel_pair_count(int rows, int terms)
{
    int tiles = (rows + KERNEL_TILE_ROWS - 1) / KERNEL_TILE_ROWS;
    return (size_t)(2 * tiles * KERNEL_TILE_ROWS * terms);
}

void kernel_pair_pack(int rows, int terms, const float *even, const float *odd, float *tiles)
{
    for (int row = 0; row < rows; row += KERNEL_TILE_ROWS)
        for (int k = 0; k < terms; k++)
            for (int half = 0; half < 2; half++)
                for (int r = row; r < row + KERNEL_TILE_ROWS; r++)
                    *tiles++ = r < rows ? (half ? odd : even)[r * terms + k] : 0;
}
