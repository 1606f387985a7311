"""What a subscriber may key instead of a number: short codes, the last number, codes of cost tags.

Reads: nothing.
Gives: Directory, as the store knows it when a stretch of the dialog begins.
Knows nothing of: how it is asked for (ivr/dialog.py), where it is kept (store/directories.py).
"""

from dataclasses import dataclass

from values.e164 import E164


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedDial:
    """A number behind one or two digits."""

    code: str
    number: E164


@dataclass(frozen=True, slots=True, kw_only=True)
class TagCode:
    """The digits by which a caller names what the call is booked under."""

    code: str
    tag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """`asks_tag`: the account wants a code after each number."""

    speed_dials: tuple[SpeedDial, ...] = ()
    tag_codes: tuple[TagCode, ...] = ()
    last_number: E164 | None = None
    asks_tag: bool = False

    def number_behind(self, keyed: str) -> E164 | None:
        """The number that these digits stand for; None if they are no short code."""
        if keyed == LAST_NUMBER_CODE:
            return self.last_number
        return next((each.number for each in self.speed_dials if each.code == keyed), None)

    def tag_of(self, keyed: str) -> str | None:
        """The tag of that code; None if there is none."""
        return next((each.tag for each in self.tag_codes if each.code == keyed), None)


LAST_NUMBER_CODE = "00"
"""No number: it is the prefix of every international one, and nothing after it."""
EMPTY = Directory()
