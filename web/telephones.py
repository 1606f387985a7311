"""Which telephones a wish means: people's spelling becomes numbers of this account's world.

Reads: a Wish; the account's subscribers and numbers in the store.
Gives: Telephones, or the problem of each field.
Knows nothing of: credit, policies, whether the number is verified.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from store import dids, requests
from store.database import Connection
from values.e164 import E164, NumberRefused, dialling_refusal, normalise
from values.refusal import Refusal
from web.problems import FieldProblem, bad_fields
from web.wish import Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Telephones:
    """Whom to call back, and whom to connect if that was said."""

    number: E164
    destination: E164 | None


def telephones(connection: Connection, account_id: str, wish: Wish) -> Telephones:
    """The numbers that the wish means; ProblemFound names every field that means none."""
    found: list[FieldProblem] = []
    number, home = _callback_number(connection, account_id, wish.number, found)
    destination = None
    if wish.destination:
        destination = _dialable("destination", wish.destination, home, found)
        if destination is not None and dids.is_own_did(connection, destination):
            problem = "it is a trigger number of this service"
            found.append(FieldProblem(field="destination", problem=problem, remedy="name another number"))
    if found or number is None:
        raise bad_fields(found)
    return Telephones(number=number, destination=destination)


def _callback_number(
    connection: Connection, account_id: str, text: str, found: list[FieldProblem]
) -> tuple[E164 | None, str | None]:
    """The number to call back, and the home country of whose it is."""
    homes = requests.home_countries(connection, account_id)
    # A national spelling follows the country of whoever has the number; where one fits, it is meant.
    matches = {
        number: home
        for home in homes
        for number in _read(text, home)
        if requests.home_country_of(connection, account_id, number) == home
    }
    if len(matches) == 1:
        [(number, home)] = matches.items()
        return _dialable("number", str(number), home, found), home
    only_home = homes[0] if len(homes) == 1 else None
    number_or_none = _dialable("number", text, only_home, found)
    if number_or_none is not None:
        remedy = "have accounts staff register it for one of your subscribers and verify it"
        problem = "it is not registered with your account"
        found.append(FieldProblem(field="number", problem=problem, remedy=remedy))
    return None, only_home


def _read(text: str, home: str) -> Iterable[E164]:
    try:
        return (normalise(text, home_country=home),)
    except NumberRefused:
        return ()


def _dialable(field: str, text: str, home: str | None, found: list[FieldProblem]) -> E164 | None:
    outcome = dialling_refusal(text, home)
    if isinstance(outcome, Refusal):
        problem = f"it is refused ({outcome.reason.value.replace('_', ' ')})"
        found.append(FieldProblem(field=field, problem=problem, remedy=outcome.remedy))
        return None
    return outcome.number
