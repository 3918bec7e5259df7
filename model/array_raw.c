/* Samples as acquisition programs stream them: int16, little-endian, channels interleaved, no head.
 */
#include "model/array_kind.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "model/kind.h"

enum { RUN_VALUES = 4096 };

typedef struct {
    FILE *file; // owned
    int channels;
} Raw;

static bool read_box(void *state, const int64_t *start, const int64_t *count, ArrayType type,
                     void *out)
{
    const Raw *raw = state;
    int16_t values[RUN_VALUES];
    int64_t rows_at_once = RUN_VALUES / raw->channels, to = 0;
    if (fseeko(raw->file, (off_t)(start[0] * raw->channels * (int64_t)sizeof *values), SEEK_SET))
        return false;
    for (int64_t done = 0; done < count[0]; done += rows_at_once) {
        int64_t rows = count[0] - done < rows_at_once ? count[0] - done : rows_at_once;
        size_t wanted = (size_t)(rows * raw->channels);
        if (fread(values, sizeof *values, wanted, raw->file) != wanted)
            return false;
        for (int64_t r = 0; r < rows; r++)
            for (int64_t c = start[1]; c < start[1] + count[1]; c++, to++)
                if (type == ARRAY_FLOAT)
                    ((float *)out)[to] = values[r * raw->channels + c];
                else
                    ((double *)out)[to] = values[r * raw->channels + c];
    }
    return true;
}

static void close_raw(void *state)
{
    fclose(((Raw *)state)->file);
    free(state);
}

static const ArrayInterface interface = {read_box, close_raw};

Array *array_open_raw(const char *name, int channels, char *err)
{
    FILE *file = fopen(name, "rb");
    if (!file || fseeko(file, 0, SEEK_END) != 0) {
        model_refuse(err, "%s: %s", name, strerror(errno));
        if (file)
            fclose(file);
        return NULL;
    }
    int64_t bytes = (int64_t)ftello(file), row_bytes = channels * (int64_t)sizeof(int16_t);
    Raw *raw = calloc(1, sizeof *raw);
    Array *array = NULL;
    if (channels < 1 || channels > ARRAY_RAW_CHANNELS_MAX)
        model_refuse(err, "%s: %d channels; allowed are 1 to %d", name, channels,
                     ARRAY_RAW_CHANNELS_MAX);
    else if (bytes < row_bytes || bytes % row_bytes != 0)
        model_refuse(err, "%s: has %lld bytes; must be a multiple of %d channels of int16", name,
                     (long long)bytes, channels);
    else if (raw) {
        *raw = (Raw){file, channels};
        ArrayInfo info = {.rank = 2, .dims = {bytes / row_bytes, channels}, .is_whole = true};
        array = array_create(&info, &interface, raw);
    }
    if (!array) {
        if (!raw)
            model_refuse(err, "%s: not enough memory to read it", name);
        fclose(file);
        free(raw);
    }
    return array;
}
