#!/usr/bin/env python3
"""The published network in PyTorch, for `retrace bench` to be held against.

  peer_torch.py time [--seconds S]      times it, one thread; JSON on standard output
  peer_torch.py ratios FOLDER           medians over FOLDER/peer-*.json and FOLDER/retrace-*.json,
                                        and their ratios beside what is wanted of them

Exit status 0; 77 when there is no PyTorch (Debian: python3-torch), which is said.

40 x 50 x 50 -> 8 x 36 x 36 -> 8 x 26 x 26 -> 5: valid convolutions, a batch-norm for every unit, ReLU,
softplus. Forward in evaluation mode without gradients; a training sample is forward, Poisson loss,
backward and an Adam step. Weights and data are random.
"""
import argparse
import glob
import json
import os
import statistics
import sys
import time

HISTORY, SIDE, CHANNELS, KERNELS, CELLS = 40, 50, 8, (15, 11), 5
FORWARD_BATCHES, TRAIN_BATCHES = (1, 64), (4, 16, 64)


def network(torch, cells):
    from torch import nn

    first = SIDE - KERNELS[0] + 1
    second = first - KERNELS[1] + 1
    units = CHANNELS * second * second
    return nn.Sequential(
        nn.Conv2d(HISTORY, CHANNELS, KERNELS[0]),
        nn.Flatten(),
        nn.BatchNorm1d(CHANNELS * first * first),
        nn.ReLU(),
        nn.Unflatten(1, (CHANNELS, first, first)),
        nn.Conv2d(CHANNELS, CHANNELS, KERNELS[1]),
        nn.Flatten(),
        nn.BatchNorm1d(units),
        nn.ReLU(),
        nn.Linear(units, cells, bias=False),
        nn.BatchNorm1d(cells),
        nn.Softplus(),
    )


def per_item_us(work, batch, seconds):
    """Medians of one item's time on the wall and on the processor, once it has warmed up."""
    work()
    walls, processor, end = [], [], time.perf_counter() + seconds
    while len(walls) < 3 or time.perf_counter() < end:
        wall, own = time.perf_counter(), time.process_time()
        work()
        processor.append((time.process_time() - own) * 1e6 / batch)
        walls.append((time.perf_counter() - wall) * 1e6 / batch)
    return {"wall": statistics.median(walls), "processor": statistics.median(processor)}


def forward_us(torch, batch, seconds):
    net = network(torch, CELLS).eval()
    frames = torch.randn(batch, HISTORY, SIDE, SIDE)
    with torch.inference_mode():
        return per_item_us(lambda: net(frames), batch, seconds)


def train_us(torch, batch, seconds):
    net = network(torch, CELLS).train()
    frames, rates = torch.randn(batch, HISTORY, SIDE, SIDE), torch.rand(batch, CELLS)
    adam = torch.optim.Adam(net.parameters(), lr=1e-4)
    loss = torch.nn.PoissonNLLLoss(log_input=False)

    def step():
        adam.zero_grad(set_to_none=True)
        loss(net(frames), rates).backward()
        adam.step()

    return per_item_us(step, batch, seconds)


def measure(torch, seconds):
    torch.set_num_threads(1)
    torch.manual_seed(1)
    share = seconds / (len(FORWARD_BATCHES) + len(TRAIN_BATCHES))
    return {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "forward_us": {str(b): forward_us(torch, b, share) for b in FORWARD_BATCHES},
        "train_us": {str(b): train_us(torch, b, share) for b in TRAIN_BATCHES},
    }


def load(folder, who):
    files = sorted(glob.glob(os.path.join(folder, who + "-*.json")))
    if not files:
        sys.exit(f"{folder}: there is no {who}-*.json; tests/peer.sh makes them")
    runs = []
    for name in files:
        with open(name, encoding="utf-8") as file:
            runs.append(json.load(file))
    return runs


def middle(runs, figure):
    """Median over the runs, and how far they lie apart: half their range over the median."""
    values = [figure(run) for run in runs]
    median = statistics.median(values)
    return median, (max(values) - min(values)) / 2 / median


def own_us(times):
    """The lesser of the two. Where others use the machine, work of seconds is cut into on the wall and
    ours of a tenth of a millisecond is not: the wall would flatter us."""
    return min(times["wall"], times["processor"])


def cells_us(run, case):
    for line in run["lines"]:
        if (line["group"], line["case"], line["what"]) == ("cells", case, "whole step"):
            return line["us"]["p50"]
    sys.exit(f"the bench left out {case} cells")


def rows(ours, theirs):
    """What, ours, against what, theirs, and the most that the first may be of the second."""

    def of(key):
        return middle(ours, lambda run: run["cnn"][key])

    def p50(key):
        return middle(ours, lambda run: run["cnn"][key]["p50"])

    def forward(batch):
        return middle(theirs, lambda run: own_us(run["forward_us"][batch]))

    trained = {b: middle(theirs, lambda run, b=b: own_us(run["train_us"][b])) for b in theirs[0]["train_us"]}
    best = min(trained, key=lambda b: trained[b][0])
    return [
        ("whole step", p50("step_us"), "PyTorch batch 1", forward("1"), 1 / 20),
        ("critical path", p50("critical_us"), "PyTorch batch 1", forward("1"), 1 / 40),
        ("predict, checkerboard", of("predict_us_per_frame"), "PyTorch batch 64", forward("64"), 1 / 20),
        ("predict, full field", of("predict_full_field_us_per_frame"), "our checkerboard",
         of("predict_us_per_frame"), 1 / 5),
        ("training sample", of("fit_us_per_sample"), f"PyTorch batch {best}", trained[best], 1 / 15),
        ("step, 1000 cells, fact.", middle(ours, lambda run: cells_us(run, "1000, factorised")), "5 cells",
         middle(ours, lambda run: cells_us(run, "5")), 3),
    ]


def fraction(value):
    return f"1/{1 / value:.1f}" if value < 1 else f"{value:.2f}"


def print_ratios(folder):
    ours, theirs = load(folder, "retrace"), load(folder, "peer")
    machine = ours[0]["machine"]
    print(f"{machine['cpu']}, one thread; PyTorch {theirs[0]['torch']}; medians of {len(ours)} and "
          f"{len(theirs)} alternated runs, +- half their range; PyTorch's is its processor time where that is "
          "less than the wall's\n")
    print(f"{'':24} {'us':>10}        {'against':18} {'us':>10}         {'ratio':>8} {'wanted':>8}")
    for what, (us, spread), against, (peer_us, peer_spread), most in rows(ours, theirs):
        ratio = us / peer_us
        print(f"{what:24} {us:10.1f} +-{100 * spread:3.0f}%  {against:18} {peer_us:10.1f} "
              f"+-{100 * peer_spread:3.0f}%  {fraction(ratio):>8} {fraction(most):>8}  "
              f"{'holds' if ratio <= most else 'does not hold'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("time").add_argument("--seconds", type=float, default=10)
    commands.add_parser("ratios").add_argument("folder")
    options = parser.parse_args()
    if options.command == "ratios":
        print_ratios(options.folder)
        return
    try:
        import torch
    except ImportError:
        print("skipped: there is no PyTorch here (Debian: python3-torch)", file=sys.stderr)
        sys.exit(77)
    json.dump(measure(torch, options.seconds), sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
