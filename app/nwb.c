#include "app/nwb.h"

#include <stdio.h>
#include <stdlib.h>

#include <sodium.h>

void *nwb_keep(NwbWriter *w, size_t bytes)
{
    if (w->kept_count == w->kept_room) {
        int room = w->kept_room ? 2 * w->kept_room : 64;
        void **grown = realloc(w->kept, (size_t)room * sizeof *grown);
        if (!grown) {
            w->is_out_of_memory = true;
            return NULL;
        }
        w->kept = grown;
        w->kept_room = room;
    }
    void *memory = calloc(1, bytes + 1);
    w->is_out_of_memory = w->is_out_of_memory || !memory;
    w->kept[w->kept_count++] = memory;
    return memory;
}

bool export_nwb(const Export *export, const char *path, char *err)
{
    if (sodium_init() < 0) {
        snprintf(err, EXPORT_ERR_BYTES, "%.400s: the system gives no random numbers for its ids",
                 path);
        return false;
    }
    NwbWriter w = {.export = export, .tree = hdf5_tree_create(path, err)};
    if (!w.tree)
        return false;
    nwb_write_head(&w);
    nwb_write_display(&w);
    nwb_write_trials(&w);
    nwb_write_frames(&w);
    nwb_write_rig(&w);
    for (int i = 0; i < w.kept_count; i++)
        free(w.kept[i]);
    free(w.kept);
    if (w.is_out_of_memory) {
        hdf5_tree_abandon(w.tree);
        snprintf(err, EXPORT_ERR_BYTES, "%.400s: not enough memory to write it", path);
        return false;
    }
    return hdf5_tree_finish(w.tree, err);
}
