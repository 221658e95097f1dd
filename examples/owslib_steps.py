r"""Ask a server for the steps of an interferogram, each with the results of the ones before.

    python examples/owslib_steps.py --output results \
        reference=S1A_IW_SLC__1SDV_... secondary=S1A_IW_SLC__1SDV_... dem=srtm swath=IW1

Results stay on the server between the steps: ``JOBID/OUTPUT`` names a result of an earlier job.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import requests
from owslib.wps import WPSExecution
from owslib_dinsar import JobError, download, follow, submit


def identifier(job: WPSExecution) -> str:
    """Return the identifier of a job, which stands in the address of its status."""
    return str(job.statusLocation).rpartition("pywps-")[2].partition(".")[0]


def step(url: str, process: str, **inputs: str) -> WPSExecution:
    """Run one step to its end."""
    job = submit(url, process, list(inputs.items()))
    for percent, text in follow(job):
        print(f"{process}: {percent} % {text}")
    return job


def run(
    url: str, folder: Path, *, reference: str, secondary: str, dem: str, **others: str
) -> dict[str, Path]:
    """Run all steps; gives the files of the interferogram and of what else is shown."""
    swath = {name: value for name, value in others.items() if name == "swath"}
    ground = {"dem": dem} | {n: v for n, v in others.items() if n.startswith("dem_")}
    image = {"image": reference} | swath
    pair = {"reference": reference, "secondary": secondary}
    grid = identifier(step(url, "sar-deformation-grid", **pair, **ground, **swath))
    made = {"grid": f"{grid}/grid"}
    coregistered = step(url, "sar-coregistration", secondary=secondary, **made)
    raster = f"{identifier(coregistered)}/coregistered"
    jobs = [
        step(url, "sar-interferogram", reference=reference, coregistered=raster, **made),
        step(url, "sar-deramp", raster=raster, direction="reramp", **made),
        step(url, "quick-look", image=raster, ml="8x2"),
        step(url, "sar-multilook", azimuth_looks="3", range_looks="3", **image),
        step(url, "sar-dem-to-amplitude", azimuth_looks="4", range_looks="16", **image, **ground),
        step(url, "sar-dem-projection", **image, **ground),
        step(url, "sar-doppler0", **image),
        step(url, "sar-height-of-ambiguity", **pair, **swath),
    ]
    files: dict[str, Path] = {}
    for job in jobs:
        found = download(job, folder)
        files |= {f"{path.stem} {name}": path for name, path in found.items()}
    return files


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Run the steps of an interferogram.")
    parser.add_argument("--url", default="http://127.0.0.1:5000/wps", help="of the WPS")
    parser.add_argument("--output", type=Path, default=Path("outputs"), help="folder for files")
    parser.add_argument("inputs", nargs="+", metavar="NAME=VALUE")
    options = parser.parse_args()
    inputs = dict(text.partition("=")[::2] for text in options.inputs)
    try:
        files = run(options.url, options.output, **inputs)
    except (JobError, requests.RequestException) as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    for name, path in files.items():
        print(f"{name}: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
