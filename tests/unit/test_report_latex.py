"""Tables for papers: nothing that a runner or a folder says becomes a command, and nothing is lost."""

from __future__ import annotations

import re
import shutil
import subprocess
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain import Skip
from orchestrator.merge import summary_document
from orchestrator.report import latex
from orchestrator.report.cells import plain
from orchestrator.report.tex import escape
from tests.support.results import case, document, header, summary

COMMANDS = {
    "textbackslash{}": "\\",
    "textasciitilde{}": "~",
    "textasciicircum{}": "^",
    "textbar{}": "|",
    "textless{}": "<",
    "textgreater{}": ">",
    "char34{}": '"',
    "char96{}": "`",
    "dots{}": "…",
    **{char: char for char in "#$%&_{}"},
    **{f"textsuperscript{{{digit}}}": char for digit, char in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
}
MATH = {"mu": "µ", "times": "×", "pm": "±", "leq": "≤", "geq": "≥", "rightarrow": "→", "cdot": "·"}
ACCENTS = dict(zip("`'^~\"rvc", "\u0300\u0301\u0302\u0303\u0308\u030a\u030c\u0327", strict=True))
TOKEN = re.compile(
    r"\\(?P<accent>[`'^~\"rvc])\{(?P<base>[A-Za-z])\}|\\(?P<command>(?:text\w+|char\d+|dots)\{\d?\}|[#$%&_{}])"
    r"|\$\\(?P<math>[a-z]+)\$|\{\[\}U\+(?P<code>[0-9A-F]{4,6})\]|\{(?P<braced>[\[*])\}|(?P<dash>---?)"
    r"|(?P<broken>\{\})|(?P<char>[^\\{}$%#&_~^])"
)


def printed(tex: str) -> str:
    """What LaTeX prints of an escaped text; an assertion fails at anything else than these tokens."""
    found, place = "", 0
    while place < len(tex):
        match = TOKEN.match(tex, place)
        assert match, tex[place:]
        place = match.end()
        kind, text = match.lastgroup or "", match[match.lastgroup or 0]
        if kind == "base":
            found += unicodedata.normalize("NFC", text + ACCENTS[match["accent"]])
        elif kind == "command":
            found += COMMANDS[text]
        elif kind == "math":
            found += MATH[text]
        elif kind == "code":
            found += chr(int(text, 16))
        elif kind == "dash":
            found += "—" if len(text) == 3 else "–"
        elif kind != "broken":
            found += text
    return found


@given(st.text() | st.text(alphabet="\\{}$&#^_~%|<>\"`'-,[]*é ü–µ¹中", max_size=20))
def test_what_is_printed_is_the_text_and_the_file_is_ascii(text: str) -> None:
    found = escape(text)
    assert found.isascii()
    assert found.isprintable()
    assert printed(found).replace("μ", "µ") == plain(text).replace("μ", "µ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50 % of a_b & c#1", r"50 \% of a\_b \& c\#1"),
        (r"\input{/etc/passwd}", r"\textbackslash{}input\{/etc/passwd\}"),
        ("12.1–12.6", "12.1--12.6"),
        ("--quick", "-{}-quick"),
        ("Zoë", 'Zo\\"{e}'),
        ("中", "{[}U+4E2D]"),
        ("*[x]", "{*}{[}x]"),
    ],
)
def test_escapes(text: str, expected: str) -> None:
    assert escape(text) == expected


def body(tex: str) -> list[list[str]]:
    """The cells of the rows between the rules."""
    rows = re.findall(r"\\midrule\n(.*?)\\bottomrule", tex, re.DOTALL)
    return [re.split(r"(?<!\\) & ", line.removesuffix(r" \\")) for part in rows for line in part.splitlines()]


def test_one_table_a_model_with_units_intervals_and_findings() -> None:
    tex = latex.render(document())
    assert tex.count(r"\begin{table}") == tex.count(r"\end{table}") == 2
    captions = re.findall(r"\\caption\{(.*)\}", tex)
    for caption in captions:
        for part in ("x86 (Example CPU @ 2.60GHz, 6.1.0)", "Inferometer 0.1.0", "seed 0", "engine docker"):
            assert part in caption
    assert captions[0].startswith("digits-cnn: latency of one inference")
    assert r"($\mu$s)" in tex
    rows = body(tex)
    assert len(rows) == 9
    assert {len(row) for row in rows} == {len(rows[0])}
    eager = next(row for row in rows if row[0] == "pytorch (eager)" and "suspect" in " ".join(row))
    assert re.search(r"suspect M\\textsuperscript\{[a-z](,[a-z])*\}", " ".join(eager))
    assert re.search(r"\\textsuperscript\{\w\} multimodal: 2 speed modes", tex)
    assert r"failed\textsuperscript" in tex
    assert "n too small: 662 iterations are needed" in tex


def test_versions_of_runtimes_stand_in_the_caption() -> None:
    tex = latex.render(document(versions={"onnxruntime": "1.31.1"}))
    assert "protocol 1.0.0, onnxruntime 1.31.1; seed 0" in tex


def test_a_long_table_is_cut_into_parts() -> None:
    rows = [summary(case(threads=n + 1), 1e7, launches=2) for n in range(latex.MOST_ROWS + 1)]
    tex = latex.render(summary_document(header(), rows, [], []))
    assert [int(part) for part in re.findall(r"caption\{resnet50 \(part (\d)\)", tex)] == [1, 2]
    assert len(set(re.findall(r"\\label\{(.*?)\}", tex))) == 2
    assert len(body(tex)) == latex.MOST_ROWS + 1


def test_more_findings_than_letters() -> None:
    assert [latex._letters(n) for n in (0, 25, 26, 51, 52)] == ["a", "z", "aa", "az", "ba"]


def hostile() -> dict[str, Any]:
    bad = case("a|b\\", "m*[x](y)%\\end{table}", "<i>\x1b[31m")
    rows = [summary(bad, None), summary(case("[x]", bad.model, "&"), 1e7)]
    return summary_document(header("r|[bold]x}"), rows, [], [Skip(bad, "x\n# y | z")])


def test_names_are_no_commands() -> None:
    tex = latex.render(hostile())
    assert tex.isascii()
    assert tex.count(r"\end{table}") == 1
    assert {len(row) for row in body(tex)} == {len(body(tex)[0])}


def test_a_run_without_cases() -> None:
    assert "No case was measured." in latex.render(summary_document(header(), [], [], []))


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("what", [document, hostile])
def test_it_compiles(tmp_path: Path, what: Any) -> None:
    (tmp_path / "table.tex").write_text(latex.render(what()))
    (tmp_path / "main.tex").write_text(
        "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n\\listoftables\n"
        "\\input{table}\n\\end{document}\n"
    )
    command = ["pdflatex", "-draftmode", "-halt-on-error", "-interaction=nonstopmode", "main.tex"]
    for _ in range(2):  # the second time with the list of tables
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout[-2000:]
