"""A process made of a chain, as those of Fournaise are.

The request describes and checks itself; the WPS inputs follow from it. Names of products are
looked up below the data folders of the server, and `run` is a Python function like any other.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from kernels.chains.artefacts import Artefact, ChainResult, MediaType, OutputInfo
from kernels.chains.registry import Chain
from kernels.chains.request import Request, option
from kernels.engine.progress import Progress
from kernels.errors import InputError
from processes.chain_process import ChainProcess


@dataclass(frozen=True, slots=True, kw_only=True)
class FileListRequest(Request):
    """What to list."""

    product: Path = option(title="Sentinel-1 product (name or path)", role="product")
    at_least: int = option(default=0, minimum=0, unit="bytes", title="Smallest file [bytes]")


def run(request: FileListRequest, folder: Path, progress: Progress) -> ChainResult:
    """List the files of a product folder.

    Parameters
    ----------
    request : FileListRequest
        Checked already.
    folder : Path
        Receives the result; made where it is missing.
    progress : Progress
        Told of the steps, asked for cancellation.

    Returns
    -------
    ChainResult
        One JSON file.

    Raises
    ------
    InputError
        The product is no folder.
    """
    if not request.product.is_dir():
        raise InputError(f"product must be a folder, got {request.product.name}")
    sizes = {}
    for file in sorted(request.product.rglob("*")):
        progress.check()
        if file.is_file() and not file.is_symlink():
            size = file.stat().st_size
            if size >= request.at_least:
                sizes[file.relative_to(request.product).as_posix()] = size
    progress.update(0.9, "writing")
    folder.mkdir(parents=True, exist_ok=True)
    report = folder / "files.json"
    report.write_text(json.dumps(sizes, indent=1))
    return ChainResult(
        artefacts=(Artefact(name="files", path=report, media_type=MediaType.JSON),), report={}
    )


class FileList(ChainProcess):
    """Files of a product and their sizes."""

    chain: ClassVar[Chain] = Chain(
        name="file-list",
        title="Files of a product",
        abstract="Lists the files of a product folder with their sizes.",
        version="1.0",
        request=FileListRequest,
        outputs=(
            OutputInfo(
                name="files",
                title="Files and sizes [bytes]",
                abstract="JSON object, by path in the product.",
                media_type=MediaType.JSON,
            ),
        ),
        run=run,
    )
