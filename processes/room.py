"""Whether the disks hold what a job may write, asked before the job begins."""

from __future__ import annotations

from pathlib import Path

from kernels.chains.dry_run import make_plan
from kernels.chains.registry import Chain
from kernels.chains.request import Request
from kernels.errors import ProcessingError
from processes.jobs.limits import MB, Allowance, folder_bytes, missing_disk, too_large
from processes.settings import STORE, Settings


def check_room(chain: Chain, request: Request, settings: Settings, folder: Path) -> None:
    """Refuse a run that the disks cannot hold, or that may not be as large.

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
    plan = make_plan(chain, request)
    allowed = Allowance.from_settings(settings).disk_bytes
    if allowed is not None and plan.disk_bytes > allowed:
        raise ProcessingError(too_large(plan.disk_bytes, allowed))
    there = folder_bytes(folder, linked=False)
    needs = {folder: max(plan.scratch_bytes + plan.results_bytes - there, 0.0)}
    for store in stores_of(request).values():
        same = store.stat().st_dev == folder.stat().st_dev
        where = folder if same else store
        needs[where] = needs.get(where, 0.0) + plan.store_bytes
    for where, needed in needs.items():
        if full := missing_disk(where, needed, settings.disk_reserve_mb * MB):
            raise ProcessingError(full)


def stores_of(request: Request) -> dict[str, Path]:
    """Return the folders that a chain keeps things in from run to run, by name of their option."""
    found = {
        one.name: getattr(request, one.name) for one in request.describe() if one.role == STORE
    }
    return {name: path for name, path in found.items() if path is not None}
