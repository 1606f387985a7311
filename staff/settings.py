"""The tables [seller] and [decks] of switch.toml: who is to be paid; who may approve prices.

Reads: the tables, already parsed.
Gives: frozen settings, and the Party that billing prints.
Knows nothing of: the file, other sections.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from billing.particulars import Party

Line = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class DeckSettings(BaseModel):
    """How rate sheets come into force. `two_people`: who stages one may not approve it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    two_people: bool = False


class SellerSettings(BaseModel):
    """Our side of an invoice, as the law wants it named; empty lines are not printed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Line = "Dialback"
    address: tuple[Line, ...] = ()
    country: Annotated[str, StringConstraints(pattern=r"^([A-Z]{2})?$")] = ""
    tax_id: Line = ""
    registration: Line = ""
    email: Line = ""
    phone: Line = ""
    website: Line = ""
    bank: tuple[Line, ...] = ()

    def party(self) -> Party:
        """The same as billing takes it."""
        return Party(**self.model_dump())
