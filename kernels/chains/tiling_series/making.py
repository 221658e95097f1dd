"""The tiles of one pass, under their final names."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

from kernels.chains.ortho_tiling import run as run_ortho
from kernels.chains.tiling_series.plan import TilePass
from kernels.chains.tiling_series.request import TilingSeriesRequest
from kernels.engine.progress import Progress
from kernels.engine.workspace import publish, scratch_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeTile:
    """A tile of one pass.

    Attributes
    ----------
    one : TilePass
        The pass.
    files : tuple of Path
        Under final names; one per polarisation, or one with a band for each.
    covered : float
        Share of the tile with data, 0 to 1.
    written : bool
        False where an earlier run had made it.
    """

    one: TilePass
    files: tuple[Path, ...]
    covered: float
    written: bool

    def file_of(self, polarisation: str) -> Path:
        """File that holds a polarisation of the pass."""
        number = self.one.polarisations.index(polarisation)
        return self.files[number if len(self.files) > 1 else 0]


def series_folder(folder: Path, tile: str) -> Path:
    """Folder of everything about a tile."""
    return folder / "S1-L1-ORTHO" / tile


def make_tile(
    request: TilingSeriesRequest, one: TilePass, folder: Path, progress: Progress
) -> MadeTile:
    """Make the tile of one pass, unless an earlier run in the folder did.

    Parameters
    ----------
    request : TilingSeriesRequest
        How to make it.
    one : TilePass
        Of what.
    folder : Path
        Of the whole series.
    progress : Progress
        Told of shares; asked for cancellation.

    Returns
    -------
    MadeTile
        Complete.

    Raises
    ------
    FournaiseError
        The tile cannot be made; nothing of it is left.
    """
    target = series_folder(folder, one.tile) / f"{one.day:%Y/%m/%d}"
    tiling = request.tiling(
        products=one.products, tiles=(one.tile,), polarisations=one.polarisations
    )
    with scratch_folder(folder) as scratch:
        result = run_ortho(tiling, scratch, progress)
        (entry,) = result.report["tiles"]
        with zipfile.ZipFile(result.artefact("tiles").path) as archive:
            archive.extractall(scratch / "x")
        files = tuple(publish(scratch / "x" / name, target / name) for name in entry["files"])
    return MadeTile(one=one, files=files, covered=entry["covered"], written=True)
