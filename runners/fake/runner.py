"""The scripted double: no runtime; its latency and its misbehaviour come from the request's options."""

import inferometer_sdk as sdk  # isort: skip  (first: it claims standard output)

import hashlib
import json
import math
import os
import random
import signal
import sys
import time


class Fake(sdk.Runner):
    """Loads any file; one of JSON may hold ``inputs`` (of a signature) and ``outputs`` (lists of numbers)."""

    runtime = "fake"
    formats = ("fake", "onnx", "tflite", "pt2")
    accelerators = ("cpu", "npu")
    options = {
        "latency_ns": ("200000", "*"),
        "distribution": ("constant", "normal", "lognormal"),
        "spread": ("0.05", "*"),
        "modes": ("1.0", "*"),
        "cold": ("1.0", "*"),
        "wait": ("busy", "sleep"),
        "seed": ("", "*"),
        "executed": ("", "*"),
        "code": ("x-fake", "*"),
        "signal": ("SEGV", "*"),
        "bytes": ("", "*"),
        "at": ("measure", "import", "load", "first", "warmup", "settle", "outputs"),
        "behaviour": (
            "ok",
            "crash",
            "signal",
            "hang",
            "slow-term",
            "noise",
            "garbage",
            "truncate",
            "oversized",
            "endless",
            "flood",
            "wrong-protocol",
            "error",
            "oom",
            "spike",
            "nan",
            "no-done",
            "after-done",
            "import-noise",
        ),
    }
    script, armed, document = {}, True, {}

    def version(self):
        """There is nothing to import."""
        self.script = self.request.options
        self.misbehave()
        return "1.0.0"

    def load(self):
        """Read the document and draw the speed mode of this process."""
        with open(self.request.model["path"], "rb") as file:
            content = file.read()
        if content[:1] == b"{":
            self.document = json.loads(content.decode("utf-8"))
        script, self.random = self.script, random.Random(self.script["seed"] or None)
        modes = [float(factor) for factor in script["modes"].split(",")]
        self.latency_ns = float(script["latency_ns"]) * self.random.choice(modes)
        self.misbehave()

    def signature(self):
        """From the document, else what the inputs are."""
        shape, dtype = sdk.npy_header(self.request.inputs) if self.request.inputs else ((1, 1), "float32")
        self.index = 0
        tensor = sdk.tensor("input", shape[1:], dtype)
        output = sdk.tensor("output", self.outputs()[0], "float32")
        return {"inputs": self.document.get("inputs", [tensor]), "outputs": [output]}

    def bind(self, index):
        """An inference that waits as the script says."""
        self.index = index
        script = self.script
        spread, cold, busy = float(script["spread"]), float(script["cold"]), script["wait"] == "busy"
        draw = {
            "constant": lambda: 1.0,
            "normal": lambda: max(0.0, self.random.gauss(1.0, spread)),
            "lognormal": lambda: math.exp(self.random.gauss(0.0, spread)),
        }[script["distribution"]]
        now_ns = sdk.now_ns

        def infer():
            end = now_ns() + self.latency_ns * draw() * (cold if self.phase == "first" else 1.0)
            self.misbehave()
            if busy:
                while now_ns() < end:
                    pass
            else:
                time.sleep(max(0.0, (end - now_ns()) / 1e9))

        return infer

    def outputs(self):
        """What the document says, else ten numbers drawn from its absence: the same for the same index."""
        rows = self.document.get("outputs")
        digest = hashlib.sha256(b"%d" % self.index).digest()
        row = rows[self.index % len(rows)] if rows else [byte / 255 for byte in digest[:10]]
        if self.script["behaviour"] == "nan":
            row = [math.nan, math.inf] + list(row[2:])
        return (1, len(row)), row

    def placement(self):
        """Where it was asked to run, or where the script says."""
        where = self.script["executed"] or self.request.accelerator
        if self.script["behaviour"] in ("no-done", "after-done"):
            if self.script["behaviour"] == "after-done":
                raw(b'{"type":"done","iterations":0}\n{"type":"done","iterations":0}\n')
            os._exit(0)
        return {"executed": {where: 1}, "nodes": [{"name": "fake", "op": "Wait", "on": where}], "notes": []}

    def misbehave(self):
        """Do once what the script says, in the phase it says."""
        behaviour = self.script["behaviour"]
        phase = "import" if behaviour in ("wrong-protocol", "import-noise") else self.script["at"]
        if self.armed and self.phase == phase and behaviour in BEHAVIOURS:
            self.armed = False
            BEHAVIOURS[behaviour](self.script)


def raw(content):
    """Write past the SDK."""
    sdk.OUT.write(content)
    sdk.OUT.flush()


def crash(script):
    """Vanish with an exit status and no last line."""
    os._exit(70)


def die(script):
    """Be killed by a signal."""
    os.kill(os.getpid(), getattr(signal, "SIG" + script["signal"]))
    time.sleep(60)


def hang(script):
    """Never come back; as `slow-term` it does not listen to SIGTERM either."""
    if script["behaviour"] == "slow-term":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(3600)


def endless(script):
    """Valid lines without end."""
    line = json.dumps({"type": "x-endless", "padding": "x" * 65536}).encode() + b"\n"
    while True:
        raw(line)


def truncate(script):
    """Stop in the middle of a line."""
    raw(b'{"type":"latencies","phase":"mea')
    os._exit(0)


def flood(script):
    """10 MB (or `bytes`) of text on standard error."""
    for _ in range(int(script["bytes"] or 10000000) // 1000):
        os.write(2, b"x" * 999 + b"\n")


def exhaust(script):
    """Take memory until killed, or until `bytes` (default 2 GiB) are taken."""
    block, taken = 1 << 24, []
    while len(taken) * block < int(script["bytes"] or 2 << 30):
        taken.append(bytearray(b"x") * block)
    raise MemoryError("took %d bytes and nobody minded" % (len(taken) * block))


def spike(script):
    """Hold `bytes` (default 200 MB) for 5 ms and give them back."""
    held = bytearray(b"x") * int(script["bytes"] or 200000000)
    time.sleep(0.005)
    del held


def fail(script):
    """A coded error."""
    raise sdk.RunnerError(script["code"], "the script asked for this error", {"scripted": True})


def noise_at_import(script):
    """What careless libraries print, through Python and through C; none of it may reach the protocol."""
    print("fake: a line from Python")
    sys.stdout.flush()
    os.write(1, b"fake: a line from C\n")


def speak_another_protocol(script):
    """Announce a version from the future."""
    sdk.PROTOCOLS[:] = ["9.0.0"]


BEHAVIOURS = {
    "crash": crash,
    "signal": die,
    "hang": hang,
    "slow-term": hang,
    "endless": endless,
    "truncate": truncate,
    "flood": flood,
    "oom": exhaust,
    "spike": spike,
    "error": fail,
    "import-noise": noise_at_import,
    "wrong-protocol": speak_another_protocol,
    "noise": lambda script: raw(b"Loading model... 100%\n"),
    "garbage": lambda script: raw(bytes(range(256)) * 4 + b"\n"),
    "oversized": lambda script: raw(b'{"type":"x-oversized","padding":"' + b"x" * (17 << 20) + b'"}\n'),
}


if __name__ == "__main__":
    sdk.serve(Fake)
