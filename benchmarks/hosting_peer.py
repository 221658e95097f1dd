"""Plain PyWPS as its documentation hosts it: a WSGI application, and its outputs as files."""

from __future__ import annotations

import os
from pathlib import Path

from pywps import Service
from werkzeug.middleware.shared_data import SharedDataMiddleware

from benchmarks.hosting_process import Clock

folder = Path(os.environ["HOSTING_PEER"])
application = SharedDataMiddleware(
    Service([Clock()], [str(folder / "pywps.cfg")]), {"/outputs": str(folder / "outputs")}
)
