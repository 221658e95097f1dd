"""Processes as operators write them: one with every kind of input, one that ends at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from pywps import (
    BoundingBoxInput,
    ComplexInput,
    ComplexOutput,
    Format,
    LiteralInput,
    LiteralOutput,
    Process,
)
from pywps.inout.literaltypes import LITERAL_DATA_TYPES
from pywps.validator.mode import MODE

LITERALS = tuple(sorted(LITERAL_DATA_TYPES))


def _report() -> ComplexOutput:
    return ComplexOutput("report", "Report", [Format("application/json")], as_reference=True)


class EveryInput(Process):
    """Has an optional input of every kind, named like its type, and a few with rules."""

    def __init__(self) -> None:
        optional = {"min_occurs": 0, "max_occurs": 2}
        formats = [Format("application/json"), Format("text/xml")]
        super().__init__(
            self._write,
            "every-input",
            "Every input",
            version="1",
            inputs=[
                *(LiteralInput(kind, kind, data_type=kind, **optional) for kind in LITERALS),
                LiteralInput("choice", "Choice", allowed_values=["a", "b"], **optional),
                LiteralInput(
                    "limited", "1 to 9", data_type="integer", allowed_values=[(1, 9)], **optional
                ),
                BoundingBoxInput("area", "Area", crss=["EPSG:4326", "EPSG:32631"], **optional),
                ComplexInput("feature", "Feature", supported_formats=formats, **optional),
                ComplexInput(
                    "checked", "Checked", supported_formats=formats, mode=MODE.STRICT, **optional
                ),
            ],
            outputs=[_report()],
            store_supported=True,
            status_supported=True,
        )

    def _write(self, request: Any, response: Any) -> None:
        found = {name: [str(item.data) for item in items] for name, items in request.inputs.items()}
        response.outputs["report"].data = json.dumps(found)


class Tiny(Process):
    """Ends at once, or after a while with children of its own."""

    def __init__(self) -> None:
        super().__init__(
            self._run,
            "tiny",
            "Tiny",
            version="1",
            inputs=[
                LiteralInput("number", "Number", data_type="integer", default=0),
                LiteralInput("seconds", "Time [s]", data_type="float", default=0.0),
                LiteralInput("children", "Children", data_type="integer", default=0),
            ],
            outputs=[
                LiteralOutput("number", "Number", data_type="integer"),
                _report(),
            ],
            store_supported=True,
            status_supported=True,
        )

    def _run(self, request: Any, response: Any) -> None:
        given = {name: items[0].data for name, items in request.inputs.items()}
        begin = time.time()
        sleep = [sys.executable, "-c", "import time; time.sleep(300)"]
        for _ in range(given["children"]):
            subprocess.Popen(sleep, start_new_session=True)
        response.update_status(f"waiting with {given['children']} children", 50)
        time.sleep(given["seconds"])
        report = Path(self.workdir) / "report.json"
        report.write_text(json.dumps({"begin": begin, "end": time.time(), "pid": os.getpid()}))
        response.outputs["number"].data = given["number"]
        response.outputs["report"].file = str(report)
