#pragma once
/* Is a compositing manager running on the X screen? It redraws windows on its own schedule, and
 * then what a program presents is not what the screen shows. */

typedef enum { COMPOSITOR_UNKNOWN, COMPOSITOR_ABSENT, COMPOSITOR_RUNNING } CompositorState;

/* Asks the X server who owns _NET_WM_CM_Sn (Extended Window Manager Hints, "Compositing Managers").
 * UNKNOWN when there is no X server to ask. Not for the frame path. */
CompositorState compositor_state(void);
