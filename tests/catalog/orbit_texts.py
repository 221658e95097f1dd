"""Orbit files for tests: real names, and state vectors around one instant only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

STEP_S = 10


def instant(text: str) -> datetime:
    """Read an instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def orbit_text(around: str, *, count: int | None = None, missing: int | None = None) -> bytes:
    """Write 41 vectors from 200 s before to 200 s after an instant.

    `count` is what the file promises, `missing` the number of a vector that is left out.
    """
    middle = instant(around).replace(tzinfo=None)
    times = [middle + timedelta(seconds=STEP_S * number) for number in range(-20, 21)]
    if missing is not None:
        del times[missing]
    vectors = "".join(
        f"<OSV><UTC>UTC={time.isoformat(timespec='microseconds')}</UTC><X>7e6</X><Y>1.0</Y>"
        "<Z>2.0</Z><VX>3.0</VX><VY>4.0</VY><VZ>7e3</VZ></OSV>"
        for time in times
    )
    promised = len(times) if count is None else count
    return (
        '<?xml version="1.0"?><Earth_Explorer_File><Data_Block type="xml">'
        f'<List_of_OSVs count="{promised}">{vectors}</List_of_OSVs></Data_Block>'
        "</Earth_Explorer_File>"
    ).encode()
