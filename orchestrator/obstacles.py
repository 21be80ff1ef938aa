"""Why a case cannot run: one reason a function, as text, or None where it is no obstacle."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence

from orchestrator.artifacts import Artifact
from orchestrator.catalog import Device, Model, Runtime
from orchestrator.domain import Case, InferometerError


def arch(case: Case, runtimes: Mapping[str, Runtime], device: Device) -> str | None:
    arch = runtimes[case.runtime].arch
    return (
        None
        if device.arch in arch
        else f"{case.runtime} needs {' or '.join(arch)}, {device.id} is {device.arch}"
    )


def accelerator(
    case: Case, runtimes: Mapping[str, Runtime], device: Device, lacking: Mapping[str, str]
) -> str | None:
    offered = runtimes[case.runtime].offers(device.arch)
    if case.accelerator not in offered:
        return f"{case.runtime} runs on {' or '.join(offered)}, not {case.accelerator}, on {device.arch}"
    if case.accelerator not in device.accelerators:
        return f"{device.id} has no {case.accelerator}, only {', '.join(device.accelerators)}"
    return lacking.get(case.accelerator)


def unsuited(case: Case, runtimes: Mapping[str, Runtime]) -> list[str]:
    return runtimes[case.runtime].unsuited(dict(case.options), case.accelerator)


def unusual(case: Case, runtimes: Mapping[str, Runtime], models: Mapping[str, Model]) -> list[str]:
    """Options whose values are no defaults for what the case's files hold."""
    model, options = models.get(case.model), runtimes[case.runtime].options
    precision = model.variant(case.variant).precision if model else ""
    return [name for name, value in case.options if value not in options[name].swept(precision)]


def unasked(case: Case, runtimes: Mapping[str, Runtime], models: Mapping[str, Model]) -> list[str]:
    """Options with a value that only its being named explains."""
    return [*unsuited(case, runtimes), *unusual(case, runtimes, models)]


def option(case: Case, runtimes: Mapping[str, Runtime]) -> str | None:
    """Values that were named; of the defaults those for other accelerators are left out."""
    for name in unsuited(case, runtimes):
        value = dict(case.options)[name]
        able = runtimes[case.runtime].options[name].accelerators[value]
        return f"{case.runtime}.{name}={value} is for {' or '.join(able)}, not {case.accelerator}"
    return None


def base(case: Case, runtimes: Mapping[str, Runtime], engine: str) -> str | None:
    try:
        if engine == "docker":
            runtimes[case.runtime].build_arguments(case.accelerator)
    except InferometerError as problem:
        return str(problem)
    return None


def threads(case: Case, cores: int) -> str | None:
    if case.threads <= cores:
        return None
    return f"asks for {case.threads} threads, this machine offers {cores} cores"


def variant(case: Case, runtimes: Mapping[str, Runtime], models: Mapping[str, Model]) -> str | None:
    model = models.get(case.model)
    if model is None:
        return None
    precision, able = model.variant(case.variant).precision, runtimes[case.runtime].precisions
    if precision not in able:
        return f"{case.runtime} runs {', '.join(able)}, not {precision}"
    if model.batches and case.batch not in model.batches:
        return f"the files of {case.model} fix the batch at {' or '.join(map(str, model.batches))}"
    return model.obstacle(case.variant)


def format(
    case: Case, runtimes: Mapping[str, Runtime], models: Mapping[str, Model], own: Sequence[Artifact]
) -> str | None:
    formats = runtimes[case.runtime].formats
    existing = {item.format for item in own if (item.model, item.batch) == (case.model, case.batch)}
    existing |= set(models[case.model].variant(case.variant).formats) if case.model in models else set()
    if existing & set(formats):
        return None
    what = case.model if case.model not in models else f"{case.model} {case.variant}"
    return f"{case.runtime} loads {' or '.join(formats)}, {what} comes as {', '.join(sorted(existing))}"


def tool(case: Case, runtimes: Mapping[str, Runtime], engine: str) -> str | None:
    if engine != "process":
        return None
    options = dict(case.options)
    for tool in runtimes[case.runtime].tools:
        if options.get(tool.option) in tool.values and not shutil.which(tool.command):
            return f"{tool.option}={options[tool.option]} needs {tool.command} on this machine: {tool.fix}"
    return None
