"""What Asterisk wrote down about our legs while nobody listened: the CEL file.

Reads: the CSV that cel_custom appends to, one line an event, flushed line by line.
Gives: the instants of answer and hang-up of given legs, within 5 ms of AMI's events of the same names; an
A-leg's hang-up stands there some 45 ms after its far end's release.
Knows nothing of: callbacks, AMI.

AMI never repeats an event; after a restart of either side this file is the only witness.
"""

import csv
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from switch.legs import is_leg_a, micros_to_utc

TAIL_BYTES = 64 * 1024 * 1024
"""How far back is read: some 200,000 legs, far more than live at once."""
COLUMNS = ("eventtype", "eventtime", "uniqueid", "linkedid", "accountcode")


@dataclass(frozen=True, slots=True, kw_only=True)
class LegEvidence:
    """What the file proves of one leg; None where it is silent."""

    leg_id: str
    answered_at: datetime | None = None
    hung_up_at: datetime | None = None
    q850_cause: int = 0


def evidence_of(path: Path, leg_ids: Collection[str]) -> dict[str, LegEvidence]:
    """The evidence of each of those legs that the file knows; a missing file proves nothing."""
    wanted = set(leg_ids)
    found: dict[str, LegEvidence] = {}
    for row in _rows(path, wanted):
        leg_id = row.get("accountcode", "")
        if leg_id not in wanted or (is_leg_a(leg_id) and row.get("uniqueid") != leg_id):
            continue
        known = found.setdefault(leg_id, LegEvidence(leg_id=leg_id))
        at = micros_to_utc(row["eventtime"])
        match row["eventtype"]:
            case "ANSWER":
                found[leg_id] = replace(known, answered_at=at)
            case "HANGUP":
                found[leg_id] = replace(
                    known, hung_up_at=at, q850_cause=_cause_in(row.get("eventextra") or "")
                )
            case _:
                pass
    return found


def last_instant(path: Path) -> datetime | None:
    """The instant of the last line: Asterisk lived then."""
    last = None
    for row in _rows(path):
        last = row["eventtime"]
    return None if last is None else micros_to_utc(last)


def _rows(path: Path, wanted: Collection[str] = ()) -> Iterator[dict[str, str]]:
    """The file's lines by column name, of the `wanted` legs if any; one cut short by a crash is skipped."""
    legs = frozenset(leg_id.encode() for leg_id in wanted)
    if not path.exists():
        return
    with path.open("rb") as stream:
        stream.seek(0, 2)
        start = max(0, stream.tell() - TAIL_BYTES)
        stream.seek(start)
        if start:
            stream.readline()  # the first line of the tail is a torn one
        # Other legs' lines are not taken apart: a full tail would keep the reactor's thread waiting.
        whole = (line for line in stream if line.endswith(b"\n") and (not legs or _names(line, legs)))
        lines = (line.decode("utf-8", "replace").replace("\0", "") for line in whole)
        for line in lines:
            row = dict(zip(CEL_COLUMNS, _fields_of(line), strict=False))
            if all(name in row for name in COLUMNS) and row["eventtime"].replace(".", "", 1).isdecimal():
                yield row


def _names(line: bytes, legs: Collection[bytes]) -> bool:
    """Whether that line's fifth field is one of those; the four before it never hold a comma."""
    fields = line.split(b",", 5)
    return len(fields) > 4 and fields[4].replace(b"\0", b"").strip(b'"') in legs


def _fields_of(line: str) -> list[str]:
    """One line by itself: a quote left open by a crash must not swallow the lines after it."""
    try:
        return next(csv.reader([line]), [])
    except csv.Error:
        return []


def _cause_in(extra: str) -> int:
    try:
        return int(json.loads(extra).get("hangupcause", 0))
    except (ValueError, AttributeError, TypeError):
        return 0


# The order in which pbx/configuration.py lets cel_custom write its columns; a test holds the two together.
CEL_COLUMNS = (
    "eventtype",
    "eventtime",
    "uniqueid",
    "linkedid",
    "accountcode",
    "channame",
    "exten",
    "context",
    "userdeftype",
    "eventextra",
)
