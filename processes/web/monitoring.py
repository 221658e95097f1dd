"""Pages for those who run the server: is it well, and how much is there to do."""

from __future__ import annotations

import json
import shutil
import time

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from werkzeug.wrappers import Response

from processes.jobs.errors import JobError
from processes.jobs.model import JobState
from processes.jobs.store import JobStore
from processes.settings import Settings

SILENT = 120.0
"""Time without any sign of a running job after which its worker is taken for gone [s]."""


def health(settings: Settings, store: JobStore) -> Response:
    """Tell whether jobs can be accepted and run.

    Parameters
    ----------
    settings : Settings
        Of the server.
    store : JobStore
        Its jobs.

    Returns
    -------
    werkzeug.wrappers.Response
        JSON; 200, or 503 with what is wrong.
    """
    found: dict[str, object] = {}
    wrong = []
    try:
        found["jobs"] = {state.value: count for state, count in store.counts().items()}
        found["draining"] = store.draining
        running = store.jobs(state=JobState.RUNNING, limit=1000)
        if any(time.time() - (job.heartbeat or job.created) > SILENT for job in running):
            wrong.append("a running job gives no sign of life")
    except JobError as error:
        wrong.append(str(error))
    free = shutil.disk_usage(settings.state_folder).free
    found["disk_free_mb"] = free // 10**6
    if free < settings.disk_reserve_mb * 10**6:
        wrong.append("the disk is nearly full")
    found["wrong"] = wrong
    return Response(json.dumps(found), 503 if wrong else 200, content_type="application/json")


def metrics(settings: Settings, store: JobStore) -> Response:
    """Tell the figures of the store in the text format of Prometheus.

    Parameters
    ----------
    settings : Settings
        Of the server.
    store : JobStore
        Its jobs.

    Returns
    -------
    werkzeug.wrappers.Response
        Read from the store at every request, the same in every process of the server.
    """
    registry = CollectorRegistry()
    jobs = Gauge("fournaise_jobs", "Jobs by state", ["state"], registry=registry)
    for state, count in store.counts().items():
        jobs.labels(state.value).set(count)
    drain = Gauge("fournaise_draining", "1 while no jobs are accepted", registry=registry)
    drain.set(float(store.draining))
    free = Gauge("fournaise_disk_free_bytes", "Free space of the state folder", registry=registry)
    free.set(shutil.disk_usage(settings.state_folder).free)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)
