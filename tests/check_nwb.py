#!/usr/bin/env python3
"""Is this an NWB 2.7 file?  usage: check_nwb.py FILE [--times TIMING.csv] [--cut] [--run FOLDER [--rig]]

A structural check by the NWB core 2.7.0 and hdmf-common 1.8.0 schemas, as far as Retrace uses them,
over an independent reader (h5py). One line for each fault; exit status 1 when there is any.
--times: the onsets of `retrace timing`, which the trials and events must repeat to a microsecond.
--run: the run folder, all of whose models are simulated ones.
--rig: the run had a rig, and must have its pulses and what came in; without it there must be none.
--cut: the file may hold fewer of them, from the first on.
"""
import csv
import re
import sys

import h5py
import numpy

TYPES = {  # type: (namespace, is a group)
    "NWBFile": ("core", True), "TimeSeries": ("core", True), "TimeIntervals": ("core", True),
    "ProcessingModule": ("core", True), "Device": ("core", True), "ScratchData": ("core", False),
    "DynamicTable": ("hdmf-common", True), "VectorData": ("hdmf-common", False),
    "ElementIdentifiers": ("hdmf-common", False),
}
PLACES = {  # group: types it may hold
    "/acquisition": {"TimeSeries", "DynamicTable"}, "/intervals": {"TimeIntervals"},
    "/analysis": {"TimeSeries", "DynamicTable"}, "/processing": {"ProcessingModule"},
    "/stimulus/presentation": {"TimeSeries", "DynamicTable"}, "/stimulus/templates": {"TimeSeries"},
    "/general/devices": {"Device"}, "/scratch": {"ScratchData", "DynamicTable", "TimeSeries"},
}
GENERAL_SCALARS = {"experiment_description", "protocol", "stimulus", "notes", "source_script", "session_id"}
GENERAL_LISTS = {"keywords", "experimenter", "related_publications"}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")
faults = []


def wrong(where, what):
    faults.append("%s: %s" % (where, what))


def is_text_type(dtype):
    info = h5py.check_string_dtype(dtype)
    return info is not None and info.length is None and info.encoding == "utf-8"


def text_of(where, item, shape=()):
    """Value of a data set of variable-length UTF-8 text of so many dimensions."""
    if not is_text_type(item.dtype):
        wrong(where, "is no variable-length UTF-8 text")
    if len(item.shape) != len(shape):
        wrong(where, "has %d dimensions, wanted %d" % (len(item.shape), len(shape)))
        return None
    return item.asstr()[()]


def attribute(item, name, is_list=False):
    if name not in item.attrs:
        wrong(item.name, "lacks the attribute %s" % name)
        return None
    raw = item.attrs.get_id(name)
    if not is_text_type(raw.dtype):
        wrong(item.name, "attribute %s is no variable-length UTF-8 text" % name)
    if (len(raw.shape) == 1) != is_list:
        wrong(item.name, "attribute %s is %sa list" % (name, "not " if is_list else ""))
    value = item.attrs[name]
    if not is_list and value == "":
        wrong(item.name, "attribute %s is empty" % name)
    return value


def number_attribute(item, name, dtype):
    if name not in item.attrs:
        return wrong(item.name, "lacks the attribute %s" % name)
    if item.attrs.get_id(name).dtype != dtype:
        wrong(item.name, "attribute %s is %s, wanted %s" % (name, item.attrs.get_id(name).dtype, dtype))
    return item.attrs[name]


def kind_of(item):
    kind = item.attrs.get("neurodata_type")
    return kind if isinstance(kind, str) else None


def check_typed(file):
    ids = {}

    def visit(name, item):
        kind = kind_of(item)
        if kind is None:
            if "namespace" in item.attrs or "object_id" in item.attrs:
                wrong(item.name, "is half typed")
            return
        namespace, is_group = TYPES.get(kind, (None, None))
        if namespace is None:
            return wrong(item.name, "is of the unknown type %s" % kind)
        if attribute(item, "namespace") != namespace:
            wrong(item.name, "is not of the namespace %s" % namespace)
        if isinstance(item, h5py.Group) != is_group:
            wrong(item.name, "is the wrong kind of object for %s" % kind)
        number = attribute(item, "object_id") or ""
        if not UUID.match(number):
            wrong(item.name, "object_id is no UUID: %s" % number)
        if number in ids:
            wrong(item.name, "has the object_id of %s" % ids[number])
        ids[number] = item.name
        if kind not in ("NWBFile", "ElementIdentifiers", "ScratchData") and not attribute(item, "description"):
            wrong(item.name, "has no description")

    visit("/", file["/"])
    file.visititems(visit)


def check_root(file):
    if attribute(file["/"], "nwb_version") != "2.7.0":
        wrong("/", "nwb_version is not 2.7.0")
    if kind_of(file["/"]) != "NWBFile":
        wrong("/", "is no NWBFile")
    for name in ("identifier", "session_description", "session_start_time", "timestamps_reference_time"):
        value = text_of("/" + name, file[name]) if name in file else wrong("/", "lacks " + name)
        if not value:
            wrong("/" + name, "is empty")
        elif name.endswith("_time") and not DATE.match(value):
            wrong("/" + name, "is no ISO 8601 date with a zone: " + value)
    if "file_create_date" not in file:
        wrong("/", "lacks file_create_date")
    else:
        dates = text_of("/file_create_date", file["file_create_date"], (1,))
        if dates is None or len(dates) < 1 or not all(DATE.match(d) for d in dates):
            wrong("/file_create_date", "is no list of dates")
    for name in ("acquisition", "analysis", "processing", "stimulus", "stimulus/presentation",
                 "stimulus/templates", "general"):
        if name not in file or not isinstance(file[name], h5py.Group):
            wrong("/", "lacks the group " + name)
    known = {"identifier", "session_description", "session_start_time", "timestamps_reference_time",
             "file_create_date", "acquisition", "analysis", "processing", "stimulus", "general",
             "intervals", "scratch"}
    for name in file:
        if name not in known:
            wrong("/" + name, "has no place in NWB 2.7")


def check_places(file):
    for place, kinds in PLACES.items():
        for name, item in (file[place].items() if place in file else ()):
            if kind_of(item) not in kinds:
                wrong(item.name, "a %s has no place in %s" % (kind_of(item), place))
            if "/" in name or "\\" in name or ":" in name:
                wrong(item.name, "is a name readers cannot take")
    for name, item in file["general"].items():
        if name in GENERAL_SCALARS:
            text_of(item.name, item)
        elif name in GENERAL_LISTS:
            text_of(item.name, item, (1,))
        elif name != "devices":
            wrong(item.name, "has no place in /general")
    script = file["general"].get("source_script")
    if script is not None:
        attribute(script, "file_name")


def check_series(item):
    data = item.get("data")
    if data is None:
        return wrong(item.name, "lacks data")
    if not attribute(data, "unit"):
        wrong(data.name, "has no unit")
    for name in ("conversion", "offset", "resolution"):
        number_attribute(data, name, numpy.float32)
    if data.attrs.get("resolution") == 0:
        wrong(data.name, "has a resolution of 0")
    if data.attrs.get("continuity", "step") not in ("continuous", "instantaneous", "step"):
        wrong(data.name, "continuity is not of the list")
    if data.shape[0] == 0:
        wrong(data.name, "is empty")
    if ("timestamps" in item) == ("starting_time" in item):
        wrong(item.name, "must have one of timestamps and starting_time")
    if "timestamps" in item:
        times = item["timestamps"]
        number_attribute(times, "interval", numpy.int32)
        if times.dtype != numpy.float64 or times.shape != data.shape[:1]:
            wrong(times.name, "must be float64, one a row of data")
        values = times[()]
        if not (numpy.all(numpy.diff(values) > 0) and values[0] >= 0):
            wrong(times.name, "must rise from 0 or above")
    else:
        times = item["starting_time"]
        if times.dtype != numpy.float64 or times.shape != ():
            wrong(times.name, "must be one float64")
        if not number_attribute(times, "rate", numpy.float32) > 0:
            wrong(times.name, "has no rate")
    if attribute(times, "unit") != "seconds":
        wrong(times.name, "unit is not seconds")


def check_table(item):
    names = attribute(item, "colnames", True)
    names = [] if names is None else list(names)
    columns = {n for n in item if n != "id"}
    if set(names) != columns or len(names) != len(columns):
        wrong(item.name, "colnames %s are not its columns %s" % (sorted(names), sorted(columns)))
    if "id" not in item:
        return wrong(item.name, "lacks id")
    ids = item["id"]
    if kind_of(ids) != "ElementIdentifiers" or ids.dtype.kind != "i" or ids.dtype.itemsize < 4:
        wrong(ids.name, "must be ElementIdentifiers of int32 or int64")
    rows = ids.shape[0]
    if rows == 0 or list(ids[()]) != list(range(rows)):
        wrong(ids.name, "must count from 0")
    for name in columns:
        column = item[name]
        if kind_of(column) != "VectorData":
            wrong(column.name, "is no VectorData")
        if column.shape[:1] != (rows,):
            wrong(column.name, "has not as many rows as id")
        if column.dtype.kind == "O":
            text_of(column.name, column, (1,))
        if name.startswith("is_") and column.dtype != bool:  # h5py's enum of FALSE and TRUE
            wrong(column.name, "is no bool as h5py has it")


def check_intervals(item):
    for name in ("start_time", "stop_time"):
        if name not in item:
            return wrong(item.name, "lacks " + name)
        if item[name].dtype != numpy.float64:
            wrong(item[name].name, "must be float64")
    start, stop = item["start_time"][()], item["stop_time"][()]
    if not (numpy.all(numpy.diff(start) >= 0) and numpy.all(stop >= start) and start[0] >= 0):
        wrong(item.name, "times must rise from 0 and stop after they start")


def check_objects(file):
    def visit(name, item):
        kind = kind_of(item)
        if kind == "TimeSeries":
            check_series(item)
        elif kind in ("DynamicTable", "TimeIntervals"):
            check_table(item)
        elif kind == "ProcessingModule":
            for member in item.values():
                if kind_of(member) not in ("TimeSeries", "DynamicTable"):
                    wrong(member.name, "has no place in a module")
        elif kind == "ScratchData":
            attribute(item, "notes")
        if kind == "TimeIntervals":
            check_intervals(item)
        if isinstance(item, h5py.Dataset) and item.shape == () and item.dtype.kind == "u":
            wrong(item.name, "is one unsigned number, which readers cannot take")

    file.visititems(visit)
    for group in (file[p] for p in ("/processing/misc",) if p in file):
        for item in group.values():
            if kind_of(item) == "TimeSeries" and item["data"].attrs["unit"] != "Hz":
                wrong(item.name, "rates are not in Hz")


def check_links(file):
    def visit(name, link):
        if isinstance(link, h5py.SoftLink) and (link.path not in file or not link.path.startswith("/")):
            wrong("/" + name, "leads nowhere")

    if hasattr(file, "visititems_links"):
        file.visititems_links(visit)


def check_times(file, path, may_be_cut):
    with open(path) as table:
        rows = list(csv.DictReader(table))
    events = file["/intervals/stimulus_events"]
    names, times = events["event"].asstr()[()], events["start_time"][()]
    if len(names) != len(rows) and not (may_be_cut and len(names) < len(rows)):
        wrong(events.name, "%d events, `retrace timing` has %d" % (len(names), len(rows)))
    for name, time, row in zip(names, times, rows):
        if name != row["event"] or abs(time - int(row["time_ns"]) * 1e-9) > 1e-6:
            wrong(events.name, "%s at %.9f, `retrace timing` has %s at %s"
                  % (name, time, row["event"], row["time_s"]))
    trials = file["/intervals/trials"]
    onsets = [int(r["time_ns"]) * 1e-9 for r in rows if r["event"] == "stimulus_onset"]
    for got, wanted in zip(trials["stimulus_onset_time"][()], onsets):
        if not (abs(got - wanted) <= 1e-6 or (may_be_cut and numpy.isnan(got))):
            wrong(trials.name, "onset at %.9f, `retrace timing` has %.9f" % (got, wanted))
    codes = [(int(r["time_ns"]) * 1e-9, int(r["trigger_code"])) for r in rows if r["trigger_code"] != "0"]
    if "ttl_pulses" in file["/intervals"] and "/acquisition/frame_flips" not in file:
        pulses = file["/intervals/ttl_pulses"]
        got = list(zip(pulses["start_time"][()], pulses["code"][()]))
        if len(got) != len(codes) or any(abs(g[0] - c[0]) > 1e-6 or g[1] != c[1] for g, c in zip(got, codes)):
            wrong(pulses.name, "pulses are not those of `retrace timing`")


def read_tsv(path):
    with open(path) as table:
        names = table.readline().rstrip("\n").split("\t")
        return [dict(zip(names, line.rstrip("\n").split("\t"))) for line in table if line.endswith("\n")]


def check_pulses(file, folder, frames, zero_ns):
    """One pulse on the frame's line for each frame that was sent one, at the recorded time and of the rig's
    width; the code's lines with it where it was due; none on the line that is high for the run."""
    with open(folder + "/run.yaml") as text:
        width = int(re.search(r"^  pulse_us: (\d+)$", text.read(), re.M).group(1))
    wanted, code = [], 0
    for frame in frames:
        code = int(frame["trigger_code"]) or code
        if frame["missed"] == "0":
            if frame["trigger"] == "sent":
                at = (int(frame["trigger_completed_ns"]) - zero_ns) * 1e-9
                wanted.append((at, "0", 0))
                wanted += [(at, str(bit + 2), code) for bit in range(6) if code >> bit & 1]
            code = 0
    pulses = file["/intervals/ttl_pulses"]
    start, stop = pulses["start_time"][()], pulses["stop_time"][()]
    got = list(zip(start, pulses["line"].asstr()[()], pulses["code"][()]))
    if len(got) != len(wanted) or any(abs(g[0] - w[0]) > 1e-6 or g[1:] != w[1:] for g, w in zip(got, wanted)):
        wrong(pulses.name, "%d pulses are not the %d of frames.tsv" % (len(got), len(wanted)))
    if numpy.max(numpy.abs(stop - start - width * 1e-6)) > 1e-6:
        wrong(pulses.name, "pulses are not of the rig's %d us" % width)


def check_rig_events(file, folder, zero_ns):
    """What came in is what events.tsv has: times, errors, lines and codes."""
    protocol = {"trial_start", "stimulus_onset", "flash", "omitted_flash", "turn", "stimulus_end", "trial_end"}
    rows = [r for r in read_tsv(folder + "/events.tsv") if r["event"] not in protocol]
    if ("rig_events" in file["/acquisition"]) != bool(rows):
        return wrong("/acquisition/rig_events", "%d events were heard" % len(rows))
    if not rows:
        return None
    table = file["/acquisition/rig_events"]

    def seconds(name, zero=0):
        return numpy.array([(int(r[name]) - zero) * 1e-9 if int(r[name]) >= 0 else numpy.nan for r in rows])

    wanted = {"time": seconds("session_ns", zero_ns), "time_error": seconds("error_ns"),
              "device_clock": seconds("device_ns"), "corrected": seconds("corrected_ns", zero_ns)}
    for name, values in wanted.items():
        if numpy.all(numpy.isnan(values)) != (name not in table):
            wrong(table.name, "%s: there, or not, against events.tsv" % name)
        elif name in table and not numpy.allclose(table[name][()], values, rtol=0, atol=1e-6, equal_nan=True):
            wrong(table.name, "%s is not that of events.tsv" % name)
    for name in ("line", "bits", "count", "refresh", "trial"):
        if list(table[name][()]) != [int(r[name]) for r in rows]:
            wrong(table.name, "%s is not that of events.tsv" % name)
    if list(table["event"].asstr()[()]) != [r["event"] for r in rows]:
        wrong(table.name, "event is not that of events.tsv")
    return None


def check_run(file, folder, has_rig):
    """Frame times and rates are those of the run folder."""
    frames = read_tsv(folder + "/frames.tsv")
    zero_ns = int(frames[0]["vblank_ns"])
    if has_rig:
        check_pulses(file, folder, frames, zero_ns)
        check_rig_events(file, folder, zero_ns)
    elif "ttl_pulses" in file["/intervals"] or "rig_events" in file["/acquisition"]:
        wrong("/", "has pulses or events of a rig, and there was none")
    shown = [(int(f["image"]), int(f["vblank_ns"])) for f in frames if f["missed"] == "0"]
    flips = file["/acquisition/frame_flips"]
    if list(flips["data"][()]) != [image for image, _ in shown]:
        wrong(flips.name, "images are not those of frames.tsv")
    if "timestamps" in flips:
        times = flips["timestamps"][()]
    else:
        start = flips["starting_time"]
        times = start[()] + numpy.arange(len(shown)) / float(start.attrs["rate"])
    wanted = (numpy.array([ns for _, ns in shown]) - int(frames[0]["vblank_ns"])) * 1e-9
    if numpy.max(numpy.abs(times - wanted)) > 1e-6:
        wrong(flips.name, "times are not those of frames.tsv")
    with open(folder + "/run.yaml") as text:
        models = re.findall(r'^- name: "(.*)"$', text.read().partition("models:")[2], re.M)
    if not models:
        return None if "misc" not in file["/processing"] else wrong("/processing/misc", "there was no model")
    rates = numpy.hstack([file["/processing/misc/%s_rates/data" % name.replace("/", "_")][()] for name in models])
    kept = numpy.fromfile(folder + "/rates.f32", "<f4")
    kept = kept[: len(kept) // rates.shape[1] * rates.shape[1]].reshape(-1, rates.shape[1])[: len(frames)]
    if not numpy.array_equal(rates, kept, equal_nan=True):
        wrong("/processing/misc", "rates are not those of rates.f32")
    for name in models:
        if "SIMULATED" not in file["/processing/misc/%s_rates" % name.replace("/", "_")].attrs["description"]:
            wrong(name, "is not said to be simulated")
    if "simulated" not in file["session_description"].asstr()[()]:
        wrong("session_description", "does not say what is simulated")
    return None


def main():
    path, options = sys.argv[1], sys.argv[2:]
    with h5py.File(path, "r") as file:
        check_root(file)
        check_typed(file)
        check_places(file)
        check_objects(file)
        check_links(file)
        if "--times" in options:
            check_times(file, options[options.index("--times") + 1], "--cut" in options)
        if "--run" in options:
            check_run(file, options[options.index("--run") + 1], "--rig" in options)
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


main()
