"""The WSGI application, for `python -m processes serve` and for any server of single threads."""

from __future__ import annotations

from processes.service import make_application

application = make_application()
