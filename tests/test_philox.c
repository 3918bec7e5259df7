#include <math.h>
#include <string.h>

#include "render/philox.h"
#include "tests/harness.h"

static bool gives(PhiloxCounter counter, PhiloxKey key, PhiloxCounter wanted)
{
    PhiloxCounter got = philox(counter, key);
    return memcmp(&got, &wanted, sizeof got) == 0;
}

/* The three known answers that the authors publish for philox4x32-10 (Random123, kat_vectors). */
static void known_answers_hold(void)
{
    const uint32_t all = 0xffffffff;
    CU_ASSERT(gives((PhiloxCounter){{0}}, (PhiloxKey){{0}},
                    (PhiloxCounter){{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}}));
    CU_ASSERT(gives((PhiloxCounter){{all, all, all, all}}, (PhiloxKey){{all, all}},
                    (PhiloxCounter){{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}}));
    CU_ASSERT(gives((PhiloxCounter){{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}},
                    (PhiloxKey){{0xa4093822, 0x299f31d0}},
                    (PhiloxCounter){{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}));
}

static void uniforms_stay_inside(void)
{
    CU_ASSERT(philox_uniform(0) == 0.5 / 4294967296.0);
    CU_ASSERT(philox_uniform(0xffffffff) < 1);
    CU_ASSERT(philox_uniform(0x80000000) > 0.5 && philox_uniform(0x7fffffff) < 0.5);
}

static void normals_invert_the_distribution(void)
{
    for (uint64_t word = 0; word <= 0xffffffff; word += 3141593) {
        double x = philox_normal((uint32_t)word);
        double p = 0.5 * erfc(-x / sqrt(2));
        CU_ASSERT(test_near(p / philox_uniform((uint32_t)word), 1, 2e-14 * (1 + x * x)));
    }
}

/* Python 3.11: statistics.NormalDist().inv_cdf((word + 0.5) / 2**32). */
static void normals_match_golden_numbers(void)
{
    const struct {
        uint32_t word;
        double normal;
    } golden[] = {
        {0, -6.337957754553789},
        {1, -6.166429517819749},
        {12345, -4.535422762090429},
        {300000000, -1.4769151384691752},
        {0x7fffffff, -2.9180993729166e-10},
        {0x80000000, 2.9180993729166e-10},
        {3000000000, 0.5200680618488762},
        {4000000000, 1.4857137558957358},
        {0xffffffff, 6.337957754553789},
    };
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++)
        CU_ASSERT(test_near(philox_normal(golden[i].word), golden[i].normal,
                            4e-15 * (1 + fabs(golden[i].normal))));
}

static void normals_have_moments(void)
{
    enum { BLOCKS = 50000 };
    double sum = 0, squares = 0, fourths = 0;
    for (uint32_t block = 0; block < BLOCKS; block++) {
        PhiloxCounter words = philox((PhiloxCounter){{block}}, (PhiloxKey){{7}});
        for (int i = 0; i < 4; i++) {
            double x = philox_normal(words.words[i]);
            sum += x;
            squares += x * x;
            fourths += x * x * x * x;
        }
    }
    const double count = 4.0 * BLOCKS; // standard errors: 1, √2 and √96 over √count
    CU_ASSERT(test_near(sum / count, 0, 4 / sqrt(count)));
    CU_ASSERT(test_near(squares / count, 1, 4 * sqrt(2) / sqrt(count)));
    CU_ASSERT(test_near(fourths / count, 3, 4 * sqrt(96) / sqrt(count)));
}

static const TestCase cases[] = {
    {"the published known answers hold", known_answers_hold},
    {"uniforms never reach 0 or 1", uniforms_stay_inside},
    {"normals invert the normal distribution over all words", normals_invert_the_distribution},
    {"normals match an independent implementation", normals_match_golden_numbers},
    {"normals have mean 0, variance 1 and kurtosis 3", normals_have_moments},
};

int main(void)
{
    return test_main("philox", cases, sizeof cases / sizeof cases[0]);
}
