"""Logs of web servers and workers: a JSON object a line, with identifiers of jobs and no tokens."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime


def event(logger: logging.Logger, text: str, **fields: object) -> None:
    """Log what happened.

    Parameters
    ----------
    logger : logging.Logger
        Of the module.
    text : str
        The same for every event of a kind.
    **fields : object
        What differs.
    """
    logger.info(text, extra={"fields": fields})


def warn_of(logger: logging.Logger, text: str, error: Exception) -> None:
    """Log an error that is got over, with what lies behind it.

    Parameters
    ----------
    logger : logging.Logger
        Of the module.
    text : str
        The same for every event of a kind.
    error : Exception
        What happened; the cause of an error of the store is what the driver of the database says,
        without the values of the statement.
    """
    cause = error.__cause__
    behind = getattr(cause, "orig", None) or cause
    fields = {"error": str(error), "cause": behind and f"{type(behind).__name__}: {behind}"}
    logger.warning(text, extra={"fields": fields})


class JsonLines(logging.Formatter):
    """Makes one line of JSON of each record."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "event": record.getMessage(),
        } | getattr(record, "fields", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class PlainLines(logging.Formatter):
    """Makes a line to be read of each record, and leaves tracebacks as they are."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = getattr(record, "fields", {}).items()
        words = [
            datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S"),
            record.levelname,
            record.getMessage(),
            *(f"{name}={json.dumps(value, default=str)}" for name, value in fields),
        ]
        line = " ".join(words)
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def log_to_stderr() -> None:
    """Have everything logged on the error stream: as lines of JSON, or plain ones on a terminal."""
    handler = logging.StreamHandler()
    handler.setFormatter(PlainLines() if sys.stderr.isatty() else JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # a dozen lines each time a store opens
