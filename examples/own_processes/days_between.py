"""A plain PyWPS process: it runs unchanged, and is short enough to be waited for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pywps import ComplexOutput, Format, LiteralInput, LiteralOutput, Process
from pywps.app.exceptions import ProcessError


class DaysBetween(Process):
    """Days, and cycles of one satellite, between two acquisitions."""

    def __init__(self) -> None:
        super().__init__(
            self._handler,
            "days-between",
            "Days between two acquisitions",
            abstract="Tells whether two days can be those of an interferometric pair.",
            version="1.0",
            # no identifier or title with "date": QGIS would offer a calendar that sends today
            inputs=[
                LiteralInput("first_day", "First day, as 2018-07-20", data_type="date"),
                LiteralInput("second_day", "Second day, as 2018-08-01", data_type="date"),
                LiteralInput("cycle", "Days of a cycle", data_type="positiveInteger", default=12),
            ],
            outputs=[
                LiteralOutput("days", "Days", data_type="integer"),
                ComplexOutput("report", "Report", [Format("application/json")], as_reference=True),
            ],
            store_supported=True,
        )

    def _handler(self, request: Any, response: Any) -> None:
        given = {name: values[0].data for name, values in request.inputs.items()}
        days = (given["second_day"] - given["first_day"]).days
        if days < 0:
            raise ProcessError("second_day must not be before first_day")
        response.update_status("counting", 50)
        report = Path(self.workdir) / "report.json"
        report.write_text(json.dumps({"days": days, "is_pair": days % given["cycle"] == 0}))
        response.outputs["days"].data = days
        response.outputs["report"].file = str(report)
