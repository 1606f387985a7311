"""Which caller ID a trunk shows at a destination.

Reads: the caller IDs that may be shown, the one wanted first; what a trunk permits.
Gives: Shown: the first that is permitted, with its class, or that there is none.
Knows nothing of: what a class costs, where permits are kept.

Only what is among the wishes ever leaves: the subscriber's verified number, one of our DIDs, or nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rating.origin import OriginClass, origin_class
from values.e164 import E164

ANY_CLASS = frozenset(OriginClass)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is shown, None for nothing, and its class at the destination; not `is_permitted`: no call."""

    caller_id: E164 | None
    origin: OriginClass
    is_permitted: bool = True


def shown_at(
    destination: E164, wishes: Sequence[E164 | None], permitted: frozenset[OriginClass] = ANY_CLASS
) -> Shown:
    """Return the first wish whose class the trunk permits, nothing shown being the last of them."""
    classes = [(wish, origin_class(wish, destination)) for wish in (*wishes, None)]
    for wish, origin in classes:
        if origin in permitted:
            return Shown(caller_id=wish, origin=origin)
    return Shown(caller_id=None, origin=OriginClass.INVALID, is_permitted=False)
