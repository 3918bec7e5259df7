#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/plan.h"
#include "config/protocol.h"
#include "tests/harness.h"

static const char base[] = "name: n\n"                      // 1
                           "seed: 7\n"                      // 2
                           "display:\n"                     // 3
                           "  refresh_hz: 60\n"             // 4
                           "  um_per_px: 5\n"               // 5
                           "  width_px: 600\n"              // 6
                           "  height_px: 400\n"             // 7
                           "models: [circuit]\n"            // 8
                           "blocks:\n"                      // 9
                           "  - name: train\n"              // 10
                           "    flicker:\n"                 // 11
                           "      periods_ms: [50, 100]\n"  // 12
                           "      flash_ms: 16.7\n"         // 13
                           "      flashes: 8\n"             // 14
                           "      contrast: -1\n"           // 15
                           "  - name: steps\n"              // 16
                           "    step:\n"                    // 17
                           "      contrasts: [-0.5, 1]\n"   // 18
                           "      duration_ms: 500\n"       // 19
                           "  - name: bar\n"                // 20
                           "    bar:\n"                     // 21
                           "      speeds_um_per_s: [500]\n" // 22
                           "      width_um: 165\n"          // 23
                           "      contrast: -1\n"           // 24
                           "      travel_um: 2000\n"        // 25
                           "  - name: turn\n"               // 26
                           "    reversal:\n"                // 27
                           "      turns_um: [0]\n"          // 28
                           "      speed_um_per_s: 500\n"    // 29
                           "      width_um: 165\n"          // 30
                           "      contrast: -1\n"           // 31
                           "      approach_um: 600\n"       // 32
                           "  - name: noise\n"              // 33
                           "    checkerboard:\n"            // 34
                           "      columns: 10\n"            // 35
                           "      rows: 8\n"                // 36
                           "      check_um: 50\n"           // 37
                           "      contrast: 0.5\n"          // 38
                           "      hold_ms: 50\n"            // 39
                           "      duration_s: 2\n";         // 40

static char err[CONFIG_ERR_BYTES];

static const char *write_file(const char *text, size_t bytes)
{
    static char path[600];
    static const char *folder;
    if (!folder)
        folder = test_folder("protocol");
    snprintf(path, sizeof path, "%s/p.yaml", folder);
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(text, 1, bytes, file), bytes);
    fclose(file);
    return path;
}

/* The base protocol with the first `old` replaced. */
static Protocol *load_with(const char *old, const char *new)
{
    static char text[8192];
    const char *at = strstr(base, old);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - base), base, new, at + strlen(old));
    return protocol_load(write_file(text, strlen(text)), err);
}

/* The message must be exactly FILE + sentence, on one line. */
static void refuses(const char *old, const char *new, const char *sentence)
{
    Protocol *protocol = load_with(old, new);
    CU_ASSERT_PTR_NULL(protocol);
    protocol_destroy(protocol);
    const char *after_path = strstr(err, "p.yaml");
    CU_ASSERT_PTR_NOT_NULL_FATAL(after_path);
    CU_ASSERT_STRING_EQUAL(after_path + 6, sentence);
    if (strcmp(after_path + 6, sentence) != 0)
        printf("\n  got    %s\n  wanted %s\n", after_path + 6, sentence);
}

static void reads_what_the_file_says(void)
{
    Protocol *protocol = load_with("name: n", "name: n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(protocol);
    CU_ASSERT_STRING_EQUAL(protocol->name, "n");
    CU_ASSERT_EQUAL(protocol->seed, 7);
    CU_ASSERT_EQUAL(protocol->models_count, 1);
    CU_ASSERT_STRING_EQUAL(protocol->models[0], "circuit");
    CU_ASSERT_EQUAL_FATAL(protocol->blocks_count, 5);
    const ProtocolFlicker *flicker = protocol->blocks[0].flicker;
    CU_ASSERT_PTR_NOT_NULL_FATAL(flicker);
    CU_ASSERT_EQUAL_FATAL(flicker->periods_ms_count, 2);
    CU_ASSERT(test_near(flicker->periods_ms[1], 100, 0));
    CU_ASSERT(test_near(flicker->flash_ms, 16.7, 0));
    CU_ASSERT_EQUAL(flicker->flashes, 8);
    CU_ASSERT(test_near(protocol->blocks[1].step->contrasts[1], 1, 0));
    CU_ASSERT(test_near(protocol->blocks[2].bar->travel_um, 2000, 0));
    CU_ASSERT(test_near(protocol->blocks[3].reversal->approach_um, 600, 0));
    CU_ASSERT_EQUAL(protocol->blocks[4].checkerboard->rows, 8);
    protocol_destroy(protocol);
}

static void defaults_are_those_of_the_header(void)
{
    Protocol *protocol = load_with("models: [circuit]\n", "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(protocol);
    CU_ASSERT_PTR_NULL(protocol->about);
    CU_ASSERT_EQUAL(protocol->models_count, 0);
    CU_ASSERT(test_near(protocol->display.background, 0.5, 0));
    CU_ASSERT_FALSE(protocol->display.is_fullscreen);
    CU_ASSERT_FALSE(protocol->display.sync_patch.is_on);
    CU_ASSERT_PTR_NULL(protocol->display.gamma_table);
    const ProtocolBlock *block = &protocol->blocks[0];
    CU_ASSERT(block->repeats == 1 && block->order == PROTOCOL_ORDER_LISTED);
    CU_ASSERT(block->background == NULL && block->seed == NULL && block->trigger_code == 0);
    CU_ASSERT_EQUAL(block->flicker->omitted, 0);
    const ProtocolCheckerboard *noise = protocol->blocks[4].checkerboard;
    CU_ASSERT_EQUAL(noise->distribution, PROTOCOL_NOISE_BINARY);
    CU_ASSERT_EQUAL(noise->generator, PROTOCOL_NOISE_COUNTER);
    CU_ASSERT_FALSE(noise->is_frozen);
    protocol_destroy(protocol);
}

static void optional_keys_are_read(void)
{
    Protocol *protocol = load_with("models: [circuit]\n", "about: x\n"
                                                          "models: []\n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(protocol);
    CU_ASSERT_STRING_EQUAL(protocol->about, "x");
    protocol_destroy(protocol);
    protocol = load_with("  width_px: 600\n", "  width_px: 600\n"
                                              "  fullscreen: true\n"
                                              "  screen: 1\n"
                                              "  background: 0.25\n"
                                              "  gamma_table: g.tsv\n"
                                              "  sync_patch: {size_px: 40, x_px: 7}\n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(protocol);
    CU_ASSERT(protocol->display.is_fullscreen && protocol->display.screen == 1);
    CU_ASSERT(test_near(protocol->display.background, 0.25, 0));
    CU_ASSERT_STRING_EQUAL(protocol->display.gamma_table, "g.tsv");
    CU_ASSERT(protocol->display.sync_patch.is_on && protocol->display.sync_patch.x_px == 7);
    protocol_destroy(protocol);
    protocol = load_with("    checkerboard:\n", "    repeats: 3\n"
                                                "    before_ms: 100\n"
                                                "    background: 0.3\n"
                                                "    seed: -5\n"
                                                "    trigger_code: 255\n"
                                                "    order: shuffled\n"
                                                "    checkerboard:\n"
                                                "      distribution: gaussian\n"
                                                "      generator: ran1\n"
                                                "      frozen: true\n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(protocol);
    const ProtocolBlock *block = &protocol->blocks[4];
    CU_ASSERT(block->repeats == 3 && block->trigger_code == 255 && *block->seed == -5);
    CU_ASSERT(test_near(*block->background, 0.3, 0) && block->order == PROTOCOL_ORDER_SHUFFLED);
    CU_ASSERT_EQUAL(block->checkerboard->distribution, PROTOCOL_NOISE_GAUSSIAN);
    CU_ASSERT_EQUAL(block->checkerboard->generator, PROTOCOL_NOISE_RAN1);
    CU_ASSERT_TRUE(block->checkerboard->is_frozen);
    protocol_destroy(protocol);
}

static void unknown_keys(void)
{
    refuses(
        "flash_ms: 16.7", "flash_s: 0.0167",
        ":13: blocks[0].flicker.flash_s: unknown key; did you mean flash_ms? allowed: periods_ms, "
        "flash_ms, flashes, omitted, contrast");
    refuses("flicker:", "fliker:",
            ":11: blocks[0].fliker: unknown key; did you mean flicker? allowed: name, repeats, "
            "before_ms, "
            "after_ms, background, seed, trigger_code, order, flicker, step, bar, reversal, "
            "checkerboard");
    refuses("seed: 7", "zzz: 7",
            ":2: zzz: unknown key; allowed: name, about, seed, display, models, blocks");
    refuses("travel_um: 2000", "travel_mm: 2",
            ":25: blocks[2].bar.travel_mm: unknown key; did you mean travel_um? allowed: "
            "speeds_um_per_s, "
            "width_um, contrast, direction_deg, travel_um, flash_ms");
}

static void missing_keys(void)
{
    refuses("seed: 7\n", "", ":1: seed: is missing; every file of this kind must give it");
    refuses("      flashes: 8\n", "",
            ":11: blocks[0].flicker.flashes: is missing; every file of this kind must give it");
}

static void numbers_in_the_wrong_form(void)
{
    static const char *const wrong[] = {"16,7", "16.7ms", "nan",  ".nan", ".inf",
                                        "inf",  "1e999",  "0x10", "--5",  "1.2.3"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char with[64], sentence[256];
        snprintf(with, sizeof with, "flash_ms: %s", wrong[i]);
        snprintf(
            sentence, sizeof sentence,
            ":13: blocks[0].flicker.flash_ms: is %s; must be a finite number, such as 16.7 (with a "
            "point, not a comma)",
            wrong[i]);
        refuses("flash_ms: 16.7", with, sentence);
    }
    refuses(
        "flash_ms: 16.7", "flash_ms:",
        ":13: blocks[0].flicker.flash_ms: is empty; must be a finite number, such as 16.7 (with a "
        "point, not a comma)");
}

static void whole_numbers_in_the_wrong_form(void)
{
    static const char *const wrong[] = {"8.5", "eight", "0x8", "010", "9999999999", "8 flashes"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char with[64], sentence[256];
        snprintf(with, sizeof with, "flashes: %s", wrong[i]);
        snprintf(sentence, sizeof sentence,
                 ":14: blocks[0].flicker.flashes: is %s; must be a whole number, such as 12",
                 wrong[i]);
        refuses("flashes: 8", with, sentence);
    }
}

static void wrong_types(void)
{
    refuses("periods_ms: [50, 100]", "periods_ms: 50",
            ":12: blocks[0].flicker.periods_ms: is 50; must be a list, such as [1, 2]");
    refuses("periods_ms: [50, 100]", "periods_ms: []",
            ":12: blocks[0].flicker.periods_ms: has 0 entries; 1 to 1000");
    refuses(
        "flash_ms: 16.7", "flash_ms: [16.7]",
        ":13: blocks[0].flicker.flash_ms: is a list; must be a finite number, such as 16.7 (with a "
        "point, not a comma)");
    refuses("models: [circuit]", "models: {a: b}",
            ":8: models: is a group of keys; must be a list, such as [1, 2]");
    refuses("  width_px: 600\n", "  width_px: 600\n  fullscreen: maybe\n",
            ":7: display.fullscreen: is maybe; must be true or false");
    refuses("    step:\n", "    order: random\n    step:\n",
            ":17: blocks[1].order: random is not known here; one of: listed, shuffled");
    refuses("name: n\n", "name: \"\"\n", ":1: name: has 0 characters; 1 to 100");
}

static void negative_durations(void)
{
    refuses("flash_ms: 16.7", "flash_ms: -16.7",
            ":13: blocks[0].flicker.flash_ms: -16.7 is out of range; 1 to 60000");
    refuses("    step:\n", "    before_ms: -1\n    step:\n",
            ":17: blocks[1].before_ms: -1 is out of range; 0 to 86400000");
    refuses("[50, 100]", "[50, -100]",
            ":12: blocks[0].flicker.periods_ms[1]: -100 is out of range; 1 to 60000");
    refuses("duration_s: 2", "duration_s: 0",
            ":40: blocks[4].checkerboard.duration_s: 0 is out of range; 0.001 to 86400");
}

static void contrasts_no_display_can_show(void)
{
    refuses("contrast: -1\n", "contrast: -1.5\n",
            ":15: blocks[0].flicker.contrast: Weber contrast -1.5 on background 0.5 is luminance "
            "-0.25, "
            "which no display can show; -1 to 1 on this background");
    refuses("contrast: -1\n", "contrast: -1.001\n",
            ":15: blocks[0].flicker.contrast: Weber contrast -1.001 on background 0.5 is luminance "
            "-0.0005, which no display can show; -1 to 1 on this background");
    refuses("[-0.5, 1]", "[-0.5, 1.25]",
            ":18: blocks[1].step.contrasts[1]: Weber contrast 1.25 on background 0.5 is luminance "
            "1.125, "
            "which no display can show; -1 to 1 on this background");
    refuses(
        "    step:\n", "    background: 0.8\n    step:\n",
        ":19: blocks[1].step.contrasts[1]: Weber contrast 1 on background 0.8 is luminance 1.6, "
        "which no display can show; -1 to 0.25 on this background");
    refuses("contrast: 0.5", "contrast: 1.5",
            ":38: blocks[4].checkerboard.contrast: 1.5 is out of range; 0.001 to 1");
}

static void stimuli_of_a_block(void)
{
    refuses("    step:\n",
            "    bar: {speeds_um_per_s: [1], width_um: 1, contrast: 0, travel_um: 1}\n"
            "    step:\n",
            ":17: blocks[1].bar: a second stimulus beside step; a block has exactly one, so begin "
            "another "
            "block");
    refuses("  - name: bar\n", "  - name: none\n  - name: bar\n",
            ":20: blocks[2]: has no stimulus; exactly one of flicker, step, bar, reversal, "
            "checkerboard");
}

static void repeats_below_one(void)
{
    refuses("    step:\n", "    repeats: 0\n    step:\n",
            ":17: blocks[1].repeats: 0 is out of range; 1 to 100000");
}

static void displays_that_cannot_be(void)
{
    refuses("um_per_px: 5", "um_per_px: 0",
            ":5: display.um_per_px: 0 is out of range; 0.01 to 1000");
    refuses("refresh_hz: 60", "refresh_hz: 300",
            ":4: display.refresh_hz: 300 is out of range; 30 to 240, or 0 for whatever the display "
            "has");
    refuses(
        "refresh_hz: 60", "refresh_hz: 10",
        ":4: display.refresh_hz: 10 is out of range; 30 to 240, or 0 for whatever the display has");
    refuses("width_px: 600", "width_px: 0", ":6: display.width_px: 0 is out of range; 16 to 16384");
    refuses("  width_px: 600\n", "  width_px: 600\n  background: 0\n",
            ":7: display.background: 0 is out of range; 0.001 to 1");
    refuses("  width_px: 600\n", "  width_px: 600\n  sync_patch: {size_px: 40, x_px: 570}\n",
            ":7: display.sync_patch: a patch of 40 px with its border at 570, 0 leaves the window "
            "of 600 "
            "by 400 px");
}

static void trigger_codes_out_of_range(void)
{
    refuses("    step:\n", "    trigger_code: 256\n    step:\n",
            ":17: blocks[1].trigger_code: 256 is out of range; 0 to 255");
    refuses("    step:\n", "    trigger_code: -1\n    step:\n",
            ":17: blocks[1].trigger_code: -1 is out of range; 0 to 255");
}

static void seeds_ran1_does_not_take(void)
{
    refuses("      columns: 10\n", "      columns: 10\n      generator: ran1\n",
            ":2: seed: 7 cannot seed ran1, which blocks[4] asks for; -2147483646 to -1");
    refuses("    checkerboard:\n", "    seed: 0\n    checkerboard:\n      generator: ran1\n",
            ":34: blocks[4].seed: 0 cannot seed ran1, which blocks[4] asks for; -2147483646 to -1");
    refuses("    checkerboard:\n",
            "    seed: -2147483647\n    checkerboard:\n      generator: ran1\n",
            ":34: blocks[4].seed: -2147483647 cannot seed ran1, which blocks[4] asks for; "
            "-2147483646 to "
            "-1");
}

static void seeds_too_long(void)
{
    refuses("seed: 7", "seed: 9007199254740993",
            ":2: seed: 9007199254740993 is out of range; -9007199254740992 to 9007199254740992");
    refuses("    step:\n", "    seed: -9007199254740993\n    step:\n",
            ":17: blocks[1].seed: -9007199254740993 is out of range; -9007199254740992 to "
            "9007199254740992");
}

static void trains_that_make_no_sense(void)
{
    refuses("[50, 100]", "[50, 10]",
            ":12: blocks[0].flicker.periods_ms[1]: 10 is shorter than the flash; 16.7 (flash_ms) "
            "or more");
    refuses(
        "flashes: 8", "flashes: 8\n      omitted: 9",
        ":15: blocks[0].flicker.omitted: 9 is past the end of the train; 1 to 8 (flashes), 0 for "
        "none");
}

static void speeds_that_make_no_sense(void)
{
    refuses("[500]", "[-500]",
            ":22: blocks[2].bar.speeds_um_per_s[0]: -500 is out of range; 0 to 1000000");
    refuses(
        "[500]", "[0.5]",
        ":22: blocks[2].bar.speeds_um_per_s[0]: 0.5 is out of range; 1 to 1000000, or 0 for a bar "
        "that is flashed");
    refuses(
        "[500]", "[500, 0]",
        ":22: blocks[2].bar.speeds_um_per_s[1]: 0 is a bar that is flashed, and needs a flash_ms "
        "above 0");
}

static void files_that_are_none(void)
{
    CU_ASSERT_PTR_NULL(protocol_load("/nonexistent.yaml", err));
    CU_ASSERT_STRING_EQUAL(err,
                           "/nonexistent.yaml: could not be opened: No such file or directory");
    CU_ASSERT_PTR_NULL(protocol_load(write_file("", 0), err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "p.yaml:1: the file is empty"));
    CU_ASSERT_PTR_NULL(protocol_load(write_file("\x89PNG\r\n\x1a\n", 8), err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "p.yaml:1: not a text file"));
    CU_ASSERT_PTR_NULL(protocol_load(write_file("just words\n", 11), err));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(err, "p.yaml:1: is just words; must be a group of keys, one a line and indented"));
    refuses("  um_per_px: 5", "\tum_per_px: 5", ":5: indented with a tab; YAML wants spaces");
    protocol_destroy(NULL);
}

/* ---- fuzz: shipped protocols, mutated ---- */

enum { MUTANTS_A_FILE = 500, TEXT_BYTES_MAX = 1 << 14 };

static uint32_t random_state;

static unsigned random_below(unsigned count)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % count;
}

static size_t mutate(char *text, size_t bytes)
{
    static const char *const bits[] = {"-1",  "0",  "1e300", "nan",  "[",        "]",    "{",
                                       "}",   ": ", "\n",    "  ",   "- ",       "\t",   "#",
                                       "&a",  "*a", "null",  "'",    "99999999", "16.7", "\"",
                                       "|\n", "? ", "--- ",  "\xff", "%"};
    for (unsigned edits = 1 + random_below(4); edits > 0; edits--) {
        size_t at = random_below((unsigned)bytes), cut = random_below(8);
        const char *bit = bits[random_below(sizeof bits / sizeof *bits)];
        if (random_below(3) == 0) { // double a stretch of the file
            cut = 0;
            bit = "";
            size_t length = random_below(60);
            if (at + length < bytes && bytes + length < TEXT_BYTES_MAX) {
                memmove(text + at + length, text + at, bytes - at);
                bytes += length;
            }
        }
        cut = cut > bytes - at ? bytes - at : cut;
        size_t length = strlen(bit);
        if (bytes - cut + length >= TEXT_BYTES_MAX)
            continue;
        memmove(text + at + length, text + at + cut, bytes - at - cut);
        memcpy(text + at, bit, length);
        bytes = bytes - cut + length;
    }
    return bytes;
}

static void check_mutant(const char *text, size_t bytes, unsigned *survivors)
{
    const char *path = write_file(text, bytes);
    err[0] = '\0';
    Protocol *protocol = protocol_load(path, err);
    if (!protocol) {
        CU_ASSERT(strncmp(err, path, strlen(path)) == 0);
        CU_ASSERT_PTR_NULL(strchr(err, '\n'));
        return;
    }
    ++*survivors;
    Plan *plan = plan_create(protocol, path, 75, 3000, 3000, err);
    CU_ASSERT(plan || strncmp(err, path, strlen(path)) == 0);
    plan_destroy(plan);
    protocol_destroy(protocol);
}

static size_t read_text(const char *path, char *text)
{
    FILE *file = fopen(path, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    size_t bytes = fread(text, 1, TEXT_BYTES_MAX, file);
    CU_ASSERT(bytes > 0 && bytes < TEXT_BYTES_MAX);
    fclose(file);
    return bytes;
}

static void broken_files_never_break_the_program(void)
{
    static char text[TEXT_BYTES_MAX], mutant[TEXT_BYTES_MAX];
    unsigned files = 0, survivors = 0;
    random_state = 2463534242u;
    DIR *folder = opendir("config/protocols");
    CU_ASSERT_PTR_NOT_NULL_FATAL(folder);
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        if (!strstr(entry->d_name, ".yaml"))
            continue;
        char path[512];
        snprintf(path, sizeof path, "config/protocols/%s", entry->d_name);
        size_t bytes = read_text(path, text);
        files++;
        for (int i = 0; i < MUTANTS_A_FILE; i++) {
            memcpy(mutant, text, bytes);
            check_mutant(mutant, mutate(mutant, bytes), &survivors);
        }
    }
    closedir(folder);
    CU_ASSERT(files >= 5);
    CU_ASSERT(survivors > 0 && survivors < files * MUTANTS_A_FILE);
}

static const TestCase cases[] = {
    {"a protocol holds what its file says", reads_what_the_file_says},
    {"keys left out take the defaults the header names", defaults_are_those_of_the_header},
    {"every optional key is read", optional_keys_are_read},
    {"an unknown key is refused with its line and the nearest key", unknown_keys},
    {"a missing key is refused with the line of its group", missing_keys},
    {"a number with a comma, a unit or no finite value is refused", numbers_in_the_wrong_form},
    {"a whole number that is none, is octal or overflows is refused",
     whole_numbers_in_the_wrong_form},
    {"a value of the wrong type is refused with the right one", wrong_types},
    {"a negative or empty duration is refused", negative_durations},
    {"a contrast no display can show is refused with those it can", contrasts_no_display_can_show},
    {"two stimuli in a block, or none, are refused", stimuli_of_a_block},
    {"repeats below one are refused", repeats_below_one},
    {"a display that cannot be is refused", displays_that_cannot_be},
    {"a trigger code outside a byte is refused", trigger_codes_out_of_range},
    {"a seed that ran1 does not take is refused where it stands", seeds_ran1_does_not_take},
    {"a seed that a double cannot hold is refused", seeds_too_long},
    {"a train whose flashes overlap or whose omission is outside is refused",
     trains_that_make_no_sense},
    {"a speed that is negative, or zero without a flash, is refused", speeds_that_make_no_sense},
    {"a file that is missing, empty, binary or prose is refused", files_that_are_none},
    {"no mutation of a shipped protocol breaks loading or planning",
     broken_files_never_break_the_program},
};

int main(void)
{
    return test_main("protocol", cases, sizeof cases / sizeof cases[0]);
}
