"""A plan: the price terms of an account.

Reads: what an operator typed, already as ints and Decimals.
Gives: Plan, surely sound, or PlanRefused, which names the field and the remedy.
Knows nothing of: rates, calls, accounts.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from rating.bands import Band, BandRefused, check_bands, check_zone
from rating.prefixes import PREFIX_DIGITS_MAX
from values.money import AMOUNT_SCALE, RATE_SCALE, AmountRefused, currency_code, decimal_number

INCREMENT_SECONDS_MAX = 3600
TALK_SECONDS_LIMIT = 7200
"""No call runs longer, whatever a plan says: a lost hang-up must not bill a night."""
MARGIN_PERCENT_MAX = 100
AMOUNT_PLACES_MIN = 2
PACKAGE_SECONDS_MAX = 60 * 60 * 24 * 366
PACKAGE_PREFIXES_MAX = 500

_PREFIX = re.compile(rf"[0-9]{{1,{PREFIX_DIGITS_MAX}}}")


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
        told = f"{value:f}" if isinstance(value, Decimal) else repr(value)
        super().__init__(f"{field}: {told} is refused: {remedy}")
        self.field = field
        self.remedy = remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One version of price terms; a change makes a new version, old calls keep theirs.

    `free_below_seconds`: a B-leg shorter than this, after the round-up to whole seconds, costs nothing.
    `connect_fee`: for each charged leg whose rate row names no fee of its own.
    `in_call_key`: ends this B-leg while it rings or talks; "" for none.
    `bands`: hours of the week in `zone` for which the deck may have rows of their own.
    `call_price_min`, `call_price_max`: bounds of what each charged leg costs; None sets none.
    `amount_places`: to how many decimals the price of a leg is rounded, once and half-up.
    `monthly_fee`: nothing is due from `monthly_fee_waived_from` of call charges on; None never waives it.
    `package_seconds`: billed seconds of B-legs a month that cost nothing, to `package_prefixes` (() is every
    destination); what is left rolls over or lapses. Then `overage_per_minute`; None is the deck's rate.
    `margin_floor_per_minute`: what a minute must earn at least, besides the percentage; None asks nothing.
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
    margin_floor_per_minute: Decimal | None = None
    zone: str = "UTC"
    bands: tuple[Band, ...] = ()
    call_price_min: Decimal | None = None
    call_price_max: Decimal | None = None
    amount_places: int = AMOUNT_SCALE
    monthly_fee: Decimal = Decimal(0)
    monthly_fee_waived_from: Decimal | None = None
    package_seconds: int = 0
    package_rolls_over: bool = False
    package_prefixes: tuple[str, ...] = ()
    overage_per_minute: Decimal | None = None

    def __post_init__(self) -> None:
        """Refuse terms that cannot be meant."""
        _check_numbers(self)
        _check_prices(self)
        _check_call_prices(self)
        _check_package(self)
        _check_bands(self)
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

    def covers(self, digits: str) -> bool:
        """Whether the package pays for talks to that number."""
        return self.package_seconds > 0 and (
            not self.package_prefixes or digits.startswith(self.package_prefixes)
        )


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
    except AmountRefused as refused:
        raise PlanRefused(refused.field, plan.currency, refused.remedy) from None
    _price(plan, "connect_fee", RATE_SCALE)
    _price(plan, "overage_per_minute", RATE_SCALE)
    _price(plan, "monthly_fee", AMOUNT_SCALE)
    _price(plan, "monthly_fee_waived_from", AMOUNT_SCALE)
    _price(plan, "margin_floor_per_minute", RATE_SCALE, signed=True)
    _price(plan, "margin_floor_percent", 2, signed=True)
    floor = plan.margin_floor_percent
    if abs(floor) > MARGIN_PERCENT_MAX:
        raise PlanRefused("margin_floor_percent", floor, "write a percentage between -100 and 100")


def _check_call_prices(plan: Plan) -> None:
    """The bounds are as fine as the amounts: else one of them could be rounded across itself."""
    _whole("amount_places", plan.amount_places, AMOUNT_PLACES_MIN, AMOUNT_SCALE)
    _price(plan, "call_price_min", plan.amount_places)
    _price(plan, "call_price_max", plan.amount_places)
    least, most = plan.call_price_min, plan.call_price_max
    if least is not None and most is not None and least > most:
        raise PlanRefused("call_price_max", f"{most:f}", f"write at least the minimum, {least:f}")


def _check_package(plan: Plan) -> None:
    _whole("package_seconds", plan.package_seconds, 0, PACKAGE_SECONDS_MAX)
    if len(plan.package_prefixes) > PACKAGE_PREFIXES_MAX:
        remedy = f"name at most {PACKAGE_PREFIXES_MAX}, or none for every destination"
        raise PlanRefused("package_prefixes", len(plan.package_prefixes), remedy)
    for prefix in plan.package_prefixes:
        if not _PREFIX.fullmatch(prefix):
            remedy = f"write 1 to {PREFIX_DIGITS_MAX} ASCII digits with the country code first, such as 4420"
            raise PlanRefused("package_prefixes", prefix, remedy)
    if plan.package_seconds:
        return
    for field in ("package_rolls_over", "package_prefixes", "overage_per_minute"):
        if getattr(plan, field) not in (False, (), None):
            remedy = "leave it out, or name the seconds of a package"
            value = getattr(plan, field)
            raise PlanRefused(field, ", ".join(value) if isinstance(value, tuple) else value, remedy)


def _check_bands(plan: Plan) -> None:
    try:
        check_zone(plan.zone)
    except BandRefused as refused:
        raise PlanRefused("zone", plan.zone, refused.remedy) from None
    try:
        check_bands(plan.bands)
    except BandRefused as refused:
        raise PlanRefused("bands", refused.value, refused.remedy) from None


def _price(plan: Plan, field: str, places: int, *, signed: bool = False) -> None:
    value = getattr(plan, field)
    if value is None:
        return
    try:
        decimal_number(value, places=places, field=field, signed=signed)
    except AmountRefused as refused:
        raise PlanRefused(field, value, refused.remedy) from None


def _whole(field: str, value: object, least: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise PlanRefused(field, value, f"write a whole number from {least} to {most}")
