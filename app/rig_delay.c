#include "app/rig_delay.h"

#include <math.h>
#include <stdio.h>

#include <jansson.h>

static bool read_us(const json_t *root, const char *key, int64_t *ns)
{
    const json_t *value = json_object_get(json_object_get(root, "delay"), key);
    double us = json_number_value(value);
    *ns = llround(us * 1e3);
    return json_is_number(value) && us >= 0 && us < 1e6;
}

bool rig_delay_load(const char *path, RigDelay *delay, char *err)
{
    json_error_t error;
    json_t *root = json_load_file(path, 0, &error);
    bool ok =
        root && read_us(root, "out_us", &delay->out_ns) && read_us(root, "in_us", &delay->in_ns);
    delay->is_halved = json_is_true(json_object_get(json_object_get(root, "delay"), "halved"));
    if (!root)
        snprintf(err, RIG_DELAY_ERR_BYTES, "%.300s: %.160s", path, error.text);
    else if (!ok)
        snprintf(err, RIG_DELAY_ERR_BYTES,
                 "%.300s: delay.out_us and delay.in_us are not there as numbers from 0 to 1e6; "
                 "`retrace rig loop SPEC --json FILE` writes them",
                 path);
    json_decref(root);
    return ok;
}
