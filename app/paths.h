#pragma once
/* Where the shipped files are: protocols and model weights are named relative to the repository
 * root. */
#include <stdbool.h>

enum { PATH_BYTES = 4096 };

/* path (PATH_BYTES) := name as it stands if that exists, else below the folder that holds the
 * program's build folder. False, with path = name, when neither exists. */
bool path_find(const char *name, char *path);

/* The same, looking beside the file `near` before the program's own folder: what a protocol names. */
bool path_find_near(const char *near, const char *name, char *path);

/* True when both name one existing file: what is about to be written is what is being read. Either may be NULL. */
bool path_is_same(const char *a, const char *b);
