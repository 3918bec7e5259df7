#pragma once
/* What a first-layer channel of a convolutional network looks for, in a few numbers a physiologist
 * reads: its polarity, how fast it is, how biphasic, how large.
 *
 * Polarity is by the rule of the papers' own notebooks: the sign of the spatially summed kernel
 * k(τ) = Σ_xy W(τ, y, x) at its largest tap among the newest 25 of 40 (here: the newest 5/8 of the
 * history). A channel whose batch-norm turns it over (the mean of scale1 below 0, which the papers
 * rule out) counts as its opposite: kernels here are W with the sign of that mean. */
#include <stdbool.h>

#include "model/weights.h"

typedef struct {
    bool is_on;
    double peak_ms; // from the light's bin to the bin of the rate it shapes most, between bins by a
                    // parabola
    double
        biphasic; // taps of k of the other sign over those of the peak's, by area: 0 monophasic, 1
                  // balanced
    int speed_rank;                  // among the channels of its polarity, 1 the fastest
    double centre_x_um, centre_y_um; // of the spatial profile p = Σ_τ k(τ) W(τ), by p²; from the
                                     // kernel's middle, x right, y up
    double radius_um;                // the SD of a round Gaussian of the same second moment of p²
    double centre_share; // of |p| that has the sign of its largest value: 1 no surround, ½ balanced
} ChannelCard;

/* +1, or −1 where batch-norm turns the channel (from 0) over. */
float channel_turn(const ModelFile *file, int channel);

/* cards and kernels: room for every channel of conv1_weight; kernels (channels, history_bins) :=
 * k, oldest first. The file has passed cnn_file_check(). */
void channel_cards(const ModelFile *file, ChannelCard *cards, float *kernels);
