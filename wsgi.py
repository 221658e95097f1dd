"""The WSGI application, for any server; workers run the jobs: `python -m processes.jobs worker`."""

from __future__ import annotations

from processes.application import make_application

application = make_application()
