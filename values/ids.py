"""Ids that sort by the time they were made: 48 bits of milliseconds and 80 bits of chance.

Reads: an instant, random bytes.
Gives: 26 characters of Crockford's base 32, lower case (the ULID form).
Knows nothing of: clocks, random sources.
"""

from datetime import UTC, datetime, timedelta

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
RANDOM_BYTES = 10
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def sortable_id(at: datetime, chance: bytes) -> str:
    """The id for that instant (aware) and those RANDOM_BYTES bytes; ValueError for another length."""
    if len(chance) != RANDOM_BYTES:
        raise ValueError(f"an id takes {RANDOM_BYTES} random bytes, not {len(chance)}")
    milliseconds = (at - EPOCH) // timedelta(milliseconds=1)
    number = (milliseconds << 80) | int.from_bytes(chance, "big")
    return "".join(ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))
