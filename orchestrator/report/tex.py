"""Any text as characters that plain LaTeX prints: nothing in it is a command, and the file stays ASCII."""

from __future__ import annotations

import unicodedata

from orchestrator.report.cells import plain

_COMMANDS = {
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "|": "\\textbar{}",
    "<": "\\textless{}",
    ">": "\\textgreater{}",
    '"': "\\char34{}",  # not the character itself: babel makes it a command in some languages
    "`": "\\char96{}",
    "[": "{[}",  # after the end of a row it would begin an argument, as would a star
    "*": "{*}",
    "–": "--",
    "—": "---",
    "µ": "$\\mu$",
    "μ": "$\\mu$",
    "×": "$\\times$",
    "±": "$\\pm$",
    "≤": "$\\leq$",
    "≥": "$\\geq$",
    "→": "$\\rightarrow$",
    "·": "$\\cdot$",
    "…": "\\dots{}",
    **{char: f"\\{char}" for char in "#$%&_{}"},
    **{char: f"\\textsuperscript{{{digit}}}" for digit, char in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
}
_ACCENTS = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0308": '"',
    "\u030a": "r",
    "\u030c": "v",
    "\u0327": "c",
}
_LIGATURES = frozenset("-',")  # two of a kind become one glyph


def escape(text: str) -> str:
    """One line of ASCII that LaTeX prints as the text.

    Letters with accents become LaTeX's accents; what plain LaTeX has no glyph for is named: ``[U+4E2D]``.
    """
    found = ""
    for char in plain(text):
        piece = _one(char)
        found += "{}" + piece if found[-1:] == piece[0] and piece[0] in _LIGATURES else piece
    return found


def _one(char: str) -> str:
    if char in _COMMANDS:
        return _COMMANDS[char]
    if char.isascii():
        return char
    parts = unicodedata.normalize("NFD", char)
    base, mark = parts[0], parts[1:2]
    if mark in _ACCENTS and base in _LETTERS and unicodedata.normalize("NFC", base + mark) == char:
        return f"\\{_ACCENTS[mark]}{{{base}}}"
    return f"{{[}}U+{ord(char):04X}]"


# Without i and j: their accents stand on other glyphs.
_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghklmnopqrstuvwxyz")
