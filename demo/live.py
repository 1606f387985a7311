"""The call as it happens: the phones' log and Dialback's callback log, in one column of time.

Reads: the world's log file and the switch's database, over and over.
Gives: lines on a Screen in the order of their times; waits for an end with a deadline.
Knows nothing of: money.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from calls.callback import Callback, State
from demo.phonelog import Entry, read_log, sentence
from demo.screen import Screen
from demo.stage import Stage
from staff import story
from store import callbacks
from store.database import Database
from world.configuration import LOG_NAME

POLL_SECONDS = 0.15
SETTLES = timedelta(seconds=0.5)
"""The switch writes into its log after the fact: so long a line waits for older ones."""
DIALBACK = "Dialback"


class NotInTime(RuntimeError):
    """The call did not come to its end."""


@dataclass(slots=True)
class Live:
    """Follows one account's callbacks."""

    stage: Stage
    screen: Screen
    database: Database
    account: str
    names: Mapping[str, str]
    """Who has which telephone, by number."""
    _zero: datetime | None = None
    _waiting: list[tuple[datetime, str, str]] = field(default_factory=list)
    _phone_lines: int = 0
    _log_lines: dict[str, int] = field(default_factory=dict)
    _states: dict[str, State] = field(default_factory=dict)

    def tell(self, who: str, what: str, at: datetime | None = None) -> None:
        """Add a step that is in neither log."""
        self._waiting.append((at or datetime.now(UTC), who, what))

    def follow(self, until: Callable[[], bool], *, seconds: float, what: str) -> None:
        """Show what happens until a condition holds; NotInTime if it does not."""
        deadline = time.monotonic() + seconds
        while not until():
            if time.monotonic() > deadline:
                self.look(everything=True)
                raise NotInTime(f"{what} did not come within {seconds:g} s")
            self.look()
            time.sleep(POLL_SECONDS)
        self.look()

    def look(self, *, everything: bool = False) -> None:
        """Show what is new; `everything`: also what is so new that something older may still come."""
        self._gather_from_phones()
        self._gather_from_dialback()
        before = datetime.now(UTC) + SETTLES if everything else datetime.now(UTC) - SETTLES
        self._waiting.sort(key=lambda step: step[0])
        while self._waiting and self._waiting[0][0] <= before:
            self._show(*self._waiting.pop(0))

    def skip(self) -> None:
        """Leave out what has happened so far."""
        self._gather_from_phones()
        self._gather_from_dialback()
        self._waiting.clear()

    def callback(self) -> Callback | None:
        """The account's latest callback."""
        found = self.database.read(
            "latest callback", callbacks.list_callbacks, account_id=self.account, limit=1
        )
        return found[0] if found else None

    def entries(self) -> list[Entry]:
        """The phones' log up to now."""
        path = self.stage.world.asterisk.layout.events.with_name(LOG_NAME)
        return read_log(path.read_text(errors="replace")) if path.exists() else []

    def _gather_from_phones(self) -> None:
        entries = self.entries()
        for entry in entries[self._phone_lines :]:
            name, told = self.names.get(entry.number), sentence(entry)
            if told and name is not None:
                self._waiting.append((entry.at, f"{name}'s phone", told))
        self._phone_lines = len(entries)

    def _gather_from_dialback(self) -> None:
        found = self.database.read(
            "latest callbacks", callbacks.list_callbacks, account_id=self.account, limit=5
        )
        for callback in reversed(found):
            lines = self.database.read("trace", callbacks.trace, callback.id)
            for line in lines[self._log_lines.get(callback.id, 0) :]:
                told = story.sentence(line.event, line.detail)
                if self._states.get(callback.id) is not line.state:
                    told = f"{told}  [{line.state}]"
                self._states[callback.id] = line.state
                self._waiting.append((line.at, DIALBACK, told))
            self._log_lines[callback.id] = len(lines)

    def _show(self, at: datetime, who: str, what: str) -> None:
        if self._zero is None:
            self._zero = at
            self.screen.said(
                f"Times are seconds after {at:%Y-%m-%d %H:%M:%S.%f} UTC. In brackets: a new state."
            )
        seconds = (at - self._zero).total_seconds()
        self.screen.happened(f"{seconds:.3f}", who, what, is_phone=who != DIALBACK)
