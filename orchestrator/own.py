"""A user's own model file: its input is read from the file by its runtime, never guessed silently.

Works for single-input image classifiers, NCHW or NHWC, float32, uint8 or int8.
"""

from __future__ import annotations

import array
import math
import random
import stat
import struct
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator import wire
from orchestrator.artifacts import Artifact
from orchestrator.catalog import Device, Runtime
from orchestrator.diagnosis import diagnose
from orchestrator.domain import Case, InferometerError, Trial
from orchestrator.engines.launch import Engine, Launch, Mount, Target
from orchestrator.execute import container_name
from orchestrator.files import sha256_file, write_atomic

_TIMEOUT_S = 1800.0  # TensorRT tells of a model by the engine that it makes of it first
_CODES = {"float32": ("<f4", "f"), "uint8": ("|u1", "B"), "int8": ("|i1", "b")}


@dataclass(frozen=True)
class OwnModel:
    """A file with the pictures to show it; without pictures a seeded random one is used."""

    path: Path
    images: tuple[Path, ...] = ()
    input_range: tuple[float, float] | None = None
    copy: Path | None = None  # of the file, where runners can read it

    @property
    def format(self) -> str:
        """The artifact format by the file's ending. Raises InferometerError for an unknown one."""
        suffix = self.path.suffix.lower().lstrip(".")
        if suffix not in ("onnx", "tflite", "pt2"):
            raise InferometerError(
                f"{self.path}: the ending says no known format; use .onnx, .tflite or .pt2"
            )
        return suffix


@dataclass(frozen=True)
class Input:
    """The one image input of a model: height, width, channels, and how they lie in memory."""

    shape: tuple[int, ...]
    layout: str  # NCHW or NHWC
    dtype: str

    @property
    def size(self) -> tuple[int, int]:
        """(width, height), Pillow's order."""
        height, width = self.shape[2:4] if self.layout == "NCHW" else self.shape[1:3]
        return width, height

    @property
    def channels(self) -> int:
        """1 grey, 3 RGB."""
        return self.shape[1] if self.layout == "NCHW" else self.shape[3]


def parse_range(text: str | None) -> tuple[float, float] | None:
    """``"0,1"`` as numbers. Raises InferometerError when it is no rising pair."""
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
        if -math.inf < low < high < math.inf:
            return low, high
    except ValueError:
        pass
    raise InferometerError(f"--input-range {text!r}: give two numbers like 0,1 or -1,1")


def read_input(path: Path, signature: Mapping[str, Any]) -> Input:
    """The image input of an inspected model. Raises InferometerError naming what does not fit."""
    inputs = signature["inputs"]
    if len(inputs) != 1:
        raise InferometerError(f"{path}: has {len(inputs)} inputs; only single-input image classifiers fit")
    shape, dtype = list(inputs[0]["shape"]), inputs[0]["dtype"]
    if len(shape) != 4:
        raise InferometerError(f"{path}: input shape {shape} is no batch of images (4 dimensions)")
    if not isinstance(shape[0], int) or shape[0] < 1:
        shape[0] = 1  # a free batch dimension
    if not all(isinstance(size, int) and size > 0 for size in shape):
        raise InferometerError(f"{path}: input shape {shape} has free dimensions; export it with fixed ones")
    if dtype not in _CODES:
        raise InferometerError(f"{path}: input type {dtype} is not supported; known: {', '.join(_CODES)}")
    first, last = shape[1] in (1, 3), shape[3] in (1, 3)
    if first == last:
        raise InferometerError(f"{path}: input shape {shape} does not tell where the channels are")
    return Input(tuple(shape), "NCHW" if first else "NHWC", dtype)


def npy(shape: Sequence[int], dtype: str, data: bytes) -> bytes:
    """Bytes of a .npy file, format 1.0 (numpy.lib.format): magic, header padded to 64, C-order data."""
    header = f"{{'descr': '{_CODES[dtype][0]}', 'fortran_order': False, 'shape': {tuple(shape)}, }}"
    padded = header.encode().ljust((len(header) + 10) // 64 * 64 + 64 - 11) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded + data


def tensor(spec: Input, pixels: bytes, limits: tuple[float, float]) -> bytes:
    """Interleaved 8-bit pixels (height, width, channel) as the model's own type and layout.

    uint8 models take raw bytes, int8 models bytes minus 128, float models ``limits`` for 0 and 255.
    """
    if spec.layout == "NCHW":
        pixels = b"".join(pixels[channel :: spec.channels] for channel in range(spec.channels))
    pixels = pixels * spec.shape[0]
    if spec.dtype == "uint8":
        return pixels
    if spec.dtype == "int8":
        return bytes((value - 128) & 0xFF for value in pixels)
    low, high = limits
    table = [low + (high - low) * value / 255 for value in range(256)]
    return array.array("f", (table[value] for value in pixels)).tobytes()


def _pixels(own: OwnModel, spec: Input, seed: int) -> list[bytes]:
    if not own.images:
        width, height = spec.size
        return [random.Random(seed).randbytes(width * height * spec.channels)]
    from PIL import Image

    found = []
    for path in own.images:
        try:
            with Image.open(path) as image:
                mode = "L" if spec.channels == 1 else "RGB"
                found.append(image.convert(mode).resize(spec.size, Image.Resampling.BILINEAR).tobytes())
        # Pillow's decoders raise all of these for a damaged file.
        except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as problem:
            raise InferometerError(f"{path}: no readable picture ({problem})") from None
    return found


def check_file(own: OwnModel, engine: Engine) -> None:
    """Raises InferometerError where no runner of this engine could read the file."""
    path = (own.copy or own.path).resolve()
    if not path.is_file():
        raise InferometerError(f"{own.path}: there is no such file")
    others = path.stat().st_mode & stat.S_IROTH and path.parent.stat().st_mode & stat.S_IXOTH
    if engine.name == "docker" and not others:  # containers run as a user of their own
        raise InferometerError(
            f"{own.path}: file or folder is private, so no container can read it; "
            "chmod o+r the file in a folder with o+x, or use ENGINE=process"
        )


def inspect(
    own: OwnModel, engine: Engine, target: Target, accelerator: str, scratch: Path
) -> tuple[dict[str, Any], str]:
    """(signature, SHA-256): what the runtime reads from the file. Raises InferometerError if it refuses."""
    path = (own.copy or own.path).resolve()
    mount = Mount(path.parent, "model")
    sha256 = sha256_file(path)
    request = wire.Request(
        "inspect", model={"path": f"{engine.see(mount)}/{path.name}", "format": own.format, "sha256": sha256}
    )
    trial = Trial(Case("inspect", target.runtime, path.stem), 0)
    launch = Launch(
        container_name(trial),
        target.target,
        "inspect",
        request.line(),
        scratch / "transcript.jsonl",
        scratch / "stderr.log",
        _TIMEOUT_S,
        (mount,),
        accelerator=accelerator,
    )
    outcome = engine.launch(launch, lambda handle: None)
    with launch.stdout.open("rb") as stream:
        transcript = wire.read(stream)
    if transcript.model is None or transcript.done is None:
        _, reason = diagnose(outcome, transcript, _TIMEOUT_S, None)
        raise InferometerError(f"{target.runtime} cannot load it: {reason}")
    return transcript.model, sha256


def bring_in(own: OwnModel, signature: Mapping[str, Any], sha256: str, cache: Path, seed: int) -> Artifact:
    """The file as an artifact, its input tensors prepared once in the cache."""
    spec = read_input(own.path, signature)
    if spec.dtype == "float32" and own.images and own.input_range is None:
        raise InferometerError(
            f"{own.path}: takes float pixels of a range the file does not tell; give --input-range, e.g. 0,1"
        )
    tensors = [tensor(spec, pixels, own.input_range or (0.0, 1.0)) for pixels in _pixels(own, spec, seed)]
    folder = cache / "own" / sha256[:24]
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # containers read it as another user, whatever the umask
    inputs = folder / "inputs.npy"
    write_atomic(inputs, npy((len(tensors), *spec.shape), spec.dtype, b"".join(tensors)))
    path = own.path.resolve()
    return Artifact(
        own.path.stem,  # the name given, also where it is a link
        "own",
        spec.shape[0],
        own.format,
        path,
        sha256,
        path.stat().st_size,
        inputs,
        "yours",
        None,
        None,
        None,
        tuple(str(image) for image in own.images),
    )


def distinct(files: Sequence[OwnModel], models: Sequence[str]) -> None:
    """Refuse names that would stand for two things in one table. Raises InferometerError."""
    seen: dict[tuple[str, str], Path] = {}
    for own in files:
        name = own.path.stem
        if not name.isprintable():
            raise InferometerError(f"{str(own.path)!r}: its name holds control characters; rename the file")
        if name in models:
            raise InferometerError(f"{own.path}: {name} is a model of --models too; rename the file")
        other = seen.setdefault((name, own.format), own.path)
        if other is not own.path:
            raise InferometerError(f"{own.path}: has the name of {other}; rename one of them")


def readers(own: OwnModel, runtimes: Mapping[str, Runtime], order: Sequence[str]) -> list[Runtime]:
    """The runtimes of the bench that load the file's format, in this order of preference.

    Those that run on an accelerator alone come last: to read a model they may compile it for minutes.
    Raises InferometerError if none loads it.
    """
    found = [runtime for runtime in runtimes.values() if own.format in runtime.formats]
    if not found:
        raise InferometerError(f"{own.path}: none of {', '.join(runtimes)} loads .{own.format}")
    ranks = {name: number for number, name in enumerate(order)}
    return sorted(found, key=lambda item: ("cpu" not in item.accelerators, ranks.get(item.id, len(ranks))))


def read(
    own: OwnModel,
    runtimes: Sequence[Runtime],
    device: Device,
    engine: Engine,
    missing: Mapping[str, str],
    progress: Callable[[str], None],
) -> tuple[dict[str, Any], str]:
    """(signature, SHA-256) by the first of the runtimes that can load the file.

    ``missing``: the device's accelerators that are out of reach, with the reason. Raises InferometerError
    with every runtime's reason where all refuse.
    """
    check_file(own, engine)
    reasons = []
    for number, runtime in enumerate(runtimes, 1):
        try:
            place = _place(runtime, device, missing)
            target = engine.prepare(runtime, progress, place)
            with tempfile.TemporaryDirectory() as scratch:
                return inspect(own, engine, target, place, Path(scratch))
        except InferometerError as problem:
            reasons.append(str(problem))
            for following in runtimes[number : number + 1]:
                progress(f"{own.path}: {problem}; trying {following.id}")
    raise InferometerError(f"{own.path}: {'; '.join(reasons)}")


def _place(runtime: Runtime, device: Device, missing: Mapping[str, str]) -> str:
    """Where the runtime can read a model: on the processor, or on an accelerator within reach."""
    offered = runtime.offers(device.arch)
    for name in offered:
        if name in device.accelerators and name not in missing:
            return name
    why = next((missing[name] for name in offered if name in missing), None)
    raise InferometerError(
        f"{runtime.id} cannot load it: {why or f'it needs {offered[0]}, which {device.id} has not'}"
    )
