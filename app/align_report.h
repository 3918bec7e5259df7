#pragma once
/* What an alignment amounts to: a verdict, words, a table and a summary. */
#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "app/align.h"
#include "app/align_pulses.h"

enum { ALIGN_VERDICT_BYTES = 256, ALIGN_REPORT_ERR_BYTES = 512 };

typedef struct {
    const AlignOrder *order;
    const AlignAnswer *answer;
    const AlignPulses *pulses; // NULL: none were given beside the light
} AlignReport;

/* "ok" only where every frame was found as on record, no edge is left over, every frame has its
 * pulse and the clocks are within 0.1 %. verdict holds ALIGN_VERDICT_BYTES. */
bool align_verdict(const AlignReport *report, char *verdict);

/* One row a refresh of the run. False with a sentence in err (ALIGN_REPORT_ERR_BYTES). */
bool align_write_table(const AlignReport *report, const char *path, char *err);
void align_talk(const AlignReport *report, const char *verdict, FILE *to);

/* A new reference. */
json_t *align_summary(const AlignReport *report, const char *verdict);
