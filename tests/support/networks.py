"""A running system among networks that are made by hand: each trunk another carrier with other habits.

Every subscriber and destination of these tests is a phone of `wire` unless its country belongs to another
carrier; `alpha`, of the world, is the next route where wire refuses.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from callers import QUICK
from town import CLERK, LONG_AGO, Town, Traveller

from demo.stage import Stage
from pbx.installation import Installation
from rating.deckfile import read_deck
from store import customers, decks, dids, trunks
from store.database import Connection
from store.upgrade import upgrade
from values.e164 import E164
from world.handmade import FarCall, Handmade, Part
from world.sip import Invitation, RingingLine

HOSTS = "127.0.8.{}"
HEADER = "prefix,destination,rate_per_min\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """One carrier: the prefixes it is the cheapest for, and what switch.toml says of it."""

    name: str
    prefixes: tuple[str, ...]
    trunk: dict[str, Any] = field(default_factory=dict)
    carrier: dict[str, Any] = field(default_factory=dict)
    currency: str = "USD"


@dataclass(slots=True)
class Networks:
    """The town, and its hand-made carriers by name."""

    town: Town
    carriers: dict[str, Handmade]

    def phone(self, number: str, part: Part, *, at: str = "wire") -> None:
        """The phone of that number, as its carrier is sent it."""
        self.carriers[at].phone(number.removeprefix("+"), part)

    def calls(self, number: str, *, at: str = "wire") -> list[FarCall]:
        return self.carriers[at].calls_to(number.removeprefix("+"))

    def ring(
        self, did: str, caller: str, *, at: str = "wire", from_host: str = "", **odd: Any
    ) -> RingingLine:
        """Ring our number for a second, from the address of that carrier unless told otherwise."""
        host = from_host or self.carriers[at].host
        invitation = Invitation(number=did, caller=caller, **odd)
        return RingingLine(invitation, to=self.town.world.switch_sip, from_host=host, seconds=1)


@contextmanager
def networks(
    installation: Installation, folder: Path, habits: tuple[Habits, ...], **switch: Any
) -> Iterator[Networks]:
    """Start the town among these carriers; each is at an address of its own, unless its habits name one."""
    with ExitStack() as stack:
        carriers = {
            each.name: stack.enter_context(
                Handmade(each.carrier.get("host", HOSTS.format(index)), **_without_host(each.carrier))
            )
            for index, each in enumerate(habits, start=1)
        }
        tables = [
            {
                "name": each.name,
                "host": carriers[each.name].host,
                "port": carriers[each.name].port,
                "country": "GB",
                **{key: _filled(value, carriers[each.name].port) for key, value in each.trunk.items()},
            }
            for each in habits
        ]
        stage = Stage(
            installation,
            folder,
            carriers=("alpha", "beta"),
            overrides={"switch": {**QUICK, **switch}},
            trunks=tables,
        )
        upgrade(stage.settings.database.url)
        town = Town(stage)
        town.open_for_business()
        town.database.call("carriers", lambda connection: _sign_up(connection, habits))
        stack.enter_context(stage)
        stack.callback(town.close)
        yield Networks(town=town, carriers=carriers)


def line_with(town: Town, number: str, did: str) -> Traveller:
    """A new account whose number and shared trigger number are these, in any country."""
    made = town.traveller()

    def add(connection: Connection) -> None:
        customers.add_number(
            connection,
            subscriber_id=made.subscriber_id,
            number=E164.parse(number),
            author=CLERK,
            verified=True,
        )
        dids.add_did(
            connection,
            dids.Did(
                number=E164.parse(did), kind=dids.SHARED, subscriber_id=None, destination=None, country="US"
            ),
            CLERK,
        )

    town.database.call("line", add)
    return Traveller(account_id=made.account_id, subscriber_id=made.subscriber_id, number=number, did=did)


def add_deck(connection: Connection, *, name: str, kind: str, currency: str, lines: list[str]) -> None:
    """A deck in force since long ago."""
    decks.add_deck(connection, name=name, kind=kind, currency=currency, author=CLERK)
    rows = read_deck(lines, currency=currency, effective_at=LONG_AGO).accepted()
    decks.add_version(connection, deck_name=name, new_rates=rows, effective_at=LONG_AGO, author=CLERK)


def _sign_up(connection: Connection, habits: tuple[Habits, ...]) -> None:
    for each in habits:
        deck = f"{each.name}-cost"
        lines = [HEADER, *(f"{prefix},Somewhere,0.001\n" for prefix in each.prefixes or ("8835100",))]
        add_deck(connection, name=deck, kind=decks.COST, currency=each.currency, lines=lines)
        trunks.add_trunk(connection, trunks.Trunk(name=each.name, carrier=each.name, cost_deck=deck), CLERK)


def _without_host(carrier: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in carrier.items() if key != "host"}


def _filled(value: Any, port: int) -> Any:
    """Put the carrier's port into what its trunk is matched by."""
    if isinstance(value, list):
        return [each.replace("PORT", str(port)) for each in value]
    return value
