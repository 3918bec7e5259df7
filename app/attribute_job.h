#pragma once
/* What `attribute` and `reduce` both begin with: a network, a protocol, and which cell and trials
 * of it are meant. */
#include "app/arguments.h"
#include "app/attribute.h"
#include "app/paths.h"

/* Texts borrowed; NULL and 0 where the person said nothing. */
typedef struct {
    const char *model, *protocol;
    const char *cell, *block;
    ArgumentInteger trial;
    double refresh_hz;
    double from_ms, to_ms; // 0 for to_ms: the end of the trial
} AttributeAsked;

/* Their rows of an option table, Options having them as `asked`. */
#define ATTRIBUTE_ROWS(Options)                                                                    \
    {"cell", "NAME", "the cell (default: the one whose rate rises highest)",                       \
     ARGUMENT_TEXT(Options, asked.cell)},                                                          \
        {"block", "NAME", "only this block of the protocol", ARGUMENT_TEXT(Options, asked.block)}, \
        {"from", "MS", "count peak and shares from here, from the onset (default: 0)",             \
         ARGUMENT_NUMBER(Options, asked.from_ms, 0, 1e7)},                                         \
        {"to", "MS", "and to here (default: the end of the trial)",                                \
         ARGUMENT_NUMBER(Options, asked.to_ms, 0, 1e7)},                                           \
    {                                                                                              \
        "refresh", "HZ", "rate of the display (default: the protocol's display.refresh_hz)",       \
            ARGUMENT_NUMBER(Options, asked.refresh_hz, 30, 240)                                    \
    }

typedef struct {
    const AttributeAsked *asked;
    char model_path[PATH_BYTES], protocol_path[PATH_BYTES];
    ModelFile file;
    Protocol *protocol;
    Plan *plan;
    Attribute attribute; // cell 0 when none was asked for; the rule is attribution_default
    ChannelCard cards[CNN_CHANNELS_MAX];
    float *kernels; // owned (channels, history)
    int *trials;    // owned: those meant, block by block; else the first of every condition
    int trials_count;
} AttributeJob;

/* The first positional argument is the model, the second the protocol: an ArgumentTable's
 * positional_read on an AttributeAsked. */
bool attribute_job_read(AttributeAsked *asked, const char *text, char *err);

/* False with a sentence in err (MODEL_ERR_BYTES); *job is zeroed before, and to be finished
 * either way. */
bool attribute_job_open(AttributeJob *job, const AttributeAsked *asked, char *err);
void attribute_job_finish(AttributeJob *job);
