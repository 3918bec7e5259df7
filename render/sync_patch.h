#pragma once
/* What the sync patch shows: a square under a photodiode that names every refresh.
 *
 *     luminance = 0.7·b0 + 0.2·b1 + 0.1·c       b0, b1: the last two bits of the refresh's number
 *     c = bit ⌊refresh / 2⌋ mod 16 of the word
 *     (0x9E37·⌊refresh / 32⌋ + 0x79B9·(block + 1)) mod 2^16
 *
 * b0 turns over at every refresh, so that each has an edge of its own, and its two levels (0 … 0.3,
 * 0.7 … 1) are told apart by one threshold. b1 tells a refresh that was held from one that was
 * skipped. The words differ for 65536 runs of 32 refreshes (4 h 51 min at 120 Hz): a second of
 * recording from anywhere, without start or end, says which refreshes it saw. Before refresh 0
 * the patch shows what it does at refresh 0. A refresh here is the one the image was made for, and
 * block the one it belongs to. Luminance is linear light, as everywhere. */
#include <stdint.h>

float sync_patch_lum(int64_t refresh, int64_t block);
