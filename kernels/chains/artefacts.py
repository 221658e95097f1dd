"""What a chain hands back: finished files with their media types, and a few figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Self


class MediaType(StrEnum):
    """Media types of results, as the clients expect them."""

    GEOTIFF = "image/tiff; subtype=geotiff"
    PNG = "image/png"
    JSON = "application/json"
    GEOJSON = "application/geo+json"
    CSV = "text/csv"
    QML = "application/x-qgis-layer-settings"
    ZIP = "application/zip"
    HDF5 = "application/x-hdf5"
    NETCDF = "application/x-netcdf"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputInfo:
    """What a chain declares of one of its outputs, before any run.

    Attributes
    ----------
    name : str
        Identifier, also the stem of the file.
    title : str
        A few words.
    abstract : str
        One or two sentences.
    media_type : MediaType
        Of the file.
    optional : bool
        Whether there are runs without it; the title says which ones have it.
    """

    name: str
    title: str
    abstract: str
    media_type: MediaType
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """A finished file.

    Attributes
    ----------
    name : str
        Name of the OutputInfo that it fulfils.
    path : Path
        Where it is.
    media_type : MediaType
        Of the file.
    """

    name: str
    path: Path
    media_type: MediaType


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainResult:
    """Everything that a run left behind.

    Attributes
    ----------
    artefacts : tuple of Artefact
        The files, in the order of the chain's outputs; of the optional ones those that there are.
    report : dict
        The contents of the JSON report.
    """

    artefacts: tuple[Artefact, ...]
    report: dict[str, Any]

    @classmethod
    def of(
        cls, outputs: Sequence[OutputInfo], paths: Mapping[str, Path], report: dict[str, Any]
    ) -> Self:
        """Put a result together.

        Parameters
        ----------
        outputs : sequence of OutputInfo
            Those of the chain.
        paths : mapping of str to Path
            Finished files by name of the output.
        report : dict
            Contents of the JSON report.

        Returns
        -------
        ChainResult
            With an artefact for each output, in their order, but for optional ones without a
            path.
        """
        artefacts = tuple(
            Artefact(name=output.name, path=paths[output.name], media_type=output.media_type)
            for output in outputs
            if output.name in paths or not output.optional
        )
        return cls(artefacts=artefacts, report=report)

    def artefact(self, name: str) -> Artefact:
        """Return the artefact of that name; raises KeyError if there is none."""
        for item in self.artefacts:
            if item.name == name:
                return item
        raise KeyError(name)
