"""Numbers in answers, where any may be missing, null or a text."""

from __future__ import annotations


def whole_or_none(value: object) -> int | None:
    """Return a whole number above 0; None for anything else."""
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and int(text) > 0 else None


def number_or_none(value: object) -> float | None:
    """Return a number; None for anything else."""
    return float(value) if isinstance(value, int | float) else None
