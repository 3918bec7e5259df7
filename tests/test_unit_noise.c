#include "tests/harness.h"

#include <math.h>
#include <string.h>

#include "model/unit_noise.h"

enum { COUNT = 200000 };

static UnitNoise noise;
static float values[COUNT];

static void fill(uint64_t key, float sd)
{
    memset(values, 0, sizeof values);
    unit_noise_add(&noise, key, sd, COUNT, values);
}

static void noise_is_normal(void)
{
    double sum = 0.0, square = 0.0, fourth = 0.0, next = 0.0;
    unit_noise_init(&noise);
    fill(3, 2.0f);
    for (int i = 0; i < COUNT; i++) {
        double z = (double)values[i] / 2.0;
        sum += z;
        square += z * z;
        fourth += z * z * z * z;
        next += i > 0 ? z * (double)values[i - 1] / 2.0 : 0.0;
    }
    CU_ASSERT(test_near(sum / COUNT, 0.0, 0.01));
    CU_ASSERT(test_near(square / COUNT, 1.0, 0.01));
    CU_ASSERT(test_near(fourth / COUNT, 3.0, 0.1));
    CU_ASSERT(test_near(next / COUNT, 0.0, 0.01));
}

static void neighbouring_keys_share_nothing(void)
{
    static float first[COUNT];
    double product = 0.0;
    unit_noise_init(&noise);
    fill(5, 1.0f);
    memcpy(first, values, sizeof first);
    fill(6, 1.0f);
    for (int i = 0; i < COUNT; i++)
        product += (double)first[i] * (double)values[i];
    CU_ASSERT(test_near(product / COUNT, 0.0, 0.01));
    fill(5, 1.0f);
    CU_ASSERT(memcmp(first, values, sizeof first) == 0);
}

static const TestCase cases[] = {
    {"noise is normal and white", noise_is_normal},
    {"neighbouring keys share nothing, one key gives the same bits",
     neighbouring_keys_share_nothing},
};

int main(void)
{
    return test_main("unit_noise", cases, sizeof cases / sizeof cases[0]);
}
