"""Whether the disk holds what a job may write, asked before the job begins."""

from __future__ import annotations

from pathlib import Path

from kernels.chains.dry_run import make_plan
from kernels.chains.registry import Chain
from kernels.chains.request import Request
from kernels.errors import ProcessingError
from processes.jobs.limits import MB, Allowance, folder_bytes, missing_disk, too_large
from processes.settings import Settings


def check_room(chain: Chain, request: Request, settings: Settings, folder: Path) -> None:
    """Refuse a run that the disk cannot hold, or that may not be as large.

    Parameters
    ----------
    chain : Chain
        To be run; one without plans is not looked at.
    request : Request
        With paths that exist.
    settings : Settings
        Of the server.
    folder : Path
        Existing folder of the run; what an earlier attempt left there is there already.

    Raises
    ------
    ProcessingError
        There is no room.
    FournaiseError
        Input that the run would refuse as well.
    """
    if chain.plan is None:
        return
    needed = make_plan(chain, request).disk_bytes
    allowed = Allowance.from_settings(settings).disk_bytes
    if allowed is not None and needed > allowed:
        raise ProcessingError(too_large(needed, allowed))
    more = max(needed - folder_bytes(folder), 0)
    if full := missing_disk(folder, more, settings.disk_reserve_mb * MB):
        raise ProcessingError(full)
