#include <stdio.h>
#include <string.h>

#include "config/schema.h"
#include "tests/harness.h"

typedef struct {
    bool is_wet;
    int8_t depth_mm;
    unsigned drops;
    double *ratios;
    unsigned ratios_count;
    char *note;
} Puddle;

static const cyaml_schema_value_t ratio = {CYAML_VALUE_FLOAT(CYAML_FLAG_DEFAULT, double)};
static const cyaml_schema_field_t fields[] = {
    CYAML_FIELD_BOOL("wet", CYAML_FLAG_OPTIONAL, Puddle, is_wet),
    CYAML_FIELD_INT("depth_mm", CYAML_FLAG_OPTIONAL, Puddle, depth_mm),
    CYAML_FIELD_UINT("drops", CYAML_FLAG_OPTIONAL, Puddle, drops),
    CYAML_FIELD_SEQUENCE("ratios", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, Puddle, ratios, &ratio,
                         1, 3),
    CYAML_FIELD_STRING_PTR("note", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, Puddle, note, 0, 20),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, Puddle, fields)};

static char err[LOCATE_ERR_BYTES];

static Puddle *load(const char *text)
{
    Locate *locate = locate_open_text(text, strlen(text), "f.yaml", err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(locate);
    Puddle *puddle = schema_load(locate, &schema, err);
    locate_close(locate);
    return puddle;
}

static void refuses(const char *text, const char *sentence)
{
    Puddle *puddle = load(text);
    CU_ASSERT_PTR_NULL(puddle);
    CU_ASSERT_STRING_EQUAL(err, sentence);
    schema_free(&schema, puddle);
}

static void accepts(const char *text)
{
    Puddle *puddle = load(text);
    CU_ASSERT_PTR_NOT_NULL(puddle);
    schema_free(&schema, puddle);
}

static void booleans_are_two_words(void)
{
    accepts("wet: true\n");
    accepts("wet: false\n");
    refuses("wet: fulse\n", "f.yaml:1: wet: is fulse; must be true or false");
    refuses("wet: yes\n", "f.yaml:1: wet: is yes; must be true or false");
    refuses("wet:\n", "f.yaml:1: wet: is empty; must be true or false");
}

static void whole_numbers_fit_their_type(void)
{
    accepts("depth_mm: 127\n");
    accepts("depth_mm: -127\n");
    accepts("drops: 0\n");
    refuses("depth_mm: 128\n", "f.yaml:1: depth_mm: is 128; must be a whole number, such as 12");
    refuses("depth_mm: -128\n", "f.yaml:1: depth_mm: is -128; must be a whole number, such as 12");
    refuses("drops: -1\n", "f.yaml:1: drops: is -1; must be a whole number, such as 12");
}

static void lists_have_their_length(void)
{
    accepts("ratios: [1, 2e-3, -.5]\n");
    refuses("ratios: [1, 2, 3, 4]\n", "f.yaml:1: ratios: has 4 entries; 1 to 3");
    refuses("ratios:\n  - 1\n  - x\n", "f.yaml:3: ratios[1]: is x; must be a finite number, such "
                                       "as 16.7 (with a point, not a comma)");
}

static void strings_may_say_null(void)
{
    accepts("note: \"null\"\n");
    accepts("note: \"\"\n");
    refuses("note: null\n", "f.yaml:1: note: is null; must be a single word or number");
    refuses("note: 123456789012345678901\n", "f.yaml:1: note: has 21 characters; 0 to 20");
}

static void slips_are_guessed(void)
{
    refuses("wett: true\n", "f.yaml:1: wett: unknown key; did you mean wet? allowed: wet, "
                            "depth_mm, drops, ratios, note");
    refuses("depth_um: 1\n",
            "f.yaml:1: depth_um: unknown key; did you mean depth_mm? allowed: wet, "
            "depth_mm, drops, ratios, note");
    refuses("colour: 1\n",
            "f.yaml:1: colour: unknown key; allowed: wet, depth_mm, drops, ratios, note");
    refuses("x: 1\n", "f.yaml:1: x: unknown key; allowed: wet, depth_mm, drops, ratios, note");
}

static void saved_numbers_come_back(void)
{
    char path[600], note[] = "a: b";
    double ratios[] = {1.0 / 3, 6.02214076e23, -5e-324 * 4503599627370496};
    Puddle puddle = {true, -5, 7, ratios, 3, note};
    snprintf(path, sizeof path, "%s/p.yaml", test_folder("schema"));
    CU_ASSERT_TRUE_FATAL(schema_save(path, &schema, &puddle, err));
    Locate *locate = locate_open(path, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(locate);
    Puddle *got = schema_load(locate, &schema, err);
    locate_close(locate);
    CU_ASSERT_PTR_NOT_NULL_FATAL(got);
    CU_ASSERT(got->is_wet && got->depth_mm == -5 && got->drops == 7 && got->ratios_count == 3);
    for (int i = 0; i < 3; i++)
        CU_ASSERT(test_near(got->ratios[i], ratios[i], 0));
    CU_ASSERT_STRING_EQUAL(got->note, "a: b");
    schema_free(&schema, got);
}

static const TestCase cases[] = {
    {"a boolean is true or false and no other word", booleans_are_two_words},
    {"a whole number that does not fit its type is refused", whole_numbers_fit_their_type},
    {"a list of the wrong length or with a wrong entry is refused", lists_have_their_length},
    {"an empty or null value is refused unless it is quoted", strings_may_say_null},
    {"a slip in a key is guessed, a strange key is not", slips_are_guessed},
    {"numbers that are saved come back to the last bit", saved_numbers_come_back},
};

int main(void)
{
    return test_main("schema", cases, sizeof cases / sizeof cases[0]);
}
