"""Logs of workers: one JSON object a line, with the job's identifier and never its token."""

from __future__ import annotations

import json
import logging
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


def log_to_stderr() -> None:
    """Have everything logged as lines of JSON on the error stream."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
