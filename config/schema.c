#include "config/schema.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const cyaml_config_t configuration = {
    .mem_fn = cyaml_mem,
    .log_level = CYAML_LOG_ERROR,
    .flags = CYAML_CFG_NO_ALIAS | CYAML_CFG_STYLE_BLOCK,
};

enum { LIST_BYTES = 320, NAME_BYTES = 32 };

typedef struct {
    const Locate *locate;
    char *err;
} Check;

static bool check_value(const Check *check, const cyaml_schema_value_t *schema, LocateNode node,
                        const char *key);

static void append(char *list, const char *word)
{
    size_t used = strlen(list);
    snprintf(list + used, LIST_BYTES - used, "%s%s", used ? ", " : "", word);
}

static int minimum(int a, int b, int c)
{
    int least = a < b ? a : b;
    return least < c ? least : c;
}

/* Levenshtein distance, of the first NAME_BYTES letters. */
static int edits_between(const char *a, const char *b)
{
    int row[NAME_BYTES + 1];
    for (int j = 0; j <= NAME_BYTES; j++)
        row[j] = j;
    int columns = (int)strnlen(b, NAME_BYTES);
    for (int i = 0; i < NAME_BYTES && a[i] != '\0'; i++) {
        int diagonal = row[0];
        row[0] = i + 1;
        for (int j = 0; j < columns; j++) {
            int changed = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            row[j + 1] = minimum(changed, row[j] + 1, diagonal + 1);
        }
    }
    return row[columns];
}

/* The allowed key that a slip of the pen, or another unit, turns into name; NULL if none is near.
 */
static const char *nearest_key(const cyaml_schema_field_t *fields, const char *name)
{
    const char *nearest = NULL;
    int fewest = 4;
    size_t stem = strcspn(name, "_");
    for (const cyaml_schema_field_t *field = fields; field->key; field++) {
        int edits = edits_between(name, field->key);
        bool has_same_stem = name[stem] == '_' && strncmp(name, field->key, stem + 1) == 0;
        if (has_same_stem && edits > 3)
            edits = 3;
        if (edits < fewest && (size_t)edits < strlen(field->key)) {
            fewest = edits;
            nearest = field->key;
        }
    }
    return nearest;
}

static bool fail_unknown(const Check *check, const cyaml_schema_field_t *fields, const char *key,
                         const char *name)
{
    char allowed[LIST_BYTES] = "";
    for (const cyaml_schema_field_t *field = fields; field->key; field++)
        append(allowed, field->key);
    const char *nearest = nearest_key(fields, name);
    return locate_fail(check->locate, NULL, key, check->err, "unknown key; %s%s%sallowed: %s",
                       nearest ? "did you mean " : "", nearest ? nearest : "", nearest ? "? " : "",
                       allowed);
}

static void key_below(char *below, const char *key, const char *name)
{
    char shown[48];
    locate_printable(name, shown, sizeof shown);
    snprintf(below, LOCATE_KEY_BYTES, "%.100s%s%s", key, *key ? "." : "", shown);
}

static const cyaml_schema_field_t *field_named(const cyaml_schema_field_t *fields, const char *name)
{
    while (fields->key && strcmp(fields->key, name) != 0)
        fields++;
    return fields->key ? fields : NULL;
}

static bool check_map(const Check *check, const cyaml_schema_value_t *schema, LocateNode node,
                      const char *key)
{
    const cyaml_schema_field_t *fields = schema->mapping.fields;
    char below[LOCATE_KEY_BYTES];
    for (int i = 0; i < node.count; i++) {
        const char *name;
        LocateNode entry = locate_entry(check->locate, node, i, &name);
        key_below(below, key, name);
        const cyaml_schema_field_t *field = field_named(fields, name);
        if (!field)
            return fail_unknown(check, fields, below, name);
        if (!check_value(check, &field->value, entry, below))
            return false;
    }
    for (const cyaml_schema_field_t *field = fields; field->key; field++) {
        key_below(below, key, field->key);
        if (!(field->value.flags & CYAML_FLAG_OPTIONAL) &&
            locate_find(check->locate, below).kind == LOCATE_NOTHING)
            return locate_fail(check->locate, NULL, below, check->err,
                               "is missing; every file of this kind must give it");
    }
    return true;
}

static bool check_list(const Check *check, const cyaml_schema_value_t *schema, LocateNode node,
                       const char *key)
{
    unsigned count = (unsigned)node.count;
    if (count < schema->sequence.min || count > schema->sequence.max)
        return locate_fail(check->locate, NULL, key, check->err, "has %u entries; %u to %u", count,
                           schema->sequence.min, schema->sequence.max);
    for (int i = 0; i < node.count; i++) {
        char below[LOCATE_KEY_BYTES];
        const char *unused;
        LocateNode entry = locate_entry(check->locate, node, i, &unused);
        snprintf(below, sizeof below, "%.140s[%d]", key, i);
        if (!check_value(check, schema->sequence.entry, entry, below))
            return false;
    }
    return true;
}

static bool is_decimal(const char *text)
{
    return text[strspn(text, "+-.0123456789eE")] == '\0' && strpbrk(text, "0123456789");
}

static bool is_number(const char *text)
{
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    return is_decimal(text) && *end == '\0' && errno == 0 && isfinite(value);
}

/* A leading zero would make libcyaml read octal. */
static bool is_whole_number(const char *text, unsigned bytes)
{
    const char *digits = text + (*text == '-' || *text == '+');
    if (*digits == '\0' || digits[strspn(digits, "0123456789")] != '\0' ||
        (digits[0] == '0' && digits[1] != '\0'))
        return false;
    errno = 0;
    long long value = strtoll(text, NULL, 10);
    long long limit = bytes < sizeof value ? (1LL << (8 * bytes - 1)) - 1 : INT64_MAX;
    return errno == 0 && value <= limit && value >= -limit;
}

static bool is_boolean(const char *text)
{
    return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
}

static bool check_word(const Check *check, const cyaml_schema_value_t *schema, const char *text,
                       const char *key)
{
    char allowed[LIST_BYTES] = "", shown[48];
    for (uint32_t i = 0; i < schema->enumeration.count; i++) {
        if (strcmp(schema->enumeration.strings[i].str, text) == 0)
            return true;
        append(allowed, schema->enumeration.strings[i].str);
    }
    locate_printable(text, shown, sizeof shown);
    return locate_fail(check->locate, NULL, key, check->err, "%s is not known here; one of: %s",
                       shown, allowed);
}

static bool check_string(const Check *check, const cyaml_schema_value_t *schema, const char *text,
                         const char *key)
{
    size_t length = strlen(text);
    if (length >= schema->string.min && length <= schema->string.max)
        return true;
    return locate_fail(check->locate, NULL, key, check->err, "has %zu characters; %u to %u", length,
                       schema->string.min, schema->string.max);
}

static const char *wanted_form(cyaml_type_e type)
{
    switch (type) {
    case CYAML_INT:
    case CYAML_UINT:
        return "a whole number, such as 12";
    case CYAML_FLOAT:
        return "a finite number, such as 16.7 (with a point, not a comma)";
    case CYAML_BOOL:
        return "true or false";
    case CYAML_MAPPING:
        return "a group of keys, one a line and indented";
    case CYAML_SEQUENCE:
        return "a list, such as [1, 2]";
    default:
        return "a single word or number";
    }
}

static bool fail_form(const Check *check, const cyaml_schema_value_t *schema, LocateNode node,
                      const char *key)
{
    static const char *const kinds[] = {"nothing", "a value", "a list", "a group of keys"};
    char shown[48];
    locate_printable(node.scalar ? node.scalar : kinds[node.kind], shown, sizeof shown);
    return locate_fail(check->locate, NULL, key, check->err, "is %s; must be %s",
                       *shown ? shown : "empty", wanted_form(schema->type));
}

static bool is_absent(LocateNode node)
{
    return node.kind == LOCATE_SCALAR && !node.is_quoted &&
           (*node.scalar == '\0' || strcmp(node.scalar, "~") == 0 ||
            strcmp(node.scalar, "null") == 0);
}

static bool check_scalar(const Check *check, const cyaml_schema_value_t *schema, LocateNode node,
                         const char *key)
{
    bool has_form = true;
    if (schema->type == CYAML_INT)
        has_form = is_whole_number(node.scalar, schema->data_size);
    else if (schema->type == CYAML_UINT)
        has_form = *node.scalar != '-' && is_whole_number(node.scalar, schema->data_size);
    else if (schema->type == CYAML_FLOAT)
        has_form = is_number(node.scalar);
    else if (schema->type == CYAML_BOOL)
        has_form = is_boolean(node.scalar);
    else if (schema->type == CYAML_ENUM)
        return check_word(check, schema, node.scalar, key);
    else
        return check_string(check, schema, node.scalar, key);
    return has_form || fail_form(check, schema, node, key);
}

static bool check_value(const Check *check, const cyaml_schema_value_t *schema, LocateNode node,
                        const char *key)
{
    LocateKind wanted = schema->type == CYAML_MAPPING    ? LOCATE_MAP
                        : schema->type == CYAML_SEQUENCE ? LOCATE_LIST
                                                         : LOCATE_SCALAR;
    if (node.kind != wanted || is_absent(node))
        return fail_form(check, schema, node, key);
    if (wanted == LOCATE_MAP)
        return check_map(check, schema, node, key);
    if (wanted == LOCATE_LIST)
        return check_list(check, schema, node, key);
    return check_scalar(check, schema, node, key);
}

void *schema_load(const Locate *locate, const cyaml_schema_value_t *schema, char *err)
{
    Check check = {locate, err};
    if (!check_value(&check, schema, locate_root(locate), ""))
        return NULL;
    size_t bytes;
    const char *text = locate_text(locate, &bytes);
    cyaml_data_t *data = NULL;
    cyaml_err_t outcome =
        cyaml_load_data((const uint8_t *)text, bytes, &configuration, schema, &data, NULL);
    if (outcome == CYAML_OK)
        return data;
    locate_fail(locate, NULL, "", err, "could not be loaded: %s", cyaml_strerror(outcome));
    return NULL;
}

static bool write_whole(const char *path, const char *text, size_t bytes)
{
    FILE *file = fopen(path, "wb");
    bool is_written = file && fwrite(text, 1, bytes, file) == bytes;
    if (file && fclose(file) != 0)
        is_written = false;
    return is_written;
}

bool schema_save(const char *path, const cyaml_schema_value_t *schema, const void *data, char *err)
{
    char *text = NULL;
    size_t bytes;
    cyaml_err_t outcome = cyaml_save_data(&text, &bytes, &configuration, schema, data, 0);
    bool is_saved = outcome == CYAML_OK && write_whole(path, text, bytes);
    if (!is_saved)
        snprintf(err, LOCATE_ERR_BYTES, "%s: could not be written: %s", path,
                 outcome == CYAML_OK ? strerror(errno) : cyaml_strerror(outcome));
    free(text);
    return is_saved;
}

void schema_free(const cyaml_schema_value_t *schema, void *data)
{
    cyaml_free(&configuration, schema, data, 0);
}
