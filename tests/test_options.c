#include "tests/harness.h"

#include <string.h>

#include "app/options.h"

static char err[ARGUMENTS_ERR_BYTES];

static bool parse(RunOptions *options, int argc, char **argv)
{
    ArgumentTable table = options_table();
    bool wants_help;
    return arguments_parse(&table, options, argc, argv, &wants_help, err);
}

#define PARSE(options, ...)                                                                        \
    parse(options, sizeof((char *[]){"run", __VA_ARGS__}) / sizeof(char *),                        \
          (char *[]){"run", __VA_ARGS__, NULL})

static void every_option_lands_in_its_field(void)
{
    RunOptions o = {0};
    CU_ASSERT(PARSE(&o, "p.yaml", "--out", "d", "--model", "circuit", "--model", "b.h5",
                    "--display", "null", "--console", "png:c.png", "--seconds", "20", "--seed",
                    "-1000", "--fault", "stall:20:25", "--strict", "--json", "-", "--rig", "none",
                    "--refresh", "75"));
    CU_ASSERT_PTR_NULL(o.rig_text);
    CU_ASSERT_STRING_EQUAL(o.protocol, "p.yaml");
    CU_ASSERT_STRING_EQUAL(o.out, "d");
    CU_ASSERT_EQUAL(o.models_count, 2);
    CU_ASSERT_STRING_EQUAL(o.models[1], "b.h5");
    CU_ASSERT_EQUAL(o.display, DISPLAY_NULL);
    CU_ASSERT_EQUAL(o.console, CONSOLE_CHOICE_PNG);
    CU_ASSERT_STRING_EQUAL(o.console_png, "c.png");
    CU_ASSERT(test_near(o.seconds, 20, 0));
    CU_ASSERT(test_near(o.refresh_hz, 75, 0));
    CU_ASSERT(o.seed.is_given && o.seed.value == -1000);
    CU_ASSERT(o.fault_every == 20 && o.fault_ms == 25);
    CU_ASSERT(o.is_strict);
    CU_ASSERT_STRING_EQUAL(o.json, "-");
}

static void a_rig_is_a_device_and_its_wiring(void)
{
    RunOptions o = {0};
    CU_ASSERT(PARSE(&o, "--rig", "cdc:serial=7,start=2", "--rig-delay", "loop.json"));
    CU_ASSERT_STRING_EQUAL(o.rig_text, "cdc:serial=7,start=2");
    CU_ASSERT_STRING_EQUAL(o.rig.device, "cdc");
    CU_ASSERT_STRING_EQUAL(o.rig.serial, "7");
    CU_ASSERT_EQUAL(o.rig.start_line, 2);
    CU_ASSERT_STRING_EQUAL(o.rig_delay, "loop.json");
}

static void refused(const char *option, const char *value, const char *allowed)
{
    RunOptions o = {0};
    CU_ASSERT_FALSE(PARSE(&o, (char *)option, (char *)value));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, value));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, allowed));
}

static void wrong_values_name_what_is_allowed(void)
{
    refused("--display", "vga", "sdl, null");
    refused("--console", "maybe", "on, off, png:FILE");
    refused("--seconds", "-3", "from 0.1");
    refused("--seconds", "nan", "from 0.1");
    refused("--seed", "1.5", "whole number");
    refused("--refresh", "400", "from 30 to 240");
    refused("--screen", "16", "from 0 to 15");
    refused("--fault", "stall:0:25", "stall:EVERY:MS");
    refused("--fault", "stall:20:25x", "stall:EVERY:MS");
    refused("--rig", "teensy", "none, null, replay, cdc");
}

static void unknown_options_are_named(void)
{
    RunOptions o = {0};
    CU_ASSERT_FALSE(PARSE(&o, "p.yaml", "--speed", "3"));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "--speed"));
    CU_ASSERT_FALSE(PARSE(&o, "p.yaml", "--out"));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "--out: needs a value"));
    CU_ASSERT_FALSE(PARSE(&o, "p.yaml", "q.yaml"));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "q.yaml"));
}

static const TestCase cases[] = {
    {"every option lands in its field", every_option_lands_in_its_field},
    {"a wrong value is named with what is allowed", wrong_values_name_what_is_allowed},
    {"an unknown option, a missing value and a second file are named", unknown_options_are_named},
    {"a rig is a device and how it is wired", a_rig_is_a_device_and_its_wiring},
};

int main(void)
{
    return test_main("options", cases, sizeof cases / sizeof cases[0]);
}
