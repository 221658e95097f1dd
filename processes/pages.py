"""Pages of a job: its status and its results, by addresses that nobody can guess.

``outputs/pywps-TOKEN.xml`` is the status, ``outputs/TOKEN/FILE`` a result; it answers as
``outputs/TOKEN-FILE`` too, for platforms that know the last part of an address only.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pywps import Process
from werkzeug.exceptions import Conflict, Gone, MethodNotAllowed, NotFound
from werkzeug.utils import send_file
from werkzeug.wrappers import Request, Response

from processes.jobs.model import Job, JobState
from processes.jobs.store import JobStore
from processes.log import event
from processes.protocol.documents import Addresses, execute_response, instant, progress_text
from processes.settings import Settings
from processes.users import JOB_KEY, user_of

LOGGER = logging.getLogger(__name__)
XML = "text/xml; charset=utf-8"
_STATUS = re.compile(r"pywps-([0-9a-f]{32})\.(xml|json)")
_RESULT = re.compile(r"([0-9a-f]{32})[/-]([A-Za-z0-9_][A-Za-z0-9_.-]*)")
_DISMISSED = "dismissed by its user"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPages:
    """Answers for jobs.

    Attributes
    ----------
    settings : Settings
        Of the server.
    store : JobStore
        Has the jobs.
    processes : mapping of str to pywps.Process
        By identifier.
    """

    settings: Settings
    store: JobStore
    processes: Mapping[str, Process]

    def addresses(self, job: Job, *, with_status: bool = True) -> Addresses:
        """Return the addresses of a job."""
        base = self.settings.outputs_url
        return Addresses(
            service=self.settings.service_url,
            status=f"{base}/pywps-{job.token}.xml" if with_status else "",
            outputs=f"{base}/{job.token}{'-' if self.settings.flat_outputs else '/'}",
        )

    def document(self, job: Job, *, with_status: bool = True) -> Response:
        """Describe a job as WPS 1.0.0 does."""
        waiting = job.state is JobState.ACCEPTED
        document = execute_response(
            self.processes[job.request.process],
            job,
            self.addresses(job, with_status=with_status),
            now=time.time(),
            position=self.store.position(job.id) if waiting else None,
        )
        return _never_kept(Response(document, content_type=XML))

    def raw(self, job: Job) -> Response:
        """Return the only output of a job by itself."""
        (output,) = job.outputs
        if not output.file:
            value = output.value if isinstance(output.value, str) else json.dumps(output.value)
            return Response(value, content_type=output.media_type or "text/plain; charset=utf-8")
        path = self.settings.outputs_folder / job.id / output.file
        response = Response(
            path.open("rb"), content_type=output.media_type, direct_passthrough=True
        )
        response.content_length = output.size
        return response

    def answer(self, name: str, request: Request) -> Response:
        """Answer a request for a page.

        Parameters
        ----------
        name : str
            What the client asks for, below the address of all results.
        request : werkzeug.wrappers.Request
            GET or HEAD; DELETE of a status dismisses the job.

        Returns
        -------
        werkzeug.wrappers.Response
            The page.

        Raises
        ------
        HTTPException
            NotFound for all that is not a page of a job, whatever the reason.
        """
        if status := _STATUS.fullmatch(name):
            return self._status(status[1], status[2], request)
        if result := _RESULT.fullmatch(name):
            return self._result(result[1], result[2], request)
        raise NotFound

    def dismiss(self, job: Job, user: str) -> Job:
        """Stop a job; what has ended stays as it is."""
        event(LOGGER, "job dismissed", job=job.id, user=user)
        return self.store.dismiss(job.id, now=time.time(), reason=_DISMISSED)

    def _job(self, token: str, request: Request) -> Job:
        job = self.store.by_token(token)
        if job is None or job.request.process not in self.processes:
            raise NotFound
        request.environ[JOB_KEY] = job.id
        if job.expires is not None and job.expires < time.time():
            raise Gone
        return job

    def _status(self, token: str, form: str, request: Request) -> Response:
        job = self._job(token, request)
        if request.method == "DELETE":
            had_ended, job = job.state.is_final, self.dismiss(job, user_of(request))
            if had_ended or job.state in {JobState.SUCCEEDED, JobState.FAILED}:
                raise Conflict(f"the job has ended, it is {job.state}")
        elif request.method not in {"GET", "HEAD"}:
            raise MethodNotAllowed(["GET", "HEAD", "DELETE"])
        if form == "json":
            text = json.dumps(self._described(job), ensure_ascii=False)
            return _never_kept(Response(text, content_type="application/json"))
        return self.document(job)

    def _described(self, job: Job) -> dict[str, Any]:
        times = ("created", "started", "heartbeat", "finished", "expires")
        folder = self.addresses(job).outputs
        return {
            "process": job.request.process,
            "title": job.request.title,
            "state": job.state.value,
            "percent": int(100.0 * job.share),
            "position": self.store.position(job.id) if job.state is JobState.ACCEPTED else None,
            "message": job.message or progress_text(job),
            **{name: instant(found) for name in times if (found := getattr(job, name))},
            "outputs": {
                o.identifier: f"{folder}{o.file}" if o.file else o.value for o in job.outputs
            },
        }

    def _result(self, token: str, name: str, request: Request) -> Response:
        if request.method not in {"GET", "HEAD"}:
            raise MethodNotAllowed(["GET", "HEAD"])
        job = self._job(token, request)
        output = next((o for o in job.outputs if o.file == name), None)
        path = self.settings.outputs_folder / job.id / name
        if output is None or not path.is_file() or path.is_symlink():
            raise NotFound
        response = send_file(
            path,
            request.environ,
            mimetype=output.media_type,
            conditional=True,
            download_name=name,
        )
        return _never_kept(response)


def _never_kept(response: Response) -> Response:
    """Forbid to answer from a copy without asking again."""
    response.headers["Cache-Control"] = "no-cache"
    return response
