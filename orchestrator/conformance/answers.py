"""Clauses about what a runner answers: to its commands, and to requests and files it must refuse."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from orchestrator import wire
from orchestrator.conformance.evidence import Evidence
from orchestrator.conformance.launches import NO_MODELS, Launches, NotProvoked
from orchestrator.conformance.scenarios import COMMANDS, MALFORMED, NOWHERE
from orchestrator.files import sha256_file

_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")


def refused(evidence: Evidence, *codes: str) -> Iterator[str]:
    """Nothing where the launch ended in an error of one of the codes."""
    expected = " or ".join(f"error/{code}" for code in codes)
    if evidence.error is None or evidence.outcome.timed_out or evidence.error.get("code") not in codes:
        yield f"{evidence.scenario}: {evidence.ending}; expected {expected}"


def commands(launches: Launches) -> Iterator[str]:
    """C1: one program that knows the four commands; each ends by itself, three of them in success."""
    for command in COMMANDS:
        name = command
        if command == "compile" and _missing_tool(launches):
            continue
        evidence = launches.take(name)
        outcome = evidence.outcome
        if evidence.outcome.problem:
            yield f"{name}: {evidence.ending}"
            return
        # Another exit status than the last line deserves is C5's matter, an endless output section 6's.
        if evidence.finished or outcome.overflow or outcome.exit_code == 0:
            continue
        if command == "compile" and evidence.error and evidence.error.get("code") == "unsupported":
            continue
        yield f"{name}: {evidence.ending}"


def requests(launches: Launches) -> Iterator[str]:
    """C2: no request, or no well-formed one, is answered by error/protocol and never hangs."""
    for command in COMMANDS[1:]:
        yield from refused(launches.take(f"{command} with nothing on stdin"), "protocol")
    for name in MALFORMED:
        yield from refused(launches.take(f"run with {name}"), "protocol")
    describe = launches.take("describe with a request")
    if not describe.finished:
        yield f"{describe.scenario}: {describe.ending}; the line may be there or missing"


def foreign_protocol(launches: Launches) -> Iterator[str]:
    """C7: another major version is answered by error/protocol that lists the supported ones."""
    for evidence in (launches.take("describe"), launches.take("run")):
        spoken = evidence.hello.get("protocols")
        versions = spoken if isinstance(spoken, list) else []
        if evidence.hello and not any(str(one).split(".")[0] == str(wire.MAJOR) for one in versions):
            yield f"{evidence.scenario}: hello.protocols is {spoken}; none is of major version {wire.MAJOR}"
    for command in COMMANDS:
        evidence = launches.take(f"{command} in a foreign protocol")
        problems = list(refused(evidence, "protocol"))
        yield from problems
        if problems or evidence.error is None:
            continue
        details = evidence.error.get("details")
        listed = details.get("protocols") if isinstance(details, dict) else None
        if not (isinstance(listed, list) and listed and all(_VERSION.fullmatch(str(one)) for one in listed)):
            yield f"{evidence.scenario}: details.protocols is {listed}; expected versions of three numbers"


def no_model(launches: Launches) -> Iterator[str]:
    """C17: a file that is no model is answered by error/model."""
    for command in ("inspect", "run"):
        for name in NO_MODELS:
            yield from refused(launches.take(f"{command} of {name}"), "model")


def wrong_file(launches: Launches) -> Iterator[str]:
    """C17: so is a wrong SHA-256, and a file that is not there."""
    for command in ("inspect", "run"):
        yield from refused(launches.take(f"{command} of a file of another hash"), "model")
        yield from refused(launches.take(f"{command} of a missing file"), "model")


def unknown_fields(launches: Launches) -> Iterator[str]:
    """Section 2: unknown fields of a request are ignored."""
    launches.finished("run")
    evidence = launches.take("run with unknown fields")
    if not evidence.finished:
        yield f"{evidence.scenario}: {evidence.ending}"


def unknown_options(launches: Launches) -> Iterator[str]:
    """Section 2: an unknown option, or an unknown value of a known one, is error/unsupported."""
    yield from refused(launches.take("run with an unknown option"), "unsupported")
    for option in launches.scenarios.closed_options():
        yield from refused(launches.take(f"run with an unknown {option}"), "unsupported")


def inspected(launches: Launches) -> Iterator[str]:
    """Section 5: ``inspect`` tells the signature and iterates nothing, ``describe`` sends hello alone."""
    describe = launches.finished("describe")
    kinds = [line.message["type"] for line in describe.lines if line.message]
    after = kinds[kinds.index("hello") + 1 :]
    if after:
        yield f"describe: {len(after)} more after hello, which must be alone"
    inspect = launches.finished("inspect")
    if len(inspect.of("model")) != 1:
        yield f"inspect: {len(inspect.of('model'))} model messages, expected 1"
    told = inspect.of("done")[0].get("iterations")
    if told != 0:
        yield f"inspect: done.iterations is {told}, expected 0"


def compiled(launches: Launches) -> Iterator[str]:
    """Section 5: ``compile`` is error/unsupported, or leaves what it announces and can run it."""
    tool = _missing_tool(launches)
    if tool:
        raise NotProvoked(tool)
    evidence = launches.take("compile")
    runtime = launches.subject.runtime
    if not evidence.finished:
        yield from refused(evidence, "unsupported")
        if runtime and runtime.compile:
            yield f"compile: {evidence.ending}, though runner.toml lists what it compiles"
        return
    made = evidence.of("artifact")
    if len(made) != 1 or evidence.of("done")[0].get("iterations") != 0:
        done = evidence.of("done")[0]
        yield f"compile: {len(made)} artifact messages and {done}, expected 1 and 0 iterations"
        return
    path = launches.on_host(str(made[0].get("path")))
    problem = _not_as_announced(path, made[0].get("sha256"), made[0].get("bytes"))
    if problem:
        yield f"compile: {made[0].get('path')} {problem}"
        return
    run = launches.take("run of what was compiled")
    if not run.finished:
        yield f"{run.scenario}: {run.ending}"


def probed(launches: Launches) -> Iterator[str]:
    """C19: ``probe`` tells what the place can do, with no latency; or it is refused."""
    evidence = launches.take("probe")
    if not evidence.finished:
        # A runner of before 1.3.0 does not know the command.
        yield from refused(
            evidence, *(("unsupported",) if evidence.minor >= 3 else ("unsupported", "protocol"))
        )
        return
    told, done = evidence.of("probe"), evidence.of("done")[0]
    if len(told) != 1 or done.get("iterations") != 0:
        yield f"probe: {len(told)} probe messages and {done}, expected 1 and 0 iterations"
    for probe in told:
        if probe.get("threads") != evidence.asked["threads"]:
            yield f"probe: threads is {probe.get('threads')}, the request said {evidence.asked['threads']}"
        reasons = probe.get("reasons")
        for name in wire.PROBED:
            if probe.get(name) == [] and not (isinstance(reasons, dict) and reasons.get(name)):
                yield f"probe: {name} is empty and reasons does not say why"


def _not_as_announced(path: Path | None, sha256: object, size: object) -> str | None:
    if path is None:
        return "does not lie below output_dir"
    if not path.is_file():
        return "is no file"
    if path.stat().st_size != size:
        return f"has {path.stat().st_size} bytes, announced {size}"
    return None if sha256_file(path) == sha256 else "has another SHA-256 than announced"


def _missing_tool(launches: Launches) -> str | None:
    """What this machine lacks for compiling outside a container, with the fix."""
    runtime = launches.subject.runtime
    if runtime is None or launches.subject.engine.name != "process":
        return None
    wanted = {(name, value) for name, value, _ in runtime.compile}
    for tool in runtime.tools:
        if any((tool.option, value) in wanted for value in tool.values) and not shutil.which(tool.command):
            return f"{tool.command} is not on this machine; {tool.fix}"
    return None


def unknown_accelerator(launches: Launches) -> Iterator[str]:
    """C18: a wish for an accelerator that is not there is refused, or ``placement`` owns up."""
    launches.finished("run")
    evidence = launches.take("run on an unknown accelerator")
    if not evidence.finished:
        yield from refused(evidence, "unsupported", "accelerator")
        return
    for placement in evidence.of("placement"):
        executed = placement.get("executed")
        told = placement.get("requested")
        if told != NOWHERE:
            yield f"{evidence.scenario}: placement.requested is {told!r}, the request said {NOWHERE!r}"
        if isinstance(executed, dict) and NOWHERE in executed:
            yield f"{evidence.scenario}: placement says that {NOWHERE!r} executed, which does not exist"
