"""Corners and calibration of TerraSAR-X, TanDEM-X and PAZ products."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from kernels.model import CalibrationLut, GeolocationGrid, RadarGrid
from kernels.products.elements import Element

SCENE = "productInfo/sceneInfo"


def _corners(root: Element, epoch: datetime) -> NDArray[np.float64]:
    """Time, range time, line, sample, longitude, latitude, incidence [degrees] of the corners."""
    return np.array(
        [
            [
                corner.seconds("azimuthTimeUTC", epoch),
                corner.number("rangeTime"),
                corner.number("refRow") - 1.0,
                corner.number("refColumn") - 1.0,
                corner.number("lon"),
                corner.number("lat"),
                corner.number("incidenceAngle"),
            ]
            for corner in root.children(f"{SCENE}/sceneCornerCoord")
        ]
    ).reshape(-1, 7)


def read_corners(root: Element, epoch: datetime) -> GeolocationGrid:
    """Read the corners as tie points, all at the scene's mean height."""
    corners = _corners(root, epoch)
    return GeolocationGrid(
        zero_doppler_times=corners[:, 0],
        slant_range_times=corners[:, 1],
        lines=corners[:, 2],
        pixels=corners[:, 3],
        longitudes=corners[:, 4],
        latitudes=corners[:, 5],
        heights=np.full(len(corners), root.number(f"{SCENE}/sceneAverageHeight")),
        incidence_angles=np.radians(corners[:, 6]),
    )


def read_calibration(
    root: Element, grid: RadarGrid, polarisation: str, epoch: datetime
) -> CalibrationLut | None:
    """Read the calibration of a polarisation; None where corners or factor are missing.

    Radar brightness is ``calFactor`` times intensity; sigma and gamma follow by the corners' angle.

    Parameters
    ----------
    root : Element
        Of the annotation.
    grid : RadarGrid
        Of the image.
    polarisation : str
        VV, VH, HH or HV.
    epoch : datetime
        That times count from.

    Returns
    -------
    CalibrationLut or None
        Two lines of two samples.
    """
    factors = [
        entry.number("calFactor")
        for entry in root.children("calibration/calibrationConstant")
        if entry.text("polLayer") == polarisation
    ]
    corners = _corners(root, epoch)
    if not factors or len(corners) != 4:
        return None
    angles = np.radians(
        [corners[corners[:, 3] == side, 6].mean() for side in (0.0, corners[:, 3].max())]
    )
    beta = np.full((2, 2), factors[0] ** -0.5, np.float32)
    return CalibrationLut(
        times=grid.first_line_time + np.array([0.0, grid.shape.lines - 1.0]) * grid.line_interval,
        lines=np.array([0, grid.shape.lines - 1], np.int32),
        pixels=np.array([0, grid.shape.samples - 1], np.int32),
        sigma_nought=(beta / np.sqrt(np.sin(angles))).astype(np.float32),
        beta_nought=beta,
        gamma=(beta / np.sqrt(np.tan(angles))).astype(np.float32),
        digital_number=np.ones((2, 2), np.float32),
    )
