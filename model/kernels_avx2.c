#include "model/kernels.h"

#ifdef __AVX2__
#define WIDTH 8
#include "model/kernels_body.h"

const Kernels *kernels_avx2(void)
{
    bool is_able = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    return is_able ? &table : NULL;
}
#else
const Kernels *kernels_avx2(void)
{
    return NULL; // another architecture
}
#endif
