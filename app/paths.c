#include "app/paths.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool path_find(const char *name, char *path)
{
    snprintf(path, PATH_BYTES, "%s", name);
    if (access(name, F_OK) == 0)
        return true;
    if (name[0] == '/')
        return false;
    char program[PATH_BYTES];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0)
        return false;
    program[length] = '\0';
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(program, '/');
        if (!slash)
            return false;
        *slash = '\0';
    }
    char below_root[PATH_BYTES];
    int wanted = snprintf(below_root, sizeof below_root, "%s/%s", program, name);
    if (wanted >= PATH_BYTES || access(below_root, F_OK) != 0)
        return false;
    memcpy(path, below_root, (size_t)wanted + 1);
    return true;
}
