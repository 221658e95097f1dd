"""Who asks: the name that the authentication in front found, for everything behind it."""

from __future__ import annotations

from werkzeug.wrappers import Request

from processes.jobs.model import ANYBODY

USER_KEY = "fournaise.user"
"""Of the WSGI environment."""


def user_of(request: Request) -> str:
    """Return the name of the user who sent a request, ANYBODY on an open server."""
    return str(request.environ.get(USER_KEY, ANYBODY))
