/* Columns of numbers in a text file, separated by commas, semicolons, tabs or spaces. Read whole:
 * text has no places to seek to. */
#include "model/array_kind.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/kind.h"

enum { LINE_BYTES = 65536 };

typedef struct {
    double *values; // (rows, columns), owned
    int64_t rows, columns;
    int64_t room; // values allocated
    bool is_whole;
} Text;

static bool read_box(void *state, const int64_t *start, const int64_t *count, ArrayType type,
                     void *out)
{
    const Text *text = state;
    int64_t wide = text->columns > 1 ? count[1] : 1, first = text->columns > 1 ? start[1] : 0;
    for (int64_t i = 0; i < count[0] * wide; i++) {
        double value = text->values[(start[0] + i / wide) * text->columns + first + i % wide];
        if (type == ARRAY_FLOAT)
            ((float *)out)[i] = (float)value;
        else
            ((double *)out)[i] = value;
    }
    return true;
}

static void close_text(void *state)
{
    free(((Text *)state)->values);
    free(state);
}

static const ArrayInterface interface = {read_box, close_text};

static bool make_room(Text *text)
{
    int64_t wanted = (text->rows + 1) * text->columns;
    if (wanted <= text->room)
        return true;
    double *grown = realloc(text->values, 2 * (size_t)wanted * sizeof *grown);
    if (!grown)
        return false;
    text->values = grown;
    text->room = 2 * wanted;
    return true;
}

static const char *skip(const char *at)
{
    while (*at && (isspace((unsigned char)*at) || *at == ',' || *at == ';'))
        at++;
    return at;
}

/* Numbers of a line into row (columns at most); how many there are, −1 for what is no number. */
static int64_t read_line(const char *line, double *row, int64_t columns)
{
    int64_t count = 0;
    for (const char *at = skip(line); *at; at = skip(at)) {
        char *end;
        double value = strtod(at, &end);
        bool is_ended = *end == '\0' || isspace((unsigned char)*end) || *end == ',' || *end == ';';
        if (end == at || !is_ended)
            return -1;
        if (count < columns)
            row[count] = value;
        count++;
        at = end;
    }
    return count;
}

static bool add_line(Text *text, const char *line, int64_t number, char *err)
{
    double row[ARRAY_TEXT_COLUMNS_MAX];
    const char *first = skip(line);
    if (!*first || *first == '#')
        return true;
    int64_t count = read_line(line, row, ARRAY_TEXT_COLUMNS_MAX);
    if (count < 0 && text->rows == 0)
        return true; // names of the columns
    if (text->rows == 0)
        text->columns = count;
    if (count < 1 || count != text->columns || count > ARRAY_TEXT_COLUMNS_MAX)
        return model_refuse(err,
                            "line %lld: must be numbers, as many as on the lines before, 1 to %d",
                            (long long)number, ARRAY_TEXT_COLUMNS_MAX);
    if (!make_room(text))
        return model_refuse(err, "not enough memory to read it");
    for (int64_t c = 0; c < count; c++)
        text->is_whole = text->is_whole && !(floor(row[c]) < row[c]);
    memcpy(text->values + text->rows * text->columns, row, (size_t)count * sizeof *row);
    text->rows++;
    return true;
}

static bool read_lines(Text *text, FILE *file, char *err)
{
    char *line = malloc(LINE_BYTES);
    bool ok = line != NULL || model_refuse(err, "not enough memory to read it");
    for (int64_t number = 1; ok && fgets(line, LINE_BYTES, file); number++) {
        if (strlen(line) == LINE_BYTES - 1)
            ok = model_refuse(err, "line %lld: is longer than %d bytes", (long long)number,
                              LINE_BYTES - 2);
        else
            ok = add_line(text, line, number, err);
    }
    free(line);
    return ok && (text->rows > 0 || model_refuse(err, "holds no numbers"));
}

Array *array_open_text(const char *name, char *err)
{
    char what[MODEL_ERR_BYTES];
    FILE *file = fopen(name, "r");
    if (!file) {
        model_refuse(err, "%s: %s", name, strerror(errno));
        return NULL;
    }
    Text *text = calloc(1, sizeof *text);
    Array *array = NULL;
    snprintf(what, sizeof what, "not enough memory to read it");
    if (text) {
        text->is_whole = true;
        if (read_lines(text, file, what)) {
            ArrayInfo info = {.rank = text->columns > 1 ? 2 : 1,
                              .dims = {text->rows, text->columns},
                              .is_whole = text->is_whole};
            array = array_create(&info, &interface, text);
        }
    }
    fclose(file);
    if (array)
        return array;
    model_refuse(err, "%s: %s", name, what);
    if (text)
        close_text(text);
    return NULL;
}
