#include "model/movie.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hdf5.h>

#include "model/kind.h"

enum { RANK = 3, NAME_BYTES = 4096 };

struct Movie {
    MovieInfo info;
    char name[NAME_BYTES]; // FILE:/path, for messages
    hid_t file, dataset, space;
    float lum_per_level; // 1 for floats
};

static bool open_dataset(Movie *m, char *err)
{
    char *colon = strrchr(m->name, ':');
    if (!colon || colon[1] != '/')
        return model_refuse(err, "%s: not a stimulus; allowed is FILE.h5:/path/of/dataset",
                            m->name);
    *colon = '\0';
    m->file = H5Fopen(m->name, H5F_ACC_RDONLY, H5P_DEFAULT);
    *colon = ':';
    if (m->file < 0)
        return model_refuse(err, "%s: the file is missing or no HDF5 file", m->name);
    m->dataset = H5Dopen2(m->file, colon + 1, H5P_DEFAULT);
    if (m->dataset < 0)
        return model_refuse(err, "%s: there is no such dataset in the file", m->name);
    return true;
}

static bool read_shape(Movie *m, char *err)
{
    hsize_t dims[RANK] = {0};
    m->space = H5Dget_space(m->dataset);
    if (H5Sget_simple_extent_ndims(m->space) != RANK)
        return model_refuse(err, "%s: has %d dimensions; allowed are 3: frames, height, width",
                            m->name, H5Sget_simple_extent_ndims(m->space));
    H5Sget_simple_extent_dims(m->space, dims, NULL);
    if (dims[0] < 1 || dims[1] < 1 || dims[2] < 1 || dims[1] > 4096 || dims[2] > 4096)
        return model_refuse(err, "%s: is %llu × %llu × %llu; allowed are 1 to 4096 pixels a side",
                            m->name, (unsigned long long)dims[0], (unsigned long long)dims[1],
                            (unsigned long long)dims[2]);
    m->info = (MovieInfo){(int64_t)dims[0], (int)dims[2], (int)dims[1]};
    return true;
}

static void read_scale(Movie *m)
{
    hid_t type = H5Dget_type(m->dataset);
    bool is_levels = H5Tget_class(type) == H5T_INTEGER;
    H5Tclose(type);
    m->lum_per_level = is_levels ? 1.0f / 255 : 1.0f;
    if (!is_levels || H5Aexists(m->file, "lum_per_level") <= 0)
        return;
    hid_t attribute = H5Aopen(m->file, "lum_per_level", H5P_DEFAULT);
    float scale;
    if (H5Aread(attribute, H5T_NATIVE_FLOAT, &scale) >= 0)
        m->lum_per_level = scale;
    H5Aclose(attribute);
}

Movie *movie_open(const char *name, char *err)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    Movie *m = calloc(1, sizeof *m);
    if (!m) {
        model_refuse(err, "%s: out of memory", name);
        return NULL;
    }
    m->file = m->dataset = m->space = H5I_INVALID_HID;
    snprintf(m->name, sizeof m->name, "%s", name);
    if (open_dataset(m, err) && read_shape(m, err)) {
        read_scale(m);
        return m;
    }
    movie_close(m);
    return NULL;
}

const MovieInfo *movie_info(const Movie *m)
{
    return &m->info;
}

bool movie_read(Movie *m, int64_t frame, float *lum, char *err)
{
    hsize_t start[RANK] = {(hsize_t)frame, 0, 0};
    hsize_t count[RANK] = {1, (hsize_t)m->info.height_px, (hsize_t)m->info.width_px};
    size_t pixels = (size_t)m->info.height_px * (size_t)m->info.width_px;
    hid_t memory = H5Screate_simple(RANK, count, NULL);
    bool is_read = H5Sselect_hyperslab(m->space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
                   H5Dread(m->dataset, H5T_NATIVE_FLOAT, memory, m->space, H5P_DEFAULT, lum) >= 0;
    H5Sclose(memory);
    if (!is_read)
        return model_refuse(err, "%s: frame %lld cannot be read", m->name, (long long)frame);
    for (size_t i = 0; i < pixels; i++) {
        lum[i] *= m->lum_per_level;
        if (!(lum[i] >= 0 && lum[i] <= 1.00001f))
            return model_refuse(err, "%s: frame %lld holds luminance %g; allowed are 0 to 1",
                                m->name, (long long)frame, (double)lum[i]);
    }
    return true;
}

void movie_close(Movie *m)
{
    if (!m)
        return;
    if (m->space >= 0)
        H5Sclose(m->space);
    if (m->dataset >= 0)
        H5Dclose(m->dataset);
    if (m->file >= 0)
        H5Fclose(m->file);
    free(m);
}
