#include "app/photographs.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <png.h>

enum { PATH_BYTES = 4096, PHOTOGRAPHS_MAX = 10000 };

struct Photographs {
    char **paths; // (count)
    int count;
    int side_px;
};

static bool refuse(char *err, const char *path, const char *why)
{
    snprintf(err, PHOTOGRAPHS_ERR_BYTES, "%.300s: %.180s", path, why);
    return false;
}

/* A PNG file that is being read. */
typedef struct {
    FILE *file;
    png_structp png;
    png_infop info;
    png_uint_32 width, height;
    int channels;  // of pixels
    double gamma;  // of the file's levels; 0: the sRGB curve
    char why[160]; // libpng's last complaint
} Reader;

static void note(png_structp png, png_const_charp message)
{
    Reader *reader = png_get_error_ptr(png);
    snprintf(reader->why, sizeof reader->why, "%s", message);
    png_longjmp(png, 1);
}

static void be_quiet(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

static void end(Reader *reader)
{
    png_destroy_read_struct(&reader->png, &reader->info, NULL);
    if (reader->file)
        fclose(reader->file);
}

static void read_gamma(Reader *reader)
{
    double file_gamma;
    int intent;
    if (png_get_sRGB(reader->png, reader->info, &intent))
        reader->gamma = 0.0;
    else if (png_get_gAMA(reader->png, reader->info, &file_gamma))
        reader->gamma = 1.0 / file_gamma;
    else
        reader->gamma = png_get_bit_depth(reader->png, reader->info) == 16 ? 1.0 : 0.0;
}

/* libpng tells of an error by a jump back to here; nothing that lives across it changes after it.
 */
static bool read_head(Reader *reader)
{
    if (setjmp(png_jmpbuf(reader->png)))
        return false;
    png_init_io(reader->png, reader->file);
    png_read_info(reader->png, reader->info);
    read_gamma(reader);
    png_set_expand_16(reader->png);
    png_set_strip_alpha(reader->png);
    png_set_interlace_handling(reader->png);
    png_read_update_info(reader->png, reader->info);
    reader->width = png_get_image_width(reader->png, reader->info);
    reader->height = png_get_image_height(reader->png, reader->info);
    reader->channels = png_get_channels(reader->png, reader->info);
    return true;
}

static bool read_rows(Reader *reader, png_bytepp rows)
{
    if (setjmp(png_jmpbuf(reader->png)))
        return false;
    png_read_image(reader->png, rows);
    return true;
}

/* Opens a file as far as its head; end() closes it, also after a failure. */
static bool begin(const char *path, int side_px, Reader *reader, char *err)
{
    *reader = (Reader){.file = fopen(path, "rb")};
    if (!reader->file)
        return refuse(err, path, strerror(errno));
    reader->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, reader, note, be_quiet);
    reader->info = reader->png ? png_create_info_struct(reader->png) : NULL;
    if (!reader->info)
        return refuse(err, path, "out of memory");
    if (!read_head(reader))
        return refuse(err, path, reader->why);
    if (reader->width >= (unsigned)side_px && reader->height >= (unsigned)side_px)
        return true;
    char why[160];
    snprintf(why, sizeof why, "a photograph of %u by %u px; at least %d by %d are needed",
             reader->width, reader->height, side_px, side_px);
    return refuse(err, path, why);
}

static bool add(Photographs *photographs, const char *folder, const char *name, char *err)
{
    char path[PATH_BYTES];
    Reader reader;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (photographs->count == PHOTOGRAPHS_MAX)
        return refuse(err, folder, "holds more than 10000 photographs");
    bool ok = begin(path, photographs->side_px, &reader, err);
    end(&reader);
    if (!ok)
        return false;
    char *copy = malloc(strlen(path) + 1);
    if (!copy)
        return refuse(err, path, "out of memory");
    photographs->paths[photographs->count++] = strcpy(copy, path);
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool scan(Photographs *photographs, const char *folder, char *err)
{
    DIR *entries = opendir(folder);
    if (!entries)
        return refuse(err, folder, strerror(errno));
    bool ok = true;
    for (struct dirent *entry = readdir(entries); ok && entry; entry = readdir(entries)) {
        size_t length = strlen(entry->d_name);
        if (length > 4 && strcmp(entry->d_name + length - 4, ".png") == 0)
            ok = add(photographs, folder, entry->d_name, err);
    }
    closedir(entries);
    if (ok && photographs->count == 0)
        return refuse(err, folder, "holds no photograph; PNG files are wanted");
    qsort(photographs->paths, (size_t)photographs->count, sizeof *photographs->paths, by_name);
    return ok;
}

Photographs *photographs_open(const char *folder, int side_px, char *err)
{
    Photographs *photographs = calloc(1, sizeof *photographs);
    if (photographs)
        photographs->paths = calloc(PHOTOGRAPHS_MAX, sizeof *photographs->paths);
    if (!photographs || !photographs->paths) {
        refuse(err, folder, "out of memory");
        photographs_close(photographs);
        return NULL;
    }
    photographs->side_px = side_px;
    if (scan(photographs, folder, err))
        return photographs;
    photographs_close(photographs);
    return NULL;
}

int photographs_count(const Photographs *photographs)
{
    return photographs->count;
}

const char *photographs_path(const Photographs *photographs, int which)
{
    return photographs->paths[which];
}

/* to (to_count) := averages of the from_count values over equal stretches; every `stride`-th. */
static void average_line(const float *from, int from_count, float *to, int to_count, int stride)
{
    double step = (double)from_count / to_count;
    for (int i = 0; i < to_count; i++) {
        double left = i * step, right = left + step, sum = 0.0;
        for (int j = (int)left; j < right && j < from_count; j++)
            sum += (double)from[j] * (fmin(right, j + 1.0) - fmax(left, j));
        to[(size_t)i * (size_t)stride] = (float)(sum / step);
    }
}

static double linear(const Reader *reader, const png_byte *sample)
{
    double level = (sample[0] * 256 + sample[1]) / 65535.0;
    if (reader->gamma > 0.0)
        return pow(level, reader->gamma);
    return level <= 0.04045 ? level / 12.92 : pow((level + 0.055) / 1.055, 2.4);
}

/* line (square) := luminance of a row from its pixel `left` on. */
static void linear_line(const Reader *reader, const png_byte *row, int left, int square,
                        float *line)
{
    for (int col = 0; col < square; col++) {
        const png_byte *pixel = row + (size_t)(left + col) * (size_t)reader->channels * 2;
        double lum = linear(reader, pixel);
        if (reader->channels == 3)
            lum = 0.2126 * lum + 0.7152 * linear(reader, pixel + 2) +
                  0.0722 * linear(reader, pixel + 4);
        line[col] = (float)lum;
    }
}

/* image (side, side) := the middle square of the rows, averaged. */
static bool average_square(const Reader *reader, const png_bytepp rows, float *image, int side)
{
    int width = (int)reader->width, height = (int)reader->height;
    int square = width < height ? width : height;
    int left = (width - square) / 2, top = (height - square) / 2;
    float *line = malloc((size_t)square * sizeof *line);
    float *columns = malloc((size_t)square * (size_t)side * sizeof *columns); // (side, square)
    bool ok = line && columns;
    for (int row = 0; ok && row < square; row++) {
        linear_line(reader, rows[top + row], left, square, line);
        average_line(line, square, columns + row, side, square);
    }
    for (int col = 0; ok && col < side; col++)
        average_line(columns + (size_t)col * (size_t)square, square, image + col, side, side);
    free(line);
    free(columns);
    return ok;
}

/* The rows of a picture, and behind them its pixels; NULL when out of memory. */
static png_bytepp row_block(Reader *reader)
{
    size_t bytes = png_get_rowbytes(reader->png, reader->info), height = reader->height;
    png_bytepp rows = malloc(height * sizeof *rows + height * bytes);
    for (size_t row = 0; rows && row < height; row++)
        rows[row] = (png_bytep)(rows + height) + row * bytes;
    return rows;
}

bool photographs_read(const Photographs *photographs, int which, float *image, char *err)
{
    const char *path = photographs->paths[which];
    Reader reader;
    bool ok = begin(path, photographs->side_px, &reader, err);
    png_bytepp rows = ok ? row_block(&reader) : NULL;
    if (ok && !rows)
        ok = refuse(err, path, "out of memory");
    if (ok && !read_rows(&reader, rows))
        ok = refuse(err, path, reader.why);
    if (ok && !average_square(&reader, rows, image, photographs->side_px))
        ok = refuse(err, path, "out of memory");
    free(rows);
    end(&reader);
    return ok;
}

void photographs_close(Photographs *photographs)
{
    if (!photographs)
        return;
    for (int i = 0; i < photographs->count; i++)
        free(photographs->paths[i]);
    free(photographs->paths);
    free(photographs);
}
