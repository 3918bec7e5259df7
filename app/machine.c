#include "app/machine.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static void read_cpu(char *cpu, size_t bytes)
{
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "r");
    snprintf(cpu, bytes, "unknown");
    while (file && fgets(line, sizeof line, file)) {
        char *colon = strstr(line, ": ");
        if (strncmp(line, "model name", 10) != 0 || !colon)
            continue;
        colon[2 + strcspn(colon + 2, "\n")] = '\0';
        snprintf(cpu, bytes, "%.100s", colon + 2);
        break;
    }
    if (file)
        fclose(file);
}

Machine machine_describe(void)
{
    Machine machine = {.cores = (int)sysconf(_SC_NPROCESSORS_ONLN)};
    struct utsname system;
    snprintf(machine.kernel, sizeof machine.kernel, "unknown");
    if (uname(&system) == 0)
        snprintf(machine.kernel, sizeof machine.kernel, "%.40s %.60s %.20s", system.sysname,
                 system.release, system.machine);
    read_cpu(machine.cpu, sizeof machine.cpu);
    return machine;
}
