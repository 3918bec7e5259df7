#include "render/sync_patch.h"

static const uint32_t CELL_STEP = 0x9E37, BLOCK_STEP = 0x79B9; // odd: every cell has its own word

static int code_bit(int64_t refresh, int64_t block)
{
    uint32_t word = CELL_STEP * (uint32_t)(refresh >> 5) + BLOCK_STEP * ((uint32_t)block + 1);
    return (int)(word >> ((refresh >> 1) & 15) & 1);
}

float sync_patch_lum(int64_t refresh, int64_t block)
{
    int tenths = 7 * (int)(refresh & 1) + 2 * (int)(refresh >> 1 & 1) + code_bit(refresh, block);
    return 0.1f * (float)tenths;
}
