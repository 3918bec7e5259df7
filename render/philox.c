#include "render/philox.h"

#include <math.h>
#include <stddef.h>

enum { ROUNDS = 10 };

// Multipliers and Weyl increments of Salmon et al. 2011.
static const uint32_t multiplier_0 = 0xD2511F53, multiplier_1 = 0xCD9E8D57;
static const uint32_t weyl_0 = 0x9E3779B9, weyl_1 = 0xBB67AE85;

PhiloxCounter philox(PhiloxCounter counter, PhiloxKey key)
{
    uint32_t *c = counter.words;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t product_0 = (uint64_t)multiplier_0 * c[0];
        uint64_t product_1 = (uint64_t)multiplier_1 * c[2];
        c[0] = (uint32_t)(product_1 >> 32) ^ c[1] ^ key.words[0];
        c[2] = (uint32_t)(product_0 >> 32) ^ c[3] ^ key.words[1];
        c[1] = (uint32_t)product_1;
        c[3] = (uint32_t)product_0;
        key.words[0] += weyl_0;
        key.words[1] += weyl_1;
    }
    return counter;
}

double philox_uniform(uint32_t word)
{
    return (word + 0.5) * 0x1p-32;
}

/* ln x for 0 < x <= 1 by 2·artanh((m − 1)/(m + 1)) on a mantissa within √½ … √2; 13 terms reach the
 * last bit of a double. The C library's log may differ in that bit from machine to machine. */
static double natural_log(double x)
{
    const double ln_2 = 0.69314718055994530942;
    int exponent;
    double mantissa = frexp(x, &exponent);
    if (mantissa < 0.70710678118654752440) {
        mantissa *= 2;
        exponent--;
    }
    double ratio = (mantissa - 1) / (mantissa + 1), square = ratio * ratio, sum = 0;
    for (int k = 25; k >= 1; k -= 2)
        sum = sum * square + 1.0 / k;
    return exponent * ln_2 + 2 * ratio * sum;
}

static double polynomial(const double *coefficients, size_t count, double x)
{
    double sum = 0;
    for (size_t i = count; i-- > 0;)
        sum = sum * x + coefficients[i];
    return sum;
}

// Wichura 1988: numerators and denominators for |p − ½| <= 0.425, and for the tails up to
// √(−ln p) = 5; 32 bits reach 4.78.
static const double centre_over[] = {3.3871328727963666080e0,  1.3314166789178437745e+2,
                                     1.9715909503065514427e+3, 1.3731693765509461125e+4,
                                     4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                     3.3430575583588128105e+4, 2.5090809287301226727e+3};
static const double centre_under[] = {1,
                                      4.2313330701600911252e+1,
                                      6.8718700749205790830e+2,
                                      5.3941960214247511077e+3,
                                      2.1213794301586595867e+4,
                                      3.9307895800092710610e+4,
                                      2.8729085735721942674e+4,
                                      5.2264952788528545610e+3};
static const double tail_over[] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                   5.76949722146069140550e0,  3.64784832476320460504e0,
                                   1.27045825245236838258e0,  2.41780725177450611770e-1,
                                   2.27238449892691845833e-2, 7.74545014278341407640e-4};
static const double tail_under[] = {1,
                                    2.05319162663775882187e0,
                                    1.67638483018380384940e0,
                                    6.89767334985100004550e-1,
                                    1.48103976427480074590e-1,
                                    1.51986665636164571966e-2,
                                    5.47593808499534494600e-4,
                                    1.05075007164441684324e-9};

double philox_normal(uint32_t word)
{
    double p = philox_uniform(word), from_middle = p - 0.5;
    if (fabs(from_middle) <= 0.425) {
        double r = 0.180625 - from_middle * from_middle;
        return from_middle * polynomial(centre_over, 8, r) / polynomial(centre_under, 8, r);
    }
    double r = sqrt(-natural_log(fmin(p, 1 - p))) - 1.6;
    double size = polynomial(tail_over, 8, r) / polynomial(tail_under, 8, r);
    return from_middle < 0 ? -size : size;
}
