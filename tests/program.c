#include "tests/program.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int status_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void read_all(FILE *file, char *text)
{
    rewind(file);
    text[fread(text, 1, PROGRAM_OUTPUT_BYTES - 1, file)] = '\0';
    fclose(file);
}

void program_run(const char *command, ProgramResult *result)
{
    FILE *out = tmpfile(), *err = tmpfile();
    pid_t child = fork();
    if (child == 0) {
        dup2(fileno(out), STDOUT_FILENO);
        dup2(fileno(err), STDERR_FILENO);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    result->status = program_wait(child);
    read_all(out, result->out);
    read_all(err, result->err);
}

pid_t program_start(const char *command)
{
    pid_t child = fork();
    if (child == 0) {
        char line[4096];
        snprintf(line, sizeof line, "exec %s >/dev/null 2>&1", command);
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
        _exit(127);
    }
    return child;
}

int program_wait(pid_t pid)
{
    int status;
    return waitpid(pid, &status, 0) == pid ? status_of(status) : -1;
}

static pid_t screen;

const char *program_python(const char *module)
{
    static const char *const candidates[] = {"python3", "/usr/bin/python3"};
    static ProgramResult result;
    char line[200];
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
        snprintf(line, sizeof line, "%s -c 'import %s'", candidates[i], module);
        program_run(line, &result);
        if (result.status == 0)
            return candidates[i];
    }
    return NULL;
}

bool program_screen_start(int fps)
{
    int ready[2];
    if (pipe(ready) != 0)
        return false;
    screen = fork();
    if (screen == 0) {
        char rate[16];
        snprintf(rate, sizeof rate, "%d", fps);
        dup2(ready[1], 3);
        if (!freopen("/dev/null", "w", stderr))
            _exit(127);
        execlp("Xvfb", "Xvfb", "-displayfd", "3", "-screen", "0", "1024x768x24", "-nolisten", "tcp",
               "-noreset", "-fakescreenfps", rate, (char *)NULL);
        _exit(127);
    }
    close(ready[1]);
    char number[16] = ":";
    size_t length = 1;
    // to the end of the line: a server that finds the pipe closed before it has written that dies
    while (length < sizeof number - 1 && number[length - 1] != '\n' &&
           read(ready[0], number + length, 1) == 1)
        length++;
    close(ready[0]);
    if (length == 1) {
        program_wait(screen);
        return false;
    }
    number[strcspn(number, "\n")] = '\0';
    setenv("DISPLAY", number, 1);
    return true;
}

void program_screen_stop(void)
{
    kill(screen, SIGTERM);
    program_wait(screen);
    unsetenv("DISPLAY");
}
