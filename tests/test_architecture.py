"""The house keeps its shape: who may import whom, who may print, and where ids may stand."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ORCHESTRATOR = ROOT / "orchestrator"

# From the top; a room imports only rooms in rows below its own. docs/adr/0001-rooms.md tells why.
ROWS = [
    ["__main__"],
    ["cli"],
    ["study", "reproduce"],
    ["bench"],
    ["compare", "verify", "watch"],
    ["session", "report", "conformance", "doctor", "bundle", "live", "probe", "adding"],
    ["cases", "choices", "compiled", "observation", "extension", "ceilings", "loadgen"],
    ["own"],
    ["execute"],
    ["exports", "diagnosis", "cooling", "power", "tuning", "second_opinion", "obstacles"],
    ["weights", "exporter"],
    ["engines", "artifacts", "environment", "store", "meter"],
    ["data"],
    ["catalog", "lock", "downloads"],
    ["explain"],
    ["wire", "plan", "measurement", "merge", "findings", "scoring", "allocation", "scaling"],
    ["energy"],
    ["statistics"],
    ["files", "export_lines", "migrations", "shape"],
    ["domain"],
]
ROW_OF = {room: number for number, row in enumerate(ROWS) for room in row}
APART = "telemetry"  # imports nothing of ours and is imported by nobody
LINE_LIMIT = 300
LONG = {"runners/sdk/inferometer_sdk.py"}  # images and boards get the SDK as one file


def sources(*folders: str) -> list[Path]:
    """Every Python file below the folders of the checkout."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def imports(module: ast.Module, package: tuple[str, ...]) -> Iterator[str]:
    """Dotted names of all imports, those inside functions too; ``package`` resolves relative ones."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            stem = ".".join([*base, *([node.module] if node.module else [])])
            # `from orchestrator import x` names a room as its member.
            yield from (f"{stem}.{alias.name}" for alias in node.names)


def room_of(path: Path) -> str:
    """``orchestrator/engines/docker.py`` is in the room ``engines``; the package's own file in none."""
    return path.relative_to(ORCHESTRATOR).with_suffix("").parts[0]


def rooms_imported(path: Path) -> set[str]:
    """The rooms of the orchestrator that a file of it imports."""
    package = path.relative_to(ROOT).parent.parts
    names = [name.split(".") for name in imports(tree(path), package)]
    found = {name[1] for name in names if name[0] == "orchestrator" and len(name) > 1}
    return {name for name in found if name in ROW_OF or name == APART or (ORCHESTRATOR / name).is_dir()}


def broken_arrows(room: str, imported: set[str]) -> list[str]:
    """What is wrong with a file of ``room`` importing these rooms."""
    if room == APART:
        return [f"telemetry imports {name}" for name in sorted(imported - {APART})]
    if room == "__init__":
        return [f"the package itself imports {name}" for name in sorted(imported)]
    wrong = [name for name in imported - {room} if name == APART or ROW_OF[name] <= ROW_OF[room]]
    return [f"{room} imports {name}, which is not below it" for name in sorted(wrong)]


def test_the_rows_are_those_of_the_record() -> None:
    record = (ROOT / "docs/adr/0001-rooms.md").read_text("utf-8").split("```")[1]
    assert [sorted(line.split()) for line in record.strip().splitlines()] == [sorted(row) for row in ROWS[1:]]


def test_every_room_has_its_row() -> None:
    rooms = {room_of(path) for path in sources("orchestrator")} - {"__init__", APART}
    assert rooms <= set(ROW_OF), f"give these a row in ROWS: {rooms - set(ROW_OF)}"


@pytest.mark.parametrize("path", sources("orchestrator"), ids=lambda path: str(path.relative_to(ROOT)))
def test_arrows_point_down(path: Path) -> None:
    assert broken_arrows(room_of(path), rooms_imported(path)) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import orchestrator.cli.bench", ["plan imports cli, which is not below it"]),
        ("from orchestrator import wire", ["plan imports wire, which is not below it"]),
        ("def f():\n    from orchestrator.store import Run", ["plan imports store, which is not below it"]),
        ("from .bench import x", ["plan imports bench, which is not below it"]),
        ("from . import telemetry", ["plan imports telemetry, which is not below it"]),
        ("import orchestrator\nfrom orchestrator import __version__", []),
        ("from orchestrator.domain import Case\nimport json", []),
    ],
)
def test_the_check_sees_a_broken_arrow(source: str, expected: list[str]) -> None:
    names = [name.split(".") for name in imports(ast.parse(source), ("orchestrator",))]
    found = {name[1] for name in names if name[0] == "orchestrator" and len(name) > 1}
    assert broken_arrows("plan", {name for name in found if name in ROW_OF or name == APART}) == expected


@pytest.mark.parametrize("own", ["orchestrator", "runners", "models"])
def test_programs_share_no_code(own: str) -> None:
    others = {"orchestrator", "runners", "models", "inferometer_sdk"} - {own}
    others -= {"inferometer_sdk"} if own == "runners" else set()
    for path in sources(own):
        named = {name.split(".")[0] for name in imports(tree(path), path.relative_to(ROOT).parent.parts)}
        assert not named & others, f"{path.relative_to(ROOT)} imports {named & others}"


def test_only_the_command_line_prints() -> None:
    for path in sources("orchestrator"):
        if room_of(path) == "cli":
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in ("print", "click.echo", "echo", "click.secho"), f"{path}:{node.lineno}"


def texts(module: ast.Module) -> Iterator[ast.Constant]:
    """String constants, without docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = set()
    for node in ast.walk(module):
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr):
            docstrings.add(id(node.body[0].value))
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node


def test_no_code_knows_a_device() -> None:
    ids = [path.stem for path in (ORCHESTRATOR / "devices").glob("*.toml")]
    assert ids, "no device profiles found"
    pattern = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, ids))})(?![\w-])")
    for path in sources("orchestrator", "runners", "models"):
        for node in texts(tree(path)):
            assert not pattern.search(node.value), f"{path}:{node.lineno} names a device: {node.value!r}"


def every_source() -> list[Path]:
    folders = ("orchestrator", "runners", "models", "tests", "benchmarks")
    return [path for path in [*sources(*folders), *ROOT.glob("*.py")] if "__pycache__" not in path.parts]


def test_files_stay_short() -> None:
    counts = {
        path.relative_to(ROOT).as_posix(): len(path.read_bytes().splitlines()) for path in every_source()
    }
    assert {name: count for name, count in counts.items() if count > LINE_LIMIT and name not in LONG} == {}


def test_no_room_for_odds_and_ends() -> None:
    names = {"util", "utils", "helpers", "misc", "common"}
    found = [path.relative_to(ROOT).with_suffix("") for path in every_source()]
    assert [path for path in found if names & set(path.parts)] == []
