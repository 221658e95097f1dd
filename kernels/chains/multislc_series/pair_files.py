"""The folder of a pair: names of its files, and the record that tells that it is finished."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kernels.insar.networks import Pair

RADAR = "interferogram_radar.tif"
ORTHO = "interferogram_ortho.tif"
UNWRAPPED = "unwrapped_radar.tif"
FILES = {
    "interferogram": ORTHO,
    "style": "interferogram_ortho.qml",
    "filtered": "filtered_ortho.tif",
    "displacement": "displacement.tif",
    "displacement_picture": "displacement.png",
    "displacement_style": "displacement.qml",
}
"""Names in the folder of a pair, by output of `dinsar-pair`."""
RECORD = "pair.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class PairFiles:
    """A finished pair.

    Attributes
    ----------
    pair : (int, int)
        Numbers of its images in the stack.
    folder : Path
        Of its files.
    record : dict
        Coherence, warnings, unwrapping; ready for JSON.
    made : bool
        Whether this run made it.
    """

    pair: Pair
    folder: Path
    record: dict[str, Any]
    made: bool

    @property
    def name(self) -> str:
        """The days, as 20160605_20160629."""
        return f"{self.record['first']}_{self.record['second']}"

    @property
    def raster(self) -> str:
        """Name of the interferogram: on the map, or else in radar geometry."""
        return ORTHO if (self.folder / ORTHO).exists() else RADAR

    @property
    def unwrapped(self) -> Path | None:
        """Raster of the unwrapped phase in radar geometry, where there is one."""
        path = self.folder / UNWRAPPED
        return path if path.exists() else None


def forget(folder: Path) -> None:
    """Take away what a run of other options left of a pair, its record first; nothing else."""
    for name in (RECORD, RADAR, ORTHO, UNWRAPPED, *FILES.values()):
        (folder / name).unlink(missing_ok=True)
    for path in folder.glob("interferogram_*_radar.tif"):
        path.unlink()


def read_record(folder: Path, key: str) -> dict[str, Any] | None:
    """Read the record of a finished pair; None of others."""
    try:
        found: dict[str, Any] = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if found.pop("key", None) == key else None
