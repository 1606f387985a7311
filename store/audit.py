"""Who changed what, when and why: the log that nobody edits.

Reads: an Author, what was and what is.
Gives: rows of `audit_log`.
Knows nothing of: who may change what.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert

from store.schema import audit_log


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who makes a change, when, and for what reason if there is one."""

    at: datetime
    name: str
    reason: str = ""


def note(
    connection: Connection,
    author: Author,
    action: str,
    subject: str,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    """Write down a change: only the fields that differ."""
    was, now = dict(before or {}), dict(after or {})
    differing = {name for name in was.keys() | now.keys() if was.get(name) != now.get(name)}
    connection.execute(
        INSERT,
        {
            "at": author.at,
            "actor": author.name,
            "action": action,
            "subject": subject,
            "before": _words(was, differing),
            "after": _words(now, differing),
            "reason": author.reason,
        },
    )


INSERT = insert(audit_log)


def _words(fields: Mapping[str, object], differing: set[str]) -> str:
    return "; ".join(f"{name}={fields[name]}" for name in sorted(fields) if name in differing)
