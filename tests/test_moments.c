#include <math.h>

#include "model/moments.h"
#include "tests/harness.h"

/* By hand: x 1 2 3 4, y 2 1 4 3 about their means 2.5 make 3 / 5. */
static void a_correlation_is_by_its_definition(void)
{
    const double x[] = {1, 2, 3, 4}, y[] = {2, 1, 4, 3};
    Moments moments = {0};
    for (int i = 0; i < 4; i++)
        moments_add(&moments, x[i], y[i]);
    CU_ASSERT(test_near(moments_correlation(&moments), 0.6, 1e-12));
}

static void what_does_not_vary_has_none(void)
{
    Moments moments = {0};
    CU_ASSERT(isnan(moments_correlation(&moments)));
    for (int i = 0; i < 4; i++)
        moments_add(&moments, 2, i);
    CU_ASSERT(isnan(moments_correlation(&moments)));
}

int main(void)
{
    static const TestCase cases[] = {
        {"a correlation is by its definition", a_correlation_is_by_its_definition},
        {"what does not vary correlates with nothing", what_does_not_vary_has_none},
    };
    return test_main("moments", cases, sizeof cases / sizeof cases[0]);
}
