"""Inferometer runner SDK: one file, standard library only, Python 3.6 and later.

A runner imports this file before anything else, describes its runtime as a subclass of :class:`Runner`
and ends with ``sdk.serve(ThatClass)``. The SDK speaks the protocol (PROTOCOL.md), owns the phases and
the timed loop, and turns every exception into one coded error.
"""
import ast
import contextlib
import errno
import gc
import hashlib
import json
import mmap
import os
import select
import signal
import sys
import time
import traceback

# Claimed at import: whatever a library prints later, through Python or through C, lands on stderr.
OUT = os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)

SDK_VERSION = "1.0.0"
PROTOCOLS = ["1.0.0"]
COMMANDS = ("describe", "inspect", "compile", "run")
REQUEST_LIMIT_BYTES = 1 << 20
CHUNK = 4096  # latencies per message
HARNESS_COUNT = 1000
# Marks that are written only after the window, so that no reader wakes up beside it.
HELD = {("settle", "end"), ("measure", "start"), ("measure", "end")}
ROOT_CGROUP_NAMESPACE = "cgroup:[4026531835]"  # the kernel numbers the first one so
OUT_OF_MEMORY = ("out of memory", "bad_alloc", "allocate memory", "failed to allocate")  # lower case
DTYPES = {"f2": "float16", "f4": "float32", "f8": "float64", "u1": "uint8", "i1": "int8", "i4": "int32",
          "i8": "int64"}
REQUIRED = object()
FIELDS = (  # of a request: path, type, default, minimum
    ("threads", int, 1, 1), ("batch", int, 1, 1), ("accelerator", str, "cpu", 0), ("idle_ns", int, 0, 0),
    ("outputs", bool, True, 0), ("warmup.window", int, 20, 2), ("warmup.cap", int, 300, 0),
    ("warmup.max_duration_ns", int, 60 * 10**9, 0), ("warmup.settle", int, 3, 0),
    ("measure.min_duration_ns", int, 10**9, 0), ("measure.min_iterations", int, 64, 1),
    ("measure.max_iterations", int, 10**7, 1),
)

if hasattr(time, "perf_counter_ns"):
    clock, NS_PER_TICK, TICK_FORMAT, ticks = time.perf_counter_ns, 1, "q", int
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
    ``signature()``: ``{"inputs": [...], "outputs": [...]}``, each ``{name, shape, dtype, quantization}``;
    ``bind(index)``: a callable without arguments, one complete inference on tensor ``index`` of the inputs;
    ``outputs()``: ``(shape, flat values)`` of the first output of the last inference;
    ``placement()``: ``{"executed": {where: nodes or None}, "nodes": [...], "notes": [...]}``.
    """

    runtime = "?"
    formats = ()  # artifact formats it loads
    accelerators = ("cpu",)
    options = {}  # name -> allowed values, the first is the default; "*" allows any string
    request = None  # the Request, set before ``version``; None where ``describe`` got none
    phase = "request"  # the phase under way

    def compile(self):
        """Write a machine-made artifact below ``request.output_dir``; return ``(path, format)``."""
        raise RunnerError("unsupported", "%s compiles nothing for these options" % self.runtime)


class Request:
    """A request whose every field was checked; durations in ns. Raises RunnerError."""

    def __init__(self, data, command, runner):
        if _take(data, "protocol", int, -(2**53)) != 1:
            raise RunnerError("protocol", "this runner speaks protocol 1, not %d" % data["protocol"],
                              {"protocols": PROTOCOLS})
        model = _take(data, "model", dict, None if command == "describe" else REQUIRED)
        self.model, self.format, self.sha256 = (
            model and _take(model, name, str, label="model." + name) for name in ("path", "format", "sha256"))
        self.inputs = _take(data, "inputs", str, REQUIRED if command == "run" else None)
        self.output_dir = _take(data, "output_dir", str, REQUIRED if command == "compile" else None)
        for path, kind, default, minimum in FIELDS:
            *group, name = path.split(".")
            holder = _take(data, group[0], dict, {}) if group else data
            setattr(self, path.replace(".", "_"), _take(holder, name, kind, default, minimum, path))
        self.options = {name: values[0] for name, values in runner.options.items()}
        for name, value in _take(data, "options", dict, {}).items():
            allowed = runner.options.get(name, ())
            if value not in allowed and not (isinstance(value, str) and "*" in allowed):
                _refuse("option %s=%.60s" % (name, value), allowed or sorted(runner.options))
            self.options[name] = value
        if self.accelerator not in runner.accelerators:
            _refuse("accelerator %s" % self.accelerator, runner.accelerators)
        if model is not None and self.format not in runner.formats:
            _refuse("format %s" % self.format, runner.formats)


def _take(data, name, kind, default=REQUIRED, minimum=0, label=None):
    value, label = data.get(name, default), label or name
    problem = None
    if value is REQUIRED:
        problem = "is missing"
    elif value is not default and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
        problem = "must be %s, not %.60r" % (kind.__name__, value)
    elif kind is int and not minimum <= value <= 2**53 or kind is str and "\0" in (value or ""):
        problem = "is out of range"
    if problem:
        raise RunnerError("protocol", "request: %s %s" % (label, problem))
    return value


def _refuse(wish, known):
    raise RunnerError("unsupported", "%s is not supported; known: %s" % (wish, ", ".join(known) or "none"),
                      {"known": list(known)})


def read_request(line, command, runner):
    """The request in ``line`` (bytes), None where ``describe`` got none. Raises RunnerError."""
    if command not in COMMANDS:
        raise RunnerError("protocol", "command %r is unknown; known: %s" % (command, ", ".join(COMMANDS)))
    if command == "describe" and not line.strip():
        return None
    if len(line) > REQUEST_LIMIT_BYTES:
        raise RunnerError("protocol", "request: longer than %d bytes" % REQUEST_LIMIT_BYTES)
    try:
        data = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise RunnerError("protocol", "request: not a line of JSON: %s" % error)
    if not isinstance(data, dict):
        raise RunnerError("protocol", "request: must be a JSON object")
    return Request(data, command, runner)


def npy_header(path):
    """``(shape, dtype name)`` of a C-order ``.npy`` file with at least one tensor. Raises RunnerError."""
    try:
        with open(path, "rb") as file:
            magic = file.read(8)
            size = int.from_bytes(file.read(2 if magic[6:7] == b"\x01" else 4), "little")
            fields = ast.literal_eval(file.read(size).decode("latin-1").strip())
        if magic[:6] != b"\x93NUMPY" or fields["fortran_order"] or not fields["shape"][0]:
            raise ValueError("must be in C order with at least one tensor")
        return fields["shape"], DTYPES.get(fields["descr"][1:], fields["descr"])
    except Exception as error:  # whatever the file is made of
        raise RunnerError("protocol", "request: inputs %s is no .npy file: %s" % (path, error))


def check_inputs(path, inputs):
    """Refuse input tensors that are not what the model takes; sizes the model leaves open fit any."""
    if len(inputs) != 1:
        raise RunnerError("unsupported", "the model takes %d inputs; one can be fed" % len(inputs))
    (_, *shape), dtype = npy_header(path)
    wanted = inputs[0]["shape"]
    fits = len(wanted) == len(shape) and all(
        want == have or not isinstance(want, int) for want, have in zip(wanted, shape))
    if not fits or inputs[0]["dtype"] != dtype:
        raise RunnerError("protocol", "request: inputs %s hold %s %s; the model takes %s %s"
                          % (path, dtype, shape, inputs[0]["dtype"], wanted))


def file_sha256(path):
    """SHA-256 of a file in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def check_model(request):
    """Refuse an artifact that is missing or has another SHA-256."""
    try:
        found = file_sha256(request.model)
    except OSError as error:
        raise RunnerError("model", "model %s: %s" % (request.model, error.strerror))
    if found != request.sha256:
        raise RunnerError("model", "model %s: SHA-256 is %s, not %s" % (request.model, found, request.sha256))


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


def null_inference():
    """Timed to know what the loop itself costs."""


def quartiles(values):
    """Lower quartile, median, upper quartile, by linear interpolation."""
    ordered = sorted(values)
    places = [quarter * (len(ordered) - 1) / 4 for quarter in (1, 2, 3)]
    return [ordered[int(at)] + (ordered[-int(-at // 1)] - ordered[int(at)]) * (at % 1) for at in places]


def is_steady(earlier, later):
    """Whether two windows agree: quartiles within 5 %, MAD within 10 %, mean within -50 % to +10 %."""
    (low1, middle1, high1), (low2, middle2, high2) = quartiles(earlier), quartiles(later)
    mad1 = quartiles([abs(value - middle1) for value in earlier])[1]
    mad2 = quartiles([abs(value - middle2) for value in later])[1]
    mean1, mean2 = sum(earlier) / len(earlier), sum(later) / len(later)
    return (abs(low1 - low2) <= 0.05 * low2 and abs(high1 - high2) <= 0.05 * high2
            and abs(mad1 - mad2) <= 0.1 * mad2 and -0.5 * mean2 <= mean1 - mean2 <= 0.1 * mean2)


def warm_up(infer, window, cap, max_ns):
    """Infer until steady, or until ``cap`` inferences or ``max_ns`` are spent; return (ticks, steady)."""
    values, cell, steady = [], allocate(1), False
    deadline = clock() + ticks(max_ns)
    while not steady and len(values) < cap and clock() < deadline:
        timed_loop(infer, cell, 0, 1, 1)
        values.append(cell[0])
        steady = len(values) >= 2 * window and is_steady(values[-2 * window:-window], values[-window:])
    return values, steady


def read_text(*path):
    """A small file as text, or None where it cannot be read."""
    try:
        with open(os.path.join(*path)) as file:
            return file.read().strip()
    except OSError:
        return None


def vm_hwm_bytes(root="/"):
    """Peak resident memory of this process, or None."""
    lines = (read_text(root, "proc/self/status") or "").splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), None)


def cgroup_peak(root="/"):
    """``(peak bytes, cgroup version, reason)`` of this process's memory cgroup; None where unknown."""
    groups = [line.split(":", 2) for line in (read_text(root, "proc/self/cgroup") or "").splitlines()]
    first = [path for _, names, path in groups if "memory" in names.split(",")]
    version, name = (1, "memory.max_usage_in_bytes") if first else (2, "memory.peak")
    path = (first or [path for _, names, path in groups if not names] or [None])[0]
    if path is None:
        return None, None, "/proc/self/cgroup names no memory cgroup"
    # In a private cgroup namespace "/" is the container; in the machine's own it is everything.
    if path == "/" and os.readlink(os.path.join(root, "proc/self/ns/cgroup")) == ROOT_CGROUP_NAMESPACE:
        return None, version, "the process lies in the machine's root cgroup"
    for line in (read_text(root, "proc/self/mountinfo") or "").splitlines():
        (_, _, _, top, place, *_), (kind, _, *rest) = [part.split() for part in line.split(" - ", 1)]
        ours = kind == "cgroup2" if version == 2 else kind == "cgroup" and "memory" in rest[-1].split(",")
        top = top.rstrip("/")
        if ours and (path + "/").startswith(top + "/"):
            text = read_text(root, place.lstrip("/"), path[len(top):].strip("/"), name)
            if text is None or not int(text):
                return None, version, "%s %s" % (name, "is not there" if text is None else "reads 0")
            return int(text), version, None
    return None, version, "cgroup %s lies below no mounted memory cgroup" % path


def read_footprint(load_peak, root="/"):
    """The fields of ``footprint``."""
    peak, (cgroup, version, reason) = vm_hwm_bytes(root), cgroup_peak(root)
    fields = {"vm_hwm_bytes": peak, "load_vm_hwm_bytes": load_peak, "cgroup_peak_bytes": cgroup}
    why = {name: reason or "no VmHWM in /proc/self/status" for name, value in fields.items() if value is None}
    return dict(fields, cgroup_version=version, reasons=why)


class Session:
    """One command of one runner: sends the messages and walks the phases."""

    def __init__(self, runner):
        self.runner, self.held = runner, []

    def send(self, kind, **fields):
        """Write one message, after those still held."""
        messages, self.held = self.held + [dict({"type": kind}, **fields)], []
        for message in messages:
            line = json.dumps(message, separators=(",", ":"), allow_nan=False)
            OUT.write(line.encode("utf-8") + b"\n")
        OUT.flush()

    def mark(self, name, edge, t_ns, **extra):
        """Send the edge of a phase, or hold it back."""
        fields = dict(name=name, edge=edge, t_ns=t_ns, **extra)
        if (name, edge) in HELD:
            self.held.append(dict({"type": "phase"}, **fields))
        else:
            self.send("phase", **fields)

    @contextlib.contextmanager
    def phase(self, name):
        """Mark both edges; what the body puts into the yielded dict goes with the second one."""
        self.runner.phase, extra = name, {}
        self.mark(name, "start", now_ns())
        yield extra
        self.mark(name, "end", now_ns(), **extra)

    def inspect(self, request):
        """Load the model and tell its signature."""
        check_model(request)
        with self.phase("load"):
            self.runner.load()
            signature = self.runner.signature()
        self.send("model", **signature)
        self.send("done", iterations=0)

    def compile(self, request):
        """Make the machine's own artifact."""
        check_model(request)
        start = now_ns()
        with self.phase("compile"):
            path, kind = self.runner.compile()
        build_ns = now_ns() - start
        self.send("artifact", path=path, format=kind, sha256=file_sha256(path), bytes=os.path.getsize(path),
                  build_ns=build_ns)
        self.send("done", iterations=0)

    def run(self, request):
        """Load, first, warm-up, idle, settle, measure, outputs."""
        runner, (count, *_) = self.runner, npy_header(request.inputs)[0]
        check_model(request)
        with self.phase("load"):
            runner.load()
            signature = runner.signature()
            check_inputs(request.inputs, signature["inputs"])
            infer = runner.bind(0)
        load_peak = vm_hwm_bytes()
        self.send("model", **signature)
        values = allocate(HARNESS_COUNT, HARNESS_COUNT)
        timed_loop(null_inference, values, 0, HARNESS_COUNT, HARNESS_COUNT)
        self.send("harness", values_ns=in_ns(values))
        with self.phase("first"):
            timed_loop(infer, values, 0, 1, 1)
        latencies = {"first": [values[0]]}
        with self.phase("warmup") as extra:
            latencies["warmup"], extra["steady"] = warm_up(
                infer, request.warmup_window, request.warmup_cap, request.warmup_max_duration_ns)
        if request.idle_ns:
            with self.phase("idle"):
                time.sleep(request.idle_ns / 1e9)
        fastest = max(min(latencies["first"] + latencies["warmup"]), ticks(100))
        minima = ticks(request.measure_min_duration_ns), request.measure_min_iterations
        values = allocate(request.measure_max_iterations, minima[1] + int(minima[0] / fastest))
        gc.collect()
        gc.disable()
        if request.warmup_settle:
            with self.phase("settle"):
                for _ in range(request.warmup_settle):
                    infer()
        with self.phase("measure"):
            iterations = timed_loop(infer, values, *minima, request.measure_max_iterations)
        gc.enable()
        footprint = read_footprint(load_peak)
        latencies["measure"] = values[:iterations]
        for phase in ("first", "warmup", "measure"):
            for start in range(0, len(latencies[phase]), CHUNK):
                self.send("latencies", phase=phase, start=start,
                          values_ns=in_ns(latencies[phase][start:start + CHUNK]))
        self.send("footprint", **footprint)
        if request.outputs:
            with self.phase("outputs"):
                for index in range(count):
                    runner.bind(index)()
                    shape, flat = runner.outputs()
                    # JSON has no NaN and no infinity; x - x is 0 for every other number.
                    self.send("outputs", index=index, shape=list(shape),
                              values=[value if value - value == 0 else None for value in flat])
        self.send("placement", requested=request.accelerator, **runner.placement())
        self.send("done", iterations=iterations)


def read_clock():
    """The identity of CLOCK_MONOTONIC here, for the host to compare with its own."""
    try:
        time_namespace = os.readlink("/proc/self/ns/time")
    except OSError:  # the kernel has none
        time_namespace = None
    boot_id = read_text("/proc/sys/kernel/random/boot_id")
    return {"boot_id": boot_id, "time_namespace": time_namespace, "t_ns": now_ns()}


def as_error(error, phase):
    """The fields of ``error`` for any exception."""
    if isinstance(error, RunnerError):
        return {"code": error.code, "message": error.message, "details": dict(error.details, phase=phase)}
    text = str(error).strip() or type(error).__name__
    code = "model" if phase == "load" and not isinstance(error, ImportError) else "internal"
    if (isinstance(error, MemoryError) or getattr(error, "errno", None) in (errno.ENOMEM, errno.ENOSPC)
            or any(words in text.lower() for words in OUT_OF_MEMORY)):
        code = "resource"
    return {"code": code, "message": "%s: %.1000s" % (phase, text.splitlines()[0]),
            "details": {"phase": phase, "type": type(error).__name__}}


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
    runner, command, hello_clock = runner_class(), " ".join(sys.argv[1:]), read_clock()
    session, version, failure, imported = Session(runner), None, None, []
    try:
        line = b""
        # `describe` may come without a request and must not wait for one.
        if sys.stdin and (command != "describe" or select.select([0], [], [], 1.0)[0]):
            line = sys.stdin.buffer.readline(REQUEST_LIMIT_BYTES + 1)
        request = runner.request = read_request(line, command, runner)
        runner.phase = "import"
        imported.append(now_ns())
        version = runner.version()
        imported.append(now_ns())
    except BaseException as error:  # libraries raise SystemExit too
        failure = error
    try:
        session.send("hello", protocols=PROTOCOLS, sdk=SDK_VERSION, runtime=runner.runtime, version=version,
                     accelerators=list(runner.accelerators), clock=hello_clock)
        if command != "describe":
            for edge, t_ns in zip(("start", "end"), imported):
                session.mark("import", edge, t_ns)
        if failure is not None:
            raise failure
        if command != "describe":
            getattr(session, command)(request)
        status = 0
    except BaseException as error:
        status = 1
        with contextlib.suppress(OSError):  # the reader may be gone
            session.send("error", **as_error(error, runner.phase))
        traceback.print_exc()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)  # some runtimes crash while they are torn down, after the last line
