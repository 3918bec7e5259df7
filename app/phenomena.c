#include "app/phenomena.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const phenomenon_verdicts[] = {"absent", "partly", "holds"};

static const int SHARE = 4; // one cell in so many must hold

const Phenomenon *const phenomena[] = {
    &phenomenon_omitted_stimulus,  &phenomenon_latency_coding,      &phenomenon_motion_anticipation,
    &phenomenon_motion_reversal,   &phenomenon_contrast_adaptation, &phenomenon_frequency_doubling,
    &phenomenon_polarity_reversal, &phenomenon_object_motion,       NULL,
};

const Phenomenon *phenomenon_find(const char *name)
{
    for (int i = 0; phenomena[i]; i++)
        if (!strcmp(phenomena[i]->name, name))
            return phenomena[i];
    return NULL;
}

void phenomenon_finish(PhenomenonResult *result)
{
    json_decref(result->numbers);
    *result = (PhenomenonResult){0};
}

double *phenomenon_grid(int conditions, int cells)
{
    return calloc((size_t)conditions * (size_t)cells, sizeof(double));
}

void phenomenon_judge(PhenomenonResult *result, const PhenomenonVerdict *cells, int count)
{
    result->cells = count;
    result->holding = result->partly = 0;
    for (int c = 0; c < count; c++) {
        result->holding += cells[c] == PHENOMENON_HOLDS;
        result->partly += cells[c] == PHENOMENON_PARTLY;
    }
    result->verdict = result->holding * SHARE >= count                      ? PHENOMENON_HOLDS
                      : (result->holding + result->partly) * SHARE >= count ? PHENOMENON_PARTLY
                                                                            : PHENOMENON_ABSENT;
}

double phenomenon_least_hz(double rest_hz, double highest_hz)
{
    return rest_hz + fmax(0.25 * rest_hz, 0.02 * highest_hz);
}

json_t *phenomenon_array(const double *values, size_t stride, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_number(values[i * stride]));
    return array;
}

static void append(PhenomenonResult *result, const char *text)
{
    size_t used = strlen(result->sentence);
    snprintf(result->sentence + used, sizeof result->sentence - used, "%s", text);
}

static void append_number(PhenomenonResult *result, bool is_signed, int decimals, double value)
{
    char text[32];
    if (isnan(value))
        snprintf(text, sizeof text, "none");
    else if (is_signed)
        snprintf(text, sizeof text, "%+.*f", decimals, value);
    else
        snprintf(text, sizeof text, "%.*f", decimals, value);
    append(result, text);
}

void phenomenon_say(PhenomenonResult *result, const char *what, PhenomenonNumber number,
                    const double *values, int count)
{
    append(result, result->sentence[0] ? "; " : "");
    append(result, what);
    for (int i = 0; i < count; i++) {
        append(result, i > 0 ? ", " : " ");
        append_number(result, number.is_signed, number.decimals, values[i]);
    }
    append(result, number.unit);
}

PhenomenonCurve *phenomenon_curve(PhenomenonPanel *panel, const char *label, const double *x,
                                  const double *y, size_t stride, int count)
{
    for (int i = 0; i < PHENOMENA_CURVES; i++) {
        PhenomenonCurve *curve = &panel->curves[i];
        if (curve->count > 0)
            continue;
        snprintf(curve->label, sizeof curve->label, "%s", label);
        curve->count = count < PHENOMENA_POINTS ? count : PHENOMENA_POINTS;
        for (int k = 0; k < curve->count; k++) {
            curve->x[k] = x[k];
            curve->y[k] = y[(size_t)k * stride];
        }
        curve->has_points = count < 16;
        return curve;
    }
    return NULL;
}

void phenomenon_medians(const double *values, int conditions, int cells, double *medians)
{
    for (int k = 0; k < conditions; k++)
        medians[k] = stat_median(values + (ptrdiff_t)k * cells, 1, (size_t)cells);
}
