#include "render/x11_guard.h"

#include <SDL2/SDL_syswm.h>
#include <X11/Xlib-xcb.h>

static bool is_lost;                 // Xlib's error handlers take no pointer
static xcb_connection_t *connection; // borrowed from SDL

/* Other refusals (a focus that could not be set, say) harm nothing. */
static int on_error(Display *display, XErrorEvent *event)
{
    (void)display;
    if (event->error_code == BadWindow || event->error_code == BadDrawable)
        is_lost = true;
    return 0;
}

static int on_server_gone(Display *display)
{
    (void)display;
    is_lost = true;
    return 0;
}

/* In place of ending the process. */
static void go_on(Display *display, void *unused)
{
    (void)display;
    (void)unused;
}

void x11_guard(SDL_Window *window)
{
    SDL_SysWMinfo wm;
    SDL_VERSION(&wm.version);
    if (!SDL_GetWindowWMInfo(window, &wm) || wm.subsystem != SDL_SYSWM_X11)
        return;
    is_lost = false;
    connection = XGetXCBConnection(wm.info.x11.display);
    XSetErrorHandler(on_error);
    XSetIOErrorHandler(on_server_gone);
    XSetIOErrorExitHandler(wm.info.x11.display, go_on, NULL);
}

void x11_release(void)
{
    connection = NULL;
}

bool x11_is_lost(void)
{
    return is_lost || (connection && xcb_connection_has_error(connection));
}
