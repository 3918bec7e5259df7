#include "rig/rig_spec.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PART_BYTES = RIG_FOLDER_BYTES, TEXT_BYTES = 256 };

typedef enum { KEY_WHOLE, KEY_NUMBER, KEY_SEED, KEY_TEXT, KEY_CHOICE } KeyKind;

typedef struct {
    const char *name;
    KeyKind kind;
    size_t offset;        // of the field in RigSpec
    double least, most;   // of a number; of a text: bytes it may take, in `most`
    const char *words[2]; // of a choice, 0 and 1
    const char *only_for; // a device; NULL: all
} Key;

#define KEY_AT(field, Pointer)                                                                     \
    (offsetof(RigSpec, field) + 0 * _Generic(&((RigSpec *)0)->field, Pointer : 1))
#define KEY_INT(field, least, most)    KEY_WHOLE, KEY_AT(field, int *), least, most
#define KEY_DOUBLE(field, least, most) KEY_NUMBER, KEY_AT(field, double *), least, most
#define KEY_STRING(field)              KEY_TEXT, offsetof(RigSpec, field), 1, sizeof(((RigSpec *)0)->field)

static const char *const devices[] = {"null", "replay", "cdc",  "box",
                                      "u3",   "u6",     "ftdi", "ftdi-lines"};

static const Key keys[] = {
    {"serial", KEY_STRING(serial)},
    {"path", KEY_STRING(path)},
    {"pulse_us", KEY_INT(pulse_us, RIG_PULSE_LEAST_US, RIG_PULSE_MOST_US)},
    {"polarity", KEY_CHOICE, KEY_AT(is_low_active, bool *), 0, 0, {"high", "low"}},
    {"every", KEY_INT(every, 1, 1000)},
    {"code", KEY_CHOICE, offsetof(RigSpec, code), 0, 0, {"upper", "byte"}},
    {"start", KEY_INT(start_line, 0, RIG_LINES - 1)},
    {"delay_us", KEY_DOUBLE(delay_us, 0, 1e6), {0}, "null"},
    {"jitter_us", KEY_DOUBLE(jitter_us, 0, 1e6), {0}, "null"},
    {"loss", KEY_DOUBLE(loss, 0, 1), {0}, "null"},
    {"fail", KEY_DOUBLE(fail, 0, 1), {0}, "null"},
    {"drift_ppm", KEY_DOUBLE(drift_ppm, -1000, 1000), {0}, "null"},
    {"seed", KEY_SEED, KEY_AT(seed, int64_t *), 0, 9e15, {0}, "null"},
};

static bool refuse(char *err, const char *part, const char *allowed)
{
    snprintf(err, RIG_SPEC_ERR_BYTES, "'%.100s' is not known; allowed: %s", part, allowed);
    return false;
}

static bool read_number(const Key *key, RigSpec *spec, const char *part, const char *value,
                        char *err)
{
    char *end, allowed[TEXT_BYTES];
    double number = strtod(value, &end);
    bool is_whole = key->kind != KEY_NUMBER;
    if (end == value || *end || !(number >= key->least && number <= key->most) ||
        (is_whole && number != floor(number))) {
        snprintf(allowed, sizeof allowed, "%s=%s from %.16g to %.16g", key->name,
                 is_whole ? "a whole number" : "a number", key->least, key->most);
        return refuse(err, part, allowed);
    }
    void *field = (char *)spec + key->offset;
    if (key->kind == KEY_WHOLE)
        *(int *)field = (int)number;
    else if (key->kind == KEY_SEED)
        *(int64_t *)field = (int64_t)number;
    else
        *(double *)field = number;
    return true;
}

static bool read_text(const Key *key, RigSpec *spec, const char *part, const char *value, char *err)
{
    char allowed[TEXT_BYTES];
    if (*value && strlen(value) < (size_t)key->most) {
        strcpy((char *)spec + key->offset, value);
        return true;
    }
    snprintf(allowed, sizeof allowed, "%s=1 to %d letters", key->name, (int)key->most - 1);
    return refuse(err, part, allowed);
}

static bool read_choice(const Key *key, RigSpec *spec, const char *part, const char *value,
                        char *err)
{
    char allowed[TEXT_BYTES];
    for (int i = 0; i < 2; i++)
        if (!strcmp(value, key->words[i])) {
            if (!strcmp(key->name, "code"))
                spec->code = i ? RIG_CODE_BYTE : RIG_CODE_UPPER;
            else
                spec->is_low_active = i;
            return true;
        }
    snprintf(allowed, sizeof allowed, "%s=%s or %s", key->name, key->words[0], key->words[1]);
    return refuse(err, part, allowed);
}

static bool read_key(RigSpec *spec, const char *part, char *err)
{
    size_t length = strcspn(part, "=");
    const char *value = part + length + 1;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const Key *key = &keys[i];
        if (strlen(key->name) != length || strncmp(key->name, part, length) ||
            (key->only_for && strcmp(key->only_for, spec->device)))
            continue;
        if (key->kind == KEY_TEXT)
            return read_text(key, spec, part, value, err);
        if (key->kind == KEY_CHOICE)
            return read_choice(key, spec, part, value, err);
        return read_number(key, spec, part, value, err);
    }
    return refuse(err, part,
                  strcmp(spec->device, "null")
                      ? "serial, path, pulse_us, polarity, every, code, start"
                      : "pulse_us, polarity, every, code, start, delay_us, jitter_us, loss, fail, "
                        "drift_ppm, seed");
}

static bool read_ids(RigSpec *spec, const char *part, char *err)
{
    unsigned vid, pid;
    int used = 0;
    if (strspn(part, "0123456789abcdefABCDEF") == 4 &&
        sscanf(part, "%4x:%4x%n", &vid, &pid, &used) == 2 && used == 9 && !part[used]) {
        spec->vid = (int)vid;
        spec->pid = (int)pid;
        return true;
    }
    return refuse(err, part, "VID:PID in hex, e.g. 16c0:0483, or KEY=VALUE");
}

static bool read_part(RigSpec *spec, const char *part, bool is_first, char *err)
{
    if (is_first && !strcmp(spec->device, "replay") && *part) {
        snprintf(spec->folder, sizeof spec->folder, "%s", part);
        return true;
    }
    return strchr(part, '=') ? read_key(spec, part, err) : read_ids(spec, part, err);
}

static bool read_device(RigSpec *spec, const char *text, size_t length, char *err)
{
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++)
        if (strlen(devices[i]) == length && !strncmp(devices[i], text, length)) {
            strcpy(spec->device, devices[i]);
            return true;
        }
    return refuse(err, text, "none, null, replay, cdc, box, u3, u6, ftdi, ftdi-lines");
}

bool rig_spec_read(const char *text, RigSpec *spec, char *err)
{
    *spec = (RigSpec){.vid = -1, .pid = -1, .pulse_us = 500, .every = 1, .start_line = -1};
    size_t length = strcspn(text, ":");
    if (!read_device(spec, text, length, err))
        return false;
    bool is_first = true;
    for (text += length; *text; text += length, is_first = false) {
        char part[PART_BYTES];
        length = strcspn(++text, ",");
        if (length >= sizeof part)
            return refuse(err, text, "parts of at most 1023 letters");
        memcpy(part, text, length);
        part[length] = '\0';
        if (!read_part(spec, part, is_first, err))
            return false;
    }
    if (strcmp(spec->device, "replay") || spec->folder[0])
        return true;
    return refuse(err, "replay", "replay:RUN, the folder of an earlier run");
}
