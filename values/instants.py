"""Instants as whole microseconds since 1970, exactly, and back.

Reads: aware datetimes; integers.
Gives: the other.
Knows nothing of: clocks, zones other than UTC.
"""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def micros(instant: datetime) -> int:
    """Whole microseconds from 1970 to an aware instant, exactly; ValueError for one without a zone."""
    if instant.tzinfo is None:
        raise ValueError("an instant without a zone cannot be stored")
    return (instant - EPOCH) // MICROSECOND


def instant_of(value: int) -> datetime:
    """The aware UTC instant of that many microseconds since 1970."""
    return EPOCH + timedelta(microseconds=value)
