"""What the layers of the server tell each other of a request: who asks, and for which job."""

from __future__ import annotations

from werkzeug.wrappers import Request

from processes.jobs.model import ANYBODY

USER_KEY = "fournaise.user"
"""Of the WSGI environment: the name that the authentication in front found."""
JOB_KEY = "fournaise.job"
"""Of the WSGI environment: the identifier of the job whose page is asked for."""


def user_of(request: Request) -> str:
    """Return the name of the user who sent a request, ANYBODY on an open server."""
    return str(request.environ.get(USER_KEY, ANYBODY))
