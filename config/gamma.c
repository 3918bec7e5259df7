#include "config/gamma.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/locate.h"

enum { LINE_BYTES = 256 };

typedef struct {
    const char *path; // borrowed
    char *err;
    int line;
    int count;
    double levels[GAMMA_ROWS_MAX], luminances[GAMMA_ROWS_MAX];
} Table;

static bool fail(const Table *table, const char *format, ...)
{
    char what[300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    snprintf(table->err, GAMMA_ERR_BYTES, "%s:%d: %s", table->path,
             table->line > 0 ? table->line : 1, what);
    return false;
}

/* One number that ends at `end`, and nothing else. */
static bool read_number(const char *text, char end, double *value, const char **rest)
{
    char *stop;
    errno = 0;
    *value = strtod(text, &stop);
    *rest = stop + (*stop != '\0');
    size_t used = (size_t)(stop - text);
    return used > 0 && strspn(text, "+-.0123456789eE") == used && *stop == end && errno == 0 &&
           isfinite(*value);
}

static bool fail_row(const Table *table, const char *text)
{
    char shown[48];
    locate_printable(text, shown, sizeof shown);
    return fail(table,
                "'%s' is not a measurement; two numbers with a tab between, level and luminance",
                shown);
}

static bool add_row(Table *table, const char *text)
{
    double level, luminance;
    const char *rest;
    if (!read_number(text, '\t', &level, &rest) || !read_number(rest, '\0', &luminance, &rest))
        return fail_row(table, text);
    int last = table->count - 1;
    if (level < 0 || level > 255)
        return fail(table, "level %.9g; 0 to 1 or 0 to 255", level);
    if (luminance < 0)
        return fail(table, "luminance %.9g; 0 or more", luminance);
    if (last >= 0 && level <= table->levels[last])
        return fail(table, "level %.9g after %.9g; levels must rise", level, table->levels[last]);
    if (last >= 0 && luminance < table->luminances[last])
        return fail(table, "luminance %.9g after %.9g; luminance must not fall as the level rises",
                    luminance, table->luminances[last]);
    if (table->count == GAMMA_ROWS_MAX)
        return fail(table, "more than %d measurements; is it the right file", GAMMA_ROWS_MAX);
    table->levels[table->count] = level;
    table->luminances[table->count++] = luminance;
    return true;
}

static bool read_rows(Table *table, FILE *file)
{
    char text[LINE_BYTES];
    while (fgets(text, sizeof text, file)) {
        table->line++;
        size_t length = strcspn(text, "\r\n");
        bool is_whole = text[length] != '\0' || feof(file);
        text[length] = '\0';
        if (!is_whole)
            return fail_row(table, text);
        bool is_heading = table->count == 0 && strcmp(text, "level\tluminance") == 0;
        if (text[0] == '\0' || text[0] == '#' || is_heading)
            continue;
        if (!add_row(table, text))
            return false;
    }
    return !ferror(file) || fail(table, "could not be read: %s", strerror(errno));
}

/* Levels become 0 … 1; a table must span all the display can be driven to. */
static bool scale_levels(Table *table)
{
    if (table->count < 2)
        return fail(table, "%d measurements; at least 2", table->count);
    double highest = table->levels[table->count - 1];
    double full = highest > 1 ? 255 : 1;
    if (table->levels[0] > 0 || highest < full)
        return fail(table, "levels %.9g to %.9g; from 0 to 1, or from 0 to 255", table->levels[0],
                    highest);
    if (!(table->luminances[table->count - 1] > table->luminances[0]))
        return fail(table, "the same luminance at every level; the display was not measured");
    for (int i = 0; i < table->count; i++)
        table->levels[i] /= full;
    return true;
}

static void invert(const Table *table, float *drive)
{
    double brightest = table->luminances[table->count - 1];
    int below = 0; // the last measurement darker than wanted
    for (int i = 0; i < GAMMA_LEVELS; i++) {
        double wanted = brightest * i / (GAMMA_LEVELS - 1);
        while (below < table->count - 2 && table->luminances[below + 1] < wanted)
            below++;
        double dark = table->luminances[below], bright = table->luminances[below + 1];
        double share = wanted <= dark ? 0 : fmin((wanted - dark) / (bright - dark), 1);
        drive[i] = (float)(table->levels[below] +
                           share * (table->levels[below + 1] - table->levels[below]));
    }
}

bool gamma_load(const char *path, float *drive, char *err)
{
    FILE *file = fopen(path, "r");
    Table *table = calloc(1, sizeof *table);
    if (!file || !table) {
        snprintf(err, GAMMA_ERR_BYTES, "%s: could not be opened: %s", path, strerror(errno));
        if (file)
            fclose(file);
        free(table);
        return false;
    }
    table->path = path;
    table->err = err;
    bool is_read = read_rows(table, file) && scale_levels(table);
    if (is_read)
        invert(table, drive);
    fclose(file);
    free(table);
    return is_read;
}
