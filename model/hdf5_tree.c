#include "model/hdf5_tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hdf5.h>

#include "model/kind.h"

enum { PATH_BYTES = 4096, COMPRESSED_FROM = 4096, CHUNK_BYTES = 1 << 18, DEFLATE = 4 };

struct Hdf5Tree {
    char path[PATH_BYTES], part_path[PATH_BYTES + 8];
    hid_t file, text, boolean, links; // types and the list that makes groups in a path
    bool has_failed;
    char err[MODEL_ERR_BYTES];
};

static void fail(Hdf5Tree *tree, const char *what)
{
    if (tree->has_failed)
        return;
    tree->has_failed = true;
    model_refuse(tree->err, "%.300s: could not write %.100s%s%s", tree->part_path, what,
                 errno ? ": " : "", errno ? strerror(errno) : "");
}

/* Length of the well-formed UTF-8 sequence at s, 0 for none (Unicode 15, table 3-7). */
static size_t sequence(const unsigned char *s)
{
    static const struct {
        unsigned char first, last, low, high;
        size_t bytes;
    } rows[] = {
        {0x01, 0x7F, 0, 0, 1},       {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
        {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
        {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (s[0] < rows[i].first || s[0] > rows[i].last)
            continue;
        bool ok = rows[i].bytes == 1 || (s[1] >= rows[i].low && s[1] <= rows[i].high);
        for (size_t b = 2; ok && b < rows[i].bytes; b++)
            ok = s[b] >= 0x80 && s[b] <= 0xBF;
        return ok ? rows[i].bytes : 0;
    }
    return 0;
}

/* A copy for free() in well-formed UTF-8; NULL without memory. */
static char *well_formed(const char *text)
{
    char *copy = malloc(3 * strlen(text) + 1), *to = copy;
    for (const char *at = text; copy && *at;) {
        size_t bytes = sequence((const unsigned char *)at);
        memcpy(to, bytes ? at : "\xEF\xBF\xBD", bytes ? bytes : 3);
        to += bytes ? bytes : 3;
        at += bytes ? bytes : 1;
    }
    if (copy)
        *to = '\0';
    return copy;
}

static void free_texts(char **texts, int64_t count)
{
    for (int64_t i = 0; texts && i < count; i++)
        free(texts[i]);
    free(texts);
}

static char **copy_texts(const char *const *texts, int64_t count)
{
    char **copies = calloc((size_t)count + 1, sizeof *copies);
    for (int64_t i = 0; copies && i < count; i++)
        if (!(copies[i] = well_formed(texts[i]))) {
            free_texts(copies, count);
            return NULL;
        }
    return copies;
}

static hid_t make_boolean(void)
{
    hid_t type = H5Tenum_create(H5T_STD_I8LE);
    const signed char no = 0, yes = 1;
    H5Tenum_insert(type, "FALSE", &no);
    H5Tenum_insert(type, "TRUE", &yes);
    return type;
}

static hid_t type_of(const Hdf5Tree *tree, Hdf5TreeType type)
{
    const hid_t types[] = {
        [HDF5_TREE_INT8] = H5T_STD_I8LE,     [HDF5_TREE_UINT8] = H5T_STD_U8LE,
        [HDF5_TREE_INT32] = H5T_STD_I32LE,   [HDF5_TREE_UINT32] = H5T_STD_U32LE,
        [HDF5_TREE_INT64] = H5T_STD_I64LE,   [HDF5_TREE_FLOAT] = H5T_IEEE_F32LE,
        [HDF5_TREE_DOUBLE] = H5T_IEEE_F64LE, [HDF5_TREE_BOOL] = tree->boolean,
    };
    return types[type]; // the machine's own: Retrace is built for little-endian ones
}

Hdf5Tree *hdf5_tree_create(const char *path, char *err)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    Hdf5Tree *tree = calloc(1, sizeof *tree);
    if (!tree) {
        model_refuse(err, "%s: not enough memory to write it", path);
        return NULL;
    }
    snprintf(tree->path, sizeof tree->path, "%s", path);
    snprintf(tree->part_path, sizeof tree->part_path, "%s.part", path);
    errno = 0;
    tree->file = H5Fcreate(tree->part_path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (tree->file < 0) {
        model_refuse(err, "%.400s: could not be created%s%s", path, errno ? ": " : "",
                     errno ? strerror(errno) : "");
        free(tree);
        return NULL;
    }
    tree->text = H5Tcopy(H5T_C_S1);
    H5Tset_size(tree->text, H5T_VARIABLE);
    H5Tset_cset(tree->text, H5T_CSET_UTF8);
    tree->boolean = make_boolean();
    tree->links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(tree->links, 1);
    return tree;
}

void hdf5_tree_group(Hdf5Tree *tree, const char *path)
{
    if (tree->has_failed || H5Lexists(tree->file, path, H5P_DEFAULT) > 0)
        return;
    hid_t group = H5Gcreate2(tree->file, path, tree->links, H5P_DEFAULT, H5P_DEFAULT);
    if (group < 0)
        fail(tree, path);
    else
        H5Gclose(group);
}

static hid_t space_of(int rank, const int64_t *dims)
{
    hsize_t wide[HDF5_TREE_MAX_RANK] = {0};
    for (int i = 0; i < rank; i++)
        wide[i] = (hsize_t)dims[i];
    return rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, wide, NULL);
}

/* Rows of about CHUNK_BYTES, shuffled and deflated, for what is worth it. */
static hid_t layout_of(int rank, const int64_t *dims, size_t value_bytes)
{
    hsize_t chunk[HDF5_TREE_MAX_RANK];
    int64_t values = rank > 0 ? 1 : 0, row_bytes = (int64_t)value_bytes;
    for (int i = 0; i < rank; i++) {
        values *= dims[i];
        row_bytes *= i > 0 ? dims[i] : 1;
        chunk[i] = (hsize_t)dims[i];
    }
    if (values < COMPRESSED_FROM)
        return H5P_DEFAULT;
    int64_t rows = CHUNK_BYTES / row_bytes;
    chunk[0] = (hsize_t)(rows < 1 ? 1 : rows > dims[0] ? dims[0] : rows);
    hid_t layout = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(layout, rank, chunk);
    H5Pset_shuffle(layout);
    H5Pset_deflate(layout, DEFLATE);
    return layout;
}

static void write_dataset(Hdf5Tree *tree, const char *path, hid_t type, int rank,
                          const int64_t *dims, hid_t layout, const void *values)
{
    hid_t space = space_of(rank, dims);
    hid_t dataset = H5Dcreate2(tree->file, path, type, space, tree->links, layout, H5P_DEFAULT);
    if (dataset < 0 || H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
        fail(tree, path);
    if (dataset >= 0)
        H5Dclose(dataset);
    H5Sclose(space);
}

void hdf5_tree_texts(Hdf5Tree *tree, const char *path, const char *const *texts, int64_t count)
{
    char **copies = tree->has_failed ? NULL : copy_texts(texts, count);
    if (copies)
        write_dataset(tree, path, tree->text, 1, &count, H5P_DEFAULT, copies);
    else
        fail(tree, path);
    free_texts(copies, count);
}

void hdf5_tree_text(Hdf5Tree *tree, const char *path, const char *text)
{
    char *copy = tree->has_failed ? NULL : well_formed(text);
    if (copy)
        write_dataset(tree, path, tree->text, 0, NULL, H5P_DEFAULT, &copy);
    else
        fail(tree, path);
    free(copy);
}

void hdf5_tree_numbers(Hdf5Tree *tree, const char *path, Hdf5TreeType type, int rank,
                       const int64_t *dims, const void *values)
{
    if (tree->has_failed)
        return;
    hid_t file_type = type_of(tree, type), layout = layout_of(rank, dims, H5Tget_size(file_type));
    write_dataset(tree, path, file_type, rank, dims, layout, values);
    if (layout != H5P_DEFAULT)
        H5Pclose(layout);
}

static void write_attribute(Hdf5Tree *tree, const char *path, const char *name, hid_t type,
                            int rank, const int64_t *dims, const void *value)
{
    hid_t object = H5Oopen(tree->file, path, H5P_DEFAULT), space = space_of(rank, dims);
    hid_t attribute =
        object < 0 ? -1 : H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0 || H5Awrite(attribute, type, value) < 0)
        fail(tree, name);
    if (attribute >= 0)
        H5Aclose(attribute);
    if (object >= 0)
        H5Oclose(object);
    H5Sclose(space);
}

void hdf5_tree_attribute(Hdf5Tree *tree, const char *path, const char *name, Hdf5TreeType type,
                         const void *value)
{
    if (!tree->has_failed)
        write_attribute(tree, path, name, type_of(tree, type), 0, NULL, value);
}

void hdf5_tree_attribute_text(Hdf5Tree *tree, const char *path, const char *name, const char *text)
{
    char *copy = tree->has_failed ? NULL : well_formed(text);
    if (copy)
        write_attribute(tree, path, name, tree->text, 0, NULL, &copy);
    else
        fail(tree, name);
    free(copy);
}

void hdf5_tree_attribute_texts(Hdf5Tree *tree, const char *path, const char *name,
                               const char *const *texts, int64_t count)
{
    char **copies = tree->has_failed ? NULL : copy_texts(texts, count);
    if (copies)
        write_attribute(tree, path, name, tree->text, 1, &count, copies);
    else
        fail(tree, name);
    free_texts(copies, count);
}

void hdf5_tree_link(Hdf5Tree *tree, const char *path, const char *target)
{
    if (!tree->has_failed && H5Lcreate_soft(target, tree->file, path, tree->links, H5P_DEFAULT) < 0)
        fail(tree, path);
}

void hdf5_tree_fail(Hdf5Tree *tree, const char *what)
{
    errno = ENOMEM;
    fail(tree, what);
}

static void close_all(Hdf5Tree *tree)
{
    H5Pclose(tree->links);
    H5Tclose(tree->boolean);
    H5Tclose(tree->text);
    if (H5Fclose(tree->file) < 0)
        fail(tree, "the end of the file");
}

void hdf5_tree_abandon(Hdf5Tree *tree)
{
    close_all(tree);
    remove(tree->part_path);
    free(tree);
}

bool hdf5_tree_finish(Hdf5Tree *tree, char *err)
{
    errno = 0;
    if (H5Fflush(tree->file, H5F_SCOPE_GLOBAL) < 0)
        fail(tree, "the end of the file");
    close_all(tree);
    if (!tree->has_failed && rename(tree->part_path, tree->path) != 0)
        fail(tree, "the file under its name");
    bool ok = !tree->has_failed;
    if (!ok) {
        memcpy(err, tree->err, sizeof tree->err);
        remove(tree->part_path);
    }
    free(tree);
    return ok;
}
