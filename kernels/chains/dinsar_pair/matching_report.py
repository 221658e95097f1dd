"""The report's section on what the amplitudes of both images told."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kernels.chains.dinsar_pair.inputs import SwathPair
from kernels.chains.dinsar_pair.request import DinsarPairRequest
from kernels.insar.adjustment import LEVEL, Plane
from kernels.insar.correlation import FEWEST_PATCHES, OffsetFit, Offsets


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """How a measurement went; coordinates count from the first pixel of the first swath.

    Attributes
    ----------
    lines, samples : Plane
        Applied so far [pixels].
    looks : int
        How often the patches were looked at.
    offsets : tuple of Offsets
        Of the patches of every swath, in the last look.
    fit : OffsetFit or None
        What they have in common; None where too few count.
    problems : tuple of str
        Why some patches could not be read.
    """

    lines: Plane = LEVEL
    samples: Plane = LEVEL
    looks: int = 0
    offsets: tuple[Offsets, ...] = ()
    fit: OffsetFit | None = None
    problems: tuple[str, ...] = ()

    def measured(
        self, offsets: tuple[Offsets, ...], problems: list[str], fit: OffsetFit | None
    ) -> Matching:
        """Take in a look at the patches and what was made of it and applied."""
        return replace(
            self,
            lines=self.lines if fit is None else self.lines.plus(fit.lines),
            samples=self.samples if fit is None else self.samples.plus(fit.samples),
            looks=self.looks + 1,
            offsets=offsets,
            fit=fit,
            problems=(*self.problems, *(p for p in problems if p not in self.problems)),
        )

    def middle(self) -> tuple[float, float]:
        """Return line and sample of the middle of the patches that were measured."""
        joined = Offsets.join(self.offsets)
        return float(joined.lines.mean()), float(joined.samples.mean())


def describe_matching(
    request: DinsarPairRequest, pairs: tuple[SwathPair, ...], found: Matching
) -> dict[str, Any]:
    """Describe a measurement.

    Parameters
    ----------
    request : DinsarPairRequest
        As run.
    pairs : tuple of SwathPair
        The swaths.
    found : Matching
        How it went.

    Returns
    -------
    dict
        Ready for JSON; None stands for what is not known.
    """
    patches = Offsets.join(found.offsets)
    description: dict[str, Any] = {
        "correlation": request.correlation,
        "threshold": request.correlation_threshold,
        "gap_pixels": request.correlation_gap,
        "looks": found.looks,
        "patches": int(patches.lines.size),
        "patches_used": 0 if found.fit is None else found.fit.used,
        "mean_correlation": _number(float(np.mean(patches.correlations)), 4)
        if patches.lines.size
        else None,
        "by_swath": {
            pair.reference.swath: _describe_swath(own, found, request.correlation_threshold)
            for pair, own in zip(pairs, found.offsets, strict=True)
        },
    }
    if found.fit is not None:
        middle = found.middle()
        description |= {
            "azimuth": _describe(found.lines, middle, found.fit.line_error),
            "range": _describe(found.samples, middle, found.fit.sample_error),
        }
    return description | {"warnings": _warnings(request, found)}


def _number(value: float, digits: int) -> float | None:
    return round(value, digits) if math.isfinite(value) else None


def _describe(plane: Plane, middle: tuple[float, float], error: float) -> dict[str, float | None]:
    return {
        "offset_pixels": _number(plane.moved(*middle).constant, 5),
        "standard_error_pixels": _number(error, 5),
        "per_1000_lines": _number(1e3 * plane.per_line, 5),
        "per_1000_samples": _number(1e3 * plane.per_sample, 5),
    }


def _describe_swath(own: Offsets, found: Matching, threshold: float) -> dict[str, float | None]:
    """Medians of what the patches of one swath alone say."""
    usable = own.correlations >= threshold
    description: dict[str, float | None] = {
        "patches": int(own.lines.size),
        "azimuth_lines": None,
        "range_samples": None,
    }
    if usable.any():
        # what was applied before the last look no longer shows in its offsets
        last = (LEVEL, LEVEL) if found.fit is None else (found.fit.lines, found.fit.samples)
        for name, measured, total, step in zip(
            ("azimuth_lines", "range_samples"),
            (own.line_offsets, own.sample_offsets),
            (found.lines, found.samples),
            last,
            strict=True,
        ):
            before = total(own.lines, own.samples) - step(own.lines, own.samples)
            description[name] = _number(float(np.median((measured + before)[usable])), 5)
    return description


def _warnings(request: DinsarPairRequest, found: Matching) -> list[str]:
    warnings = [f"amplitudes were not compared everywhere: {one}" for one in found.problems]
    if found.fit is None:
        patches = Offsets.join(found.offsets)
        count = int(np.count_nonzero(patches.correlations >= request.correlation_threshold))
        kept = "of the first look" if found.looks > 1 else "that of the orbits"
        warnings.append(
            f"fewer than {FEWEST_PATCHES} patches agree on an offset: {count} of "
            f"{patches.lines.size} reach a correlation of {request.correlation_threshold}; "
            f"coregistration is {kept}"
        )
    return warnings
