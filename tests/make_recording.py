#!/usr/bin/env python3
"""A made-up recording of a run's sync patch, with known faults, by nothing but the run folder and the
formula in render/sync_patch.h. Standard library only.

usage: make_recording.py RUN OUT [--key value]...

OUT.i16 or OUT.csv is the recording, OUT.truth one line a refresh: refresh, sample, what.
"""
import argparse
import math
import random
import struct


def read_frames(folder):
    with open(folder + "/frames.tsv") as file:
        names = file.readline().rstrip("\n").split("\t")
        rows = [dict(zip(names, line.rstrip("\n").split("\t"))) for line in file if line.endswith("\n")]
    return [(int(r["image"]), int(r["missed"]), int(r["block"]), int(r["vblank_ns"])) for r in rows]


def luminance(image, block, patch):
    if patch == "toggle":  # a patch as other programs draw it
        return 0.7 * (image & 1) + 0.1 * (block & 3)
    word = (0x9E37 * (image // 32) + 0x79B9 * (block + 1)) % 65536
    return 0.7 * (image & 1) + 0.2 * (image >> 1 & 1) + 0.1 * (word >> (image // 2 % 16) & 1)


def slot_times(frames):
    """Seconds at which each refresh began; missed ones lie between their neighbours."""
    known = [(k, f[3]) for k, f in enumerate(frames) if f[3] >= 0]
    period = (known[-1][1] - known[0][1]) / (known[-1][0] - known[0][0])
    times, i = [], 0
    for k in range(len(frames)):
        while i + 1 < len(known) and known[i + 1][0] <= k:
            i += 1
        k0, t0 = known[i]
        if i + 1 < len(known) and k > k0:
            k1, t1 = known[i + 1]
            times.append(t0 + (t1 - t0) * (k - k0) / (k1 - k0))
        else:
            times.append(t0 + period * (k - k0))
    first = times[0]
    return [(t - first) * 1e-9 for t in times], period * 1e-9


def play(frames, args, dice):
    """What stood on the screen in each slot, and what became of each refresh."""
    slots, what, quiet = [], ["shown"] * len(frames), 4
    for k, frame in enumerate(frames):
        quiet += 1
        may_fail = quiet > 3 and 4 < k < len(frames) - 4 and not frame[1]
        if frame[1]:
            what[k] = "missed"
        if may_fail and dice.random() < args.dropped:
            what[k], quiet = "dropped", 0
            if args.how == "in-place":
                slots.append(slots[-1])
        elif may_fail and dice.random() < args.doubled:
            what[k], quiet = "doubled", 0
            slots += [k, k]
        else:
            slots.append(k)
    for k in args.lose:  # its flash was not seen: the light stayed as it was
        n = slots.index(k)
        slots[n], what[k] = slots[n - 1], "dropped"
    return slots, what


def sample_of(seconds, args):
    return (seconds + args.start) * args.rate * (1 + args.drift * 1e-6)


def write_light(frames, slots, begins, end, args, dice):
    total = int(sample_of(end + args.tail, args))
    desk = 0.45
    steps = [(0.0, desk), (sample_of(-1.2, args), luminance(0, frames[0][2], args.patch))]
    for n, k in enumerate(slots):
        image = max(frames[k][0], 0)
        steps.append((sample_of(begins[n], args), luminance(image, frames[image][2], args.patch)))
    steps.append((sample_of(end, args), desk))
    keep = math.exp(-1.0 / (args.rise_ms * 1e-3 * args.rate)) if args.rise_ms > 0 else 0.0
    follow = 1 - math.exp(-2 * math.pi * args.highpass / args.rate)
    baseline, mean, slow, i, light = 0.0, 0.0, None, 0, []
    for s in range(total):
        while i + 1 < len(steps) and steps[i + 1][0] <= s:
            i += 1
        slow = steps[i][1] if slow is None else keep * slow + (1 - keep) * steps[i][1]
        if args.wander:
            baseline = args.wander * math.sin(2 * math.pi * s / args.rate / 7)
        mean += follow * (slow - mean)  # of a first-order high-pass
        value = slow - mean + baseline + dice.gauss(0, args.noise)
        light.append(max(-32768, min(32767, round(16000 * value - 3000))))
    for s in args.spike:
        for j in range(s, s + 3):
            light[j] = 32767
    with open(args.out + ".i16", "wb") as file:
        file.write(struct.pack("<%dh" % len(light), *light))


def write_edges(frames, slots, begins, args, dice):
    lines, last, seen = [], 0, None
    for n, k in enumerate(slots):
        at = sample_of(begins[n] + dice.gauss(0, args.jitter_us * 1e-6), args)
        bright, is_new = max(frames[k][0], 0) & 1, k != seen and not frames[k][1]
        seen = k
        turns = is_new if args.kind == "pulses" else bright != last
        last = bright
        if turns and at >= 0:
            sample = math.ceil(at)
            lines.append("%d,%d\n" % (sample, bright) if args.kind == "edges" else "%d\n" % sample)
    for n in args.lose_edge:
        lines[n] = ""
    with open(args.out + ".csv", "w") as file:
        file.writelines(lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("run")
    parser.add_argument("out")
    parser.add_argument("--kind", choices=["light", "edges", "toggles", "pulses"], default="light")
    parser.add_argument("--patch", choices=["coded", "toggle"], default="coded")
    parser.add_argument("--how", choices=["in-place", "skip"], default="in-place")
    parser.add_argument("--rate", type=float, default=20000)
    parser.add_argument("--drift", type=float, default=0)
    parser.add_argument("--noise", type=float, default=0)
    parser.add_argument("--wander", type=float, default=0)
    parser.add_argument("--highpass", type=float, default=0, help="Hz")
    parser.add_argument("--rise_ms", type=float, default=0)
    parser.add_argument("--jitter_us", type=float, default=0)
    parser.add_argument("--start", type=float, default=2, help="seconds before the run; below 0: late")
    parser.add_argument("--tail", type=float, default=1, help="seconds behind the run; below 0: short")
    parser.add_argument("--dropped", type=float, default=0)
    parser.add_argument("--doubled", type=float, default=0)
    parser.add_argument("--lose", type=int, nargs="*", default=[])
    parser.add_argument("--lose_edge", type=int, nargs="*", default=[])
    parser.add_argument("--spike", type=int, nargs="*", default=[])
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    dice = random.Random(args.seed)
    frames = read_frames(args.run)
    times, period = slot_times(frames)
    slots, what = play(frames, args, dice)
    begins = [times[n] if n < len(times) else times[-1] + period * (n - len(times) + 1)
              for n in range(len(slots))]
    end = begins[-1] + period
    if args.kind == "light":
        write_light(frames, slots, begins, end, args, dice)
    else:
        write_edges(frames, slots, begins, args, dice)
    first = {}
    for n, k in enumerate(slots):
        first.setdefault(k, n)
    with open(args.out + ".truth", "w") as file:
        for k in range(len(frames)):
            at = sample_of(begins[first[k]], args) if k in first else -1
            if k not in first:  # one that never came
                at = sample_of(times[k], args)
            refresh, total = period * args.rate, sample_of(end + args.tail, args)
            if not 0 <= at < total:
                what[k], at = "unrecorded", -1
            elif at < refresh or at + refresh > total:
                what[k] = "partial"  # at an end of the recording: there or not
            file.write("%d %d %s\n" % (k, math.ceil(at) if k in first else -1, what[k]))


main()
