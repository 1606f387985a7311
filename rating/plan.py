"""A plan: the price terms of an account.

Reads: what an operator typed, already as ints and Decimals.
Gives: Plan, surely sound, or PlanRefused, which names the field and the remedy.
Knows nothing of: rates, calls, accounts.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from values.money import RATE_SCALE, AmountRefused, currency_code, decimal_number

INCREMENT_SECONDS_MAX = 3600
TALK_SECONDS_LIMIT = 7200
"""No call runs longer, whatever a plan says: a lost hang-up must not bill a night."""
MARGIN_PERCENT_MAX = 100


class ALegPolicy(StrEnum):
    """Which seconds of the A-leg the account pays."""

    FROM_ANSWER = "from_answer"
    FROM_ACCEPT = "from_accept"
    IF_B_ANSWERED = "if_b_answered"
    WHILE_BRIDGED = "while_bridged"
    FREE = "free"

    @property
    def printed(self) -> str:
        """Return the sentence that stands on price lists and invoices."""
        return _PRINTED[self]


_PRINTED = {
    ALegPolicy.FROM_ANSWER: "The call to you is charged from your answer to its end.",
    ALegPolicy.FROM_ACCEPT: "The call to you is charged from the first key you press to its end.",
    ALegPolicy.IF_B_ANSWERED: (
        "The call to you is charged from your answer to its end, if a destination that is charged answered."
    ),
    ALegPolicy.WHILE_BRIDGED: "The call to you is charged while you are connected to a charged destination.",
    ALegPolicy.FREE: "The call to you is free.",
}

FOLLOW_ON_KEYS = ("#", "##", "###")
IN_CALL_KEYS = ("##", "#", "###", "")


class PlanRefused(ValueError):
    """These price terms cannot be used: the field and the remedy are named."""

    def __init__(self, field: str, value: object, remedy: str) -> None:
        """Keep the field apart for forms that print it beside the input."""
        super().__init__(f"{field}: {value!r} is refused: {remedy}")
        self.field = field
        self.remedy = remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One version of price terms; a change makes a new version, old calls keep theirs.

    `free_below_seconds`: a B-leg shorter than this, after the round-up to whole seconds, costs nothing.
    `connect_fee`: for each charged leg whose rate row names no fee of its own.
    `in_call_key`: ends this B-leg while it rings or talks; "" for none.
    """

    id: str
    name: str
    version: int
    currency: str
    deck_id: str
    first_increment_s: int = 30
    next_increment_s: int = 1
    free_below_seconds: int = 0
    a_leg_policy: ALegPolicy = ALegPolicy.FROM_ACCEPT
    connect_fee: Decimal = Decimal(0)
    follow_on_key: str = "#"
    in_call_key: str = "##"
    talk_seconds_max: int = TALK_SECONDS_LIMIT
    margin_floor_percent: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        """Refuse terms that cannot be meant."""
        _check_numbers(self)
        _check_prices(self)
        if not self.name.strip():
            raise PlanRefused("name", self.name, "give the plan a name")
        if not isinstance(self.a_leg_policy, ALegPolicy):
            raise PlanRefused("a_leg_policy", self.a_leg_policy, f"choose one of {', '.join(ALegPolicy)}")
        if self.follow_on_key not in FOLLOW_ON_KEYS:
            raise PlanRefused("follow_on_key", self.follow_on_key, "choose #, ## or ###")
        if self.in_call_key not in IN_CALL_KEYS:
            raise PlanRefused("in_call_key", self.in_call_key, "choose ##, #, ### or nothing")

    @property
    def connected_seconds_min(self) -> int:
        """Return the shortest talk worth dialling for: below it the call would be free or nothing."""
        return max(1, self.free_below_seconds)


def carrier_terms(*, deck_id: str, currency: str) -> Plan:
    """Return the terms by which a carrier bills us where its rate row names none: per second, from answer."""
    return Plan(
        id=f"carrier-{deck_id}",
        name="carrier terms",
        version=1,
        currency=currency,
        deck_id=deck_id,
        first_increment_s=1,
        next_increment_s=1,
        a_leg_policy=ALegPolicy.FROM_ANSWER,
    )


def _check_numbers(plan: Plan) -> None:
    _whole("version", plan.version, 1, 10**9)
    _whole("first_increment_s", plan.first_increment_s, 1, INCREMENT_SECONDS_MAX)
    _whole("next_increment_s", plan.next_increment_s, 1, INCREMENT_SECONDS_MAX)
    _whole("free_below_seconds", plan.free_below_seconds, 0, INCREMENT_SECONDS_MAX)
    _whole("talk_seconds_max", plan.talk_seconds_max, plan.connected_seconds_min, TALK_SECONDS_LIMIT)


def _check_prices(plan: Plan) -> None:
    try:
        currency_code(plan.currency)
        decimal_number(plan.connect_fee, places=RATE_SCALE, field="connect_fee")
        floor = decimal_number(plan.margin_floor_percent, places=2, field="margin_floor_percent", signed=True)
    except AmountRefused as refused:
        raise PlanRefused(refused.field, getattr(plan, refused.field), refused.remedy) from None
    if abs(floor) > MARGIN_PERCENT_MAX:
        raise PlanRefused("margin_floor_percent", floor, "write a percentage between -100 and 100")


def _whole(field: str, value: object, least: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise PlanRefused(field, value, f"write a whole number from {least} to {most}")
