"""Products made of some bursts of another one: slices, and products that lack bursts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from kernels.model import Shape, SlcProduct
from kernels.products.sentinel1 import open_sentinel1
from kernels.products.sentinel1_writer import create_measurement, write_annotation, write_manifest


def cut(safe: Path, folder: Path, bursts: Sequence[int], *, crossed: bool = False) -> Path:
    """Write some bursts of a product as one of its own; VH has half of the amplitudes."""
    whole = open_sentinel1(safe)
    images = [_part(whole.slc(swath, "VV"), bursts) for swath, _ in whole.images]
    if crossed:
        images = [replace(image, polarisation=p) for p in ("VH", "VV") for image in images]
    start = min(image.start for image in images)
    stop = max(image.stop for image in images)
    parts = whole.name.split("_")
    parts[-5:-3] = [f"{start:%Y%m%dT%H%M%S}", f"{stop:%Y%m%dT%H%M%S}"]
    parts[-6] = "1SDV" if crossed else "1SSV"
    images = [replace(image, name="_".join(parts)) for image in images]
    target = folder / f"{images[0].name}.SAFE"
    for image, path in zip(images, write_annotation(target, images), strict=True):
        assert image.pixels is not None
        lines = image.bursts[0].grid.shape.lines
        share = 0.5 if image.polarisation == "VH" else 1.0
        with create_measurement(path, image) as writer:
            for number, burst in enumerate(bursts):
                pixels = image.pixels.read(burst * lines, lines)
                pairs = np.stack([pixels.real, pixels.imag], axis=-1)
                writer.write(number * lines, (pairs * share).astype(np.int16))
    write_manifest(target, images)
    return target


def _part(image: SlcProduct, bursts: Sequence[int]) -> SlcProduct:
    """The metadata of some bursts; the pixels are still those of the whole file."""
    kept = [image.bursts[number] for number in bursts]
    lines = kept[0].grid.shape.lines
    tie, lut = image.geolocation, image.calibration
    assert lut is not None
    rows, files = _moved(tie.lines, bursts, lines)
    vectors, vector_lines = _moved(lut.lines, bursts, lines)
    last = kept[-1].grid

    def instant(seconds: float) -> datetime:
        return image.grid.epoch + timedelta(seconds=seconds)

    return replace(
        image,
        start=instant(kept[0].grid.first_line_time),
        stop=instant(last.first_line_time + (lines - 1) * last.line_interval),
        grid=replace(kept[0].grid, shape=Shape(lines * len(kept), image.grid.shape.samples)),
        bursts=tuple(replace(burst, index=k, first_line=k * lines) for k, burst in enumerate(kept)),
        geolocation=replace(
            tie,
            **{
                name: files if name == "lines" else getattr(tie, name)[rows]
                for name in type(tie).__dataclass_fields__
            },
        ),
        calibration=replace(
            lut,
            times=lut.times[vectors],
            lines=vector_lines.astype(np.int32),
            **{
                name: getattr(lut, name)[vectors]
                for name in ("sigma_nought", "beta_nought", "gamma", "digital_number")
            },
        ),
    )


def _moved(
    positions: np.ndarray, bursts: Sequence[int], lines: int
) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the lines of a file that stay, in order, and where they are then."""
    owners = positions // lines
    kept = [np.flatnonzero(owners == burst) for burst in bursts]
    places = [
        positions[index] + (number - burst) * lines
        for number, (burst, index) in enumerate(zip(bursts, kept, strict=True))
    ]
    return np.concatenate(kept), np.concatenate(places)
