"""The tables [seller], [decks], [invoices] and [mail] of switch.toml: what staff and papers go by.

Reads: the tables, already parsed.
Gives: frozen settings, and what billing and the post take of them.
Knows nothing of: the file, other sections.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from billing.numbering import CREDIT_NOTE_NUMBER, NumberingRefused, check_pattern, series_of
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


class InvoiceSettings(BaseModel):
    """How invoices are numbered and when they are due. Numbers have no gap within what the pattern fixes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: str = "INV-{year}-{n:05}"
    credit_note_number: str = CREDIT_NOTE_NUMBER
    due_days: int = Field(default=14, ge=0, le=365)

    @model_validator(mode="after")
    def _differ(self) -> Self:
        # Any year will do: both begin anew each year, or go on.
        if series_of(self.number, 2000) == series_of(self.credit_note_number, 2000):
            raise ValueError(
                "number and credit_note_number give the same numbers, and each stands for one paper;"
                " let credit_note_number begin otherwise, such as CN-{year}-{n:05}"
            )
        return self

    @field_validator("number", "credit_note_number")
    @classmethod
    def _makes_numbers(cls, value: str) -> str:
        try:
            return check_pattern(value)
        except NumberingRefused as refused:
            raise ValueError(str(refused)) from None


class PrivacySettings(BaseModel):
    """How long whole numbers are kept, and who may see them. Countries are those of the subscriber's home."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keep_months: int = Field(default=6, ge=0, le=120)
    keep_months_by_country: dict[Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")], int] = {}
    mask_on_screen: bool = False
    unmask_users: tuple[str, ...] = ()
    log_reading: bool = False


class MailSettings(BaseModel):
    """The mail server that takes our invoices; without a host mail waits until there is one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = ""
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password: str = ""
    sender: str = ""
    attempts_max: int = Field(default=8, ge=1, le=50)
