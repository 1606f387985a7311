"""Which network a number belongs to today: the hook for number portability.

Reads: a number, an instant.
Gives: a routing code: the digits by which the carriers' cost decks know that network; "" if it stayed.
Knows nothing of: who says so. store/portednumbers.py has a dated table; another source has the same method.

The price goes by the prefix that was dialled, which is all that a subscriber can know; our cost goes by the
network that the call ends in.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from values.e164 import E164

KEPT_FOR = timedelta(seconds=60)
KEPT_MAX = 50_000


class Portability(Protocol):
    """Who knows where numbers were ported to."""

    def resolve(self, number: E164, at: datetime) -> str:
        """Return the routing code of the number's network then, "" for that of its prefix."""


@dataclass(slots=True, kw_only=True)
class Answers:
    """Answers that were given lately, so that a busy number is not looked up for each call."""

    _known: dict[E164, tuple[datetime, str]] = field(default_factory=dict)

    def resolve(self, source: Portability, number: E164, at: datetime) -> str:
        """Return the source's answer, or the one it gave within the last minute."""
        asked_at, code = self._known.get(number, (None, ""))
        if asked_at is not None and timedelta(0) <= at - asked_at < KEPT_FOR:
            return code
        code = source.resolve(number, at)
        if len(self._known) >= KEPT_MAX:
            self._known.clear()
        self._known[number] = (at, code)
        return code
