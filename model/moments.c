#include "model/moments.h"

#include <math.h>

void moments_add(Moments *m, double x, double y)
{
    m->n += 1.0;
    m->x += x;
    m->y += y;
    m->xx += x * x;
    m->yy += y * y;
    m->xy += x * y;
}

double moments_correlation(const Moments *m)
{
    double vx = m->xx - m->x * m->x / m->n, vy = m->yy - m->y * m->y / m->n;
    return vx > 0.0 && vy > 0.0 ? (m->xy - m->x * m->y / m->n) / sqrt(vx * vy) : (double)NAN;
}
