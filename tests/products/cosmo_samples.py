"""HDF5 files like those of COSMO-SkyMed, with attributes that a test gives."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from kernels.model import Shape

NAME = "CSKS1_SCS_B_S2_05_HH_RD_SF_20110418180327_20110418180329"


def attributes() -> dict[str, Any]:
    """Root attributes of a small image over the equator; times count from noon."""
    seconds = np.arange(-60.0, 70.0, 10.0)
    angle = 1.1e-3 * seconds
    radius, speed = 7.0e6, 7.0e6 * 1.1e-3
    turn = np.stack([np.cos(angle), np.zeros_like(angle), np.sin(angle)], axis=-1)
    return {
        "Product Type": b"SCS_B",
        "Acquisition Mode": b"HIMAGE",
        "Multi-Beam ID": b"H4-05",
        "Lines Order": b"EARLY-LATE",
        "Columns Order": b"NEAR-FAR",
        "Look Side": b"RIGHT",
        "Orbit Direction": b"ASCENDING",
        "Orbit Number": np.int32(13415),
        "Radar Frequency": 9.6e9,
        "Reference UTC": b"2011-04-18 12:00:00.000000000",
        "Scene Sensing Start UTC": b"2011-04-18 11:59:59.5",
        "Scene Sensing Stop UTC": b"2011-04-18 12:00:01.5",
        "State Vectors Times": seconds,
        "ECEF Satellite Position": radius * turn,
        "ECEF Satellite Velocity": speed
        * np.stack([-np.sin(angle), np.zeros_like(angle), np.cos(angle)], axis=-1),
        "Azimuth Polynomial Reference Time": 0.5,
        "Range Polynomial Reference Time": 5.0e-3,
        "Centroid vs Azimuth Time Polynomial": np.array([120.0, -3.0, 0.0]),
        "Centroid vs Range Time Polynomial": np.array([120.0, -4.0e5, 0.0]),
        "Doppler Rate vs Azimuth Time Polynomial": np.array([-5400.0, 0.0]),
        "Doppler Rate vs Range Time Polynomial": np.array([-5400.0, 1.1e6]),
    }


def image_attributes() -> dict[str, Any]:
    """Attributes of the image itself."""
    return {
        "Zero Doppler Azimuth First Time": -0.01,
        "Line Time Interval": 3.0e-4,
        "Zero Doppler Range First Time": 4.9e-3,
        "Column Time Interval": 1.0e-8,
        "Top Left Geodetic Coordinates": np.array([0.1, 1.2, 0.0]),
    }


def write(
    folder: Path,
    pixels: NDArray[np.int16] | Shape,
    *,
    root: dict[str, Any] | None = None,
    image: dict[str, Any] | None = None,
    band: dict[str, Any] | None = None,
    name: str = NAME,
) -> Path:
    """Write a product of one image; of a shape alone no pixel takes room."""
    path = folder / f"{name}.h5"
    with h5py.File(path, "w") as file:
        file.attrs.update(attributes() | (root or {}))
        group = file.create_group("S01")
        group.attrs.update(
            {
                "Polarisation": b"HH",
                "Range Focusing Bandwidth": 8.0e7,
                "Azimuth Focusing Bandwidth": 2800.0,
            }
            | (band or {})
        )
        if isinstance(pixels, Shape):
            data = group.create_dataset("SBI", (*pixels, 2), np.int16, chunks=(64, 64, 2))
        else:
            data = group.create_dataset("SBI", data=pixels)
        data.attrs.update(image_attributes() | (image or {}))
    return path


def keywords(path: Path) -> dict[str, str]:
    """Values of a list of keywords."""
    return {
        name.strip(): value.strip()
        for name, _, value in (line.partition(":  ") for line in path.read_text().splitlines())
    }


def write_real(folder: Path, shared_data: Path) -> Path:
    """Write an Enhanced Spotlight product of 2011: its metadata as HDF5, no pixels.

    Bandwidth and Doppler polynomials are not among its keywords: the curvature along range is that
    of another product, the rest is made up.
    """
    real = keywords(shared_data / "csk" / "cosmoskymed-1.geom")
    vectors = {
        real[f"orbitList.orbit[{k}].time"]: [
            float(real[f"orbitList.orbit[{k}].{axis}_{kind}"])
            for kind in ("pos", "vel")
            for axis in "xyz"
        ]
        for k in range(15)
    }
    midnight = datetime(2011, 4, 18)
    times = [(datetime.fromisoformat(time) - midnight).total_seconds() for time in vectors]
    states = np.array(list(vectors.values()))
    start = datetime.fromisoformat(real["support_data.geom.bursts.burst[0].azimuth_start_time"])
    first = (start - midnight).total_seconds()
    shape = Shape(int(real["number_lines"]), int(real["number_samples"]))
    interval = float(real["support_data.line_time_interval"])
    near = float(real["support_data.slant_range_to_first_pixel"])
    step = 1.0 / float(real["support_data.range_sampling_rate"])
    return write(
        folder,
        shape,
        name="CSKS1_SCS_B_S2_05_HH_RD_SF_20110418180327_20110418180329",
        root={
            "Acquisition Mode": b"ENHANCED SPOTLIGHT",
            "Orbit Direction": b"DESCENDING",
            "Reference UTC": b"2011-04-18 00:00:00",
            "Scene Sensing Start UTC": b"2011-04-18 18:03:27.9",
            "Scene Sensing Stop UTC": b"2011-04-18 18:03:29.4",
            "Radar Frequency": float(real["support_data.radar_frequency"]),
            "State Vectors Times": np.array(times),
            "ECEF Satellite Position": states[:, :3],
            "ECEF Satellite Velocity": states[:, 3:],
            "Azimuth Polynomial Reference Time": first + 0.5 * shape.lines * interval,
            "Range Polynomial Reference Time": near + 0.5 * shape.samples * step,
            "Centroid vs Azimuth Time Polynomial": np.array([270.0, -11_000.0, 0.0]),
            "Centroid vs Range Time Polynomial": np.array([270.0, 3.0e6, -5.4364575630277716e11]),
            "Doppler Rate vs Azimuth Time Polynomial": np.array([-4700.0, 0.0]),
            "Doppler Rate vs Range Time Polynomial": np.array([-4700.0, 9.5e5]),
        },
        image={
            "Zero Doppler Azimuth First Time": first,
            "Line Time Interval": interval,
            "Zero Doppler Range First Time": near,
            "Column Time Interval": step,
        },
        band={
            "Range Focusing Bandwidth": float(real["support_data.range_bandwidth"]),
            "Azimuth Focusing Bandwidth": 7800.0,
        },
    )
