"""Inferometer runner SDK: one file, standard library only, Python 3.6 and later.

A runner imports this file before anything else, describes its runtime as a subclass of :class:`Runner`
and ends with ``sdk.serve(ThatClass)``. The SDK speaks the protocol (PROTOCOL.md), owns the phases and
the timed loop, and turns every exception into one coded error.
"""

import ast
import contextlib
import gc
import hashlib
import importlib
import json
import math
import mmap
import os
import select
import signal
import sys
import time
import traceback
import types

# Claimed at import: whatever a library prints later, through Python or through C, lands on stderr.
OUT = os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)

SDK_VERSION = "1.3.0"
PROTOCOLS = ["1.3.0"]
REQUEST_LIMIT_BYTES = 1 << 20
# fmt: off
# Fields of a request with their defaults; a type instead of a default makes a field required.
FIELDS = {
    "threads": 1, "batch": 1, "accelerator": "cpu", "options": {}, "idle_ns": 0, "idle_after_ns": 0,
    "outputs": True, "model": {}, "inputs": "", "output_dir": "", "duration_ns": 10**9, "driver": {},
    "warmup": {"window": 20, "cap": 300, "max_duration_ns": 60 * 10**9, "settle": 3},
    "measure": {"min_duration_ns": 10**9, "min_iterations": 64, "max_iterations": 10**7},
}
# fmt: on
POSITIVE = ("threads", "batch", "window", "min_iterations", "max_iterations", "samples_per_query")
MODEL = {"path": str, "format": str, "sha256": str}
COMMANDS = {
    "describe": {},
    "inspect": {"model": MODEL},
    "compile": {"model": MODEL, "output_dir": str},
    "run": {"model": MODEL, "inputs": str},
    "probe": {},
}
CHUNK = 4096  # latencies per message
HARNESS_COUNT = 1000
ROOT_CGROUP_NAMESPACE = "cgroup:[4026531835]"  # the kernel numbers the first one so
EXHAUSTED = ("out of memory", "bad_alloc", "allocate memory", "failed to allocate", "no space left")
DTYPES = {"f": "float", "i": "int", "u": "uint"}  # numpy kinds

if hasattr(time, "perf_counter_ns"):
    clock, NS_PER_TICK, TICK_FORMAT, ticks = time.perf_counter_ns, 1, "q", int  # novm
else:  # Python 3.6 counts in float seconds; they are scaled after the window, so the loop is the same
    clock, NS_PER_TICK, TICK_FORMAT, ticks = time.perf_counter, 1e9, "d", (lambda ns: ns / 1e9)


def now_ns():
    """CLOCK_MONOTONIC in ns; on Linux ``perf_counter`` reads that clock."""
    return int(clock() * NS_PER_TICK)


class RunnerError(Exception):
    """A failure with its protocol code: protocol, model, unsupported, resource, accelerator, x-*."""

    def __init__(self, code, message, details=None):
        Exception.__init__(self, message)
        self.code, self.message, self.details = code, message, details or {}


class Runner:
    """What a runner tells about its runtime. A subclass sets the fields and defines, besides ``compile``:

    ``version()``: import the runtime (the phase ``import``) and return its version;
    ``load()``: read ``request.model`` and make the session; what it raises becomes error/model;
    ``signature()``: ``{"inputs": [...], "outputs": [...]}``, each made by :func:`tensor`;
    ``bind(index)``: a callable without arguments, one complete inference on tensor ``index`` of the inputs;
    ``outputs()``: ``(shape, flat values)`` of the first output of the last inference;
    ``placement()``: ``{"executed": {where: nodes or None}, "nodes": [...], "notes": [...]}``.
    """

    runtime = "?"
    formats = ()  # artifact formats it loads
    accelerators = ("cpu",)
    options = {}  # name -> allowed values, the first is the default; "*" allows any string
    request = None  # set before ``version``: the fields of FIELDS as attributes, checked
    phase = "request"  # the phase under way

    def compile(self):
        """Write a machine-made artifact below ``request.output_dir``; return ``(path, format)``."""
        raise RunnerError("unsupported", f"{self.runtime} compiles nothing for these options")

    def target(self):
        """What a compiled artifact is good for beside its image (GPU, driver), or None."""

    def parts(self):
        """Steps of an inference timed apart, outside the window: ``{name: [ns, ...]}``."""
        return {}

    def close(self):
        """Remove what was left below /tmp; called last."""


def tensor(name, shape, dtype, quantization=None):
    """One tensor of a signature; sizes the model leaves open are None or words."""
    return {"name": name, "shape": list(shape), "dtype": dtype, "quantization": quantization}


def checked(given, wanted, label=""):
    """The fields of ``wanted`` as ``given`` or by default. Raises RunnerError."""
    fields = {}
    for name, default in wanted.items():
        kind = default if isinstance(default, type) else type(default)
        value = given.get(name, {} if kind is dict else default)
        if type(value) is not kind:
            raise RunnerError("protocol", f"request: {label}{name} must be given as {kind.__name__}")
        if kind is int and not (name in POSITIVE) <= value <= 2**53 or kind is str and "\0" in value:
            raise RunnerError("protocol", f"request: {label}{name} is out of range")
        fields[name] = checked(value, default, label + name + ".") if kind is dict and default else value
    return fields


def read_request(line, command, runner):
    """The request in ``line`` (bytes) with the fields of ``FIELDS``. Raises RunnerError."""
    if command not in COMMANDS:
        raise RunnerError("protocol", f"command {command!r} is unknown; known: {', '.join(COMMANDS)}")
    if len(line) > REQUEST_LIMIT_BYTES:
        raise RunnerError("protocol", f"request: longer than {REQUEST_LIMIT_BYTES} bytes")
    try:
        data = json.loads(line.decode("utf-8")) if line or command != "describe" else {"protocol": 1}
    except (ValueError, RecursionError) as error:
        raise RunnerError("protocol", f"request: not a line of JSON: {error}") from None
    protocol = data.get("protocol") if type(data) is dict else None
    if type(protocol) is not int or protocol != 1:
        raise RunnerError("protocol", "request: no object with protocol 1", {"protocols": PROTOCOLS})
    wanted = dict(FIELDS, accelerator=runner.accelerators[0], **COMMANDS[command])
    request = types.SimpleNamespace(**checked(data, wanted))
    wishes = [("accelerator", request.accelerator, runner.accelerators)]
    for name, value in request.options.items():
        wishes.append(("option", name, sorted(runner.options)))
        wishes.append(("option " + name, value, runner.options.get(name, ())))
    if "model" in COMMANDS[command]:
        wishes.append(("format", request.model["format"], runner.formats))
    for what, wish, known in wishes:
        if wish not in known and not ("*" in known and type(wish) is str):
            message = f"{what} {wish!s:.60} is not supported; known: {', '.join(known) or 'none'}"
            raise RunnerError("unsupported", message, {"known": list(known)})
    request.options = dict({name: values[0] for name, values in runner.options.items()}, **request.options)
    return request


def npy_header(path):
    """``(shape, dtype name)`` of a C-order ``.npy`` file with at least one tensor. Raises RunnerError."""
    try:
        with open(path, "rb") as file:
            magic = file.read(8)
            size = int.from_bytes(file.read(2 if magic[6:7] == b"\x01" else 4), "little")
            fields = ast.literal_eval(file.read(size).decode("latin-1").strip())
        if magic[:6] != b"\x93NUMPY" or fields["fortran_order"] or not fields["shape"][0]:
            raise ValueError("must be in C order with at least one tensor")
        return fields["shape"], DTYPES[fields["descr"][1]] + str(8 * int(fields["descr"][2:]))
    except Exception as error:  # whatever the file is made of
        raise RunnerError("protocol", f"request: inputs {path} is no .npy file: {error}") from None


def check_inputs(path, inputs):
    """Refuse input tensors that are not what the model takes; sizes the model leaves open fit any."""
    if len(inputs) != 1:
        raise RunnerError("unsupported", "the model takes %d inputs; one can be fed" % len(inputs))
    (_, *shape), dtype = npy_header(path)
    wanted = [want if isinstance(want, int) else have for want, have in zip(inputs[0]["shape"], shape)]
    if len(inputs[0]["shape"]) != len(shape) or wanted != shape or inputs[0]["dtype"] != dtype:
        theirs, takes = f"{dtype} {shape}", f"{inputs[0]['dtype']} {inputs[0]['shape']}"
        raise RunnerError("protocol", f"request: inputs {path} hold {theirs}; the model takes {takes}")


def file_sha256(path):
    """SHA-256 of a file in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def timed_loop(infer, values, min_ticks, min_iterations, max_iterations, clock=clock):
    """Time ``infer()`` until both minima are met or at the maximum; fill ``values``, return the count."""
    last = min_iterations - 1
    deadline = clock() + min_ticks
    for index in range(max_iterations):
        start = clock()
        infer()
        end = clock()
        values[index] = end - start
        if end >= deadline and index >= last:
            break
    return index + 1


def allocate(count, expected=0):
    """Room for ``count`` latencies; the pages of the first ``expected`` are touched before the window."""
    pages = mmap.mmap(-1, 8 * count, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    values = memoryview(pages).cast(TICK_FORMAT)
    for index in range(0, min(count, expected), mmap.PAGESIZE // 8):
        values[index] = 0
    return values


def in_ns(values):
    """Ticks as whole ns."""
    return [int(value * NS_PER_TICK) for value in values]


def quartiles(values):
    """Lower quartile, median, upper quartile, by linear interpolation."""
    ordered = sorted(values)
    places = [quarter * (len(ordered) - 1) / 4 for quarter in (1, 2, 3)]
    return [ordered[int(at)] + (ordered[math.ceil(at)] - ordered[int(at)]) * (at % 1) for at in places]


def is_steady(earlier, later):
    """Whether two windows agree: quartiles within 5 %, MAD within 10 %, mean within -50 % to +10 %."""
    (low1, middle1, high1), (low2, middle2, high2) = quartiles(earlier), quartiles(later)
    mad1 = quartiles([abs(value - middle1) for value in earlier])[1]
    mad2 = quartiles([abs(value - middle2) for value in later])[1]
    mean1, mean2 = sum(earlier) / len(earlier), sum(later) / len(later)
    pairs = ((low1, low2, 0.05), (high1, high2, 0.05), (mad1, mad2, 0.1))
    same = all(abs(one - two) <= limit * two for one, two, limit in pairs)
    return same and -0.5 * mean2 <= mean1 - mean2 <= 0.1 * mean2


def warm_up(infer, window, cap, max_duration_ns, **_):
    """Infer until steady, or until the cap or the time is spent; return (ticks, steady)."""
    values, cell, steady = [], allocate(1), False
    deadline = clock() + ticks(max_duration_ns)
    while not steady and len(values) < cap and clock() < deadline:
        timed_loop(infer, cell, 0, 1, 1)
        values.append(cell[0])
        steady = len(values) >= 2 * window and is_steady(values[-2 * window : -window], values[-window:])
    return values, steady


def read_text(*path):
    """A small file as text, or None where it cannot be read."""
    try:
        with open(os.path.join(*path)) as file:
            return file.read().strip()
    except OSError:
        return None


def vm_hwm_bytes(root="/"):
    """Peak resident memory of this process since it began or since :func:`reset_vm_hwm`, or None."""
    lines = (read_text(root, "proc/self/status") or "").splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), None)


def reset_vm_hwm(root="/"):
    """Let VmHWM begin anew at what is resident now; None, or why that could not be done.

    Linux does so when "5" is written to ``clear_refs`` (proc(5), since 4.0): one's own takes no privilege.
    """
    try:
        with open(os.path.join(root, "proc/self/clear_refs"), "w") as file:
            file.write("5")
    except OSError as error:
        return f"VmHWM could not be reset after load: /proc/self/clear_refs: {error.strerror}"
    return None


def cgroup_peak(root="/"):
    """``(peak bytes, cgroup version, reason)`` of this process's memory cgroup; None where unknown."""
    groups = [line.split(":", 2) for line in (read_text(root, "proc/self/cgroup") or "").splitlines()]
    first = [path for _, names, path in groups if "memory" in names.split(",")]
    version, name = (1, "memory.max_usage_in_bytes") if first else (2, "memory.peak")
    path = (first or [path for _, names, path in groups if not names] or [None])[0]
    if path is None:
        return None, None, "/proc/self/cgroup names no memory cgroup"
    # In a private cgroup namespace "/" is the container; in the machine's own it is everything.
    namespace = os.path.join(root, "proc/self/ns/cgroup")
    if path == "/" and (not os.path.lexists(namespace) or os.readlink(namespace) == ROOT_CGROUP_NAMESPACE):
        return None, version, "the process lies in the machine's root cgroup"
    for line in (read_text(root, "proc/self/mountinfo") or "").splitlines():
        (_, _, _, top, place, *_), (kind, *rest) = [part.split() for part in line.split(" - ", 1)]
        ours = kind == "cgroup2" if version == 2 else kind == "cgroup" and "memory" in rest[-1].split(",")
        top = top.rstrip("/")
        if ours and (path + "/").startswith(top + "/"):
            text = read_text(root, place.lstrip("/"), path[len(top) :].strip("/"), name)
            if text is None or not int(text):
                return None, version, name + (" is not there" if text is None else " reads 0")
            return int(text), version, None
    return None, version, f"cgroup {path} lies below no mounted memory cgroup"


def end_load(root="/"):
    """``(VmHWM, cgroup_peak())`` of load, and why the inferences' own VmHWM cannot be told from it, or None.

    From here on VmHWM is that of the inferences. The cgroup's peak goes on: a container may not reset it.
    """
    return vm_hwm_bytes(root), cgroup_peak(root), reset_vm_hwm(root)


def read_footprint(load, root="/"):
    """The fields of ``footprint``; ``load`` is what :func:`end_load` gave."""
    load_peak, (load_cgroup, _, load_reason), stuck = load
    peak, (cgroup, version, reason) = vm_hwm_bytes(root), cgroup_peak(root)
    fields = {
        "vm_hwm_bytes": max(filter(None, (load_peak, peak)), default=None),
        "load_vm_hwm_bytes": load_peak,
        "inference_vm_hwm_bytes": None if stuck else peak,
        "cgroup_peak_bytes": cgroup,
        "load_cgroup_peak_bytes": load_cgroup,
    }
    known = {
        "inference_vm_hwm_bytes": peak and stuck,
        "cgroup_peak_bytes": reason,
        "load_cgroup_peak_bytes": load_reason,
    }
    why = {
        name: known.get(name) or "/proc/self/status has no VmHWM"
        for name, value in fields.items()
        if value is None
    }
    return dict(fields, cgroup_version=version, reasons=why)


class Session:
    """One command of one runner: sends the messages and walks the phases."""

    def __init__(self, runner):
        self.runner, self.held = runner, []

    def verify(self, model):
        """Refuse an artifact with another SHA-256."""
        self.runner.phase = "load"  # a missing file is as bad as one the runtime refuses
        found = file_sha256(model["path"])
        if found != model["sha256"]:
            raise RunnerError("model", f"{model['path']} has SHA-256 {found}, not {model['sha256']}")

    def hold(self, kind, **fields):
        """Queue one message; it is written with the next one that is sent."""
        self.held.append(dict({"type": kind}, **fields))

    def send(self, kind=None, **fields):
        """Write what is held and, if given, one message more."""
        if kind:
            self.hold(kind, **fields)
        messages, self.held = self.held, []
        lines = [json.dumps(message, separators=(",", ":"), allow_nan=False) + "\n" for message in messages]
        OUT.write("".join(lines).encode("utf-8"))
        OUT.flush()

    @contextlib.contextmanager
    def phase(self, name, quiet=False):
        """Mark both edges; what the body puts into the yielded dict goes with the second one.

        The end waits for the next message, with ``quiet`` the start too: no reader wakes up meanwhile.
        """
        self.runner.phase, extra = name, {}
        (self.hold if quiet else self.send)("phase", name=name, edge="start", t_ns=now_ns())
        yield extra
        self.hold("phase", name=name, edge="end", t_ns=now_ns(), **extra)

    def inspect(self, request):
        """Load the model and tell its signature."""
        with self.phase("load"):
            self.runner.load()
            signature = self.runner.signature()
        self.send("model", **signature)
        return 0

    def compile(self, request):
        """Make the machine's own artifact."""
        start = now_ns()
        with self.phase("compile"):
            path, kind = self.runner.compile()
        build_ns = now_ns() - start
        fields = {"path": path, "format": kind, "sha256": file_sha256(path), "bytes": os.path.getsize(path)}
        self.send("artifact", build_ns=build_ns, **fields)
        return 0

    def probe(self, request):
        """Measure what the processor could do at most."""
        if request.accelerator != "cpu":
            raise RunnerError("unsupported", "only the processor's ceilings are measured")
        self.runner.phase = "probe"
        self.send("probe", **beside("ceilings").measure(request.threads, request.duration_ns))
        return 0

    def run(self, request):
        """Load, first, warm-up, idle, settle, measure, idle after, outputs; return the timed iterations."""
        runner, (tensors, *_) = self.runner, npy_header(request.inputs)[0]
        driver = beside("loadgen").Driver(request) if request.driver else None
        with self.phase("load"):
            runner.load()
            signature = runner.signature()
            check_inputs(request.inputs, signature["inputs"])
            infer = runner.bind(0)
        load_peaks = end_load()
        self.send("model", **signature)
        values = allocate(HARNESS_COUNT, HARNESS_COUNT)
        timed_loop(lambda: None, values, 0, HARNESS_COUNT, HARNESS_COUNT)
        self.send("harness", values_ns=in_ns(values))
        with self.phase("first"):
            timed_loop(infer, values, 0, 1, 1)
        latencies = {"first": [values[0]]}
        with self.phase("warmup") as extra:
            latencies["warmup"], extra["steady"] = warm_up(infer, **request.warmup)
        self.send()
        if request.idle_ns:
            with self.phase("idle"):
                time.sleep(request.idle_ns / 1e9)
        minima = ticks(request.measure["min_duration_ns"]), request.measure["min_iterations"]
        fastest = max(min(latencies["first"] + latencies["warmup"]), ticks(100))
        # Before room for latencies is made: a fast runtime would be charged for more of it.
        footprint = read_footprint(load_peaks)
        values = allocate(request.measure["max_iterations"], minima[1] + int(minima[0] / fastest))
        gc.collect()
        gc.disable()
        if request.warmup["settle"]:
            with self.phase("settle"):
                for _ in range(request.warmup["settle"]):
                    infer()
        with self.phase("measure", quiet=True):
            if driver:
                iterations = driver.drive(infer, values, fastest * NS_PER_TICK)
            else:
                iterations = timed_loop(infer, values, *minima, request.measure["max_iterations"])
        if request.idle_after_ns:
            with self.phase("idle_after", quiet=True):
                time.sleep(request.idle_after_ns / 1e9)
        gc.enable()
        latencies["measure"] = values[:iterations]
        for name, series in latencies.items():
            for start in range(0, len(series), CHUNK):
                values_ns = in_ns(series[start : start + CHUNK])
                self.send("latencies", phase=name, start=start, values_ns=values_ns)
        if driver:
            self.send("loadgen", **driver.told)
        self.send("footprint", **footprint)
        for name, values_ns in runner.parts().items():
            self.send("parts", name=name, values_ns=values_ns)
        if request.outputs:
            with self.phase("outputs"):
                for index in range(tensors):
                    runner.bind(index)()
                    shape, flat = runner.outputs()
                    # JSON has no NaN and no infinity; x - x is 0 for every other number.
                    values = [value if value - value == 0 else None for value in flat]
                    self.send("outputs", index=index, shape=list(shape), values=values)
            self.send()
        placement = dict({"nodes": [], "notes": []}, **runner.placement())
        self.send("placement", requested=request.accelerator, **placement)
        return iterations


def beside(name):
    """A module that lies beside this file, or error/unsupported: some images hold this file alone."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        if getattr(error, "name", None) != name:
            raise
        raise RunnerError("unsupported", f"{name}.py does not lie beside the SDK") from None


def read_clock():
    """The identity of CLOCK_MONOTONIC here, for the host to compare with its own."""
    namespace, boot = "/proc/self/ns/time", read_text("/proc/sys/kernel/random/boot_id")
    time_namespace = os.readlink(namespace) if os.path.lexists(namespace) else None
    return {"boot_id": boot, "time_namespace": time_namespace, "t_ns": now_ns()}


def as_error(error, phase):
    """The fields of ``error`` for any exception."""
    if isinstance(error, RunnerError):
        return {"code": error.code, "message": error.message, "details": dict(error.details, phase=phase)}
    text = str(error).strip() or type(error).__name__
    code = "model" if phase == "load" and not isinstance(error, ImportError) else "internal"
    if isinstance(error, MemoryError) or any(words in text.lower() for words in EXHAUSTED):
        code = "resource"
    details = {"phase": phase, "type": type(error).__name__}
    return {"code": code, "message": f"{phase}: {text.splitlines()[0]:.1000}", "details": details}


def die_of_sigterm():
    """Let SIGTERM and Ctrl-C end the process at once, inside a long C call too."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if os.getpid() == 1:  # the kernel drops what PID 1 has no handler for, and Python's would run too late
        import ctypes

        libc = ctypes.CDLL(None)
        libc.signal(signal.SIGTERM, libc._exit)


def serve(runner_class):
    """Run the command of ``sys.argv`` and leave the process; never returns."""
    die_of_sigterm()
    runner, command, status = runner_class(), " ".join(sys.argv[1:]), 1
    session, line = Session(runner), b""
    hello = {
        "type": "hello",
        "protocols": PROTOCOLS,
        "sdk": SDK_VERSION,
        "runtime": None,
        "version": None,
        "accelerators": list(runner.accelerators),
        "clock": read_clock(),
    }
    try:
        try:
            # `describe` may come without a request and must not wait for one.
            if sys.stdin and (command != "describe" or select.select([0], [], [], 1.0)[0]):
                line = sys.stdin.buffer.readline(REQUEST_LIMIT_BYTES + 1)
            runner.request = read_request(line, command, runner)
            if command == "probe":
                beside("ceilings").limit_threads(runner.request.threads)
            with session.phase("import", quiet=True):
                hello["version"] = runner.version()
            if command == "describe":
                with contextlib.suppress(RunnerError):  # what cannot be told is left out
                    hello["target"] = runner.target()
        finally:
            hello["runtime"] = runner.runtime
            session.held = [hello] + (session.held if command != "describe" else [])
        if command == "describe":
            session.send()
        else:
            if "model" in COMMANDS[command]:
                session.verify(runner.request.model)
            session.send("done", iterations=getattr(session, command)(runner.request))
        status = 0
    except BaseException as error:  # libraries raise SystemExit too
        with contextlib.suppress(OSError):  # the reader may be gone
            session.send("error", **as_error(error, runner.phase))
        traceback.print_exc()
    with contextlib.suppress(Exception):
        runner.close()
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)  # some runtimes crash while they are torn down, after the last line
