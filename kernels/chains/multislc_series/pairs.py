"""The interferogram of two images of a stack, with all that a pair by itself would give."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.chains.dinsar_pair.checkpoint import open_sums
from kernels.chains.dinsar_pair.filtered import filter_sums
from kernels.chains.dinsar_pair.inputs import SwathPair
from kernels.chains.dinsar_pair.merged import write_merged
from kernels.chains.dinsar_pair.ortho import write_map
from kernels.chains.dinsar_pair.phase_products import PhaseProducts, make_phase_products
from kernels.chains.dinsar_pair.radar import (
    RADAR_BANDS,
    RADAR_UNITS,
    FoundSums,
    found_sums,
    write_rows,
)
from kernels.chains.dinsar_pair.report import SIGN
from kernels.chains.dinsar_pair.request import DinsarPairRequest
from kernels.chains.dinsar_pair.unwrapped import UnwrappedRadar, unwrap_pair
from kernels.chains.multislc_series.linking import LinkedPhases
from kernels.chains.multislc_series.pair_files import (
    FILES,
    ORTHO,
    RADAR,
    RECORD,
    UNWRAPPED,
    PairFiles,
    forget,
    read_record,
)
from kernels.chains.multislc_series.stack import Stack, StackImage
from kernels.chains.reports import write_report
from kernels.engine.bands import Band, rows_for_budget, run_bands, split_rows
from kernels.engine.progress import Progress
from kernels.engine.workspace import publish, scratch_folder
from kernels.errors import ProcessingError, RequestError, UnwrappingError
from kernels.insar.geocode import Geocoder, RadarSums
from kernels.insar.merged import MergedSwaths
from kernels.insar.networks import Pair
from kernels.insar.stack import stack_sums
from kernels.products.qgis import phase_style, write_style
from kernels.products.raster import create_raster

_UNWRAPPED_BANDS = ("unwrapped_phase", "coherence", "component")

_BYTES_PER_PIXEL = 32
_LARGEST_BAND = 512
_OF_PAIRS = (
    "linking",
    "gain",
    "coherence",
    "phase_filter",
    "filter_strength",
    "unwrapping",
    "unwrapping_coherence",
    "reference_point",
    "reference_area",
    "ortho",
    "region",
    "spacing",
    "like",
)
"""Options that interferograms depend on, beside those of the images."""


class _InWork(NamedTuple):
    """A pair while it is made: both images, where its files go, and their metadata."""

    pair: Pair
    images: tuple[StackImage, StackImage]
    scratch: Path
    tags: dict[str, str]


class PairMaker:
    """Makes the interferograms of a stack, one after the other.

    Parameters
    ----------
    stack : Stack
        All images.
    key : str
        Of the store of the images.
    unbiased_looks : float or None
        Effective looks of a cell, where coherence is to be freed from its bias.
    threads : int
        Computing threads.
    scratch : Path
        Folder that lasts as long as the maker.
    """

    def __init__(
        self, stack: Stack, key: str, *, unbiased_looks: float | None, threads: int, scratch: Path
    ) -> None:
        self._stack = stack
        self._key = key
        self._unbiased_looks = unbiased_looks
        self._threads = threads
        self._geocoder: Geocoder | None = None
        self._linked = LinkedPhases(stack, scratch)

    def make(self, pair: Pair, near: Path, progress: Progress) -> PairFiles:
        """Make a pair, unless its folder holds it already.

        Parameters
        ----------
        pair : (int, int)
            First and second image.
        near : Path
            Folder of the results, which gets a folder for the pair.
        progress : Progress
            Told of steps and shares.

        Returns
        -------
        PairFiles
            Complete.

        Raises
        ------
        ProcessingError
            The file system did not take the files, or there is nothing to unwrap.
        """
        images = self._stack.images[pair[0]], self._stack.images[pair[1]]
        folder = near / f"{images[0].date.text}_m_{images[1].date.text}_s"
        key = self._key_of(images)
        record = read_record(folder, key)
        if record is not None:
            return PairFiles(pair=pair, folder=folder, record=record, made=False)
        self._linked.make(progress.part(0.0, 0.1))
        with scratch_folder(near) as scratch:
            found = self._make(pair, scratch, progress.part(0.1, 1.0))
            write_report(scratch / RECORD, {"key": key, **found})
            progress.check()
            # the record last: it tells that all others are there
            names = sorted(
                (path.name for path in scratch.iterdir() if path.suffix != ".sums"),
                key=lambda name: name == RECORD,
            )
            forget(folder)
            for name in names:
                publish(scratch / name, folder / name)
        return PairFiles(pair=pair, folder=folder, record=found, made=True)

    def _key_of(self, images: Sequence[StackImage]) -> str:
        request = self._stack.request
        values = {name: repr(getattr(request, name)) for name in _OF_PAIRS}
        used = self._stack.images if request.linking != "none" else ()  # all of them link
        made_of = [(image.date.names, image.made_of) for image in (*images, *used)]
        text = json.dumps([self._key, values, made_of], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def _make(self, pair: Pair, scratch: Path, progress: Progress) -> dict[str, Any]:
        request, swaths = self._stack.request, self._stack.swaths
        images = self._stack.images[pair[0]], self._stack.images[pair[1]]
        tags = {
            "REFERENCE": " ".join(images[0].date.names),
            "SECONDARY": " ".join(images[1].date.names),
            "POLARISATION": request.polarisation,
            "WAVELENGTH": repr(swaths[0].layout.grid.wavelength),
            "SIGN": SIGN,
        }
        work = _InWork(pair, images, scratch, tags)
        sums = tuple(
            self._sum_up(
                number,
                work,
                progress.part(0.4 * number / len(swaths), 0.4 * (number + 1) / len(swaths)),
            )
            for number in range(len(swaths))
        )
        record: dict[str, Any] = {
            "first": images[0].date.text,
            "second": images[1].date.text,
            "days": (images[1].date.day - images[0].date.day).days,
            "perpendicular_baseline_m": round(
                images[1].perpendicular_baseline - images[0].perpendicular_baseline, 3
            ),
            "coherence": _mean_coherence(sums),
            "warnings": [],
        }
        merged = MergedSwaths.of(sums)
        if len(sums) > 1 and merged is not None:
            write_merged(
                merged,
                scratch / RADAR,
                threads=self._threads,
                memory_mb=request.memory_mb,
                tags=tags,
                progress=progress.part(0.4, 0.45),
                unbiased_looks=self._unbiased_looks,
            )
        if request.ortho != "none":
            write_map(
                self._geocode(sums),
                scratch / ORTHO,
                threads=self._threads,
                memory_mb=request.memory_mb,
                tags=tags,
                progress=progress.part(0.45, 0.7),
                unbiased_looks=self._unbiased_looks,
            )
            style = phase_style(2, wavelength=swaths[0].layout.grid.wavelength)
            write_style(scratch / FILES["style"], style)
        products = self._phase_products(work, sums, merged, progress.part(0.7, 1.0))
        record["warnings"] += products.warnings
        record["unwrapping"] = products.report or None
        if products.unwrapped is not None:
            _write_unwrapped(scratch / UNWRAPPED, products.unwrapped, tags)
        return record

    def _sum_up(self, number: int, work: _InWork, progress: Progress) -> RadarSums:
        """Form the look sums of a swath, in a file, and its raster."""
        request, swath = self._stack.request, self._stack.swaths[number]
        looks, grid = swath.looks, swath.layout.grid
        shape, cells = grid.shape, grid.looked(swath.looks)
        sums = open_sums(work.scratch / f"swath_{number + 1}.sums", (*cells.shape, 4))
        readers = tuple(image.reader(number) for image in work.images)
        gain = np.float32(request.gain**2)  # of amplitudes squared
        rows = rows_for_budget(
            request.memory_mb * 1e6 / (self._threads + 1),
            bytes_per_row=shape.samples * _BYTES_PER_PIXEL,
        )

        def read(lines: Band) -> tuple[NDArray[np.complex64], NDArray[np.complex64]]:
            return readers[0](lines), readers[1](lines)

        def compute(
            _: Band, block: tuple[NDArray[np.complex64], NDArray[np.complex64]]
        ) -> FoundSums:
            return found_sums(stack_sums(*block, looks), looks)

        single = len(self._stack.swaths) == 1
        name = RADAR if single else f"interferogram_{swath.reference.swath.lower()}_radar.tif"
        with create_raster(
            work.scratch / name,
            cells.shape,
            RADAR_BANDS,
            grid=cells,
            tags=work.tags,
            units=RADAR_UNITS,
            threads=self._threads,
        ) as writer:

            def write(lines: Band, found: FoundSums) -> None:
                band = Band(lines.first // looks.azimuth, lines.rows // looks.azimuth)
                rows = slice(band.first, band.first + band.rows)
                sums[rows] = self._linked.sums(number, work.pair, rows, found.sums * gain)
                write_rows(writer, band, sums, looks, self._unbiased_looks)

            run_bands(
                split_rows(
                    cells.shape.lines * looks.azimuth,
                    band_rows=min(rows, _LARGEST_BAND),
                    multiple=looks.azimuth,
                ),
                read=read,
                compute=compute,
                write=write,
                threads=self._threads,
                progress=progress,
                step=f"interferogram of {swath.reference.swath}",
            )
        return RadarSums(
            grid=cells,
            orbit=swath.reference_orbit,
            looks=looks,
            sums=sums,
            valid_ranges=swath.layout.valid_ranges(looks),
        )

    def _geocode(self, sums: tuple[RadarSums, ...]) -> Geocoder:
        """Put sums on the map; the geometry is tabulated once for all pairs."""
        if self._geocoder is None:
            self._geocoder = Geocoder.of(self._stack.grid, self._stack.dem, sums)
        return replace(self._geocoder, swaths=sums)

    def _phase_products(
        self,
        work: _InWork,
        sums: tuple[RadarSums, ...],
        merged: MergedSwaths | None,
        progress: Progress,
    ) -> PhaseProducts:
        """Filter and unwrap as far as the request wants it."""
        request = self._stack.request.pair(*(image.date.paths for image in work.images))
        pairs = tuple(_dated(swath, work.images) for swath in self._stack.swaths)
        try:
            if self._stack.request.ortho == "none":
                return self._unwrap(request, pairs[0], merged, work, progress)
            return self._on_map(request, pairs, sums, work, progress)
        except UnwrappingError as error:
            return PhaseProducts({}, (str(error),))
        except RequestError as error:
            # the reference of the displacement is not coherent in this pair: the phase is there
            request = replace(request, reference_point=None, reference_area=None)
            found = self._on_map(request, pairs, sums, work, progress)
            return found._replace(warnings=(*found.warnings, str(error)))

    def _on_map(
        self,
        request: DinsarPairRequest,
        pairs: tuple[SwathPair, ...],
        sums: tuple[RadarSums, ...],
        work: _InWork,
        progress: Progress,
    ) -> PhaseProducts:
        return make_phase_products(
            request,
            pairs,
            sums,
            dem=self._stack.dem,
            grid=self._stack.grid,
            scratch=work.scratch,
            files=FILES,
            tags=work.tags,
            unbiased_looks=self._unbiased_looks,
            threads=self._threads,
            progress=progress,
        )

    def _unwrap(
        self,
        request: DinsarPairRequest,
        pair: SwathPair,
        merged: MergedSwaths | None,
        work: _InWork,
        progress: Progress,
    ) -> PhaseProducts:
        """Unwrap in radar geometry alone."""
        if request.unwrapping == "none":
            return PhaseProducts({}, ())
        if merged is None:
            raise ProcessingError("unwrapping needs swaths of one spacing: choose one of them")
        filtered = None
        if request.phase_filter != "none":
            filtered = filter_sums(
                request,
                merged,
                work.scratch / "filtered.sums",
                threads=self._threads,
                progress=progress.part(0.0, 0.3),
            )
        found = unwrap_pair(request, pair, merged, filtered, progress=progress.part(0.3, 1.0))
        return PhaseProducts(found.description, (), found)


def _dated(swath: SwathPair, images: tuple[StackImage, StackImage]) -> SwathPair:
    """Return the reference's swath with the days and names of a pair, for pictures and tags."""
    starts = [datetime.combine(image.date.day, time(), tzinfo=UTC) for image in images]
    return replace(
        swath,
        reference=replace(swath.reference, start=starts[0]),
        secondary=replace(swath.secondary, start=starts[1]),
        reference_names=images[0].date.names,
        secondary_names=images[1].date.names,
    )


def _mean_coherence(swaths: tuple[RadarSums, ...]) -> float | None:
    """Mean over all cells with data, before any bias is taken away."""
    total, count = 0.0, 0
    for swath in swaths:
        for band in split_rows(swath.grid.shape.lines, band_rows=_LARGEST_BAND):
            part = swath.sums[band.first : band.first + band.rows]
            known = part[:, :, 2] > 0.0
            cross, powers = part[known][:, :2], part[known][:, 2:]
            total += float(
                (np.hypot(cross[:, 0], cross[:, 1]) / np.sqrt(powers.prod(axis=1))).sum()
            )
            count += int(known.sum())
    return round(total / count, 5) if count else None


def _write_unwrapped(path: Path, found: UnwrappedRadar, tags: dict[str, str]) -> None:
    with create_raster(
        path,
        found.grid.shape,
        _UNWRAPPED_BANDS,
        grid=found.grid,
        tags=tags,
        units=("rad", "1", "1"),
    ) as writer:
        components = found.unwrapped.components.astype(np.float32)
        for band in split_rows(found.grid.shape.lines, band_rows=_LARGEST_BAND):
            rows = slice(band.first, band.first + band.rows)
            planes = (found.unwrapped.phase[rows], found.coherence[rows], components[rows])
            writer.write(band.first, np.stack(planes).astype(np.float32))
