#include "config/locate.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

enum { KEYS_MAX = 1000 };

struct Locate {
    char *path, *text; // owned
    size_t bytes;
    yaml_document_t document;
    bool has_document;
};

void locate_printable(const char *value, char *shown, size_t bytes)
{
    size_t i = 0;
    for (; value[i] != '\0' && i + 4 < bytes && i < 40; i++)
        shown[i] = value[i] >= ' ' && value[i] != 0x7f ? value[i] : '?';
    shown[i] = '\0';
    if (value[i] != '\0')
        strcat(shown, "...");
}

static bool fail_line(const Locate *locate, size_t line, char *err, const char *what)
{
    snprintf(err, LOCATE_ERR_BYTES, "%s:%zu: %s", locate->path, line, what);
    return false;
}

static size_t line_of_byte(const Locate *locate, size_t byte)
{
    size_t line = 1;
    for (size_t i = 0; i < byte && i < locate->bytes; i++)
        line += locate->text[i] == '\n';
    return line;
}

static bool is_indented_by_tab(const Locate *locate, size_t line)
{
    const char *at = locate->text;
    for (size_t i = 1; i < line && at; i++)
        at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL;
    if (!at)
        return false;
    size_t blanks = strspn(at, " \t");
    return memchr(at, '\t', blanks) != NULL;
}

static bool fail_parser(const Locate *locate, const yaml_parser_t *parser, char *err)
{
    if (parser->error == YAML_READER_ERROR)
        return fail_line(locate, line_of_byte(locate, parser->problem_offset), err,
                         "not a text file; YAML in UTF-8 is wanted");
    size_t line = parser->problem_mark.line + 1;
    if (is_indented_by_tab(locate, line))
        return fail_line(locate, line, err, "indented with a tab; YAML wants spaces");
    char what[200];
    snprintf(what, sizeof what, "not YAML: %s%s%s",
             parser->problem ? parser->problem : "unreadable", parser->context ? " " : "",
             parser->context ? parser->context : "");
    return fail_line(locate, line, err, what);
}

static bool refuse_event(const Locate *locate, const yaml_event_t *event, int documents, char *err)
{
    size_t line = event->start_mark.line + 1;
    if (event->type == YAML_ALIAS_EVENT)
        return fail_line(locate, line, err, "an alias (*name); write the value out instead");
    if (documents > 1)
        return fail_line(locate, line, err, "a second document (---); one a file is allowed");
    return true;
}

/* One pass over the events finds every syntax error before anything is built from them. */
static bool check_events(const Locate *locate, char *err)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return fail_line(locate, 1, err, "out of memory");
    yaml_parser_set_input_string(&parser, (const unsigned char *)locate->text, locate->bytes);
    bool is_fine = true, at_end = false;
    for (int documents = 0; is_fine && !at_end;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            is_fine = fail_parser(locate, &parser, err);
            break;
        }
        documents += event.type == YAML_DOCUMENT_START_EVENT;
        at_end = event.type == YAML_STREAM_END_EVENT;
        is_fine = refuse_event(locate, &event, documents, err);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return is_fine;
}

static bool load_document(Locate *locate, char *err)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return fail_line(locate, 1, err, "out of memory");
    yaml_parser_set_input_string(&parser, (const unsigned char *)locate->text, locate->bytes);
    locate->has_document = yaml_parser_load(&parser, &locate->document);
    bool is_loaded = locate->has_document || fail_parser(locate, &parser, err);
    yaml_parser_delete(&parser);
    return is_loaded;
}

static const yaml_node_t *node_at(const Locate *locate, int id)
{
    return locate->document.nodes.start + (id - 1);
}

static const char *scalar_of(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

static bool check_keys(const Locate *locate, const yaml_node_t *map, char *err)
{
    const yaml_node_pair_t *first = map->data.mapping.pairs.start;
    if (map->data.mapping.pairs.top - first > KEYS_MAX)
        return fail_line(locate, map->start_mark.line + 1, err, "over 1000 keys in one group");
    for (const yaml_node_pair_t *pair = first; pair < map->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = node_at(locate, pair->key);
        const char *name = scalar_of(key);
        if (!name)
            return fail_line(locate, key->start_mark.line + 1, err, "a key must be a plain word");
        for (const yaml_node_pair_t *other = first; other < pair; other++) {
            if (strcmp(scalar_of(node_at(locate, other->key)), name) != 0)
                continue;
            char shown[48], what[160];
            locate_printable(name, shown, sizeof shown);
            snprintf(what, sizeof what, "%s: given a second time; first on line %zu", shown,
                     node_at(locate, other->key)->start_mark.line + 1);
            return fail_line(locate, key->start_mark.line + 1, err, what);
        }
    }
    return true;
}

static bool check_document(const Locate *locate, char *err)
{
    const yaml_node_t *top = locate->document.nodes.top;
    if (locate->document.nodes.start == top)
        return fail_line(locate, 1, err, "the file is empty");
    for (const yaml_node_t *node = locate->document.nodes.start; node < top; node++) {
        if (node->type == YAML_MAPPING_NODE && !check_keys(locate, node, err))
            return false;
    }
    return true;
}

Locate *locate_open_text(const char *text, size_t bytes, const char *path, char *err)
{
    Locate *locate = calloc(1, sizeof *locate);
    if (locate) {
        locate->path = malloc(strlen(path) + 1);
        locate->text = malloc(bytes + 1);
    }
    if (!locate || !locate->path || !locate->text) {
        snprintf(err, LOCATE_ERR_BYTES, "%s: out of memory", path);
        locate_close(locate);
        return NULL;
    }
    strcpy(locate->path, path);
    memcpy(locate->text, text, bytes);
    locate->text[bytes] = '\0';
    locate->bytes = bytes;
    if (check_events(locate, err) && load_document(locate, err) && check_document(locate, err))
        return locate;
    locate_close(locate);
    return NULL;
}

static char *read_whole(FILE *file, const char *path, size_t *bytes, char *err)
{
    char *text = malloc(LOCATE_FILE_BYTES_MAX + 1);
    if (!text) {
        snprintf(err, LOCATE_ERR_BYTES, "%s: out of memory", path);
        return NULL;
    }
    *bytes = fread(text, 1, LOCATE_FILE_BYTES_MAX + 1, file);
    if (!ferror(file) && *bytes <= LOCATE_FILE_BYTES_MAX)
        return text;
    if (ferror(file))
        snprintf(err, LOCATE_ERR_BYTES, "%s: could not be read: %s", path, strerror(errno));
    else
        snprintf(err, LOCATE_ERR_BYTES, "%s: longer than %d bytes; is it the right file", path,
                 LOCATE_FILE_BYTES_MAX);
    free(text);
    return NULL;
}

Locate *locate_open(const char *path, char *err)
{
    struct stat about;
    FILE *file = fopen(path, "rb");
    if (!file || fstat(fileno(file), &about) != 0 || S_ISDIR(about.st_mode)) {
        snprintf(err, LOCATE_ERR_BYTES, "%s: could not be opened: %s", path,
                 file ? strerror(EISDIR) : strerror(errno));
        if (file)
            fclose(file);
        return NULL;
    }
    size_t bytes;
    char *text = read_whole(file, path, &bytes, err);
    fclose(file);
    Locate *locate = text ? locate_open_text(text, bytes, path, err) : NULL;
    free(text);
    return locate;
}

const char *locate_text(const Locate *locate, size_t *bytes)
{
    *bytes = locate->bytes;
    return locate->text;
}

static LocateNode node_of(const Locate *locate, int id, size_t mark_line)
{
    const yaml_node_t *node = node_at(locate, id);
    LocateNode found = {.id = id, .line = (int)mark_line + 1};
    if (node->type == YAML_SCALAR_NODE) {
        found.kind = LOCATE_SCALAR;
        found.scalar = scalar_of(node);
        found.is_quoted = node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    } else if (node->type == YAML_SEQUENCE_NODE) {
        found.kind = LOCATE_LIST;
        found.count = (int)(node->data.sequence.items.top - node->data.sequence.items.start);
    } else if (node->type == YAML_MAPPING_NODE) {
        found.kind = LOCATE_MAP;
        found.count = (int)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
    }
    return found;
}

LocateNode locate_root(const Locate *locate)
{
    return node_of(locate, 1, node_at(locate, 1)->start_mark.line);
}

LocateNode locate_entry(const Locate *locate, LocateNode parent, int index, const char **key)
{
    *key = NULL;
    if (parent.kind < LOCATE_LIST || index < 0 || index >= parent.count)
        return (LocateNode){0};
    const yaml_node_t *node = node_at(locate, parent.id);
    if (parent.kind == LOCATE_LIST) {
        int id = node->data.sequence.items.start[index];
        return node_of(locate, id, node_at(locate, id)->start_mark.line);
    }
    const yaml_node_pair_t *pair = &node->data.mapping.pairs.start[index];
    *key = scalar_of(node_at(locate, pair->key));
    return node_of(locate, pair->value, node_at(locate, pair->key)->start_mark.line);
}

static LocateNode entry_named(const Locate *locate, LocateNode map, const char *name, size_t length)
{
    for (int i = 0; map.kind == LOCATE_MAP && i < map.count; i++) {
        const char *key;
        LocateNode entry = locate_entry(locate, map, i, &key);
        if (strlen(key) == length && memcmp(key, name, length) == 0)
            return entry;
    }
    return (LocateNode){0};
}

/* Walks down from the root as far as the file goes; *is_whole says whether that was all of key. */
static LocateNode walk(const Locate *locate, const char *key, bool *is_whole)
{
    LocateNode node = locate_root(locate);
    while (*key != '\0') {
        LocateNode next;
        if (*key == '[') {
            char *end;
            const char *unused;
            long index = strtol(key + 1, &end, 10);
            next = node.kind == LOCATE_LIST ? locate_entry(locate, node, (int)index, &unused)
                                            : (LocateNode){0};
            key = *end == ']' ? end + 1 : end;
        } else {
            key += *key == '.';
            size_t length = strcspn(key, ".[");
            next = entry_named(locate, node, key, length);
            key += length;
        }
        if (next.kind == LOCATE_NOTHING) {
            *is_whole = false;
            return node;
        }
        node = next;
    }
    *is_whole = true;
    return node;
}

LocateNode locate_find(const Locate *locate, const char *key)
{
    bool is_whole;
    LocateNode node = walk(locate, key, &is_whole);
    return is_whole ? node : (LocateNode){0};
}

int locate_line(const Locate *locate, const char *key)
{
    bool is_whole;
    return locate ? walk(locate, key, &is_whole).line : 0;
}

bool locate_fail(const Locate *locate, const char *path, const char *key, char *err,
                 const char *format, ...)
{
    int used = 0;
    if (locate)
        used = snprintf(err, LOCATE_ERR_BYTES, "%s:%d: ", locate->path, locate_line(locate, key));
    else if (path)
        used = snprintf(err, LOCATE_ERR_BYTES, "%s: ", path);
    if (*key != '\0' && used < LOCATE_ERR_BYTES)
        used += snprintf(err + used, LOCATE_ERR_BYTES - (size_t)used, "%s: ", key);
    va_list arguments;
    va_start(arguments, format);
    if (used < LOCATE_ERR_BYTES)
        vsnprintf(err + used, LOCATE_ERR_BYTES - (size_t)used, format, arguments);
    va_end(arguments);
    return false;
}

void locate_close(Locate *locate)
{
    if (!locate)
        return;
    if (locate->has_document)
        yaml_document_delete(&locate->document);
    free(locate->path);
    free(locate->text);
    free(locate);
}
