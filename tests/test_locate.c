#include <stdio.h>
#include <string.h>

#include "config/locate.h"
#include "tests/harness.h"

static const char text[] = "name: a\n"                // 1
                           "display:\n"               // 2
                           "  um_per_px: 5\n"         // 3
                           "blocks:\n"                // 4
                           "  - name: b\n"            // 5
                           "    flicker: {a: 1,\n"    // 6
                           "      periods_ms: [10,\n" // 7
                           "        20,\n"            // 8
                           "        30]}\n"           // 9
                           "  # a comment\n"          // 10
                           "  - name: \"\"\n"         // 11
                           "    list: []\n";          // 12

static char err[LOCATE_ERR_BYTES];

static void finds_lines(void)
{
    Locate *locate = locate_open_text(text, strlen(text), "f.yaml", err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(locate);
    static const struct {
        const char *key;
        int line;
    } wanted[] = {
        {"", 1},
        {"name", 1},
        {"display", 2},
        {"display.um_per_px", 3},
        {"blocks", 4},
        {"blocks[0]", 5},
        {"blocks[0].name", 5},
        {"blocks[0].flicker", 6},
        {"blocks[0].flicker.periods_ms", 7},
        {"blocks[0].flicker.periods_ms[0]", 7},
        {"blocks[0].flicker.periods_ms[1]", 8},
        {"blocks[0].flicker.periods_ms[2]", 9},
        {"blocks[1]", 11},
        {"blocks[1].list", 12},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        CU_ASSERT_EQUAL(locate_line(locate, wanted[i].key), wanted[i].line);
        CU_ASSERT_NOT_EQUAL(locate_find(locate, wanted[i].key).kind, LOCATE_NOTHING);
    }
    locate_close(locate);
}

static void falls_back_to_the_parent(void)
{
    Locate *locate = locate_open_text(text, strlen(text), "f.yaml", err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(locate);
    static const char *const absent[] = {"display.height", "display.height.deep[3]", "display[0]"};
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(locate_line(locate, absent[i]), 2);
        CU_ASSERT_EQUAL(locate_find(locate, absent[i]).kind, LOCATE_NOTHING);
    }
    CU_ASSERT_EQUAL(locate_line(locate, "blocks[1].list[0]"), 12);
    CU_ASSERT_EQUAL(locate_line(locate, "blocks[7].name"), 4);
    CU_ASSERT_EQUAL(locate_line(NULL, "name"), 0);
    locate_close(locate);
}

static void tells_quoted_from_plain(void)
{
    Locate *locate = locate_open_text(text, strlen(text), "f.yaml", err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(locate);
    LocateNode quoted = locate_find(locate, "blocks[1].name");
    CU_ASSERT(quoted.kind == LOCATE_SCALAR && quoted.is_quoted);
    CU_ASSERT_STRING_EQUAL(quoted.scalar, "");
    CU_ASSERT(!locate_find(locate, "name").is_quoted);
    locate_close(locate);
}

static void refuses(const char *broken, const char *sentence)
{
    CU_ASSERT_PTR_NULL(locate_open_text(broken, strlen(broken), "f.yaml", err));
    CU_ASSERT_STRING_EQUAL(err, sentence);
}

static void refuses_what_is_not_yaml(void)
{
    refuses("a: 1\nb: [1, 2\n",
            "f.yaml:3: not YAML: did not find expected ',' or ']' while parsing a "
            "flow sequence");
    refuses("a: 1\nb: \"open\n",
            "f.yaml:3: not YAML: found unexpected end of stream while scanning a "
            "quoted scalar");
    refuses("a: 1\n\tb: 2\n", "f.yaml:2: indented with a tab; YAML wants spaces");
    refuses("a: 1\nb: \xff\xfe\n", "f.yaml:2: not a text file; YAML in UTF-8 is wanted");
    refuses("a: 1\nb: \x01\n", "f.yaml:2: not a text file; YAML in UTF-8 is wanted");
}

static void refuses_what_reads_two_ways(void)
{
    refuses("", "f.yaml:1: the file is empty");
    refuses("# only a comment\n", "f.yaml:1: the file is empty");
    refuses("a: &x 1\nb: *x\n", "f.yaml:2: an alias (*name); write the value out instead");
    refuses("a: 1\nb: 2\na: 3\n", "f.yaml:3: a: given a second time; first on line 1");
    refuses("a: 1\n---\nb: 2\n", "f.yaml:2: a second document (---); one a file is allowed");
    refuses("? [1, 2]\n: 3\n", "f.yaml:1: a key must be a plain word");
}

static void says_why_a_file_cannot_be_opened(void)
{
    CU_ASSERT_PTR_NULL(locate_open("/nonexistent/x.yaml", err));
    CU_ASSERT_STRING_EQUAL(err,
                           "/nonexistent/x.yaml: could not be opened: No such file or directory");
    CU_ASSERT_PTR_NULL(locate_open("/", err));
    CU_ASSERT_STRING_EQUAL(err, "/: could not be opened: Is a directory");
}

static void sentences_have_place_and_key(void)
{
    Locate *locate = locate_open_text(text, strlen(text), "f.yaml", err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(locate);
    CU_ASSERT_FALSE(locate_fail(locate, NULL, "display.um_per_px", err, "is %d; %s", 5, "above 0"));
    CU_ASSERT_STRING_EQUAL(err, "f.yaml:3: display.um_per_px: is 5; above 0");
    locate_fail(NULL, "g.yaml", "display", err, "is odd");
    CU_ASSERT_STRING_EQUAL(err, "g.yaml: display: is odd");
    char nine_hundred[901];
    memset(nine_hundred, 'x', 900);
    nine_hundred[900] = '\0';
    locate_fail(locate, NULL, nine_hundred, err, "%s", nine_hundred);
    CU_ASSERT_EQUAL(strlen(err), LOCATE_ERR_BYTES - 1);
    locate_close(locate);
}

static void stray_bytes_are_not_echoed(void)
{
    char shown[48];
    locate_printable("a\nb\x1b[31m", shown, sizeof shown);
    CU_ASSERT_STRING_EQUAL(shown, "a?b?[31m");
    locate_printable("0123456789012345678901234567890123456789too long", shown, sizeof shown);
    CU_ASSERT_STRING_EQUAL(shown, "0123456789012345678901234567890123456789...");
}

static const TestCase cases[] = {
    {"every key path has the line a person would point at", finds_lines},
    {"a path the file lacks has the line of what it has of it", falls_back_to_the_parent},
    {"quoted scalars are told from plain ones", tells_quoted_from_plain},
    {"what is not YAML is refused with its line", refuses_what_is_not_yaml},
    {"what can be read in two ways is refused with its line", refuses_what_reads_two_ways},
    {"a file that cannot be opened is named with the reason", says_why_a_file_cannot_be_opened},
    {"sentences carry file, line and key and are cut to size", sentences_have_place_and_key},
    {"control characters of a file do not reach a message", stray_bytes_are_not_echoed},
};

int main(void)
{
    return test_main("locate", cases, sizeof cases / sizeof cases[0]);
}
