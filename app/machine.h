#pragma once
/* The machine a run was made on, without anything that names its owner. */

typedef struct {
    char kernel[128], cpu[128];
    int cores;
} Machine;

Machine machine_describe(void);
