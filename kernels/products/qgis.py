"""Layer styles that QGIS 3 loads (.qml): cyclic colours for phase, ramps for the other bands.

The resampling of the styles is nearest neighbour at every zoom, because the mean of wrapped
phases is not their phase.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from lxml import etree

from kernels.engine.workspace import publish, scratch_folder
from kernels.errors import ProcessingError
from kernels.products.colours import hexadecimal, phase_colours

_STEPS = 24
"""Steps of the colour wheel: 15 degrees of hue, between which QGIS interpolates RGB."""

_GREYS = ("#000000", "#404040", "#808080", "#c0c0c0", "#ffffff")
_BLUE_TO_RED = ("#2166ac", "#92c5de", "#f7f7f7", "#f4a582", "#b2182b")


class _Item(NamedTuple):
    value: float
    colour: str
    label: str


def phase_style(band: int = 2, *, wavelength: float | None = None) -> str:
    """Return a style of wrapped phase from -pi to pi.

    Parameters
    ----------
    band : int
        Number of the band, counted from 1.
    wavelength : float or None
        [m]; where given, labels also say the displacement towards the satellite.

    Returns
    -------
    str
        The XML document.
    """
    items = []
    for phase in np.linspace(-math.pi, math.pi, _STEPS + 1):
        label = f"{phase:+.2f} rad"
        if wavelength is not None:
            label += f", {-wavelength / (4 * math.pi) * phase * 1e3:+.1f} mm"
        items.append(_Item(float(phase), hexadecimal(phase_colours(phase)), label))
    return _style(band, items)


def coherence_style(band: int = 3) -> str:
    """Return a style of coherence from 0 (black) to 1 (white).

    Parameters
    ----------
    band : int
        Number of the band, counted from 1.

    Returns
    -------
    str
        The XML document.
    """
    values = np.linspace(0.0, 1.0, len(_GREYS))
    return _style(
        band, [_Item(float(v), c, f"{v:.2f}") for v, c in zip(values, _GREYS, strict=True)]
    )


def displacement_style(band: int, *, limit: float, wrapped: bool, unit: str = "mm") -> str:
    """Return a style of the displacement towards the satellite.

    Parameters
    ----------
    band : int
        Number of the band, counted from 1.
    limit : float
        Largest displacement [m]; a quarter of the wavelength where it is wrapped.
    wrapped : bool
        True: the cyclic colours of the phase; False: from blue (away) to red (towards).
    unit : str
        Of the labels; of a velocity: mm/year.

    Returns
    -------
    str
        The XML document; values in metres, labels in millimetres.
    """
    if wrapped:
        values = np.linspace(-limit, limit, _STEPS + 1)
        colours = [hexadecimal(c) for c in phase_colours(-math.pi * values / limit)]
    else:
        values = np.linspace(-limit, limit, len(_BLUE_TO_RED))
        colours = list(_BLUE_TO_RED)
    return _style(
        band,
        [
            _Item(float(v), c, f"{v * 1e3:+.1f} {unit}")
            for v, c in zip(values, colours, strict=True)
        ],
    )


def write_style(path: Path, style: str) -> Path:
    """Write a style beside and rename it.

    Parameters
    ----------
    path : Path
        Final name.
    style : str
        The XML document.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    ProcessingError
        The file system did not take the file.
    """
    with scratch_folder(path.parent) as scratch:
        partial = scratch / path.name
        try:
            partial.write_text(style, encoding="utf-8")
        except OSError as error:
            raise ProcessingError(f"{path.name} could not be written: {error.strerror}") from error
        return publish(partial, path)


def _style(band: int, items: Sequence[_Item]) -> str:
    low, high = f"{items[0].value:.9g}", f"{items[-1].value:.9g}"
    root = etree.Element("qgis", version="3.22.0", styleCategories="Symbology")
    pipe = etree.SubElement(root, "pipe")
    provider = etree.SubElement(pipe, "provider")
    etree.SubElement(
        provider,
        "resampling",
        enabled="false",
        zoomedInResamplingMethod="nearestNeighbour",
        zoomedOutResamplingMethod="nearestNeighbour",
        maxOversampling="2",
    )
    renderer = etree.SubElement(
        pipe,
        "rasterrenderer",
        type="singlebandpseudocolor",
        band=str(band),
        opacity="1",
        alphaBand="-1",
        nodataColor="",
        classificationMin=low,
        classificationMax=high,
    )
    etree.SubElement(renderer, "rasterTransparency")
    shader = etree.SubElement(
        etree.SubElement(renderer, "rastershader"),
        "colorrampshader",
        colorRampType="INTERPOLATED",
        classificationMode="1",
        clip="0",
        minimumValue=low,
        maximumValue=high,
        labelPrecision="2",
    )
    for item in items:
        etree.SubElement(
            shader,
            "item",
            value=f"{item.value:.9g}",
            color=item.colour,
            label=item.label,
            alpha="255",
        )
    etree.SubElement(pipe, "rasterresampler", maxOversampling="2")
    etree.SubElement(pipe, "resamplingStage").text = "resamplingFilter"
    etree.SubElement(root, "blendMode").text = "0"
    document: str = etree.tostring(
        root,
        pretty_print=True,
        encoding="unicode",
        doctype="<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>",
    )
    return document
