#pragma once
/* What a machine can do at best: work that is nothing but arithmetic, or nothing but reading
 * memory, to hold the models' speed against. The caller has the clock; one thread, as on the frame
 * path. */

typedef struct Yardstick Yardstick;

/* memory_bytes: of the large block, best some times the last cache. NULL without memory. Holds
 * OpenBLAS to one thread, as model_open(). */
Yardstick *yardstick_open(double memory_bytes);

/* One product of square matrices by sgemm; returns its floating-point operations. */
double yardstick_multiply(Yardstick *yardstick);

/* Reads the next piece of the large block, so that it is long out of the cache when its turn comes
 * again; returns its bytes. */
double yardstick_read_memory(Yardstick *yardstick);

/* Reads YARDSTICK_CACHE_BYTES of it again and again: about what a published network's filters
 * take, which stay in a cache between frames. Returns the bytes read. */
enum { YARDSTICK_CACHE_BYTES = 4 << 20 };
double yardstick_read_cache(Yardstick *yardstick);
void yardstick_close(Yardstick *yardstick);
