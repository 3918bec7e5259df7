#include "app/json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

bool json_write(const json_t *value, const char *path, char *err)
{
    bool to_stdout = !strcmp(path, "-");
    FILE *file = to_stdout ? stdout : fopen(path, "w");
    bool is_written = file &&
                      json_dumpf(value, file, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) == 0 &&
                      fputc('\n', file) != EOF;
    if (to_stdout)
        is_written = fflush(stdout) == 0 && is_written;
    else if (file)
        is_written = fclose(file) == 0 && is_written;
    if (!is_written)
        snprintf(err, JSON_ERR_BYTES, "%s: cannot write the summary: %s", path, strerror(errno));
    return is_written;
}

json_t *json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

FILE *json_talk(const char *path)
{
    return path && !strcmp(path, "-") ? stderr : stdout;
}
