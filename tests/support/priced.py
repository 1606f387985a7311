"""Small builders for tests of money: rates, plans, legs, rated callbacks, invoices.

Every default is the session that the vectors W-30 to W-43 share: A 0.10 a minute, B 0.25 a minute, 30/1,
A answered at 0 s, first key at 4 s, B answered at 31 s.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from billing.invoice import Invoice, build_invoice
from billing.particulars import Party, RatedLeg, RatedSession
from billing.period import month
from calls.cdr import Cdr, Disposition, LegRole
from rating.plan import ALegPolicy, Plan
from rating.price import price_session
from rating.rate import Rate
from values.e164 import E164

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOME = "+442079460123"
FAR = "+12125550100"


def a_rate(per_minute: str = "0.25", prefix: str = "1", **fields: Any) -> Rate:
    """Return a row, valid since 2020."""
    given: dict[str, Any] = {
        "id": f"row-{prefix}",
        "prefix": prefix,
        "destination": "United States",
        "valid_from": datetime(2020, 1, 1, tzinfo=UTC),
        "currency": "USD",
    }
    return Rate(per_minute=Decimal(per_minute), **(given | fields))


RATE_A = a_rate("0.10", "44", destination="United Kingdom")
RATE_B = a_rate("0.25", "1")


def a_plan(increments: str = "30/1", **fields: Any) -> Plan:
    """Return a plan in USD, by increments such as 30/6."""
    first, following = (int(text) for text in increments.split("/"))
    given: dict[str, Any] = {
        "id": "p1",
        "name": "Traveller",
        "version": 1,
        "currency": "USD",
        "deck_id": "d1",
        "first_increment_s": first,
        "next_increment_s": following,
    }
    return Plan(**(given | fields))


def at(seconds: float | str | Decimal) -> datetime:
    """Return the instant so many seconds after the start, exact to the microsecond."""
    return START + timedelta(microseconds=int(Decimal(str(seconds)) * 10**6))


def leg(
    role: LegRole,
    answered: float | str | None,
    ended: float | str,
    *,
    accepted: float | str | None = None,
    index: int = 1,
    start: datetime = START,
    callback_id: str = "cb01",
) -> Cdr:
    """Return the Cdr of a leg by seconds after the start."""
    shift = start - START
    return Cdr(
        leg_id=f"{callback_id}-{role.lower()}{index}",
        callback_id=callback_id,
        role=role,
        number=E164.parse(HOME if role is LegRole.A else FAR),
        trunk="t1",
        invited_at=start,
        rang_at=None,
        answered_at=None if answered is None else at(answered) + shift,
        accepted_at=None if accepted is None else at(accepted) + shift,
        hung_up_at=at(ended) + shift,
        q850_cause=16,
        disposition=Disposition.NO_ANSWER if answered is None else Disposition.ANSWERED,
    )


def leg_a(ended: float | str, *, answered: float | str | None = 0, accepted: float | str | None = 4) -> Cdr:
    """Return the shared session's A-leg."""
    return leg(LegRole.A, answered, ended, accepted=accepted)


def leg_b(answered: float | str | None, ended: float | str, index: int = 1) -> Cdr:
    """Return a B-leg."""
    return leg(LegRole.B, answered, ended, index=index)


def rated(
    number: int,
    *,
    start: datetime,
    b_seconds: Sequence[int] = (40,),
    plan: Plan | None = None,
    rate_b: Rate = RATE_B,
    subscriber: str = "Ada Traveller",
    reference: str = "",
) -> RatedSession:
    """Return a rated callback: A answers, keys, talks to each B in turn, hangs up."""
    plan = plan or a_plan()
    callback_id = f"cb01hw{number:020d}"
    clock, legs_b = 15, []
    for index, seconds in enumerate(b_seconds, start=1):
        legs_b.append(
            leg(LegRole.B, clock, clock + seconds, index=index, start=start, callback_id=callback_id)
        )
        clock += seconds + 12
    cdr_a = leg(LegRole.A, 0, clock, accepted=4, start=start, callback_id=callback_id)
    price = price_session(plan=plan, rate_a=RATE_A, cdr_a=cdr_a, legs_b=[(cdr, rate_b) for cdr in legs_b])
    cdrs = [cdr_a, *legs_b]
    return RatedSession(
        callback_id=callback_id,
        requested_at=start - timedelta(seconds=9),
        ended_at=cdr_a.hung_up_at,
        subscriber=subscriber,
        reference=reference,
        legs=tuple(
            RatedLeg(
                leg_id=cdr.leg_id,
                role=cdr.role,
                number=str(cdr.number),
                answered_at=cdr.answered_at,
                charge=charge,
            )
            for cdr, charge in zip(cdrs, price.charges, strict=True)
        ),
    )


SELLER = Party(
    name="Dialback Telecom Ltd",
    address=("12 Exchange Yard", "London EC1A 1AA", "United Kingdom"),
    tax_id="GB 123 4567 89",
    registration="Companies House 01234567",
    email="accounts@dialback.example",
    phone="+44 20 7946 0000",
    bank=("IBAN GB33 BUKB 2020 1555 5555 55", "BIC BUKBGB22"),
)
BUYER = Party(
    name="Northwind Travel SARL",
    address=("4 rue des Écoles", "75005 Paris", "France"),
    tax_id="FR 40 303 265 045",
)


def an_invoice(sessions: Sequence[RatedSession], **fields: Any) -> Invoice:
    """Return the invoice of March 2026 in Paris."""
    given: dict[str, Any] = {
        "number": "2026-000042",
        "seller": SELLER,
        "buyer": BUYER,
        "account_id": "northwind",
        "plan": a_plan(),
        "period": month(2026, 3, "Europe/Paris"),
        "issued_on": date(2026, 4, 1),
        "due_on": date(2026, 4, 15),
        "sessions": sessions,
    }
    return build_invoice(**(given | fields))


__all__ = [
    "BUYER",
    "FAR",
    "HOME",
    "RATE_A",
    "RATE_B",
    "SELLER",
    "START",
    "ALegPolicy",
    "LegRole",
    "a_plan",
    "a_rate",
    "an_invoice",
    "at",
    "leg",
    "leg_a",
    "leg_b",
    "rated",
]
