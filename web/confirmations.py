"""What whoever follows the link of a letter may do: see which address it confirms, and confirm it.

Reads: tokens, as HTTP brought them; the store.
Gives: Confirmations, which tells what a token means, and takes it.
Knows nothing of: Flask, pages.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from store import confirmations
from store.confirmations import Followed
from store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Who asks: the secret of this switch, by which it knows its tokens; the seller's name and address."""

    secret: bytes = field(repr=False)
    name: str
    email: str = ""


class Confirmations:
    """Answers each question in one transaction, on the thread that asks."""

    def __init__(self, *, database: Database, house: House, wall: Callable[[], datetime]) -> None:
        """`wall` tells the time."""
        self.house = house
        self._database = database
        self._wall = wall

    def look(self, token: str) -> Followed:
        """What the token means; nothing is changed, for mail scanners follow links too."""
        return self._database.read(
            "look at email link", confirmations.look, token, secret=self.house.secret, at=self._wall()
        )

    def confirm(self, token: str) -> Followed:
        """Confirm the address, if the token still can."""
        return self._database.call(
            "confirm email", confirmations.confirm, token, secret=self.house.secret, at=self._wall()
        )
