#include "model/channel_card.h"

#include <math.h>

float channel_turn(const ModelFile *file, int channel)
{
    const ModelTensor *scale = model_file_find(file, "scale1");
    int units = (int)model_tensor_count(scale) / scale->dims[0];
    double sum = 0;
    for (int i = 0; i < units; i++)
        sum += (double)scale->values[channel * units + i];
    return sum < 0 ? -1 : 1;
}

/* The kernels (history, K, K) of one channel and their sum over space. */
typedef struct {
    const float *weights;
    int history, height, width;
    float turn;
    const float *summed; // (history)
} Channel;

static int largest_tap(const Channel *channel)
{
    int newest = (5 * channel->history + 7) / 8, largest = channel->history - newest;
    for (int i = largest; i < channel->history; i++)
        if (fabsf(channel->summed[i]) > fabsf(channel->summed[largest]))
            largest = i;
    return largest;
}

/* How far the peak lies behind tap `at`, in taps; 0 at the ends. */
static double refine(const Channel *channel, int at)
{
    if (at == 0 || at == channel->history - 1)
        return 0;
    double before = (double)channel->summed[at - 1], here = (double)channel->summed[at];
    double after = (double)channel->summed[at + 1], bend = before - 2 * here + after;
    bool is_peak = fabs(here) >= fabs(before) && fabs(here) >= fabs(after) && bend * here < 0;
    return is_peak ? 0.5 * (before - after) / bend : 0;
}

static double biphasic_index(const Channel *channel, int peak)
{
    double same = 0, other = 0;
    for (int i = 0; i < channel->history; i++) {
        double tap = (double)channel->summed[i];
        *(tap * (double)channel->summed[peak] > 0 ? &same : &other) += fabs(tap);
    }
    return same > 0 ? fmin(other / same, same / other) : 0;
}

/* Σ_τ k(τ) W(τ, y, x) */
static double profile_at(const Channel *channel, int pixel)
{
    double sum = 0;
    for (int i = 0; i < channel->history; i++)
        sum += (double)channel->summed[i] *
               (double)channel->weights[i * channel->height * channel->width + pixel];
    return sum * (double)channel->turn;
}

static void describe_space(const Channel *channel, double um_per_px, ChannelCard *card)
{
    double mass = 0, x = 0, y = 0, square = 0, areas[2] = {0}, largest = 0;
    for (int pixel = 0; pixel < channel->height * channel->width; pixel++) {
        double value = profile_at(channel, pixel), weight = value * value;
        double px = pixel % channel->width - 0.5 * (channel->width - 1);
        double py = 0.5 * (channel->height - 1) - (double)(pixel / channel->width);
        areas[value > 0] += fabs(value);
        largest = fabs(value) > fabs(largest) ? value : largest;
        mass += weight;
        x += weight * px;
        y += weight * py;
        square += weight * (px * px + py * py);
    }
    if (!(mass > 0))
        return;
    card->centre_x_um = x / mass * um_per_px;
    card->centre_y_um = y / mass * um_per_px;
    // p² of a Gaussian of SD σ has σ²/2 along either axis
    card->radius_um = sqrt(fmax(0, (square - (x * x + y * y) / mass) / mass)) * um_per_px;
    card->centre_share = areas[largest > 0] / (areas[0] + areas[1]);
}

static void rank_speeds(ChannelCard *cards, int channels)
{
    for (int c = 0; c < channels; c++) {
        cards[c].speed_rank = 1;
        for (int other = 0; other < channels; other++)
            cards[c].speed_rank += cards[other].is_on == cards[c].is_on &&
                                   (cards[other].peak_ms < cards[c].peak_ms ||
                                    (other < c && cards[other].peak_ms <= cards[c].peak_ms));
    }
}

void channel_cards(const ModelFile *file, ChannelCard *cards, float *kernels)
{
    const ModelTensor *weights = model_file_find(file, "conv1_weight");
    int channels = weights->dims[0], history = weights->dims[1];
    int pixels = weights->dims[2] * weights->dims[3];
    for (int c = 0; c < channels; c++) {
        float *summed = kernels + c * history;
        const Channel channel = {weights->values + c * history * pixels,
                                 history,
                                 weights->dims[2],
                                 weights->dims[3],
                                 channel_turn(file, c),
                                 summed};
        for (int i = 0; i < history; i++) {
            double sum = 0;
            for (int p = 0; p < pixels; p++)
                sum += (double)channel.weights[i * pixels + p];
            summed[i] = channel.turn * (float)sum;
        }
        int peak = largest_tap(&channel);
        double lag = history - 1 - (peak + refine(&channel, peak)) + file->info.lag_bins;
        cards[c] = (ChannelCard){.is_on = summed[peak] > 0,
                                 .peak_ms = lag * 1e3 / file->info.bin_hz,
                                 .biphasic = biphasic_index(&channel, peak)};
        describe_space(&channel, file->info.um_per_px, &cards[c]);
    }
    rank_speeds(cards, channels);
}
