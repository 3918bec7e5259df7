#include "app/rig_advice.h"

#include <string.h>

typedef struct {
    const char *device;
    const char *text; // lines, ended
} Advice;

static const Advice advices[] = {
    {"cdc", "A Teensy's lines are 3.3 V, a Pico's too; an Uno's are 5 V. A Teensy 4's inputs bear "
            "3.3 V and\n"
            "no more: a 5 V signal into one destroys it.\n"},
    {"box", "Levels are the maker's to say; many are 5 V. The pulse ends when this machine says "
            "so: never\n"
            "sooner than asked, often a millisecond later.\n"},
    // LabJack U3 User's Guide §2.8 (levels, 3.3 V, 5 V tolerant), §2.1 (HV); datasheet §3.1 (latency)
    {"u3", "Outputs are EIO0 to EIO7 on the DB15, 3.3 V. On a U3-HV, FIO0 to FIO3 are analog only, "
           "which is why\n"
           "nothing is put there. Inputs are FIO4 (its falling edges are counted, none is missed) "
           "and FIO5\n"
           "to FIO7 (looked at between triggers). The maker measured 4 ms a command when the U3 is "
           "plugged\n"
           "into the PC itself and 0.6 ms behind a high-speed hub: use a powered USB 2 hub.\n"},
    {"u6", "Outputs are EIO0 to EIO7 on the DB15, 3.3 V. Inputs are FIO4 to FIO7, looked at "
           "between triggers. A\n"
           "high-speed hub makes commands several times faster than a port of the PC itself.\n"},
    {"ftdi", "The module decides between 3.3 V and 5 V (VCCIO): measure before you connect. "
             "Outputs are D0 to\n"
             "D7, inputs CTS, DSR, RI and DCD. The pulse ends when this machine says so: never "
             "sooner than\n"
             "asked, often a millisecond later.\n"},
    {"ftdi-lines",
     "Line 0 is DTR, line 1 RTS, inputs CTS, DSR, RI and DCD; line high means pin high on a TTL "
     "cable.\n"
     "An RS-232 cable inverts them (polarity=low) and swings beyond 5 V: never into a TTL input.\n"
     "Both lines may move when the device is opened, by this or by any other program.\n"},
};

// MCS: MEA-System manual pp. 19–21, USB-MEA256 manual p. 24.
static const char recorders[] =
    "Recorders by Multi Channel Systems take TTL: high is 2 V to 5 V, low at most 0.8 V; more than "
    "5 V or less\n"
    "than 0 V destroys the input. 3.3 V counts as high but leaves little margin on a long cable: "
    "put\n"
    "a 74HCT buffer at the far end. They may ignore pulses shorter than 200 us; sampled at 20 kHz, "
    "a\n"
    "pulse of 500 us is ten samples. Connect ground, and mask digital inputs that are not wired.\n";

void rig_advice_print(const RigSpec *spec, const RigInfo *info, FILE *to)
{
    for (size_t i = 0; i < sizeof advices / sizeof advices[0]; i++)
        if (!strcmp(advices[i].device, spec->device))
            fputs(advices[i].text, to);
    fputs(recorders, to);
    if (info->pulse_us != spec->pulse_us)
        fprintf(to, "Pulses are %d us here: the next length this device can make.\n",
                info->pulse_us);
    fprintf(to, "Lines are active %s, and inactive at the end of a run.\n",
            spec->is_low_active ? "low" : "high");
}
