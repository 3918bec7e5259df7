#include "app/paths.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool path_is_same(const char *a, const char *b)
{
    struct stat first, second;
    return a && b && stat(a, &first) == 0 && stat(b, &second) == 0 &&
           first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

bool path_find_near(const char *near, const char *name, char *path)
{
    char beside[PATH_BYTES];
    const char *slash = strrchr(near, '/');
    int wanted =
        snprintf(beside, sizeof beside, "%.*s%s", slash ? (int)(slash - near + 1) : 0, near, name);
    if (access(name, F_OK) != 0 && name[0] != '/' && wanted < PATH_BYTES &&
        access(beside, F_OK) == 0) {
        memcpy(path, beside, (size_t)wanted + 1);
        return true;
    }
    return path_find(name, path);
}

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
