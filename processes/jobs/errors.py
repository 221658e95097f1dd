"""What can go wrong between a request and its job.

::

    JobError                    root, a FournaiseError
    ├── StoreError              the store cannot be used: its address, its version, a backup
    │   └── StoreUnavailableError   it does not answer now; later it may
    ├── QueueFullError          no more jobs may wait, of anybody
    ├── QuotaError              no more jobs or results of this user
    ├── UnknownJobError         there is no such job (any more)
    └── JobStateError           the job is in a state that forbids it
"""

from __future__ import annotations

from kernels.errors import FournaiseError


class JobError(FournaiseError):
    """Root of the errors of the job store."""


class StoreError(JobError):
    """The store cannot be used as it is configured."""


class StoreUnavailableError(StoreError):
    """The store does not answer; the same call may work later."""


class QueueFullError(JobError):
    """No more jobs are accepted now, whoever asks."""


class QuotaError(JobError):
    """No more jobs of this user are accepted now."""


class UnknownJobError(JobError):
    """There is no such job, or no longer."""


class JobStateError(JobError):
    """The state of the job forbids what was asked."""
