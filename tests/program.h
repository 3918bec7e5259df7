#pragma once
/* The real program as a child process, and a virtual screen for it: for tests of whole commands. */
#include <stdbool.h>
#include <sys/types.h>

enum { PROGRAM_OUTPUT_BYTES = 65536 };

typedef struct {
    int status; // exit status; 128 + signal when it was killed
    char out[PROGRAM_OUTPUT_BYTES], err[PROGRAM_OUTPUT_BYTES];
} ProgramResult;

/* Runs `sh -c command` with $RETRACE naming the program under test, and waits. */
void program_run(const char *command, ProgramResult *result);

/* Starts `sh -c "exec command"`, output to /dev/null; program_wait returns its status as above. */
pid_t program_start(const char *command);
int program_wait(pid_t pid);

/* A Python that can import the module: the system's own has the system's modules, whichever comes
 * first. NULL: there is none. */
const char *program_python(const char *module);

/* Starts Xvfb, 1024 × 768, its refresh faked at fps, and points DISPLAY at it. False when there is no
 * Xvfb. */
bool program_screen_start(int fps);
void program_screen_stop(void);
