"""What the operator decides: the section ``[fournaise]`` of ``pywps.cfg``.

The file beside the checkout's README is read first; a file named by the environment variable
``PYWPS_CFG`` is laid over it, as PyWPS itself does with its own sections.
"""

from __future__ import annotations

import configparser
import ipaddress
import os
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from kernels.chains.request import OptionInfo
from kernels.errors import FournaiseError
from processes import option_values

CHECKOUT = Path(__file__).resolve().parents[1]
SECTION = "fournaise"
SMTP_PASSWORD = "FOURNAISE_SMTP_PASSWORD"  # noqa: S105 - the name of a variable
SECRETS = (SMTP_PASSWORD, "PGPASSWORD")
"""Variables of the environment that no job is to see."""
STOP_POLICIES = ("requeue", "finish")
STORE = "store"
"""Role of an option that names what a chain keeps from run to run."""
_RESOURCES = {"threads": "job_threads", "memory_mb": "job_memory_mb"}
_DEFAULT_BY_ROLE = {
    "dem": "dem_path",
    "orbits": "orbits_folder",
    "datalake": "data_roots",
    "slc_datalake": "data_roots",
}


class ConfigurationError(FournaiseError):
    """The operator's configuration breaks a rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Configuration of one server.

    Attributes
    ----------
    listen_address : str
        Host and port that the server listens on, for example 127.0.0.1:5000.
    public_url : str
        Address that clients see, without a slash at the end; empty: the listening address.
    state_folder : Path
        Writable folder for jobs, results and the database.
    data_roots : tuple of Path
        Folders that requests may name products and paths in, and that are searched for requests
        that name none.
    datalake : Path or None
        The data folder that products are fetched into from catalogues; None: none are fetched.
    dem_path : Path or None
        Elevation model for requests that name none.
    orbits_folder : Path or None
        Precise orbits for requests that name none.
    job_threads : int or None
        Computing threads of a job; None: all cores.
    job_memory_mb : int or None
        Memory budget of a job [MB]; None: the chain's own default.
    database_url : str
        Store of the jobs, ``postgresql://...``; empty: a file in the state folder.
    jobs_running, jobs_queued : int
        Jobs that run, and that wait, at the same time.
    jobs_running_per_user, jobs_queued_per_user : int or None
        The same of one user; None: no limit.
    job_attempts : int
        How often a job is tried that breaks off.
    user_results_gb : int or None
        Results that one user may keep [GB], and stacks beside them; None: no limit.
    reuse_results : bool
        Whether an equal request on unchanged files gets the result of an earlier job.
    sync_seconds : int
        Longest wait for the job of a synchronous request [s].
    access : str
        ``open`` (everybody who reaches the server, which then listens on this machine only) or
        ``keys``.
    user_header : str
        Header in which a portal in front names the user; empty: none is believed.
    flat_outputs : bool
        Whether addresses of results have no folders, for platforms that know names only.
    requests_per_minute : int
        Of one user, or of one address on an open server; more are refused.
    process_modules : tuple of str
        Modules with the operator's own processes.
    worker_slots : int
        Jobs that one worker runs at the same time.
    job_seconds : int or None
        Longest time of a job [s].
    job_memory_limit_mb, job_disk_mb : int or None
        Memory of a job's processes together, and disk space of its folder and of what it adds to
        a stack, above which it is stopped [MB].
    disk_reserve_mb : int
        What must stay free on disk, beside the need of a job, for it to start [MB].
    stop_policy : str
        What a worker that is stopped does with its jobs: ``requeue`` stops them, and they start
        again later; ``finish`` leaves them running for the next worker.
    results_days : int
        Age at which results, logs and status vanish [days].
    results_gb : int or None
        Size of all results above which the oldest vanish earlier [GB].
    stack_root : Path or None
        Folder of the coregistered images that series keep from job to job, those of each user
        apart; None: in the state folder.
    stack_days : int
        Time without use after which they vanish [days].
    stack_gb : int or None
        Size of all of them above which those unused longest vanish earlier [GB].
    notify_hosts : tuple of str
        Hosts that may be told of the end of a job over HTTP, with a port where it is not the usual.
    notify_hours : int
        How long the end of a job is told again where that fails [h].
    smtp_server, smtp_sender : str
        Host (and port) that mail is given to, and the sender's address; empty: no mail.
    smtp_security : str
        ``none``, ``starttls`` or ``tls``.
    smtp_user : str
        Name to log in with; empty: no login.
    smtp_password_file : Path or None
        Holds the password; None: the environment variable FOURNAISE_SMTP_PASSWORD does.
    """

    listen_address: str = "127.0.0.1:5000"
    public_url: str = ""
    state_folder: Path = CHECKOUT / "var"
    data_roots: tuple[Path, ...] = ()
    datalake: Path | None = None
    dem_path: Path | None = None
    orbits_folder: Path | None = None
    job_threads: int | None = None
    job_memory_mb: int | None = None
    database_url: str = ""
    jobs_running: int = 2
    jobs_running_per_user: int | None = None
    jobs_queued: int = 1000
    jobs_queued_per_user: int | None = 200
    job_attempts: int = 2
    user_results_gb: int | None = None
    reuse_results: bool = False
    sync_seconds: int = 60
    access: str = "open"
    user_header: str = ""
    flat_outputs: bool = False
    requests_per_minute: int = 1200
    process_modules: tuple[str, ...] = ()
    worker_slots: int = 2
    job_seconds: int | None = None
    job_memory_limit_mb: int | None = None
    job_disk_mb: int | None = None
    disk_reserve_mb: int = 1000
    stop_policy: str = "requeue"
    results_days: int = 7
    results_gb: int | None = None
    stack_root: Path | None = None
    stack_days: int = 30
    stack_gb: int | None = None
    notify_hosts: tuple[str, ...] = ()
    notify_hours: int = 24
    smtp_server: str = ""
    smtp_sender: str = ""
    smtp_security: str = "none"
    smtp_user: str = ""
    smtp_password_file: Path | None = None

    @property
    def base_url(self) -> str:
        """Address that every address in a response starts with."""
        host, _, port = self.listen_address.rpartition(":")
        if host in {"0.0.0.0", "[::]"}:  # noqa: S104 - every address is none to answer with
            host = socket.gethostname()
        return self.public_url or f"http://{host}:{port}"

    @property
    def service_url(self) -> str:
        """Address of the WPS."""
        return f"{self.base_url}/wps"

    @property
    def outputs_url(self) -> str:
        """Address of the results and the status documents."""
        return f"{self.base_url}/outputs"

    @property
    def outputs_folder(self) -> Path:
        """Where the results of jobs are kept, in a folder each."""
        return self.state_folder / "outputs"

    @property
    def work_folder(self) -> Path:
        """Where running jobs keep their working folders."""
        return self.state_folder / "work"

    @property
    def stacks_folder(self) -> Path:
        """Where series keep coregistered images from job to job, in a folder for each user."""
        return self.stack_root or self.state_folder / "stacks"

    def offers(self, info: OptionInfo) -> bool:
        """Tell whether a user of the server may set an option: the machine's means are ours."""
        return info.name not in _RESOURCES and info.role != STORE

    def default_for(self, info: OptionInfo) -> Path | int | tuple[Path, ...] | None:
        """Return the operator's value for an option that the request leaves out."""
        name = _RESOURCES.get(info.name) or _DEFAULT_BY_ROLE.get(info.role or "")
        value: Path | int | tuple[Path, ...] | None = getattr(self, name) if name else None
        return value or None  # no folders are no value


def configuration_files() -> tuple[Path, ...]:
    """Return the configuration files, the later over the earlier.

    Returns
    -------
    tuple of Path
        The checkout's own and, where ``PYWPS_CFG`` names one, that.

    Raises
    ------
    ConfigurationError
        The file named by ``PYWPS_CFG`` is not there.
    """
    own = CHECKOUT / "pywps.cfg"
    named = os.environ.get("PYWPS_CFG")
    if not named:
        return (own,)
    if not Path(named).is_file():
        raise ConfigurationError(f"PYWPS_CFG must name a file, got {named}")
    return own, Path(named).resolve()


def read_settings(files: Iterable[Path] | None = None) -> Settings:
    """Read the operator's settings.

    Parameters
    ----------
    files : iterable of Path, optional
        Configuration files, the later over the earlier; `configuration_files` by default.

    Returns
    -------
    Settings
        Checked; relative paths count from the file that they stand in.

    Raises
    ------
    ConfigurationError
        An option is unknown or its value breaks a rule.
    """
    values: dict[str, Any] = {}
    for file in configuration_files() if files is None else files:
        values |= _read_file(file)
    if "datalake" in values:
        roots = (*values.get("data_roots", ()), values["datalake"])
        values["data_roots"] = tuple(dict.fromkeys(roots))
    settings = Settings(**values)
    if settings.smtp_user and settings.smtp_security == "none":
        raise ConfigurationError("smtp_security must be starttls or tls where smtp_user is given")
    return settings


def _read_file(file: Path) -> dict[str, Any]:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(file, encoding="utf-8")
    except configparser.Error as error:
        raise ConfigurationError(f"{file.name} must be a configuration file: {error}") from error
    if not parser.has_section(SECTION):
        return {}
    values = {}
    for name, text in parser.items(SECTION):
        if name not in _READERS:
            known = ", ".join(_READERS)
            raise ConfigurationError(
                f"{file.name}: options of {SECTION} must be of {known}, got {name}"
            )
        if text.strip():
            found = os.path.expandvars(text.strip())
            try:
                values[name] = _READERS[name](name, found, file.parent)
            except ValueError as error:
                raise ConfigurationError(str(error)) from error
    return values


def check_address(text: str) -> str:
    """Check a host and a port.

    Parameters
    ----------
    text : str
        For example 0.0.0.0:5000.

    Returns
    -------
    str
        The same.

    Raises
    ------
    ConfigurationError
        It is none.
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ConfigurationError(
            f"listen_address must be a host and a port as in 0.0.0.0:5000, got {text}"
        )
    return text


def check_access(settings: Settings) -> None:
    """Check that a server without keys is reached from this machine only.

    Parameters
    ----------
    settings : Settings
        Of the server.

    Raises
    ------
    ConfigurationError
        Others could reach it.
    """
    host = settings.listen_address.rpartition(":")[0].strip("[]")
    try:
        is_local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_local = host == "localhost"
    if settings.access == "open" and not is_local:
        raise ConfigurationError(
            "listen_address must be of this machine, as 127.0.0.1:5000, while access = open: make "
            f"keys with python -m processes.jobs keys create and set access = keys; got {host}"
        )


def _address(_name: str, text: str, _folder: Path) -> str:
    return check_address(text)


_READERS: dict[str, Callable[[str, str, Path], Any]] = {
    "listen_address": _address,
    "public_url": option_values.url,
    "state_folder": option_values.path,
    "data_roots": option_values.folders,
    "datalake": option_values.existing,
    "dem_path": option_values.existing,
    "orbits_folder": option_values.existing,
    "job_threads": option_values.count,
    "job_memory_mb": option_values.count,
    "database_url": option_values.text,
    "jobs_running": option_values.count,
    "jobs_running_per_user": option_values.count,
    "jobs_queued": option_values.count,
    "jobs_queued_per_user": option_values.count,
    "job_attempts": option_values.count,
    "user_results_gb": option_values.count,
    "reuse_results": option_values.switch,
    "sync_seconds": option_values.count,
    "access": option_values.choice("open", "keys"),
    "user_header": option_values.text,
    "flat_outputs": option_values.switch,
    "requests_per_minute": option_values.count,
    "process_modules": option_values.words,
    "worker_slots": option_values.count,
    "job_seconds": option_values.count,
    "job_memory_limit_mb": option_values.count,
    "job_disk_mb": option_values.count,
    "disk_reserve_mb": option_values.count,
    "stop_policy": option_values.choice(*STOP_POLICIES),
    "results_days": option_values.count,
    "results_gb": option_values.count,
    "stack_root": option_values.path,
    "stack_days": option_values.count,
    "stack_gb": option_values.count,
    "notify_hosts": option_values.words,
    "notify_hours": option_values.count,
    "smtp_server": option_values.text,
    "smtp_sender": option_values.text,
    "smtp_security": option_values.choice("none", "starttls", "tls"),
    "smtp_user": option_values.text,
    "smtp_password_file": option_values.existing,
}
if set(_READERS) != {field.name for field in fields(Settings)}:
    raise AssertionError("every setting needs a reader")
