"""What a subscriber keys instead of a number, and the code of a cost tag after one."""

from collections.abc import Sequence

import pytest
from scripted_phone import TurnPhone, seconds_of

from calls.directory import Directory, SpeedDial, TagCode
from ivr.session import DestinationKeyed, GaveUp, Outcome, Rules, Session, Welcome, number_reader
from values.e164 import E164

D1, D2 = E164("61255500123"), E164("33199001234")
DIALS = Directory(
    speed_dials=(SpeedDial(code="7", number=D1), SpeedDial(code="12", number=D2)), last_number=D2
)
TAGS = Directory(tag_codes=(TagCode(code="4711", tag="Client Miller"),), asks_tag=True)


def run(directory: Directory, script: Sequence[str]) -> tuple[Outcome, list[str]]:
    phone = TurnPhone(script=script)
    session = Session(
        rules=Rules(normalise=number_reader("GB"), home_country="GB", directory=directory),
        accepted=True,
        seconds_of=seconds_of,
        seconds_since_answer=lambda: phone.now,
        on_accepted=lambda: None,
    )
    outcome = session.run(Welcome(), phone)
    return outcome, [" ".join(each.removeprefix("dialback/") for each in sounds) for sounds in phone.heard]


@pytest.mark.parametrize(("keyed", "number"), [("7#", D1), ("12#", D2), ("00#", D2), ("5*7#", D1)])
def test_F132_a_short_code_is_its_number(keyed: str, number: E164) -> None:
    outcome, heard = run(DIALS, [keyed])
    assert outcome == DestinationKeyed(number=number)
    assert heard == ["enter-number"]


def test_F132_digits_without_a_hash_are_no_short_code() -> None:
    # Whoever presses a key only to accept has not asked for the number behind it.
    outcome, heard = run(DIALS, ["7", "0061255500123#"])
    assert outcome == DestinationKeyed(number=D1)
    assert heard[1] == "reason-short-code enter-number-again"


@pytest.mark.parametrize("keyed", ["8#", "07#", "112#", "0#"])
def test_F132_what_is_behind_no_code_is_read_as_ever(keyed: str) -> None:
    assert run(DIALS, [keyed])[1][1] == run(Directory(), [keyed])[1][1]


def test_F132_without_a_last_number_nothing_is_dialled() -> None:
    assert run(Directory(), ["00#", "00#", "00#"])[0] == GaveUp()


def test_F064_a_keyed_code_names_the_tag() -> None:
    outcome, heard = run(TAGS, ["0061255500123#", "4711#"])
    assert outcome == DestinationKeyed(number=D1, tag="Client Miller")
    assert heard == ["enter-number", "enter-tag"]


@pytest.mark.parametrize("left_out", ["#", ""])
def test_F064_a_code_may_be_left_out(left_out: str) -> None:
    assert run(TAGS, ["0061255500123#", left_out])[0] == DestinationKeyed(number=D1)


def test_F064_an_unknown_code_is_asked_for_again_and_keeps_nobody_from_calling() -> None:
    outcome, heard = run(TAGS, ["0061255500123#", "1#", "4711*", "2#"])
    assert outcome == DestinationKeyed(number=D1)
    assert heard[1:] == ["enter-tag", "unknown-tag enter-tag", "enter-tag"]


def test_F064_a_star_begins_the_code_anew() -> None:
    assert run(TAGS, ["0061255500123#", "99*4711#"])[0] == DestinationKeyed(number=D1, tag="Client Miller")


def test_F064_the_number_that_was_read_back_is_followed_by_the_code() -> None:
    outcome, heard = run(TAGS, ["02079460101#", "#", "4711#"])
    assert outcome == DestinationKeyed(number=E164("442079460101"), tag="Client Miller")
    assert heard[-1] == "enter-tag"


def test_F064_an_account_without_codes_asks_for_none() -> None:
    assert run(Directory(), ["0061255500123#"])[1] == ["enter-number"]
