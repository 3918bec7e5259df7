#pragma once
/* What `attribute` has found, told to people, to machines and to spreadsheets. */
#include <stdio.h>

#include <jansson.h>

#include "app/attribute.h"

/* All borrowed. */
typedef struct {
    const Attribute *attribute;
    const char *model_path, *protocol_path;
    const ChannelCard *cards;     // (channels)
    const float *kernels;         // (channels, history_bins), channel_cards()
    const AttributeTrial *trials; // (count), block by block
    int count, wanted;            // fewer when it was stopped
} AttributeReport;

typedef struct {
    double residual_max, residual_median;
    int bins, missed; // bins in all; those that miss more than the tolerance
    int steps;        // the most a bin took
} AttributeTotals;

AttributeTotals attribute_totals(const AttributeReport *report);
void attribute_talk(const AttributeReport *report, const AttributeTotals *totals, FILE *talk);
json_t *attribute_summary(const AttributeReport *report, const AttributeTotals *totals);

/* DIR/attribution-<block>.tsv, every bin, and .png for each block. False with a sentence in err
 * (JSON_ERR_BYTES). */
bool attribute_write_blocks(const AttributeReport *report, const char *folder, char *err);
