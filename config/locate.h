#pragma once
/* Where things stand in a YAML file: from a key path such as `blocks[2].flicker.periods_ms[1]` to
 * a line, and from a fault to the one sentence `FILE:LINE: key: what is wrong; what is allowed`.
 *
 * Opening refuses, with their lines, all that a loader could read in two ways: aliases, a key given
 * twice, a second document, bytes that are not UTF-8, tabs for indentation. */
#include <stdbool.h>
#include <stddef.h>

enum { LOCATE_ERR_BYTES = 512, LOCATE_KEY_BYTES = 160, LOCATE_FILE_BYTES_MAX = 1 << 20 };

typedef enum { LOCATE_NOTHING, LOCATE_SCALAR, LOCATE_LIST, LOCATE_MAP } LocateKind;

/* One value of the file. Strings are lent by the Locate. */
typedef struct {
    LocateKind kind;
    int id;             // of the value inside its Locate
    int line;           // from 1; of the key where there is one
    const char *scalar; // LOCATE_SCALAR only
    bool is_quoted;
    int count; // entries of a list or map
} LocateNode;

typedef struct Locate Locate;

/* Reads a whole file, or a text of which `path` is the name in messages. NULL with the sentence in
 * err (LOCATE_ERR_BYTES). The text is copied. */
Locate *locate_open(const char *path, char *err);
Locate *locate_open_text(const char *text, size_t bytes, const char *path, char *err);

/* The text as it was read, for whoever parses it again. */
const char *locate_text(const Locate *locate, size_t *bytes);

LocateNode locate_root(const Locate *locate);
/* Entry `index` of a list or map; *key is NULL in a list. LOCATE_NOTHING past the end. */
LocateNode locate_entry(const Locate *locate, LocateNode parent, int index, const char **key);
/* LOCATE_NOTHING where the file has no such key. */
LocateNode locate_find(const Locate *locate, const char *key);

/* Line of the deepest part of key that the file has; 0 for a NULL locate. */
int locate_line(const Locate *locate, const char *key);

/* Writes `FILE:LINE: key: sentence` into err (LOCATE_ERR_BYTES), always false. Where locate is
 * NULL, path stands in for its file and the line is left out. */
bool locate_fail(const Locate *locate, const char *path, const char *key, char *err,
                 const char *format, ...);

/* value, cut to a dozen or so characters that print on one line, into shown (bytes). */
void locate_printable(const char *value, char *shown, size_t bytes);

void locate_close(Locate *locate);
