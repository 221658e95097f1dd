r"""Ask a server for an interferogram with owslib: submit, watch, download.

    python examples/owslib_dinsar.py --output results \
        reference=S1A_IW_SLC__1SDV_... secondary=S1A_IW_SLC__1SDV_... dem=srtm swaths=IW1

An input that takes several values is repeated. Nothing here is particular to Fournaise: any
WPS 1.0.0 server that runs its processes asynchronously will do.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import requests
from lxml import etree
from owslib.util import ServiceException
from owslib.wps import WebProcessingService, WPSExecution
from tqdm import tqdm

POLL_INTERVAL = 0.5
"""Time between two looks at the status of a job [s]."""
TIMEOUT = 60.0
"""Longest wait for an answer of the server [s]."""


class JobError(Exception):
    """The server refused the request, or the job failed; the message is the server's."""


def submit(url: str, process: str, inputs: Sequence[tuple[str, str]]) -> WPSExecution:
    """Start an asynchronous job (``output=[]`` asks for every output, and for a status)."""
    service = WebProcessingService(url, skip_caps=True)
    try:
        job = service.execute(process, list(inputs), output=[])
    except ServiceException as error:  # its text is the whole document
        raise JobError(_plain(str(error))) from error
    _raise_if_failed(job)
    return job


def follow(job: WPSExecution) -> Iterator[tuple[int, str]]:
    """Look at the status until the job is done; gives percent and step each time."""
    while not job.isComplete():
        time.sleep(POLL_INTERVAL)
        answer = requests.get(job.statusLocation, timeout=TIMEOUT)
        answer.raise_for_status()
        job.checkStatus(response=answer.content, sleepSecs=0)
        _raise_if_failed(job)
        yield job.percentCompleted, "done" if job.isSucceeded() else job.statusMessage.strip()


def download(job: WPSExecution, folder: Path) -> dict[str, Path]:
    """Fetch every output of a finished job; a file has its name only when it is complete."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for output in job.processOutputs:
        target = folder / output.reference.rpartition("/")[2]
        partial = target.with_name(f"{target.name}.part")
        with requests.get(output.reference, stream=True, timeout=TIMEOUT) as answer:
            answer.raise_for_status()
            answer.raw.decode_content = True
            with partial.open("wb") as file:
                shutil.copyfileobj(answer.raw, file)
        files[output.identifier] = partial.replace(target)
    return files


def run(url: str, process: str, inputs: Sequence[tuple[str, str]], folder: Path) -> dict[str, Path]:
    """Submit, show a bar, download; gives the files by name of the output."""
    job = submit(url, process, inputs)
    layout = "{percentage:3.0f}% |{bar:30}| {desc} [{elapsed}]"
    with tqdm(total=100, bar_format=layout) as bar:
        for percent, step in follow(job):
            bar.update(percent - bar.n)
            if step != bar.desc:
                bar.set_description_str(step)
    return download(job, folder)


def _raise_if_failed(job: WPSExecution) -> None:
    if job.errors:
        raise JobError("; ".join((error.text or "").strip() for error in job.errors))


def _plain(document: str) -> str:
    """Return the words of an exception report, or of whatever else a server says."""
    try:
        words = etree.fromstring(document.encode()).itertext()
    except etree.XMLSyntaxError:
        words = iter([document])
    return " ".join(" ".join(words).split())


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Run a process of a WPS server.")
    parser.add_argument("--url", default="http://127.0.0.1:5000/wps", help="of the WPS")
    parser.add_argument("--process", default="dinsar-pair", help="identifier")
    parser.add_argument("--output", type=Path, default=Path("outputs"), help="folder for files")
    parser.add_argument("inputs", nargs="+", metavar="NAME=VALUE")
    options = parser.parse_args()
    inputs = [(name, value) for name, _, value in (text.partition("=") for text in options.inputs)]
    try:
        files = run(options.url, options.process, inputs, options.output)
    except (JobError, requests.RequestException) as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    for name, path in files.items():
        print(f"{name}: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
