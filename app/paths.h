#pragma once
/* Where the shipped files are: protocols and model weights are named relative to the repository
 * root. */
#include <stdbool.h>

enum { PATH_BYTES = 4096 };

/* path (PATH_BYTES) := name as it stands if that exists, else below the folder that holds the
 * program's build folder. False, with path = name, when neither exists. */
bool path_find(const char *name, char *path);
