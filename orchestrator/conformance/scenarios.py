"""The launches that provoke a runner: each a command with a request, well-formed or not."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import Any

from orchestrator import wire
from orchestrator.conformance.evidence import Evidence
from orchestrator.conformance.subject import Subject
from orchestrator.conformance.witness import Terminate

COMMANDS = ("describe", "inspect", "run", "compile")
FOREIGN_PROTOCOL = 2
NOWHERE = "x-nowhere"  # an accelerator, option and value that no runner has
MAXIMUM = 7  # iterations of the run that is cut short
_SHORT = {"min_duration_ns": 0, "min_iterations": 5, "max_iterations": 5}
_WARMUP = {"window": 10, "cap": 40, "max_duration_ns": 10 * 10**9, "settle": 2}
_IDLE_NS = 10**8
_IDLE_AFTER_NS = 2 * 10**8  # long enough to see a write inside it
_PROBE_NS = 10**8
_MOST = 200_000  # iterations of the plain run: enough to see, few enough to validate
_REFUSAL_S = 20.0  # a refusal needs no model, but some runners import their runtime first
_COMPILE_S = 900.0

DRIVER = {
    "name": "loadgen",
    "scenario": "SingleStream",
    "min_duration_ns": 10**8,
    "min_query_count": 64,
    "samples_per_query": 8,
}

# glibc's loader writes to standard error on request: megabytes, from a runner in any language.
BINDINGS = {"LD_DEBUG": "bindings", "LD_BIND_NOW": "1"}
EVERYTHING = {"LD_DEBUG": "all", "LD_BIND_NOW": "1"}

MALFORMED = {
    "half a line of JSON": b'{"protocol":1,"model":{"path"\n',
    "a JSON list": b"[1]\n",
    "bytes that are no UTF-8": b'{"protocol":1,"\xff\xfe":0}\n',
    "a request without a model": b'{"protocol":1}\n',
    "a line of 2 MiB": b'{"protocol":1,"padding":"' + b"x" * (2 << 20) + b'"}\n',
}


@dataclass(frozen=True)
class Scenario:
    """One launch to make. ``asked`` is the request as an object, empty where ``request`` is none."""

    command: str
    request: bytes
    timeout_s: float
    asked: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    init: bool = True
    terminate: Terminate | None = None


@dataclass(frozen=True)
class Places:
    """Paths as the runner sees them; ``broken``: path and SHA-256 of files that are no models, by name."""

    model: str
    inputs: str
    broken: Mapping[str, tuple[str, str]]
    output: str


class Scenarios:
    """The scenarios by name; ``known`` gives evidence of one that others build on."""

    def __init__(self, subject: Subject, places: Places, known: Callable[[str], Evidence]):
        self._subject, self._places, self._known = subject, places, known
        self._makers: dict[str, Callable[[], Scenario]] = {
            "describe": lambda: Scenario("describe", b"", subject.timeout_s),
            "describe with a request": lambda: self._make("describe", {"protocol": wire.MAJOR}),
            "inspect": lambda: self._make("inspect", self._request("inspect")),
            "run": self._plain,
            "run again": self._plain,
            "run by count": self._by_count,
            "run to a maximum": self._to_a_maximum,
            "run with unknown fields": self._unknown_fields,
            "run on an unknown accelerator": partial(self._run, accelerator=NOWHERE),
            "run with an unknown option": partial(self._refused, "run", options={NOWHERE: "1"}),
            "compile": self._compile,
            "probe": self._probe,
            "run under LoadGen": partial(self._run, driver=DRIVER),
            "run under an unknown driver": partial(self._refused, "run", driver={**DRIVER, "name": NOWHERE}),
            "run of what was compiled": self._compiled,
            "run with a flood of stderr": partial(self._run, BINDINGS),
            "run with a greater flood of stderr": partial(self._run, EVERYTHING),
            "run ended by SIGTERM": partial(self._terminated, init=True),
            "run as PID 1 ended by SIGTERM": partial(self._terminated, init=False),
        }
        for name, model in self._no_models().items():
            self._makers[f"inspect of {name}"] = partial(self._refused, "inspect", model=model)
            self._makers[f"run of {name}"] = partial(self._refused, "run", model=model)
        for command in COMMANDS:
            self._makers[f"{command} in a foreign protocol"] = partial(
                self._refused, command, protocol=FOREIGN_PROTOCOL
            )
            self._makers[f"{command} with nothing on stdin"] = partial(self._refused, command, line=b"")
        for name, line in MALFORMED.items():
            self._makers[f"run with {name}"] = partial(self._refused, "run", line=line)
        for option in self.closed_options():
            options = {**subject.options, option: NOWHERE}
            self._makers[f"run with an unknown {option}"] = partial(self._refused, "run", options=options)

    def make(self, name: str) -> Scenario:
        """One scenario."""
        return self._makers[name]()

    def closed_options(self) -> list[str]:
        """The runner's options whose values are listed in its ``runner.toml``."""
        options = self._subject.runtime.options if self._subject.runtime else {}
        return [name for name, option in options.items() if option.values != ("*",)]

    def _model(self) -> dict[str, str]:
        material = self._subject.material
        return {"path": self._places.model, "format": material.format, "sha256": material.sha256}

    def _no_models(self) -> dict[str, dict[str, str]]:
        """The models that must be answered by error/model."""
        model = self._model()
        found = {
            name: {**model, "path": path, "sha256": sha256}
            for name, (path, sha256) in self._places.broken.items()
        }
        found["a missing file"] = {**model, "path": model["path"] + ".missing"}
        found["a file of another hash"] = {**model, "sha256": "0" * 64}
        return found

    def _request(self, command: str) -> dict[str, Any]:
        """A short valid request of any command."""
        if command == "describe":
            return {"protocol": wire.MAJOR}
        request: dict[str, Any] = {"protocol": wire.MAJOR, "model": self._model()}
        if command == "inspect":
            return request
        request |= {"threads": 1, "options": dict(self._subject.options)}
        if command == "compile":
            return request | {"output_dir": self._places.output}
        return request | {
            "inputs": self._places.inputs,
            "accelerator": self._accelerator(),
            "warmup": {**_WARMUP, "settle": 0},
            "measure": _SHORT,
            "outputs": False,
        }

    def _probe(self) -> Scenario:
        asked = {"protocol": wire.MAJOR, "threads": 1, "accelerator": self._accelerator()}
        return self._make("probe", {**asked, "duration_ns": _PROBE_NS})

    def _accelerator(self) -> str:
        offered = self._known("describe").hello.get("accelerators")
        names = [name for name in offered if isinstance(name, str)] if isinstance(offered, list) else []
        return "cpu" if "cpu" in names or not names else names[0]

    def _patience_s(self) -> float:
        outcome = self._known("describe").outcome
        wall_s = (outcome.ended_ns - outcome.started_ns) / 1e9
        return min(self._subject.timeout_s, max(_REFUSAL_S, 3 * wall_s))

    def _make(
        self, command: str, asked: Mapping[str, Any], timeout_s: float | None = None, **more: Any
    ) -> Scenario:
        line = json.dumps(asked, separators=(",", ":")).encode() + b"\n"
        return Scenario(command, line, timeout_s or self._subject.timeout_s, asked, **more)

    def _refused(self, command: str, line: bytes | None = None, **changes: Any) -> Scenario:
        """A request that cannot succeed: a valid one with changes, or just some bytes."""
        if line is not None:
            return Scenario(command, line, self._patience_s())
        return self._make(command, self._request(command) | changes, self._patience_s())

    def _run(self, environment: Mapping[str, str] | None = None, **changes: Any) -> Scenario:
        return self._make("run", self._request("run") | changes, environment=environment or {})

    def _plain(self) -> Scenario:
        window = {"min_duration_ns": self._subject.window_ns, "min_iterations": 10, "max_iterations": _MOST}
        return self._run(
            warmup=_WARMUP,
            idle_ns=_IDLE_NS,
            measure=window,
            idle_after_ns=_IDLE_AFTER_NS,
            outputs=True,
        )

    def _by_count(self) -> Scenario:
        # More than one chunk of latencies where the model is quick enough.
        values = self._known("run").values_ns("measure")
        count = max(5, min(5000, int(5e9 / max(1.0, median(values))))) if values else 5
        window = {"min_duration_ns": 0, "min_iterations": count, "max_iterations": 10 * count}
        return self._run(measure=window)

    def _to_a_maximum(self) -> Scenario:
        return self._run(
            measure={"min_duration_ns": 3600 * 10**9, "min_iterations": 64, "max_iterations": MAXIMUM}
        )

    def _unknown_fields(self) -> Scenario:
        request = self._request("run")
        for name in ("model", "warmup", "measure"):
            request[name] = {**request[name], NOWHERE: [1]}
        return self._make("run", {**request, NOWHERE: {"deep": [None]}})

    def _compile(self) -> Scenario:
        runtime = self._subject.runtime
        options = dict(self._subject.options)
        if runtime and runtime.compile and not runtime.compiled_format(options):
            name, value, _ = runtime.compile[0]
            options[name] = value
        request = self._request("compile") | {"options": options}
        return self._make("compile", request, max(self._subject.timeout_s, _COMPILE_S))

    def _compiled(self) -> Scenario:
        evidence = self._known("compile")
        made = evidence.of("artifact")[0]
        model = {name: made[name] for name in ("path", "format", "sha256")}
        return self._run(model=model, options=evidence.asked["options"])

    def _terminated(self, init: bool) -> Scenario:
        plain = self._known("run")
        window, settle = plain.window("measure"), plain.window("settle")
        pause_s = 1.0 + 2 * (settle[1] - settle[0]) / 1e9 if settle else 1.0
        lead_s = (window[0] - plain.outcome.started_ns) / 1e9 if window else self._subject.timeout_s / 4
        # A foreign clock makes the lead senseless; the launch's own timeout bounds it.
        patience_s = min(max(5.0, 2 * lead_s + 5.0), self._subject.timeout_s - 10.0)
        measure = {"min_duration_ns": 3600 * 10**9, "min_iterations": 1}
        request = self._request("run") | {"measure": measure, "warmup": _WARMUP}
        return self._make("run", request, init=init, terminate=Terminate(pause_s, max(1.0, patience_s)))
