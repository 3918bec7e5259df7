#include "render/present_x11.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <SDL2/SDL_syswm.h>
#include <X11/Xlib-xcb.h>
#include <xcb/present.h>

enum { ANSWER_TIMEOUT_MS = 250, MOST_WAKES = 64 };

struct PresentX11 {
    xcb_connection_t *connection; // borrowed from SDL's window
    xcb_window_t window;
    int screen;
    uint32_t event_id;
    xcb_special_event_t *events; // owned
    int64_t asked_tick;          // the newest one asked for
};

static bool find_window(PresentX11 *present, SDL_Window *window)
{
    SDL_SysWMinfo wm;
    SDL_VERSION(&wm.version);
    if (!SDL_GetWindowWMInfo(window, &wm) || wm.subsystem != SDL_SYSWM_X11)
        return false;
    present->connection = XGetXCBConnection(wm.info.x11.display);
    present->window = (xcb_window_t)wm.info.x11.window;
    present->screen = DefaultScreen(wm.info.x11.display);
    return true;
}

static bool has_present(xcb_connection_t *connection)
{
    const xcb_query_extension_reply_t *extension =
        xcb_get_extension_data(connection, &xcb_present_id);
    if (!extension || !extension->present)
        return false;
    xcb_present_query_version_reply_t *version = xcb_present_query_version_reply(
        connection, xcb_present_query_version(connection, 1, 0), NULL);
    free(version);
    return version != NULL;
}

PresentX11 *present_x11_open(SDL_Window *window)
{
    PresentX11 *present = calloc(1, sizeof *present);
    if (!present || !find_window(present, window) || !has_present(present->connection)) {
        free(present);
        return NULL;
    }
    present->event_id = xcb_generate_id(present->connection);
    present->events =
        xcb_register_for_special_xge(present->connection, &xcb_present_id, present->event_id, NULL);
    xcb_present_select_input(present->connection, present->event_id, present->window,
                             XCB_PRESENT_EVENT_MASK_COMPLETE_NOTIFY);
    xcb_flush(present->connection);
    return present;
}

/* False when nothing came in time. */
static bool take_answer(PresentX11 *present, int timeout_ms, VblankSample *sample)
{
    int wakes = 0; // by events of other kinds, such as a mouse that moves
    struct pollfd socket = {.fd = xcb_get_file_descriptor(present->connection), .events = POLLIN};
    for (;;) {
        xcb_generic_event_t *event =
            xcb_poll_for_special_event(present->connection, present->events);
        if (!event) {
            int ready = poll(&socket, 1, timeout_ms);
            // a signal is no silence: this refresh is waited for as any other
            if (xcb_connection_has_error(present->connection) || ready == 0 ||
                (ready < 0 && errno != EINTR) || ++wakes > MOST_WAKES)
                return false;
            continue;
        }
        xcb_present_complete_notify_event_t answer;
        memcpy(&answer, event, sizeof answer);
        free(event);
        if (answer.event_type != XCB_PRESENT_COMPLETE_NOTIFY ||
            answer.kind != XCB_PRESENT_COMPLETE_KIND_NOTIFY_MSC)
            continue;
        *sample = (VblankSample){(int64_t)answer.msc, (int64_t)answer.ust * 1000};
        return true;
    }
}

static void ask(PresentX11 *present, int64_t tick)
{
    xcb_present_notify_msc(present->connection, present->window, 0, (uint64_t)tick, 0, 0);
    present->asked_tick = tick;
}

int64_t present_x11_count(PresentX11 *present)
{
    VblankSample sample;
    ask(present, 0);
    xcb_flush(present->connection);
    return take_answer(present, ANSWER_TIMEOUT_MS, &sample) ? sample.tick : -1;
}

bool present_x11_next(PresentX11 *present, int64_t soonest_tick, int timeout_ms,
                      VblankSample *sample)
{
    if (present->asked_tick < soonest_tick - 1)
        present->asked_tick = soonest_tick - 1;
    while (present->asked_tick < soonest_tick - 1 + PRESENT_X11_AHEAD)
        ask(present, present->asked_tick + 1);
    xcb_flush(present->connection);
    return take_answer(present, timeout_ms, sample);
}

void present_x11_close(PresentX11 *present)
{
    if (!present)
        return;
    xcb_present_select_input(present->connection, present->event_id, present->window,
                             XCB_PRESENT_EVENT_MASK_NO_EVENT);
    xcb_flush(present->connection);
    xcb_unregister_for_special_event(present->connection, present->events);
    free(present);
}
