#include "rig/rig_spec.h"

#include <stdio.h>
#include <string.h>

#include "tests/fuzz.h"
#include "tests/harness.h"

static RigSpec good(const char *text)
{
    RigSpec spec;
    char err[RIG_SPEC_ERR_BYTES] = "";
    CU_ASSERT(rig_spec_read(text, &spec, err));
    CU_ASSERT_STRING_EQUAL(err, "");
    return spec;
}

static void short_specs_have_defaults(void)
{
    RigSpec spec = good("cdc");
    CU_ASSERT_STRING_EQUAL(spec.device, "cdc");
    CU_ASSERT(spec.vid == -1 && spec.pid == -1 && !spec.serial[0] && !spec.path[0]);
    CU_ASSERT(spec.pulse_us == 500 && !spec.is_low_active && spec.every == 1);
    CU_ASSERT(spec.code == RIG_CODE_UPPER && spec.start_line == -1);
}

static void every_part_is_read(void)
{
    RigSpec spec = good("cdc:16c0:0483,serial=A-1,path=1-4.2,pulse_us=300,polarity=low,every=3,"
                        "code=byte,start=7");
    CU_ASSERT(spec.vid == 0x16c0 && spec.pid == 0x0483);
    CU_ASSERT_STRING_EQUAL(spec.serial, "A-1");
    CU_ASSERT_STRING_EQUAL(spec.path, "1-4.2");
    CU_ASSERT(spec.pulse_us == 300 && spec.is_low_active && spec.every == 3);
    CU_ASSERT(spec.code == RIG_CODE_BYTE && spec.start_line == 7);
    spec = good("null:delay_us=12.5,jitter_us=3,loss=0.25,fail=1,drift_ppm=-50,seed=9");
    CU_ASSERT(test_near(spec.delay_us, 12.5, 0) && test_near(spec.loss, 0.25, 0));
    CU_ASSERT(test_near(spec.fail, 1, 0) && test_near(spec.drift_ppm, -50, 0) && spec.seed == 9);
    CU_ASSERT_STRING_EQUAL(good("u3:path=1-4").path, "1-4");
    CU_ASSERT_STRING_EQUAL(good("ftdi-lines").device, "ftdi-lines");
    CU_ASSERT_STRING_EQUAL(good("replay:out/a run").folder, "out/a run");
}

static void refusals_name_the_part(void)
{
    static const char *const bad[][2] = {
        {"", "null, replay"},
        {"teensy", "'teensy'"},
        {"cdc:16c0", "'16c0'"},
        {"cdc:16c0:04830", "'16c0:04830'"},
        {"cdc:,", "''"},
        {"cdc:pulse_us=199", "from 200 to 2550"},
        {"cdc:pulse_us=500.5", "whole number"},
        {"cdc:pulse_us=nan", "from 200 to 2550"},
        {"cdc:polarity=up", "high or low"},
        {"cdc:serial=", "1 to 63 letters"},
        {"cdc:delay_us=5", "'delay_us=5'"},
        {"null:serial=5,", "''"},
        {"replay", "replay:RUN"},
        {"u3:start=8", "from 0 to 7"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        RigSpec spec;
        char err[RIG_SPEC_ERR_BYTES] = "";
        CU_ASSERT_FALSE(rig_spec_read(bad[i][0], &spec, err));
        if (!strstr(err, bad[i][1]))
            printf("'%s' got: %s\n", bad[i][0], err);
        CU_ASSERT_PTR_NOT_NULL(strstr(err, bad[i][1]));
    }
}

static void no_text_breaks_the_reader(void)
{
    static const char sample[] = "null:serial=AB,path=1-2,pulse_us=400,every=2,0403:6001,code=byte";
    long rounds = 20000;
    Fuzz fuzz = fuzz_begin(&rounds);
    for (long round = 0; round < rounds; round++) {
        uint8_t text[2048] = {0};
        char err[RIG_SPEC_ERR_BYTES] = "";
        RigSpec spec;
        fuzz_bytes(&fuzz, (const uint8_t *)sample, sizeof sample - 1, text,
                   fuzz_below(&fuzz, 8) ? 100 : sizeof text - 1);
        if (rig_spec_read((const char *)text, &spec, err)) {
            if (spec.pulse_us < RIG_PULSE_LEAST_US || spec.pulse_us > RIG_PULSE_MOST_US)
                CU_FAIL_FATAL("a pulse out of range was taken");
        } else if (!err[0]) {
            CU_FAIL_FATAL("a refusal without a reason");
        }
    }
}

static const TestCase cases[] = {
    {"a device's name alone is a spec", short_specs_have_defaults},
    {"every part of a spec is read", every_part_is_read},
    {"a refusal names the part and what is allowed", refusals_name_the_part},
    {"no text breaks the reader", no_text_breaks_the_reader},
};

int main(void)
{
    return test_main("rig_spec", cases, sizeof cases / sizeof cases[0]);
}
