#include "model/circuit.h"

#include <stdio.h>

CircuitParams circuit_params(void)
{
    return (CircuitParams){
        .pathway =
            {
                [CIRCUIT_OFF] = {30.84f, 0.9954f, 80.7f, 0.001652f, 40.14f, 397.9f, 0.0f},
                [CIRCUIT_ON_FAST] = {29.92f, 0.9971f, 32.72f, 0.0004997f, 46.9f, 339.9f, 13.51f},
                [CIRCUIT_ON_SLOW] = {59.22f, 0.3404f, 123.5f, 0.04043f, 1.1f, 336.8f, 14.31f},
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
        .sg_um = 144.0f,
        .tm_ms = 10.3f,
        .hg = 14.37f,
        .tg_ms = 258.8f,
    };
}

CircuitCell circuit_tuned_cell(void)
{
    return (CircuitCell){
        .name = "tuned",
        .x_um = 25.0f,
        .y_um = 25.0f,
        .w = {1.0f, 1.57f, 0.6409f},
        .thg = 0.001146f,
        .alpha_hz = 1412.0f,
    };
}

CircuitSpec circuit_preset(CircuitCell *cells)
{
    static const char *const classes[] = {"full", "fast", "slow"};
    static const CircuitPathwayName missing[] = {CIRCUIT_PATHWAYS, CIRCUIT_ON_SLOW,
                                                 CIRCUIT_ON_FAST};
    static const float places_um[][2] = {{25.0f, 25.0f}, {-225.0f, 125.0f}, {175.0f, -225.0f}};
    for (int i = 0; i < CIRCUIT_PRESET_CELLS; i++) {
        CircuitCell cell = circuit_tuned_cell();
        snprintf(cell.name, sizeof cell.name, "%s-%d", classes[i / 3], i % 3 + 1);
        cell.x_um = places_um[i % 3][0];
        cell.y_um = places_um[i % 3][1];
        if (missing[i / 3] != CIRCUIT_PATHWAYS)
            cell.w[missing[i / 3]] = 0.0f;
        cell.alpha_hz *= 0.25f;
        cells[i] = cell;
    }
    return (CircuitSpec){
        .name = "circuit",
        .width_px = 50,
        .height_px = 50,
        .um_per_px = 50.0,
        .lum_mean = 0.5,
        .lum_sd = 0.25,
        .params = circuit_params(),
        .cells = cells,
        .cell_count = CIRCUIT_PRESET_CELLS,
    };
}
