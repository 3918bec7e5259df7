#include "render/stimulus_type.h"

const StimulusType stim_blank = {.name = "blank"};
