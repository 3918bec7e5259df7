#pragma once
/* The console's attribution: which first-layer channels of the first model make the rate of one cell
 * just now (model/attribution.h).
 *
 * It lives where the console is drawn, never on the frame path, and is fed from copies of the state:
 * of every refresh the image that was on screen, averaged over the model's bins exactly as the
 * lockstep does it, so that its window is the model's own and its rate is the model's rate after the
 * newest bin. The path begins at the background of the block on screen; the window is the true past,
 * of other blocks too. When images were lost, since copies came later than the film reaches, nothing
 * is said until the model's history has been seen again in full. One thread at a time. */
#include "app/console_state.h"
#include "model/attribution.h"

typedef enum {
    CONSOLE_SHARES_BLANK, // part of the history has not been seen
    CONSOLE_SHARES_KNOWN,
    CONSOLE_SHARES_FAILED, // the model cannot be attributed to, see problem
} ConsoleSharesStatus;

enum { CONSOLE_SHARES_KEPT = 256 }; // measurements; 4 s at up to 64 pictures a second

/* A measurement at the end of a refresh. */
typedef struct {
    int64_t refresh;
    float channel_hz[CONSOLE_CHANNELS];
} ConsoleSharesPast;

/* What there is to show. The figures below the line hold where the status is KNOWN. */
typedef struct {
    ConsoleSharesStatus status;
    char problem[MODEL_ERR_BYTES];
    double wait_s;                // of history still to be seen
    int64_t losses;               // how often images were lost
    int channels;                 // of the first layer
    bool is_on[CONSOLE_CHANNELS]; // polarity, see channel_card.h
    /* ---- */
    int cell;        // of ConsoleSetup.cells
    double rest_hz;  // at the background for ever
    double rate_hz;  // of the bin that the newest whole bin makes known
    double sum_hz;   // of the channels; rate_hz − rest_hz but for the residual
    double residual; // as AttributionResult's
    int steps;       // as AttributionResult's
    double channel_hz[CONSOLE_CHANNELS];
    double peak_hz; // slowly forgotten maximum of |channel_hz|
    /* ---- of this cell so far, whatever the status */
    int64_t measured; // measurement n at n mod CONSOLE_SHARES_KEPT
    ConsoleSharesPast past[CONSOLE_SHARES_KEPT];
} ConsoleShares;

typedef struct ConsoleAttribution ConsoleAttribution;

/* At most 32 steps, 2 ms: cheap enough for 20 measurements a second, and says what that leaves. */
extern const AttributionRule console_attribution_rule;

/* NULL where the setup names no file, or without memory. A file that cannot be used is said in the
 * shares. */
ConsoleAttribution *console_attribution_open(const ConsoleSetup *setup);

/* Takes all refreshes up to the newest and measures there; having fallen behind, or begun late, also
 * every 0.06 s on the way. */
void console_attribution_follow(ConsoleAttribution *attribution, const ConsoleState *state);

/* Lent until the next follow; NULL from NULL. */
const ConsoleShares *console_attribution_shares(const ConsoleAttribution *attribution);
void console_attribution_close(ConsoleAttribution *attribution);
