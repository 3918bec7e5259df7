#include "model/circuit.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "model/kind.h"

static const CircuitVariant
    variants[] =
        {
            {
                .name = "tuned",
                .params =
                    {
                        .pathway =
                            {
                                [CIRCUIT_OFF] = {30.84f, 0.9954f, 80.7f, 0.001652f, 40.14f, 397.9f,
                                                 0.0f, 0.0f, 1.0f},
                                [CIRCUIT_ON_FAST] = {29.92f, 0.9971f, 32.72f, 0.0004997f, 46.9f,
                                                     339.9f, 13.51f, 0.0f, 1.0f},
                                [CIRCUIT_ON_SLOW] = {59.22f, 0.3404f, 123.5f, 0.04043f, 1.1f,
                                                     336.8f, 14.31f, 0.0f, 1.0f},
                            },
                        .sc_um = 48.1f,
                        .ss_um = 150.8f,
                        .ts_ms = 5.626f,
                        .ws = 0.5746f,
                        .sam_um = 184.5f,
                        .tam_ms = 18.33f,
                        .tham = 0.001248f,
                        .tr_ms = 154.4f,
                        .u_per_ms = 0.04847f,
                        .ti_ms = 24.78f,
                        .sw_um = 106.2f,
                        .tw_ms = 25.8f,
                        .twin_ms = 2.066f,
                        .ww = 0.2821f,
                        .tm_ms = 10.3f,
                        .hg = 14.37f,
                        .tg_ms = 258.8f,
                    },
                .cell = {"tuned", 25.0f, 25.0f, {1.0f, 1.57f, 0.6409f}, 0.001146f, 1412.0f, 144.0f},
            },
            {
                .name = "equal-tau",
                .params =
                    {
                        .pathway =
                            {
                                [CIRCUIT_OFF] = {30.2f, 0.9985f, 89.26f, 0.001819f, 34.39f, 392.3f,
                                                 0.0f, 0.0f, 1.0f},
                                [CIRCUIT_ON_FAST] = {30.2f, 0.9983f,
                                                     35.32f, 0.0008678f, 50.75f, 350.0f, 14.66f, 0.0f,
                                                     1.0f},
                                [CIRCUIT_ON_SLOW] = {59.1f, 0.3246f, 100.1f, 0.02709f,
                                                     1.383f, 346.8f, 15.95f, 0.0f, 1.0f},
                            },
                        .sc_um = 46.36f,
                        .ss_um = 148.0f,
                        .ts_ms = 5.477f,
                        .ws = 0.5758f,
                        .sam_um = 178.4f,
                        .tam_ms = 18.22f,
                        .tham = 0.001887f,
                        .tr_ms = 168.6f,
                        .u_per_ms = 0.02629f,
                        .ti_ms = 24.3f,
                        .sw_um = 97.76f,
                        .tw_ms = 25.82f,
                        .twin_ms = 2.307f,
                        .ww = 0.2439f,
                        .tm_ms = 10.72f,
                        .hg = 12.63f,
                        .tg_ms = 294.3f,
                    },
                .cell =
                    {"equal-tau", 25.0f, 25.0f, {1.0f, 1.661f, 0.7322f}, 0.00138f, 1415.0f, 142.3f},
            },
            {
                .name = "depressing",
                .params =
                    {
                        .pathway =
                            {
                                [CIRCUIT_OFF] = {25.5f, 0.69f, 93.0f, 0.0025f, 8.3f,
                                                 315.0f, 0.0f, 0.0f, 1.0f},
                                [CIRCUIT_ON_FAST] =
                                    {15.8f, 0.92f, 194.0f, 0.0028f, 0.77f, 264.0f, 6.6f, 0.0f,
                                     1.0f},
                                [CIRCUIT_ON_SLOW] = {53.7f, 0.44f, 292.0f, 0.269f, 2.6f,
                                                     152.0f, 14.1f, 0.0f, 1.0f},
                            },
                        .sc_um = 48.1f,
                        .ss_um = 150.8f,
                        .ts_ms = 39.0f,
                        .ws = 0.15f,
                        .sam_um = 184.5f,
                        .tam_ms = 5.7f,
                        .tham = 0.005f,
                        .tr_ms = 756.0f,
                        .u_per_ms = 0.018f,
                        .ti_ms = 35.0f,
                        .sw_um = 106.2f,
                        .tw_ms = 28.0f,
                        .twin_ms = 32.0f,
                        .ww = 0.16f,
                        .tm_ms = 13.5f,
                        .hg = 0.61f,
                        .tg_ms = 106.0f,
                    },
                .cell = {"depressing", 25.0f, 25.0f, {1.0f, 1.94f, 0.73f}, 0.0012f, 227.0f, 144.0f},
            },
            {
                .name = "reversal",
                .params =
                    {
                        .pathway =
                            {
                                [CIRCUIT_OFF] = {30.2f, 0.9771f, 45.11f, 0.01487f,
                                                 49.49f, 66.89f, 0.0f, 0.0f, 1.0f},
                                [CIRCUIT_ON_FAST] = {22.8f, 0.9989f, 59.22f, 0.006381f, 50.6f,
                                                     104.5f, 0.2357f, 0.0f, 1.0f},
                                [CIRCUIT_ON_SLOW] = {54.38f, 0.6288f, 68.09f, 0.1634f,
                                                     4.006f, 309.6f, 17.67f, 0.0f, 1.0f},
                            },
                        .sc_um = 40.41f,
                        .ss_um = 131.1f,
                        .ts_ms = 14.12f,
                        .ws = 0.09842f,
                        .sam_um = 50.18f,
                        .tam_ms = 10.18f,
                        .tham = 0.003175f,
                        .tr_ms = 163.6f,
                        .u_per_ms = 0.01047f,
                        .ti_ms = 34.13f,
                        .sw_um = 160.8f,
                        .tw_ms = 5.361f,
                        .twin_ms = 17.02f,
                        .ww = 1.11f,
                        .tm_ms = 7.933f,
                        .hg = 0.7785f,
                        .tg_ms = 184.2f,
                    },
                .cell = {"reversal",
                         25.0f,
                         25.0f,
                         {1.0f, 0.8291f, 0.1572f},
                         0.001776f,
                         1398.0f,
                         134.7f},
            },
};

enum { VARIANTS = sizeof variants / sizeof *variants, ENDS = 8, LIST_BYTES = 400 };

#define AT(member) (offsetof(CircuitParams, member) + 1) // 0: no more

#define OFF_PATH  pathway[CIRCUIT_OFF]
#define FAST_PATH pathway[CIRCUIT_ON_FAST]
#define SLOW_PATH pathway[CIRCUIT_ON_SLOW]

/* The numbers that each switch makes 0, and what it does besides. */
static const struct {
    const char *name;
    size_t at[ENDS];
    bool is_linear;
} switches[] = {
    {"no-surround", {AT(ws)}},
    {"no-crossover", {AT(FAST_PATH.wi), AT(SLOW_PATH.wi)}},
    {"no-depression", {AT(u_per_ms)}},
    {"no-wide-field", {AT(ww)}},
    {"no-inhibition", {AT(FAST_PATH.wi), AT(SLOW_PATH.wi), AT(ww)}},
    {"no-gain-off", {AT(OFF_PATH.h)}},
    {"no-gain-on", {AT(FAST_PATH.h), AT(SLOW_PATH.h)}},
    {"no-gain-ganglion", {AT(hg)}},
    {"no-gain", {AT(OFF_PATH.h), AT(FAST_PATH.h), AT(SLOW_PATH.h), AT(hg)}},
    {"no-off", {AT(OFF_PATH.share)}},
    {"no-on-fast", {AT(FAST_PATH.share)}},
    {"no-on-slow", {AT(SLOW_PATH.share)}},
    {"no-on", {AT(FAST_PATH.share), AT(SLOW_PATH.share)}},
    {"linear", {AT(FAST_PATH.share), AT(SLOW_PATH.share)}, true},
    {"linear-on-fast", {AT(OFF_PATH.share), AT(SLOW_PATH.share)}, true},
    {"linear-on-slow", {AT(OFF_PATH.share), AT(FAST_PATH.share)}, true},
    {"linear-all", {0}, true},
};

enum { SWITCHES = sizeof switches / sizeof *switches };

static void make_linear(CircuitParams *p)
{
    p->ww = p->hg = 0.0f;
    for (int k = 0; k < CIRCUIT_PATHWAYS; k++) {
        p->pathway[k].th = p->pathway[k].h = p->pathway[k].wi = 0.0f;
        p->pathway[k].floor = -INFINITY;
    }
}

bool circuit_block(CircuitSpec *spec, const char *name, char *err)
{
    char list[LIST_BYTES] = "";
    for (int i = 0; i < SWITCHES; i++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, " %s", switches[i].name);
        if (strcmp(switches[i].name, name) != 0)
            continue;
        for (int j = 0; j < ENDS && switches[i].at[j]; j++)
            *(float *)((char *)&spec->params + switches[i].at[j] - 1) = 0.0f;
        if (switches[i].is_linear)
            make_linear(&spec->params);
        used = strlen(spec->note);
        snprintf(spec->note + used, sizeof spec->note - used, "%s%s", used ? ", " : "", name);
        return true;
    }
    return model_refuse(err, "\"%s\" is no switch of the circuit; there are:%s", name, list);
}

const CircuitVariant *circuit_variant(const char *name, char *err)
{
    char list[LIST_BYTES] = "";
    for (int i = 0; i < VARIANTS; i++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, " %s", variants[i].name);
        if (strcmp(variants[i].name, name) == 0)
            return &variants[i];
    }
    model_refuse(err, "\"%s\" is no variant of the circuit; there are:%s", name, list);
    return NULL;
}

CircuitParams circuit_params(void)
{
    return variants[0].params;
}

CircuitCell circuit_tuned_cell(void)
{
    return variants[0].cell;
}
