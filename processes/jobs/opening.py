"""The store of jobs that the operator's settings name."""

from __future__ import annotations

from processes.jobs.model import Limits
from processes.jobs.store import JobStore
from processes.settings import Settings

GB = 1_000_000_000
DAY = 86400.0


def open_store(settings: Settings) -> JobStore:
    """Open the store of a server; its tables are made where they are missing.

    Parameters
    ----------
    settings : Settings
        The operator's.

    Returns
    -------
    JobStore
        Ready for use.

    Raises
    ------
    StoreError
        It cannot be used.
    """
    # it holds inputs, logs and results of everybody
    settings.state_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = settings.user_results_gb
    store = JobStore(
        settings.database_url or f"sqlite:///{settings.state_folder / 'queue.sqlite'}",
        Limits(
            running=settings.jobs_running,
            running_per_user=settings.jobs_running_per_user,
            queued=settings.jobs_queued,
            queued_per_user=settings.jobs_queued_per_user,
            attempts=settings.job_attempts,
            results_bytes_per_user=None if kept is None else kept * GB,
        ),
        keep=settings.results_days * DAY,
    )
    store.migrate()
    return store
