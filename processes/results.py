"""Results and status documents over HTTP: exactly these files, and nothing beside them."""

from __future__ import annotations

import re
from pathlib import Path

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.utils import send_file
from werkzeug.wrappers import Request, Response

_JOB = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_NAME = re.compile(rf"{_JOB}(?:\.xml|/[A-Za-z0-9_][A-Za-z0-9_.-]*)")


def result_file(folder: Path, name: str, request: Request) -> Response:
    """Answer a request for a file of a job.

    Parameters
    ----------
    folder : Path
        Holds the status document ``JOB.xml`` and the results ``JOB/FILE`` of every job.
    name : str
        What the client asks for, below the folder.
    request : Request
        GET or HEAD, with ranges and conditions as HTTP has them.

    Returns
    -------
    Response
        The file; clients must ask again before they use a copy, since status documents change.

    Raises
    ------
    NotFound
        No such job or file: folders, hidden files and links to elsewhere do not exist here.
    MethodNotAllowed
        Anything but reading.
    """
    if request.method not in {"GET", "HEAD"}:
        raise MethodNotAllowed(["GET", "HEAD"])
    path = folder / name
    if not _NAME.fullmatch(name) or not path.is_file() or path.resolve() != folder.resolve() / name:
        raise NotFound
    media_type = "text/xml" if name.endswith(".xml") else None
    response = send_file(path, request.environ, mimetype=media_type, conditional=True)
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
