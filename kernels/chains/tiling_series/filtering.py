"""The series of tiles through the filter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kernels.chains.multitemporal_filter import FilteredSeries, filter_series
from kernels.chains.tiling_series.making import SeriesTile
from kernels.chains.tiling_series.request import NO_FILTER, TilingSeriesRequest
from kernels.engine.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class TileSeries:
    """Tiles of one place, relative orbit and polarisation.

    Attributes
    ----------
    tile : str
        Name of the tile.
    relative_orbit : int
        1 to 175.
    direction : str
        Ascending or descending.
    polarisation : str
        For example VV.
    made : tuple of SeriesTile
        In order of time.
    filtered : FilteredSeries or None
        None where no filter is asked for.
    """

    tile: str
    relative_orbit: int
    direction: str
    polarisation: str
    made: tuple[SeriesTile, ...]
    filtered: FilteredSeries | None = None

    def result(self, one: SeriesTile) -> Path:
        """Return the filtered file of a tile, without a filter the tile itself."""
        source = one.file_of(self.polarisation)
        if self.filtered is None:
            return source
        names = [acquisition.path for acquisition in self.filtered.acquisitions]
        return self.filtered.results[names.index(source)]


def make_series(
    request: TilingSeriesRequest, made: Sequence[SeriesTile], folder: Path, progress: Progress
) -> tuple[TileSeries, ...]:
    """Sort tiles into series and filter each of them.

    Parameters
    ----------
    request : TilingSeriesRequest
        Which filter.
    made : sequence of SeriesTile
        All tiles.
    folder : Path
        Of the whole; the state of a series goes to the folder of its tile, filtered files beside
        the unfiltered ones.
    progress : Progress
        Told of steps and shares; asked for cancellation.

    Returns
    -------
    tuple of TileSeries
        By tile, relative orbit, direction and polarisation.

    Raises
    ------
    FournaiseError
        A series cannot be filtered.
    """
    groups: dict[tuple[str, int, str, str], list[SeriesTile]] = {}
    for item in made:
        one = item.one
        for polarisation in one.polarisations:
            key = (one.tile, one.relative_orbit, one.direction, polarisation)
            groups.setdefault(key, []).append(item)
    series = []
    for number, (key, items) in enumerate(groups.items()):
        tile, relative_orbit, direction, polarisation = key
        part = progress.part(number / len(groups), (number + 1) / len(groups))
        filtered = None
        if request.filter != NO_FILTER:
            filtered = filter_series(
                request.filtering(
                    series=tuple(item.file_of(polarisation) for item in items),
                    relative_orbit=None,
                    polarisation=polarisation,
                ),
                folder / "S1-L1-ORTHO" / tile if request.layout == "folders" else folder,
                part.named(f"filter {tile} {polarisation}"),
                beside=True,
            )
        series.append(
            TileSeries(
                tile=tile,
                relative_orbit=relative_orbit,
                direction=direction,
                polarisation=polarisation,
                made=tuple(items),
                filtered=filtered,
            )
        )
    return tuple(series)
