#include <math.h>

#include "render/ran1.h"
#include "tests/harness.h"

/* The values that a retina laboratory's published streams start with at seed −1000, to the nine
 * places given there. */
static void uniforms_match_published(void)
{
    const double wanted[] = {0.190594445, 0.464513708, 0.928777586, 0.502077490, 0.436494728};
    Ran1 ran1;
    ran1_init(&ran1, -1000);
    for (int i = 0; i < 5; i++)
        CU_ASSERT(test_near(ran1_uniform(&ran1), wanted[i], 5.01e-10));
}

static void bits_match_published(void)
{
    const char *wanted = "0011011111010100011100001010000111111010111001101110001010001101";
    Ran1 ran1;
    ran1_init(&ran1, -1000);
    for (int i = 0; i < 64; i++)
        CU_ASSERT((ran1_uniform(&ran1) >= 0.5) == (wanted[i] == '1'));
}

static void normals_match_published(void)
{
    const double wanted[] = {-0.156800876, -1.367149370, 0.003798476, 0.783975552, 0.499588452};
    Ran1 ran1;
    ran1_init(&ran1, -1000);
    for (int i = 0; i < 5; i++)
        CU_ASSERT(test_near(ran1_normal(&ran1), wanted[i], 5.01e-10));
}

/* Park & Miller 1988 give the check value of the minimal standard itself: 10,000 steps from 1. */
static void minimal_standard_holds(void)
{
    Ran1 ran1;
    ran1_init(&ran1, -1); // 40 steps
    for (int step = 40; step < 10000; step++)
        ran1_uniform(&ran1);
    CU_ASSERT_EQUAL(ran1.state, 1043618065);
}

static void seeds_make_streams(void)
{
    Ran1 first, again, other;
    ran1_init(&first, -1000);
    ran1_init(&again, -1000);
    ran1_init(&other, -1001);
    int same = 0;
    for (int i = 0; i < 100; i++) {
        double u = ran1_uniform(&first);
        CU_ASSERT(u == ran1_uniform(&again));
        same += u == ran1_uniform(&other);
    }
    CU_ASSERT(same < 3);
}

static const TestCase cases[] = {
    {"uniforms match the published stream", uniforms_match_published},
    {"bits match the published stream", bits_match_published},
    {"normals match the published stream", normals_match_published},
    {"the minimal standard reaches its check value after 10,000 steps", minimal_standard_holds},
    {"a seed fixes the stream", seeds_make_streams},
};

int main(void)
{
    return test_main("ran1", cases, sizeof cases / sizeof cases[0]);
}
