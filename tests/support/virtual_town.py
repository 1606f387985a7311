"""What is given before a scenario begins: one account, three subscribers, decks, trunks, as rows.

Reads: `given` lines.
Gives: Terms; fill(), which writes them down.
Knows nothing of: calls.

Phones A, A2 and A3 belong to Anna, Ben and Cleo, subscribers in Britain of the account `acme`.
T1 is a shared trigger number, T2 Anna's own, T3 Anna's way to D1 by one key.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import Connection, update

from rating.bands import read_bands
from rating.origin import OriginClass
from rating.plan import ALegPolicy, Plan
from rating.rate import Rate, Surcharge
from store import accounts, dids, trunks
from store.audit import Author
from store.customers import Account, Subscriber, add_account, add_number, add_subscriber
from store.decks import add_deck, add_version
from store.plans import add_plan
from store.schema import accounts as account_rows
from store.trunks import Trunk, add_trunk
from values.e164 import E164

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
CLERK = Author(at=LONG_AGO, name="clerk", reason="opening")
ACCOUNT = "acme"
PEOPLE = {"A": "anna", "A2": "ben", "A3": "cleo"}
NAMED_NUMBERS = {
    "A": "+442079460101",
    "A2": "+442079460102",
    "A3": "+442079460103",
    "T1": "+442079460900",
    "T2": "+442079460901",
    "T3": "+442079460902",
    "D1": "+61255500123",
    "D2": "+33199001234",
    "D3": "+14155550123",
}
COUNTRIES = {"44": "United Kingdom", "61": "Australia", "33": "France", "1": "United States"}
WHOLE_TERMS = {
    "first_increment_s",
    "next_increment_s",
    "free_below_seconds",
    "talk_seconds_max",
    "package_seconds",
    "amount_places",
}
PRICE_TERMS = {"overage_per_minute", "call_price_min", "call_price_max", "connect_fee", "monthly_fee"}


@dataclass(slots=True, kw_only=True)
class Terms:
    """The default is that of W-30: A 0.10, B (D2) 0.25 a minute, 30/1, credit 50.00."""

    start: datetime = datetime(2026, 3, 2, 9, tzinfo=UTC)
    zone: str = "UTC"
    currency: str = "USD"
    credit: Decimal = Decimal("50.00")
    callbacks_max: int = 0
    policies: tuple[ALegPolicy, ...] = (ALegPolicy.FROM_ACCEPT,)
    months: tuple[tuple[int, int], ...] = ()
    plan: dict[str, object] = field(default_factory=dict)
    prices: dict[str, str] = field(
        default_factory=lambda: {"44": "0.10", "61": "0.24", "33": "0.25", "1": "0.05"}
    )
    trunks: dict[str, dict[str, str]] = field(
        default_factory=lambda: {
            "alpha": {"44": "0.02", "61": "0.05", "33": "0.08", "1": "0.01"},
            "beta": {"44": "0.03", "61": "0.06", "33": "0.09", "1": "0.02"},
        }
    )
    band_prices: dict[tuple[str, str], str] = field(default_factory=dict)
    surcharges: dict[str, tuple[Surcharge, ...]] = field(default_factory=dict)
    channels: dict[str, int] = field(default_factory=dict)
    store_seconds: float = 0.0
    b_ring_seconds: int = 60
    reckoning: str = "exact"
    """What is charged against what the phones did: `exact`; `favour`: not more; `near`: at most a second
    more, for CEL tells of an A-leg's end 45 ms late; `hand`: see the table."""

    def take(self, words: list[str]) -> None:  # noqa: C901, PLR0912 - a list of wishes
        """Take one `given` line."""
        match words:
            case ["start", instant]:
                self.start = datetime.fromisoformat(instant)
            case ["zone", zone]:
                self.zone = zone
            case ["credit", amount]:
                self.credit = Decimal(amount)
            case ["at", "most", number, "callbacks"]:
                self.callbacks_max = int(number)
            case ["policy", *names]:
                self.policies = tuple(ALegPolicy) if names == ["each"] else tuple(map(ALegPolicy, names))
            case ["invoice", *months]:
                self.months = tuple((int(month[:4]), int(month[5:])) for month in months)
            case ["plan", name, value] if name in PRICE_TERMS:
                self.plan[name] = Decimal(value)
            case ["plan", name, value]:
                given = "" if value == "none" else value
                self.plan[name] = int(given) if name in WHOLE_TERMS else given
            case ["band", *words_of_band]:
                self.plan["bands"] = read_bands(" ".join(words_of_band))
            case ["price", prefix, per_minute, "in", band]:
                self.band_prices[prefix, band] = per_minute
            case ["surcharge", prefix, origin, per_minute]:
                extra = Surcharge(origin=OriginClass(origin), per_minute=Decimal(per_minute))
                self.surcharges[prefix] = (*self.surcharges.get(prefix, ()), extra)
            case ["price", prefix, per_minute]:
                self.prices[prefix] = per_minute
            case ["only", "trunk", name]:
                self.trunks = {name: self.trunks[name]}
            case ["trunk", name, "carries", number]:
                self.channels[name] = int(number)
            case ["B", "rings", "at", "most", seconds, "s"]:
                self.b_ring_seconds = int(seconds)
            case ["reckoning", "in", "the", "account's", "favour"]:
                self.reckoning = "favour"
            case ["reckoning", "by", "hand"]:
                self.reckoning = "hand"
            case ["store", "takes", seconds, "s"]:
                self.store_seconds = float(seconds)
            case _:
                raise ValueError(f"given {' '.join(words)!r} means nothing")

    def plan_with(self, policy: ALegPolicy) -> Plan:
        """The plan under one policy."""
        plain = Plan(id="", name="standard", version=1, currency=self.currency, deck_id="retail")
        return replace(plain, a_leg_policy=policy, **self.plan)  # type: ignore[arg-type]


def number_of(text: str) -> str:
    """A number by its name in the table, or as it is."""
    return NAMED_NUMBERS.get(text, text)


def rates_of(prices: dict[str, str], currency: str) -> list[Rate]:
    """Rows of a deck; a price of `blocked` bars the prefix."""
    return [
        Rate(
            id="",
            prefix=prefix,
            destination=COUNTRIES.get(prefix, f"Zone {prefix}"),
            per_minute=Decimal(0 if price == "blocked" else price),
            valid_from=LONG_AGO,
            blocked=price == "blocked",
            currency=currency,
        )
        for prefix, price in prices.items()
    ]


def fill(connection: Connection, terms: Terms, policy: ALegPolicy) -> None:
    """Write it all down."""
    add_deck(connection, name="retail", kind="sell", currency=terms.currency, author=CLERK)
    add_version(connection, deck_name="retail", new_rates=_sold(terms), effective_at=LONG_AGO, author=CLERK)
    for priority, (name, costs) in enumerate(terms.trunks.items()):
        add_deck(connection, name=f"{name}-cost", kind="cost", currency=terms.currency, author=CLERK)
        new_deck(connection, f"{name}-cost", costs, terms.currency, LONG_AGO)
        trunk = Trunk(name=name, carrier=f"carrier-{name}", cost_deck=f"{name}-cost", priority=priority)
        add_trunk(connection, replace(trunk, channels_max=terms.channels.get(name, 0)), CLERK)
    add_plan(connection, terms.plan_with(policy), effective_at=LONG_AGO, author=CLERK)
    account = Account(
        id=ACCOUNT, name="Acme Ltd", currency=terms.currency, zone=terms.zone, plan_name="standard"
    )
    add_account(connection, account, CLERK)
    set_credit(connection, terms.credit)
    for phone, person in PEOPLE.items():
        subscriber = Subscriber(
            id=person, account_id=ACCOUNT, name=f"{person.title()} Example", home_country="GB"
        )
        add_subscriber(connection, subscriber, CLERK)
        number = E164.parse(NAMED_NUMBERS[phone])
        add_number(connection, subscriber_id=person, number=number, author=CLERK, verified=True)
    for name, kind in (("T1", dids.SHARED), ("T2", dids.PERSONAL), ("T3", dids.DIRECT)):
        did = dids.Did(
            number=E164.parse(NAMED_NUMBERS[name]),
            kind=kind,
            subscriber_id=None if kind == dids.SHARED else "anna",
            destination=E164.parse(NAMED_NUMBERS["D1"]) if kind == dids.DIRECT else None,
        )
        dids.add_did(connection, did, CLERK)


def _sold(terms: Terms) -> list[Rate]:
    """The rows of the sell deck: those for all the time, then those of bands, with their surcharges."""
    plain = rates_of(terms.prices, terms.currency)
    of_bands = [
        replace(rate, band=band)
        for (prefix, band), price in terms.band_prices.items()
        for rate in rates_of({prefix: price}, terms.currency)
    ]
    return [replace(rate, surcharges=terms.surcharges.get(rate.prefix, ())) for rate in (*plain, *of_bands)]


def new_deck(
    connection: Connection, name: str, prices: dict[str, str], currency: str, effective_at: datetime
) -> None:
    """Add a whole version of a deck."""
    author = replace(CLERK, at=effective_at)
    rows = rates_of(prices, currency)
    add_version(connection, deck_name=name, new_rates=rows, effective_at=effective_at, author=author)


def set_credit(connection: Connection, credit: Decimal) -> None:
    """Let the balance fall so far below 0."""
    units = int(credit * 10**4)
    connection.execute(
        update(account_rows).where(account_rows.c.id == ACCOUNT).values(credit_limit_units=units)
    )


__all__ = ["ACCOUNT", "Terms", "accounts", "fill", "new_deck", "number_of", "set_credit", "trunks"]
