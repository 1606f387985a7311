"""What a callback must cost, reckoned a second time from what the phones themselves did.

Reads: the exchange's channels (virtual_pbx.py), the given prices and plan.
Gives: seconds and money of each answered leg, in plain fractions.
Knows nothing of: rating/, which it is there to be compared with.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from virtual_pbx import Channel
from virtual_town import Terms

MICROSECONDS = 10**6


@dataclass(frozen=True, slots=True, kw_only=True)
class Reckoned:
    """One leg's bill; `units` are 1/10,000 of the currency's unit."""

    seconds: int
    billed: int
    units: int


def reckon(channels: Iterable[Channel], terms: Terms, policy: str) -> dict[str, Reckoned]:
    """The bill of every answered leg of one callback, by leg id."""
    answered = [channel for channel in channels if channel.answered is not None]
    bills: dict[str, Reckoned] = {}
    free_below = int(str(terms.plan.get("free_below_seconds", 0)))
    talks = []
    for channel in answered:
        if not channel.is_a:
            talk = _end(channel) - _micros(channel.answered)
            seconds = ceil(Fraction(talk, MICROSECONDS))
            bills[channel.leg_id] = _bill(0 if seconds < free_below else seconds, seconds, channel, terms)
            if bills[channel.leg_id].billed:
                talks.append(talk)
    for channel in answered:
        if channel.is_a:
            micros = {
                "from_answer": _end(channel) - _micros(channel.answered),
                "from_accept": 0 if channel.first_key is None else _end(channel) - _micros(channel.first_key),
                "if_b_answered": _end(channel) - _micros(channel.answered) if talks else 0,
                "while_bridged": sum(talks),
                "free": 0,
            }[policy]
            seconds = ceil(Fraction(micros, MICROSECONDS))
            bills[channel.leg_id] = _bill(seconds, seconds, channel, terms)
    return bills


def _bill(chargeable: int, seconds: int, channel: Channel, terms: Terms) -> Reckoned:
    billed = 0
    if chargeable:
        billed = int(str(terms.plan.get("first_increment_s", 30)))
        while billed < chargeable:
            billed += int(str(terms.plan.get("next_increment_s", 1)))
    prefix = max((each for each in terms.prices if channel.number.startswith(each)), key=len)
    exact = Fraction(terms.prices[prefix]) * billed / 60
    return Reckoned(seconds=seconds, billed=billed, units=floor(exact * 10_000 + Fraction(1, 2)))


def _end(channel: Channel) -> int:
    """When it ended. A phone that answered, or pressed a key, and then hung up was there until then.

    What it did within one instant of the clock took it some time nonetheless: the least that there is.
    """
    was_there = channel.first_key if channel.is_a and channel.first_key is not None else channel.answered
    least = _micros(was_there) + 1 if channel.hung_up_itself else 0
    return max(_micros(channel.ended), least)


def _micros(seconds: float | None) -> int:
    assert seconds is not None
    return round(seconds * MICROSECONDS)
