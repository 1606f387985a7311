"""What an invoice was issued with, as one text that gives the same values back.

Reads: IssuedFacts: the head of an invoice and the names that its lines show.
Gives: JSON; the facts again. Amounts are texts in it, so that none becomes a float.
Knows nothing of: tables.
"""

from dataclasses import dataclass
from functools import cache

from pydantic import TypeAdapter

from billing.invoice import InvoiceHead


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedFacts:
    """All but the calls. `subscribers` are pairs of id and name, as they were on the day of issue."""

    head: InvoiceHead
    subscribers: tuple[tuple[str, str], ...] = ()


def facts_text(facts: IssuedFacts) -> str:
    """The facts as JSON."""
    return _adapter().dump_json(facts).decode()


def facts_of_text(text: str) -> IssuedFacts:
    """The facts that a text says."""
    return _adapter().validate_json(text)


@cache
def _adapter() -> TypeAdapter[IssuedFacts]:
    return TypeAdapter(IssuedFacts)
