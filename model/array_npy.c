#include "model/array_npy.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "model/array_kind.h"
#include "model/kind.h"

enum { RUN_VALUES = 4096 };

typedef struct {
    FILE *file; // owned
    NpyHead head;
    int64_t dims[ARRAY_MAX_RANK]; // as the file holds them, last one fastest
} State;

/* What is left of the dictionary. */
typedef struct {
    const char *at, *end;
} Cursor;

static void skip_spaces(Cursor *c)
{
    while (c->at < c->end && isspace((unsigned char)*c->at))
        c->at++;
}

static bool take(Cursor *c, char wanted)
{
    skip_spaces(c);
    if (c->at == c->end || *c->at != wanted)
        return false;
    c->at++;
    return true;
}

static bool take_word(Cursor *c, const char *word)
{
    skip_spaces(c);
    size_t length = strlen(word);
    if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length) != 0)
        return false;
    c->at += length;
    return true;
}

/* text (bytes) := what stands between two quotes. */
static bool take_string(Cursor *c, char *text, size_t bytes)
{
    skip_spaces(c);
    if (c->at == c->end || (*c->at != '\'' && *c->at != '"'))
        return false;
    char quote = *c->at++;
    size_t length = 0;
    while (c->at < c->end && *c->at != quote && length + 1 < bytes)
        text[length++] = *c->at++;
    text[length] = '\0';
    return take(c, quote);
}

static bool take_size(Cursor *c, int64_t *size)
{
    skip_spaces(c);
    int64_t value = 0;
    const char *start = c->at;
    while (c->at < c->end && isdigit((unsigned char)*c->at)) {
        if (value > INT64_MAX / 10 - 1)
            return false;
        value = 10 * value + (*c->at++ - '0');
    }
    *size = value;
    return c->at > start;
}

static bool take_shape(Cursor *c, NpyHead *head)
{
    if (!take(c, '('))
        return false;
    head->rank = 0;
    while (!take(c, ')')) {
        if (head->rank == ARRAY_MAX_RANK || !take_size(c, &head->dims[head->rank++]))
            return false;
        if (!take(c, ',')) {
            if (!take(c, ')'))
                return false;
            break;
        }
    }
    return true;
}

static bool read_descr(const char *descr, NpyHead *head, char *err)
{
    static const char *const known[] = {"|u1", "|i1", "|b1", "<u2", "<i2", "<u4",
                                        "<i4", "<u8", "<i8", "<f4", "<f8"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i], descr) == 0) {
            head->kind = descr[1];
            head->value_bytes = descr[2] - '0';
            return true;
        }
    return model_refuse(err,
                        "holds values of type '%.16s'; allowed are u1, i1, b1 and little-endian "
                        "u2, i2, u4, i4, u8, i8, f4, f8",
                        descr);
}

static bool read_dictionary(Cursor c, NpyHead *head, char *err)
{
    char key[32], descr[64] = "";
    bool has_order = false, has_shape = false, ok = take(&c, '{');
    while (ok && !take(&c, '}')) {
        ok = take_string(&c, key, sizeof key) && take(&c, ':');
        if (ok && strcmp(key, "descr") == 0)
            ok = take_string(&c, descr, sizeof descr);
        else if (ok && strcmp(key, "fortran_order") == 0) {
            head->is_fortran = take_word(&c, "True");
            ok = has_order = head->is_fortran || take_word(&c, "False");
        } else if (ok && strcmp(key, "shape") == 0)
            ok = has_shape = take_shape(&c, head);
        else
            ok = false;
        if (ok && !take(&c, ',')) {
            ok = take(&c, '}');
            break;
        }
    }
    if (!ok || !has_order || !has_shape || !descr[0])
        return model_refuse(err, "has a damaged head; allowed is an NPY file of plain numbers in "
                                 "1 to 4 dimensions");
    return read_descr(descr, head, err);
}

int64_t npy_values(const NpyHead *head)
{
    int64_t values = 1;
    for (int i = 0; i < head->rank; i++)
        if (head->dims[i] > 0 && values > INT64_MAX / 16 / head->dims[i])
            return -1;
        else
            values *= head->dims[i];
    return values;
}

bool npy_read_head(const unsigned char *text, size_t bytes, NpyHead *head, char *err)
{
    static const unsigned char magic[] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
    *head = (NpyHead){0};
    if (bytes < 10 || memcmp(text, magic, sizeof magic) != 0)
        return model_refuse(err, "is no NPY file");
    int version = text[6];
    if (version != 1 && version != 2)
        return model_refuse(err, "is an NPY file of version %d; allowed are 1 and 2", version);
    size_t start = version == 1 ? 10 : 12;
    size_t length = (size_t)text[8] | (size_t)text[9] << 8;
    if (version == 2 && bytes >= start)
        length |= (size_t)text[10] << 16 | (size_t)text[11] << 24;
    if (bytes < start || length > bytes - start)
        return model_refuse(err, "has a head cut short, or of over %d bytes", NPY_HEAD_BYTES_MAX);
    Cursor c = {(const char *)text + start, (const char *)text + start + length};
    head->data_at = (int64_t)(start + length);
    if (!read_dictionary(c, head, err))
        return false;
    if (head->rank < 1 || npy_values(head) < 1)
        return model_refuse(err, "has an empty or impossible shape; allowed are 1 to %d dimensions",
                            ARRAY_MAX_RANK);
    return true;
}

#define CONVERT(Type)                                                                              \
    for (size_t i = 0; i < count; i++) {                                                           \
        Type value;                                                                                \
        memcpy(&value, bytes + i * sizeof value, sizeof value);                                    \
        if (type == ARRAY_FLOAT)                                                                   \
            ((float *)out)[i] = (float)value;                                                      \
        else                                                                                       \
            ((double *)out)[i] = (double)value;                                                    \
    }                                                                                              \
    return

/* Little-endian values on a little-endian machine, the only kind Retrace is built for. */
static void convert(const NpyHead *head, const unsigned char *bytes, size_t count, ArrayType type,
                    void *out)
{
    switch (head->kind << 4 | head->value_bytes) {
    case 'u' << 4 | 1:
    case 'b' << 4 | 1:
        CONVERT(uint8_t);
    case 'i' << 4 | 1:
        CONVERT(int8_t);
    case 'u' << 4 | 2:
        CONVERT(uint16_t);
    case 'i' << 4 | 2:
        CONVERT(int16_t);
    case 'u' << 4 | 4:
        CONVERT(uint32_t);
    case 'i' << 4 | 4:
        CONVERT(int32_t);
    case 'u' << 4 | 8:
        CONVERT(uint64_t);
    case 'i' << 4 | 8:
        CONVERT(int64_t);
    case 'f' << 4 | 4:
        CONVERT(float);
    default:
        CONVERT(double);
    }
}

static bool read_run(const State *s, int64_t at, int64_t count, ArrayType type, char *out)
{
    unsigned char bytes[RUN_VALUES * 8];
    size_t width = type == ARRAY_FLOAT ? sizeof(float) : sizeof(double);
    size_t value_bytes = (size_t)s->head.value_bytes;
    if (fseeko(s->file, (off_t)(s->head.data_at + at * s->head.value_bytes), SEEK_SET) != 0)
        return false;
    for (int64_t done = 0; done < count; done += RUN_VALUES) {
        size_t now = (size_t)(count - done < RUN_VALUES ? count - done : RUN_VALUES);
        if (fread(bytes, value_bytes, now, s->file) != now)
            return false;
        convert(&s->head, bytes, now, type, out + (size_t)done * width);
    }
    return true;
}

/* Dimensions taken whole join the ones before them into longer runs. */
static bool read_box(void *state, const int64_t *start, const int64_t *count, ArrayType type,
                     void *out)
{
    const State *s = state;
    int rank = s->head.rank, outer = rank - 1;
    int64_t run = count[rank - 1], strides[ARRAY_MAX_RANK], index[ARRAY_MAX_RANK] = {0};
    strides[rank - 1] = 1;
    for (int i = rank - 2; i >= 0; i--)
        strides[i] = strides[i + 1] * s->dims[i + 1];
    while (outer > 0 && count[outer] == s->dims[outer])
        run *= count[--outer];
    size_t bytes = (size_t)run * (type == ARRAY_FLOAT ? sizeof(float) : sizeof(double));
    for (char *to = out;; to += bytes) {
        int64_t at = 0;
        for (int i = 0; i < rank; i++)
            at += (start[i] + index[i]) * strides[i];
        if (!read_run(s, at, run, type, to))
            return false;
        int i = outer - 1;
        while (i >= 0 && ++index[i] == count[i])
            index[i--] = 0;
        if (i < 0)
            return true;
    }
}

static void close_file(void *state)
{
    fclose(((State *)state)->file);
    free(state);
}

static const ArrayInterface interface = {read_box, close_file};

static bool check_length(const State *s, char *err)
{
    int64_t needed = s->head.data_at + npy_values(&s->head) * s->head.value_bytes;
    int64_t there = fseeko(s->file, 0, SEEK_END) == 0 ? (int64_t)ftello(s->file) : 0;
    return there >= needed || model_refuse(err, "has %lld bytes where its shape needs %lld",
                                           (long long)there, (long long)needed);
}

static bool open_state(State *s, const char *name, char *err)
{
    char what[MODEL_ERR_BYTES];
    s->file = fopen(name, "rb");
    if (!s->file)
        return model_refuse(err, "%s: %s", name, strerror(errno));
    unsigned char *text = malloc(NPY_HEAD_BYTES_MAX);
    size_t bytes = text ? fread(text, 1, NPY_HEAD_BYTES_MAX, s->file) : 0;
    bool ok = npy_read_head(text, bytes, &s->head, what) && check_length(s, what);
    free(text);
    return ok || model_refuse(err, "%s: %s", name, what);
}

/* Fortran order is C order of the dimensions reversed. */
static Array *array_of(State *s)
{
    ArrayInfo info = {.rank = s->head.rank, .is_whole = s->head.kind != 'f'};
    int order[ARRAY_MAX_RANK];
    for (int i = 0; i < info.rank; i++) {
        order[i] = info.rank - 1 - i;
        info.dims[i] = s->dims[i] = s->head.dims[s->head.is_fortran ? order[i] : i];
    }
    Array *array = array_create(&info, &interface, s);
    if (array && s->head.is_fortran)
        array_arrange(array, order);
    return array;
}

Array *array_open_npy(const char *name, char *err)
{
    State *s = calloc(1, sizeof *s);
    Array *array = NULL;
    if (!s)
        model_refuse(err, "%s: not enough memory to read it", name);
    else if (open_state(s, name, err) && !(array = array_of(s)))
        model_refuse(err, "%s: not enough memory to read it", name);
    if (s && !array) {
        if (s->file)
            fclose(s->file);
        free(s);
    }
    return array;
}
