"""Tables of figures as text."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kernels.errors import ProcessingError


def write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows of equal names as CSV, None as nothing.

    Parameters
    ----------
    path : Path
        In a scratch folder.
    rows : sequence of mapping
        At least one.

    Raises
    ------
    ProcessingError
        The file system did not take it.
    """
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        raise ProcessingError(f"{path.name} could not be written: {error.strerror}") from error
