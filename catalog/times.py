"""Days and instants as texts, and back; all in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from catalog.errors import AnswerError, QueryError

_RULE = "a day as 2016-08-15 or an instant as 2016-08-15T01:46:50Z"
_LENGTH_OF_A_DAY = len("2016-08-15")
_LAST_OF_A_DAY = timedelta(days=1) - timedelta(microseconds=1)


def read_start(text: str, *, argument: str = "start") -> datetime:
    """Read the first instant of a period.

    Parameters
    ----------
    text : str
        A day, which begins at midnight, or an instant; without a zone it is UTC.
    argument : str
        Name for errors.

    Returns
    -------
    datetime
        In UTC.

    Raises
    ------
    QueryError
        It is neither.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise QueryError(argument, _RULE, text) from error


def read_stop(text: str, *, argument: str = "stop") -> datetime:
    """Read the last instant of a period; a day is part of the period as a whole.

    Parameters
    ----------
    text : str
        A day or an instant; without a zone it is UTC.
    argument : str
        Name for errors.

    Returns
    -------
    datetime
        In UTC.

    Raises
    ------
    QueryError
        It is neither.
    """
    moment = read_start(text, argument=argument)
    return moment + _LAST_OF_A_DAY if len(text.strip()) <= _LENGTH_OF_A_DAY else moment


def parse_time(text: object, *, origin: str) -> datetime | None:
    """Read a time that a catalogue tells.

    Parameters
    ----------
    text : object
        As it stands in the answer; empty where the catalogue does not tell.
    origin : str
        Name of the catalogue or the file, for errors.

    Returns
    -------
    datetime or None
        In UTC; None where the catalogue does not tell.

    Raises
    ------
    AnswerError
        It tells something else.
    """
    if text is None or text == "":
        return None
    try:
        return read_start(str(text))
    except QueryError as error:
        raise AnswerError(
            f"{origin}: a time must be as 2016-08-15T01:46:50Z, got {text}"
        ) from error


def write_time(moment: datetime) -> str:
    """Write an instant as catalogues understand it: 2016-08-15T01:46:50.000Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write_day_or_time(moment: datetime) -> str:
    """Write midnight as its day, and every other instant in full."""
    here = moment.astimezone(UTC)
    at_midnight = here == here.replace(hour=0, minute=0, second=0, microsecond=0)
    return here.date().isoformat() if at_midnight else write_time(here)
