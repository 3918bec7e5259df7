#pragma once
/* The in-silico experiments of the papers, each a function of a subject (subject.h), each with a
 * verdict by a rule that is printed beside it.
 *
 * Every experiment judges cell by cell; the model's verdict follows from its cells by one rule for
 * all, PHENOMENA_SHARE_RULE. A retina's classes differ (14 of 17 cells of Maheswaranathan et al.
 * showed the omitted stimulus response), so not every cell need show a phenomenon; the numbers of
 * cells that do are always reported. A cell that does not answer has no numbers (NaN, null in
 * JSON), and no number never passes a rule. */
#include <stdbool.h>

#include <jansson.h>

#include "app/json.h"
#include "app/peak.h"
#include "app/subject.h"

#define PHENOMENA_SHARE_RULE                                                                       \
    "A model holds when at least a quarter of its cells hold; partly when at least a quarter "     \
    "hold or hold partly; else it is absent."

enum {
    PHENOMENA_PANELS = 2,
    PHENOMENA_CURVES = 8,
    PHENOMENA_POINTS = 160,
    PHENOMENA_SENTENCE_BYTES = 384,
};

typedef enum { PHENOMENON_ABSENT, PHENOMENON_PARTLY, PHENOMENON_HOLDS } PhenomenonVerdict;

extern const char *const phenomenon_verdicts[3]; // "absent", "partly", "holds"

typedef struct {
    char label[32];
    int count; // 0: not used
    double x[PHENOMENA_POINTS], y[PHENOMENA_POINTS];
    bool is_faint;   // a reference, not a measurement
    bool has_points; // few values, each worth a mark
    bool is_scatter; // marks only
} PhenomenonCurve;

/* What the figure shows of one model; models stand side by side, panels below each other. */
typedef struct {
    const char *title, *x_name, *y_name; // static
    PhenomenonCurve curves[PHENOMENA_CURVES];
} PhenomenonPanel;

typedef struct {
    PhenomenonVerdict verdict;
    int cells, holding, partly, answering;
    char sentence[PHENOMENA_SENTENCE_BYTES]; // the numbers, for people; phenomenon_say()
    json_t *numbers;                         // owned
    PhenomenonPanel panels[PHENOMENA_PANELS];
} PhenomenonResult;

typedef struct {
    const char *name; // "omitted_stimulus", its key
    const char *rule; // of a cell, whole sentences
    /* False without memory or when stopped; the result then holds nothing. */
    bool (*measure)(Subject *subject, PhenomenonResult *result);
} Phenomenon;

extern const Phenomenon phenomenon_omitted_stimulus;
extern const Phenomenon phenomenon_latency_coding;
extern const Phenomenon phenomenon_motion_anticipation;
extern const Phenomenon phenomenon_motion_reversal;
extern const Phenomenon phenomenon_contrast_adaptation;
extern const Phenomenon phenomenon_frequency_doubling;
extern const Phenomenon phenomenon_polarity_reversal;
extern const Phenomenon phenomenon_object_motion;

/* NULL: all there are end here. */
extern const Phenomenon *const phenomena[];

/* The entry of that name; NULL when there is none. */
const Phenomenon *phenomenon_find(const char *name);

/* Frees what a result owns. */
void phenomenon_finish(PhenomenonResult *result);

/* Zeros (conditions, cells), for free(). NULL without memory. */
double *phenomenon_grid(int conditions, int cells);

/* For the experiments. cells (count) are verdicts; fills verdict and the numbers of cells. */
void phenomenon_judge(PhenomenonResult *result, const PhenomenonVerdict *cells, int count);

/* What a rate must exceed to be an answer: the rate at rest by a quarter of it, and by 2 % of the
 * highest rate of the cell in the experiment. */
double phenomenon_least_hz(double rest_hz, double highest_hz);

typedef struct {
    int decimals;
    bool is_signed;
    const char *unit; // after the last, with its space
} PhenomenonNumber;

/* Appends "what a, b, c unit" to the sentence; NaN is "none". */
void phenomenon_say(PhenomenonResult *result, const char *what, PhenomenonNumber number,
                    const double *values, int count);

/* values[0], values[stride], … as a JSON array, NaN as null. */
json_t *phenomenon_array(const double *values, size_t stride, size_t count);

/* A next curve of the panel, at most PHENOMENA_POINTS points; NULL when the panel is full. */
PhenomenonCurve *phenomenon_curve(PhenomenonPanel *panel, const char *label, const double *x,
                                  const double *y, size_t stride, int count);

/* medians (conditions) over the cells of values (conditions, cells). */
void phenomenon_medians(const double *values, int conditions, int cells, double *medians);
