"""Processes that do nothing, for the server of this project and for plain PyWPS alike."""

from __future__ import annotations

import time
from typing import Any

from pywps import LiteralInput, LiteralOutput, Process


class Clock(Process):
    """Tells when it began, and ends after the time that it is asked to wait."""

    def __init__(self) -> None:
        super().__init__(
            self._run,
            "clock",
            "Clock",
            abstract="Tells when it began.",
            version="1.0",
            inputs=[
                LiteralInput(f"text_{k}", f"Text {k}", data_type="string", min_occurs=0)
                for k in range(10)
            ]
            + [LiteralInput("seconds", "Seconds", data_type="float", default=0.0)],
            outputs=[LiteralOutput("began", "Began", data_type="float")],
            store_supported=True,
            status_supported=True,
        )

    @staticmethod
    def _run(request: Any, response: Any) -> Any:
        response.outputs["began"].data = time.time()
        time.sleep(request.inputs["seconds"][0].data)
        return response
