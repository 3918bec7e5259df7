#pragma once
/* Finds the USB device that a spec means, and opens it. Private to the rig room. */
#include "rig/usb_link.h"

/* Opens the first device that the spec and the model agree on; kernel drivers will be detached when
 * it is claimed. found := which one. False with a sentence and advice in err (RIG_ERR_BYTES). */
bool usb_find(libusb_context *context, const RigSpec *spec, UsbLink *link, RigFound *found,
              char *err);

/* Ties the spec to the very device that was found, by its serial number or else its place: what
 * comes back after it was unplugged is to be this one. */
void usb_pin(RigSpec *spec, const RigFound *found);
