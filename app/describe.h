#pragma once
/* What a file is, in words and for machines, and what is wrong with it: one function a kind of
 * file. */
#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

enum { DESCRIBE_ERR_BYTES = 1024 };

typedef enum {
    DESCRIBE_WHOLE,
    DESCRIBE_INCOMPLETE, // a run that was cut short
    DESCRIBE_UNFIT,      // a data set that no model should be fitted to
    DESCRIBE_REFUSED,    // not usable; the sentence is in err
    DESCRIBE_OTHER,      // not a file of this kind at all; the sentence is in err
} DescribeVerdict;

/* Each writes for people into `talk` and adds its keys to `summary`. */
DescribeVerdict describe_run(const char *folder, FILE *talk, json_t *summary, char *err);
DescribeVerdict describe_protocol(const char *path, FILE *talk, json_t *summary, char *err);
DescribeVerdict describe_preparation(const char *path, FILE *talk, json_t *summary, char *err);
DescribeVerdict describe_fit(const char *path, FILE *talk, json_t *summary, char *err);
DescribeVerdict describe_model(const char *name, FILE *talk, json_t *summary, char *err);
DescribeVerdict describe_dataset(const char *path, FILE *talk, json_t *summary, char *err);
