"""Copies of real metadata, and further dates derived from it.

A derived date has the annotation of a real product with all times moved by days, another orbit
number and platform where asked, and state vectors moved by a perpendicular baseline.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from lxml import etree
from numpy.polynomial.chebyshev import Chebyshev
from numpy.typing import NDArray

from kernels.errors import ProductError, RequestError

_METADATA = ("manifest.safe", "annotation/*.xml", "annotation/calibration/*.xml")
_ORBITS_PER_DAY = 175 / 12
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?")
_COMPACT = re.compile(r"\d{8}[tT]\d{6}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """How a further date differs from the real product that it is derived from.

    Attributes
    ----------
    days : int
        Later; a multiple of 12 keeps the absolute orbit number right.
    perpendicular_baseline : float
        From the real orbit, positive up and away from the scene [m].
    platform : str or None
        For example S1C; None: as the real product.
    """

    days: int
    perpendicular_baseline: float = 0.0
    platform: str | None = None


def copy_metadata(safe: Path, folder: Path) -> Path:
    """Copy manifest, annotation, calibration and noise of a product, as they are.

    Parameters
    ----------
    safe : Path
        A SAFE folder.
    folder : Path
        Gets the copy, a folder of the same name.

    Returns
    -------
    Path
        The copy, with an empty folder for measurement files.

    Raises
    ------
    ProductError
        The folder holds no manifest.
    RequestError
        There is a copy already.
    """
    if not (safe / "manifest.safe").is_file():
        raise ProductError(f"{safe.name} has no manifest.safe")
    target = _make_folders(folder / safe.name)
    for pattern in _METADATA:
        for path in sorted(safe.glob(pattern)):
            shutil.copyfile(path, target / path.relative_to(safe))
    return target


def derive_metadata(safe: Path, folder: Path, how: Derivation, *, look_angle: float) -> Path:
    """Copy the metadata of a product as that of a further date.

    Parameters
    ----------
    safe : Path
        A SAFE folder.
    folder : Path
        Gets the new product.
    how : Derivation
        What differs.
    look_angle : float
        Between the nadir and the line of sight, to which the baseline is perpendicular [rad].

    Returns
    -------
    Path
        The new SAFE folder.

    Raises
    ------
    ProductError
        The folder holds no manifest, or a name breaks the naming convention.
    RequestError
        There is a product of the new name already.
    """
    rename = _Renaming(safe.name, how)
    target = _make_folders(folder / rename.product)
    for pattern in _METADATA:
        for path in sorted(safe.glob(pattern)):
            text = rename.content(path.read_text(encoding="utf-8"))
            name = rename.names(str(path.relative_to(safe)))
            copy = target / name
            copy.write_text(text, encoding="utf-8")
            if copy.parent.name == "annotation" and how.perpendicular_baseline:
                _move_orbit(copy, how.perpendicular_baseline, look_angle)
    _refresh_manifest(target)
    return target


def _make_folders(target: Path) -> Path:
    if target.exists():
        raise RequestError("dates", "different from each other", target.name)
    (target / "annotation" / "calibration").mkdir(parents=True)
    (target / "measurement").mkdir()
    return target


class _Renaming:
    """Moves times, orbit numbers and platforms in texts and names."""

    def __init__(self, product: str, how: Derivation) -> None:
        parts = product.removesuffix(".SAFE").split("_")
        if len(parts) != 10 or not parts[7].isdecimal():
            raise ProductError(f"{product} must follow the Sentinel-1 naming convention")
        self._delay = timedelta(days=how.days)
        self._platform = parts[0], how.platform or parts[0]
        orbit = int(parts[7])
        self._orbit = orbit, orbit + round(how.days * _ORBITS_PER_DAY)
        stem = "_".join(parts[:-1])
        moved = self.names(stem)
        unique = hashlib.sha256(f"{moved}{how}".encode()).hexdigest()[:4].upper()
        self._unique = f"{stem}_{parts[-1]}", f"{moved}_{unique}"
        self.product = f"{moved}_{unique}.SAFE"

    def names(self, text: str) -> str:
        """Rename what file names and identifiers are made of."""
        text = _COMPACT.sub(self._compact, text)
        for before, after in self._pairs():
            text = text.replace(before, after)
        return text

    def _pairs(self) -> list[tuple[str, str]]:
        platform, orbit = self._platform, self._orbit
        old, new = f"{orbit[0]:06d}", f"{orbit[1]:06d}"
        return [
            (f"{platform[0]}_", f"{platform[1]}_"),
            (platform[0].lower(), platform[1].lower()),
            (f"_{old}_", f"_{new}_"),
            (f"-{old}-", f"-{new}-"),
            # Identifiers of the manifest join the parts of file names.
            (f"{old}", f"{new}"),
        ]

    def content(self, text: str) -> str:
        """Rename and move everything within a file."""
        text = _ISO.sub(self._iso, self.names(text.replace(*self._unique)))
        orbit = self._orbit
        for tag in ("absoluteOrbitNumber", "orbitNumber"):
            text = re.sub(rf"({tag}[^<>]*>){orbit[0]}<", rf"\g<1>{orbit[1]}<", text)
        text = text.replace(f"<missionId>{self._platform[0]}<", f"<missionId>{self._platform[1]}<")
        return re.sub(r"(<safe:number>)[A-D](<)", rf"\g<1>{self._platform[1][-1]}\g<2>", text)

    def _iso(self, match: re.Match[str]) -> str:
        moved = datetime.fromisoformat(match[0]) + self._delay
        return moved.isoformat(timespec="microseconds" if "." in match[0] else "seconds")

    def _compact(self, match: re.Match[str]) -> str:
        mark = match[0][8]
        try:
            moved = datetime.strptime(match[0].upper(), "%Y%m%dT%H%M%S") + self._delay
        except ValueError:
            return match[0]
        return f"{moved:%Y%m%d}{mark}{moved:%H%M%S}"


def _move_orbit(annotation: Path, baseline: float, look_angle: float) -> None:
    tree = etree.parse(annotation)
    orbits = tree.findall("generalAnnotation/orbitList/orbit")
    position = _vectors(orbits, "position")
    velocity = _vectors(orbits, "velocity")
    start = datetime.fromisoformat(orbits[0].findtext("time") or "")
    times = [
        (datetime.fromisoformat(orbit.findtext("time") or "") - start).total_seconds()
        for orbit in orbits
    ]
    shift, drift = baseline_shift(
        np.array(times), position, velocity, baseline=baseline, look_angle=look_angle
    )
    _set_vectors(orbits, "position", position + shift)
    _set_vectors(orbits, "velocity", velocity + drift)
    tree.write(str(annotation), xml_declaration=True, encoding="UTF-8")


def baseline_shift(
    times: NDArray[np.float64],
    positions: NDArray[np.float64],
    velocities: NDArray[np.float64],
    *,
    baseline: float,
    look_angle: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Move state vectors perpendicularly to the line of sight.

    Parameters
    ----------
    times : ndarray of float64, shape (n,)
        [s].
    positions, velocities : ndarray of float64, shape (n, 3)
        Earth-fixed [m] and [m/s].
    baseline : float
        Positive up and away from the scene, which lies to the right [m].
    look_angle : float
        Of the line of sight from the nadir [rad].

    Returns
    -------
    tuple of ndarray of float64, shape (n, 3)
        What to add to positions and to velocities, the latter the derivative of the former.
    """
    forward = velocities / np.linalg.norm(velocities, axis=1, keepdims=True)
    up = positions - np.sum(positions * forward, axis=1, keepdims=True) * forward
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    right = np.cross(forward, up)
    shift = baseline * (np.sin(look_angle) * up + np.cos(look_angle) * right)
    fits = [Chebyshev.fit(times, shift[:, k], min(7, times.size - 1)) for k in range(3)]
    return (
        np.stack([fit(times) for fit in fits], axis=1),
        np.stack([fit.deriv()(times) for fit in fits], axis=1),
    )


def _vectors(orbits: list[etree._Element], name: str) -> NDArray[np.float64]:
    return np.array([[float(o.findtext(f"{name}/{k}") or "nan") for k in "xyz"] for o in orbits])


def _set_vectors(orbits: list[etree._Element], name: str, vectors: NDArray[np.float64]) -> None:
    for orbit, vector in zip(orbits, vectors, strict=True):
        for axis, value in zip("xyz", vector, strict=True):
            element = orbit.find(f"{name}/{axis}")
            if element is not None:
                element.text = f"{value:.15e}"


def _refresh_manifest(safe: Path) -> None:
    """Give the sizes and checksums of the files that were changed."""
    path = safe / "manifest.safe"
    tree = etree.parse(path)
    for stream in tree.iter("byteStream"):
        location, checksum = stream.find("fileLocation"), stream.find("checksum")
        if location is None or checksum is None:
            continue
        file = safe / location.get("href", "")
        if file.is_file():
            stream.set("size", str(file.stat().st_size))
            checksum.text = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
    tree.write(str(path), xml_declaration=True, encoding="UTF-8")
