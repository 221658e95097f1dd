"""Lines of the log."""

from __future__ import annotations

import json
import logging
import os
import pty
import subprocess
import sys
from datetime import datetime

from processes.log import JsonLines, PlainLines
from processes.settings import CHECKOUT

PROGRAM = """
import logging
from processes.log import event, log_to_stderr
log_to_stderr()
event(logging.getLogger("any"), "job accepted", job="3f2a", user="jane\\nINFO forged")
"""


def record_of(text: str, **fields: object) -> logging.LogRecord:
    record = logging.LogRecord("any", logging.INFO, "file.py", 1, text, None, None)
    record.fields = fields
    record.created = 1_700_000_000.25  # 2023-11-14 22:13:20.25 UTC
    return record


def test_a_line_is_an_object_with_time_level_event_and_fields() -> None:
    line = JsonLines().format(record_of("request", status=200, path="/wps"))
    assert json.loads(line) == {
        "time": "2023-11-14T22:13:20.250+00:00",
        "level": "INFO",
        "event": "request",
        "status": 200,
        "path": "/wps",
    }


def test_a_plain_line_has_the_same_in_words() -> None:
    there = datetime.fromtimestamp(1_700_000_000).astimezone().strftime("%H:%M:%S")
    line = PlainLines().format(record_of("request", status=200, path="/a\x1b[2J"))
    assert line == f'{there} INFO request status=200 path="/a\\u001b[2J"'


def test_programs_and_people_are_told_in_their_own_way() -> None:
    """A file or a pipe gets JSON, a terminal plain lines."""
    command = [sys.executable, "-c", PROGRAM]
    piped = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    told = json.loads(piped.stderr)
    assert (told["job"], told["user"]) == ("3f2a", "jane\nINFO forged")
    ours, theirs = pty.openpty()
    subprocess.run(command, cwd=CHECKOUT, stderr=theirs, check=True)
    shown = os.read(ours, 10_000).decode()
    os.close(theirs)
    os.close(ours)
    assert shown.endswith('INFO job accepted job="3f2a" user="jane\\nINFO forged"\r\n')
