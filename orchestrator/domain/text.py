"""Texts that others wrote."""

from __future__ import annotations


def plain(text: str) -> str:
    """One printable line: what a runner wrote must not steer a terminal."""
    if text.isprintable():
        return " ".join(text.split())
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
