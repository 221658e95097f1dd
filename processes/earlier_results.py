"""Results of earlier jobs as inputs of later ones, named ``JOBID/OUTPUT``."""

from __future__ import annotations

import re
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from kernels.chains.request import OptionInfo
from kernels.errors import RequestError
from processes.jobs.model import JobState
from processes.jobs.opening import open_store
from processes.resolve import Resolver
from processes.settings import Settings

_NAME = re.compile(r"([0-9a-f]{32})/([A-Za-z_][A-Za-z0-9_-]*)")
_RULE = "the result of a finished job of yours that is still kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierResults:
    """Finds results of a user's own jobs, and leaves every other name to another resolver.

    Attributes
    ----------
    folders : Resolver
        Asked for what has not the form of a result.
    settings : Settings
        Of the server.
    user : str
        Whose jobs count; those of others are refused like jobs that never were.
    """

    folders: Resolver
    settings: Settings
    user: str

    def __call__(self, info: OptionInfo, name: Path) -> Path:
        """Return the path of a name; raises RequestError if there is none."""
        found = _NAME.fullmatch(str(name))
        if found is None:
            return self.folders(info, name)
        path = self._result(found[1], found[2])
        if path is None:
            raise RequestError(info.name, _RULE, name)
        return path

    def _result(self, token: str, output: str) -> Path | None:
        with closing(open_store(self.settings)) as store:
            job = store.by_token(token)
        if job is None or job.request.user != self.user or job.state is not JobState.SUCCEEDED:
            return None
        if job.expires is not None and job.expires < time.time():
            return None
        for one in job.outputs:
            path = self.settings.outputs_folder / job.id / one.file
            if one.identifier == output and one.file and path.is_file() and not path.is_symlink():
                return path
        return None
