"""A whole runner without the SDK, honest unless its first argument names a sin: ``puppet.py SIN COMMAND``.

It loads files that begin with PUPPET and end with END, in the format ``puppet``.
"""

import hashlib
import json
import math
import os
import random
import signal
import struct
import subprocess
import sys
import time

SIN, COMMAND = sys.argv[1:]
CHUNK = 1000  # of latencies: small, so that a short window fills several


def sinning(*names):
    return SIN in names


def now_ns():
    return time.time_ns() if sinning("wall-clock") else time.monotonic_ns()


def put(text):
    print(text, end="", flush=not sinning("unflushed"))


def send(kind, **fields):
    put(json.dumps(dict(fields, type=kind)) + "\n")


def mark(name, edge, t_ns=None, **extra):
    t_ns = t_ns or now_ns()
    if sinning("backwards") and (name, edge) == ("settle", "end"):
        t_ns -= 10**6
    send("phase", name=name, edge=edge, t_ns=t_ns, **extra)


def hello():
    with open("/proc/sys/kernel/random/boot_id") as file:
        boot_id = file.read().strip()
    clock = {"boot_id": boot_id, "time_namespace": os.readlink("/proc/self/ns/time"), "t_ns": now_ns()}
    if sinning("foreign-boot"):
        clock["boot_id"] = "elsewhere"
    sdk = "1.0" if sinning("schema") else "1.0.0"
    protocols = ["2.0.0"] if sinning("from-the-future") else ["1.1.0"] if sinning("older") else ["1.2.0"]
    send(
        "hello",
        protocols=protocols,
        sdk=sdk,
        runtime="puppet",
        version=None,
        accelerators=["cpu"],
        clock=clock,
    )


def fail(code, message, **details):
    send("error", code=code, message=message, details=details)
    sys.exit(not sinning("cheerful"))


def read_request():
    line = sys.stdin.buffer.readline()
    if not line.strip():
        if COMMAND == "describe":
            return None
        if sinning("hang-on-empty"):
            time.sleep(60)
    try:
        request = json.loads(line.decode())
        version = request["protocol"]
        if len(line) > 1 << 20:
            raise ValueError("too long")
    except (ValueError, KeyError, TypeError) as problem:
        fail("internal" if sinning("vague") else "protocol", f"request: {problem}")
    if version != 1 and not sinning("any-protocol"):
        fail("protocol", "another protocol", **({} if sinning("secretive") else {"protocols": ["1.2.0"]}))
    lone = ("describe", "probe") if sinning("prober", "boaster") else ("describe",)
    if COMMAND not in lone and "model" not in request:
        fail("protocol", "no model")
    if sinning("strict") and any(name.startswith("x-") for name in request):
        fail("protocol", "unknown field")
    if request.get("options") and not sinning("any-option"):
        fail("unsupported", "there are no options")
    if request.get("accelerator", "cpu") != "cpu" and not sinning("braggart", "deaf"):
        fail("unsupported", "cpu only")
    return request


def load(model):
    try:
        with open(model["path"], "rb") as file:
            content = file.read()
    except OSError as problem:
        fail("model", str(problem))
    if hashlib.sha256(content).hexdigest() != model["sha256"] and not sinning("any-hash"):
        fail("model", "another SHA-256")
    if not (content.startswith(b"PUPPET") and content.endswith(b"END")) and not sinning("any-model"):
        fail("internal" if sinning("vague-model") else "model", "no model")


def tensors():
    tensor = {
        "name": "x",
        "shape": [9] if sinning("misshapen") else [1, 4],
        "dtype": "float32",
        "quantization": None,
    }
    return {"inputs": [tensor], "outputs": [dict(tensor, shape=[1, 2])]}


def infer():
    end = time.perf_counter_ns() + 40_000
    while time.perf_counter_ns() < end:
        pass


def timed(seconds, least, most):
    values = []
    deadline = time.perf_counter() + seconds
    while len(values) < most and (len(values) < least or time.perf_counter() < deadline):
        start = time.perf_counter_ns()
        infer()
        values.append(time.perf_counter_ns() - start)
        if sinning("idler"):
            time.sleep(0.0001)
        if sinning("chatty"):
            os.write(2, b".")
    return values


def send_latencies(phase, values):
    for start in range(0, len(values), CHUNK):
        shift = 1 if sinning("gap") and start else 0
        send("latencies", phase=phase, start=start + shift, values_ns=values[start : start + CHUNK])


def footprint():
    reasons = {} if sinning("unreasoned") else {"cgroup_peak_bytes": "not read"}
    send(
        "footprint",
        vm_hwm_bytes=1,
        load_vm_hwm_bytes=1,
        cgroup_peak_bytes=None,
        cgroup_version=None,
        reasons=reasons,
    )


def walk(request):
    warmup, measure, outputs = request["warmup"], request["measure"], []
    mark("load", "start")
    load(request["model"])
    mark("load", "end")
    for _ in range(2 if sinning("twice") else 1):
        send("model", **tensors())
    if not sinning("no-harness"):
        send("harness", values_ns=[50] * 200)
    mark("first", "start")
    first = timed(0, 2, 2) if sinning("two-first") else timed(0, 1, 1)
    mark("first", "end")
    mark("warmup", "start")
    warm = timed(0, 60, 60) if sinning("eager") else timed(0, 20, min(20, warmup["cap"]))
    if not sinning("overlap"):
        mark("warmup", "end", **({} if sinning("unsteady") else {"steady": True}))
    if request.get("idle_ns"):
        mark("idle", "start")
        time.sleep(0 if sinning("restless") else request["idle_ns"] / 1e9)
        mark("idle", "end")
    if warmup["settle"] and not sinning("unsettled"):
        mark("settle", "start")
        infer()
        mark("settle", "end")
    if sinning("overlap"):
        mark("warmup", "end", steady=True)
    if sinning("crash"):
        os.kill(os.getpid(), signal.SIGSEGV)
    mark("measure", "start")
    least, most = measure["min_iterations"], measure.get("max_iterations", 10**7)
    if sinning("overlong"):
        most += 1
    least, most = (3, 3) if sinning("few") else (least, most)
    window = timed(0 if sinning("hasty") else measure["min_duration_ns"] / 1e9, least, most)
    if sinning("early-latencies"):
        send_latencies("measure", window)
    idle_after(request.get("idle_after_ns"), window)
    if sinning("inflated"):
        window = [value * 2 for value in window]
    send_latencies("first", first)
    send_latencies("warmup", warm)
    if not sinning("early-latencies", "early-riser"):
        send_latencies("measure", window)
    footprint()
    if request.get("outputs"):
        mark("outputs", "start")
        with open(request["inputs"], "rb") as file:
            size = struct.unpack("<H", file.read(10)[8:])[0]
            count = int(file.read(size).split(b"'shape': (")[1].split(b",")[0])
        for index in range(1 if sinning("lazy") else count):
            outputs = [random.random() if sinning("random") else 0.5, math.nan if sinning("nan") else 0.25]
            send("outputs", index=index, shape=[1, 3] if sinning("miscounted") else [1, 2], values=outputs)
        mark("outputs", "end")
    placement(request.get("accelerator", "cpu"))
    send("done", iterations=len(window) + (1 if sinning("miscount") else 0))


def idle_after(idle_ns, window):
    """The end mark of the window, and the idle behind it; nobody reads these marks before it is over."""
    marks = [("measure", "end", now_ns())]
    if sinning("impatient"):
        mark(*marks.pop())
    if idle_ns and not sinning("sleepless", "older"):
        marks.append(("idle_after", "start", now_ns()))
        time.sleep(0 if sinning("short-sleeper") else idle_ns / 1e9)
        marks.append(("idle_after", "end", now_ns()))
    for one in marks[:2]:
        mark(*one)
    if sinning("early-riser"):
        send_latencies("measure", window)
    for one in marks[2:]:
        mark(*one)


def placement(asked):
    nodes = [{"name": "a", "op": "Conv", "on": "cpu"}, {"name": "b", "op": "Conv", "on": "cpu"}]
    executed = {asked if sinning("braggart") else "cpu": 1 if sinning("uncounted") else 2}
    send(
        "placement",
        requested="cpu" if sinning("deaf") else asked,
        executed=executed,
        nodes=nodes[: len(asked)],
    )


def main():
    if sinning("unread-stderr") and "PUPPET" not in os.environ:
        child = subprocess.Popen(
            [sys.executable, *sys.argv], stderr=subprocess.PIPE, env={**os.environ, "PUPPET": "1"}
        )
        sys.exit(child.wait())
    if sinning("import-noise"):
        put("Loading extensions...\n")
    if sinning("latin"):
        os.write(1, b'{"type":"x-caf\xe9"}\n')
    if sinning("stubborn"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if sinning("polite"):
        signal.signal(signal.SIGTERM, lambda number, frame: os._exit(0))
    if sinning("late-hello"):
        send("x-before")
    hello()
    request = read_request()
    if COMMAND == "describe":
        if sinning("talkative"):
            send("x-more")
        return
    mark("import", "start")
    mark("import", "end")
    if COMMAND == "run":
        walk(request)
    elif COMMAND == "probe":
        reasons = dict.fromkeys(("compute", "memory")[sinning("boaster") :], "a guess")
        fields = {"threads": request["threads"], "method": "none", "compute": [], "memory": []}
        send("probe", reasons=reasons, notes=[], **fields)
        send("done", iterations=0)
    elif COMMAND == "inspect":
        mark("load", "start")
        load(request["model"])
        mark("load", "end")
        send("model", **tensors())
        send("done", iterations=1 if sinning("busy-inspect") else 0)
    elif sinning("compiler", "liar", "stray"):
        compile_to(request["output_dir"])
    else:
        fail("unsupported", "compiles nothing")
    if sinning("after-done"):
        send("done", iterations=0)
    sys.exit(1 if sinning("gloomy") else 0)


def compile_to(folder):
    path = "/dev/null" if sinning("stray") else folder + "/model.puppet"
    content = b"PUPPET made here END"
    with open(path, "wb") as file:
        file.write(content)
    sha256 = hashlib.sha256(b"" if sinning("liar") else content).hexdigest()
    mark("compile", "start")
    mark("compile", "end")
    send("artifact", path=path, format="puppet", sha256=sha256, bytes=len(content), build_ns=1)
    send("done", iterations=0)


if __name__ == "__main__":
    main()
