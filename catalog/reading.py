"""Parts of answers, where any may be missing, null or of another kind."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def whole_or_none(value: object) -> int | None:
    """Return a whole number above 0; None for anything else."""
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and int(text) > 0 else None


def number_or_none(value: object) -> float | None:
    """Return a number; None for anything else."""
    try:
        number = float(value) if isinstance(value, int | float) else math.nan
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def linked(value: object) -> dict[str, Mapping[str, Any]]:
    """Return links by their relations; none where the answer holds no list of links."""
    links = value if isinstance(value, list) else []
    return {str(link.get("rel")): link for link in links if isinstance(link, dict)}
