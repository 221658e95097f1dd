"""Phase closure of three dates in the geometry of the first.

I12 I23 conj(I13) of images resampled onto one grid has no phase but that of rounding at one look;
after multilooking it has what the changes of the ground between the dates leave. The ground is
that of the Alps pair, at coherence 0.6, with a third date derived from the first.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import cached_input, say
from benchmarks.interferogram_errors import ClosureErrors
from benchmarks.relief import real_relief
from kernels.chains.dinsar_pair import DinsarPairRequest
from kernels.chains.dinsar_pair.footprint import load_pair_dem
from kernels.chains.dinsar_pair.inputs import open_pair
from kernels.engine.bands import Band
from kernels.insar.burst_pair import BurstPair
from kernels.insar.look_sums import LookSums
from kernels.model import GeographicBox, Looks
from kernels.simulation import (
    AnnotatedDate,
    Derivation,
    Scene,
    save_dem,
    simulate_on_annotation,
)

LOOKS = Looks(azimuth=2, range=8)
COHERENCE = 0.6
BURST = 4
LINES = Band(700, 128)
Pixel = TypeVar("Pixel", np.complex64, np.float32)
BOX = GeographicBox(7.0, 46.2, 9.3, 47.5)


def closure_figures(
    products: tuple[Path, ...], tiles: Path
) -> tuple[dict[str, float], ClosureErrors]:
    """Measure the closure of three dates.

    Parameters
    ----------
    products : tuple of Path
        SAFE folders of the first two dates, without measurement files.
    tiles : Path
        Folder of elevation tiles.

    Returns
    -------
    figures : dict
        [rad].
    errors : ClosureErrors
        What they sum up.
    """
    say("closure of three dates")
    folder = _input(products, tiles)
    safes = sorted(folder.glob("*.SAFE"))
    (reference, second), (_, third) = (_one_look(folder, safes[0], safe) for safe in safes[1:])
    cross = second.cross, third.cross
    valid = (second.counts == 1) & (third.counts == 1) & (np.abs(reference) > 0.0)
    pixels = np.where(valid, reference, np.complex64(1.0))
    # m conj(s) over m: the flattened secondaries on the reference's grid
    between = (np.conj(cross[0] / pixels) * (cross[1] / pixels)).astype(np.complex64)
    one = np.angle(cross[0] * between * np.conj(cross[1]))[valid]
    sums = [_looked(np.where(valid, values, np.complex64(0.0))) for values in (*cross, between)]
    whole = _looked(valid.astype(np.float32)) == LOOKS.azimuth * LOOKS.range
    several = np.angle(sums[0] * sums[2] * np.conj(sums[1]))[whole]
    figures = {
        "closure_pixels": int(valid.sum()),
        "closure_one_look_max_rad": float(np.abs(one).max()),
        "closure_2x8_rms_rad": float(np.sqrt(np.mean(several.astype(np.float64) ** 2))),
        "closure_2x8_mean_rad": float(np.abs(np.angle(np.exp(1j * several).mean()))),
        "closure_coherence": COHERENCE,
    }
    return figures, ClosureErrors(one.astype(np.float64), several.astype(np.float64))


def _input(products: tuple[Path, ...], tiles: Path) -> Path:
    def make(folder: Path) -> None:
        terrain = real_relief(tiles, BOX)
        save_dem(terrain, folder / "dem.tif")
        third = Derivation(days=24, perpendicular_baseline=-60.0)
        simulate_on_annotation(
            Scene(dem=terrain, land_coherence=COHERENCE, sea_coherence=COHERENCE),
            [
                AnnotatedDate(product=products[0]),
                AnnotatedDate(product=products[1]),
                AnnotatedDate(product=products[0], derivation=third),
            ],
            folder,
            swaths=("IW1",),
            polarisation="VV",
            bursts=(BURST,),
            lines=LINES,
        )

    parameters = {"coherence": COHERENCE, "burst": BURST, "lines": LINES}
    return cached_input("interferogram-closure", parameters, make)


def _one_look(folder: Path, first: Path, second: Path) -> tuple[NDArray[np.complex64], LookSums]:
    """Pixels of the reference and their interferogram at one look."""
    request = DinsarPairRequest(
        reference=(first,),
        secondary=(second,),
        dem=(folder / "dem.tif",),
        dem_heights="ellipsoid",
        swaths=("IW1",),
        first_burst=BURST + 1,
        last_burst=BURST + 1,
    )
    (swath,) = open_pair(request)
    placement = swath.layout.placements[0]
    assert placement.partner is not None
    assert swath.reference.pixels is not None
    assert swath.secondary.pixels is not None
    pair = BurstPair.of(
        reference=placement.burst,
        reference_orbit=swath.reference_orbit,
        secondary=placement.partner,
        secondary_orbit=swath.secondary_orbit,
        dem=load_pair_dem(request, (swath,)),
        taps=request.kernel,
    )
    needed = pair.secondary_lines(LINES)
    pixels = swath.reference.pixels.read(placement.burst.first_line + LINES.first, LINES.rows)
    other = swath.secondary.pixels.read(placement.partner.first_line + needed.first, needed.rows)
    return pixels, pair.compute(LINES, pixels, other, Looks(azimuth=1, range=1))


def _looked(values: NDArray[Pixel]) -> NDArray[Pixel]:
    """Sum the pixels of whole cells."""
    rows, cells = values.shape[0] // LOOKS.azimuth, values.shape[1] // LOOKS.range
    kept = values[: rows * LOOKS.azimuth, : cells * LOOKS.range]
    summed: NDArray[Pixel] = kept.reshape(rows, LOOKS.azimuth, cells, LOOKS.range).sum(axis=(1, 3))
    return summed
