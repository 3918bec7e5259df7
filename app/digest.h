#pragma once
/* SHA-256 of files, as lower-case hex: how a run names the exact protocol and models it used. */
#include <stdbool.h>

enum { DIGEST_BYTES = 65 };

/* hex (DIGEST_BYTES). False when the file cannot be read; errno says why. */
bool digest_file(const char *path, char *hex);
