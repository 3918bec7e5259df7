#include "app/commands.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "app/arguments.h"
#include "app/clock.h"
#include "app/json.h"
#include "app/realtime.h"
#include "render/compositor.h"
#include "render/display.h"

typedef enum { FINE, WORTH_MENDING, UNUSABLE } Finding;

typedef struct {
    json_t *checks; // owned
    FILE *talk;
    int worth_mending;
    bool has_display;
} Doctor;

static void report(Doctor *doctor, Finding finding, const char *name, const char *mend,
                   const char *format, ...)
{
    static const char *const marks[] = {"ok  ", "mend", "NO  "};
    char detail[DISPLAY_ERR_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    fprintf(doctor->talk, "%s  %-12s %s\n", marks[finding], name, detail);
    if (finding != FINE && mend)
        fprintf(doctor->talk, "                   → %s\n", mend);
    doctor->worth_mending += finding != FINE;
    json_array_append_new(doctor->checks,
                          json_pack("{ssssssss}", "name", name, "finding",
                                    finding == FINE ? "ok" : "mend", "detail", detail, "mend",
                                    finding != FINE && mend ? mend : ""));
}

static void check_display(Doctor *doctor)
{
    DisplayOptions options = {.kind = DISPLAY_SDL,
                              .width_px = 640,
                              .height_px = 480,
                              .um_per_px = 5,
                              .title = "retrace doctor"};
    DisplayClock clock = clock_real();
    char err[DISPLAY_ERR_BYTES];
    Display *display = display_open(&options, &clock, err);
    if (!display) {
        report(doctor, UNUSABLE, "display", NULL, "%s", err);
        return;
    }
    const DisplayInfo *info = display_info(display);
    doctor->has_display = true;
    report(doctor, FINE, "display", NULL, "%s: %s", info->driver, info->detail);
    bool is_software = strstr(info->detail, "llvmpipe") || strstr(info->detail, "softpipe");
    report(doctor, is_software ? WORTH_MENDING : FINE, "graphics",
           "install the driver of the graphics card; software rendering steals the models' cores",
           "%s", is_software ? "OpenGL runs on the processor" : "OpenGL runs on a graphics card");
    report(doctor, info->verdict[0] == 'o' ? FINE : WORTH_MENDING, "refresh",
           "full screen, one monitor, its native rate: xrandr --output NAME --mode MODE --rate HZ",
           "%.3f Hz measured (%.3f Hz nominal), jitter %.0f us, time from %s; %s",
           info->measured_hz, info->refresh_hz, info->jitter_us, info->ladder, info->verdict);
    display_close(display);
}

static void check_compositor(Doctor *doctor)
{
    switch (compositor_state()) {
    case COMPOSITOR_RUNNING:
        report(doctor, WORTH_MENDING, "compositor",
               "turn it off for the session: xfconf-query -c xfwm4 -p /general/use_compositing -s "
               "false, or qdbus org.kde.KWin /Compositor suspend, or a plain X session",
               "a compositing manager redraws the screen on its own schedule");
        break;
    case COMPOSITOR_ABSENT:
        report(doctor, FINE, "compositor", NULL, "none");
        break;
    case COMPOSITOR_UNKNOWN:
        report(doctor, WORTH_MENDING, "compositor", "log in to an X session (not Wayland)",
               "no X server to ask");
        break;
    }
}

static void check_realtime(Doctor *doctor)
{
    struct rlimit priority = {0}, memory = {0};
    getrlimit(RLIMIT_RTPRIO, &priority);
    getrlimit(RLIMIT_MEMLOCK, &memory);
    RealtimeGrant grant = realtime_request();
    realtime_release();
    report(doctor, grant.has_priority ? FINE : WORTH_MENDING, "priority",
           "echo '@audio - rtprio 95' | sudo tee /etc/security/limits.d/retrace.conf; sudo usermod "
           "-aG audio $USER; log in again",
           "real-time class %s (rtprio limit %lu)", grant.has_priority ? "granted" : "refused",
           (unsigned long)priority.rlim_cur);
    report(doctor, grant.has_locked_memory ? FINE : WORTH_MENDING, "memory",
           "echo '@audio - memlock unlimited' | sudo tee -a /etc/security/limits.d/retrace.conf; "
           "log in again",
           "locking %s", grant.has_locked_memory ? "granted" : "refused");
}

static bool read_word(const char *path, char *word, int size)
{
    FILE *file = fopen(path, "r");
    bool is_read = file && fgets(word, size, file);
    if (file)
        fclose(file);
    if (is_read)
        word[strcspn(word, "\n")] = '\0';
    return is_read;
}

static void check_machine(Doctor *doctor)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    report(doctor, cores >= 2 ? FINE : WORTH_MENDING, "cores",
           "the frame loop wants a core of its own: use a machine with two or more", "%ld", cores);
    char word[64];
    if (read_word("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", word, sizeof word))
        report(doctor, strcmp(word, "performance") ? WORTH_MENDING : FINE, "governor",
               "sudo cpupower frequency-set -g performance", "%s", word);
    if (read_word("/sys/devices/system/clocksource/clocksource0/current_clocksource", word,
                  sizeof word))
        report(doctor, strcmp(word, "tsc") ? WORTH_MENDING : FINE, "clock",
               "boot with clocksource=tsc tsc=reliable; other sources cost microseconds a reading",
               "%s", word);
    struct statvfs disk;
    if (statvfs(".", &disk) == 0) {
        double free_gb = (double)disk.f_bavail * (double)disk.f_frsize * 1e-9;
        report(doctor, free_gb > 1 ? FINE : WORTH_MENDING, "disk",
               "free some space, or record elsewhere with --out",
               "%.1f GB free here; an hour at 60 Hz takes about 0.05 GB", free_gb);
    }
}

typedef struct {
    const char *json;
} Options;

static const Argument rows[] = {
    {"json", "FILE|-", "the findings for machines", ARGUMENT_TEXT(Options, json)},
};

static const ArgumentTable table = {
    .command = "doctor",
    .usage = "[options]",
    .about =
        "Looks at the display, its refresh, the compositor, real-time limits and the machine, and\n"
        "names the command that mends what is wrong. Exit status 0: fit; 1: something is worth\n"
        "mending; 3: no usable display.\n",
    .example = "retrace doctor",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
};

int cmd_doctor(int argc, char **argv)
{
    Options options = {0};
    int status;
    if (!arguments_read(&table, &options, argc, argv, &status))
        return status;
    Doctor doctor = {.checks = json_array(), .talk = json_talk(options.json)};
    check_display(&doctor);
    check_compositor(&doctor);
    check_realtime(&doctor);
    check_machine(&doctor);
    fprintf(doctor.talk, "%s\n",
            !doctor.has_display    ? "no usable display: nothing can be shown here"
            : doctor.worth_mending ? "usable, with something worth mending"
                                   : "fit to run a rig");
    char err[JSON_ERR_BYTES];
    json_t *summary = json_pack("{sbsiso}", "has_display", (int)doctor.has_display, "worth_mending",
                                doctor.worth_mending, "checks", doctor.checks);
    bool is_written = !options.json || json_write(summary, options.json, err);
    if (!is_written)
        fprintf(stderr, "retrace doctor: %s\n", err);
    json_decref(summary);
    if (!is_written)
        return EXIT_IO;
    if (!doctor.has_display)
        return EXIT_NO_DEVICE;
    return doctor.worth_mending ? EXIT_BAD_VERDICT : EXIT_DONE;
}
