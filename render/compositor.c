#include "render/compositor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xcb/xcb.h>

static CompositorState ask(xcb_connection_t *connection, int screen)
{
    char name[32];
    int length = snprintf(name, sizeof name, "_NET_WM_CM_S%d", screen);
    xcb_intern_atom_reply_t *atom = xcb_intern_atom_reply(
        connection, xcb_intern_atom(connection, 0, (uint16_t)length, name), NULL);
    if (!atom)
        return COMPOSITOR_UNKNOWN;
    xcb_get_selection_owner_reply_t *owner = xcb_get_selection_owner_reply(
        connection, xcb_get_selection_owner(connection, atom->atom), NULL);
    CompositorState state = COMPOSITOR_UNKNOWN;
    if (owner)
        state = owner->owner == XCB_NONE ? COMPOSITOR_ABSENT : COMPOSITOR_RUNNING;
    free(owner);
    free(atom);
    return state;
}

CompositorState compositor_state(void)
{
    int screen = 0;
    xcb_connection_t *connection = xcb_connect(NULL, &screen);
    CompositorState state = COMPOSITOR_UNKNOWN;
    if (!xcb_connection_has_error(connection))
        state = ask(connection, screen);
    xcb_disconnect(connection);
    return state;
}
