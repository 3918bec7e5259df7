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
