"""The callback funnel: of all who rang, how many came how far, and how fast we rang back.

Reads: counts of callbacks by the steps that each reached; delays from the trigger to the ringing.
Gives: Funnel, whose steps never grow on the way down.
Knows nothing of: where the counts come from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from calls.quality import percent, percentile
from values.money import half_up


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """Each step is a count of records.

    `wishes`: triggers, and the requests that became a callback; `authorised`: callbacks; `originated`: an
    A-leg was ordered; `keyed`: a destination was named or confirmed. `ring_milliseconds`: from trigger to
    ringing, ascending, of callbacks that began with a ring.
    """

    wishes: int = 0
    authorised: int = 0
    originated: int = 0
    a_answered: int = 0
    accepted: int = 0
    keyed: int = 0
    b_answered: int = 0
    ring_milliseconds: Sequence[int] = ()

    @property
    def ring_p50_seconds(self) -> Decimal | None:
        """Half of all were rung back within this time."""
        return _seconds(percentile(self.ring_milliseconds, 50))

    @property
    def ring_p95_seconds(self) -> Decimal | None:
        """All but one in twenty were rung back within this time."""
        return _seconds(percentile(self.ring_milliseconds, 95))

    @property
    def reconnect_percent(self) -> Decimal | None:
        """Callbacks answered of those attempted."""
        return percent(self.a_answered, self.originated)


def _seconds(milliseconds: int | None) -> Decimal | None:
    return None if milliseconds is None else half_up(Decimal(milliseconds) / 1000, 2)
