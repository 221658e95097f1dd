"""The tile of one pass, under its final name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kernels.chains.ortho_tiling.coverage import plan_tiles
from kernels.chains.ortho_tiling.inputs import open_passes
from kernels.chains.ortho_tiling.making import make_tile
from kernels.chains.tiling_series.plan import TilePass
from kernels.chains.tiling_series.request import TilingSeriesRequest
from kernels.engine.progress import Progress
from kernels.errors import ProductError


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesTile:
    """A tile of one pass.

    Attributes
    ----------
    one : TilePass
        The pass.
    files, masks : tuple of Path
        Under final names; backscatter as one file per polarisation, or one with a band for each.
    covered : float
        Share of the tile with data, 0 to 1.
    written : bool
        False where an earlier run had made it.
    """

    one: TilePass
    files: tuple[Path, ...]
    masks: tuple[Path, ...]
    covered: float
    written: bool

    def file_of(self, polarisation: str) -> Path:
        """Return the file that holds a polarisation of the pass."""
        number = self.one.polarisations.index(polarisation)
        return self.files[number if len(self.files) > 1 else 0]


def make_series_tile(
    request: TilingSeriesRequest, one: TilePass, folder: Path, progress: Progress
) -> SeriesTile:
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
    SeriesTile
        Complete.

    Raises
    ------
    InputError, RequestError
        The products cannot be used or have too little data; nothing of the tile is left.
    ProcessingError
        The file system did not take the tile.
    Cancelled
        If asked to stop.
    """
    tiling = request.tiling(
        products=one.products, tiles=(one.tile,), polarisations=one.polarisations
    )
    passes, _ = open_passes(tiling)
    (job,), _ = plan_tiles(tiling, passes)
    made = make_tile(tiling, job, folder, progress)
    if made.covered == 0.0 or made.covered * 100.0 < request.minimum_coverage:
        raise ProductError(
            f"{one.names[0]} must fill {request.minimum_coverage:g} percent of {one.tile} with "
            f"data, got {100.0 * made.covered:.2g} percent"
        )
    return SeriesTile(
        one=one,
        files=tuple(folder / name for name in made.files),
        masks=tuple(folder / name for name in made.masks),
        covered=round(made.covered, 4),
        written=made.written,
    )
