"""A verification call: what is heard, and what comes out."""

import pytest
from scripted_phone import TimedPhone, TurnPhone, seconds_of

from ivr.session import CodeSpoken, NotAccepted, Outcome, Rules, Session, SpeakCode, number_reader

CODE = SpeakCode(code="4711081")
SAID = "code-is digit-4 digit-7 digit-1 digit-1 digit-0 digit-8 digit-1 code-again"


def run(phone: TurnPhone | TimedPhone, *, accepted: bool = False) -> tuple[Outcome, list[float]]:
    notes: list[float] = []
    session = Session(
        rules=Rules(normalise=number_reader("GB"), home_country="GB"),
        accepted=accepted,
        seconds_of=seconds_of,
        seconds_since_answer=lambda: phone.now,
        on_accepted=lambda: notes.append(phone.now),
    )
    return session.run(CODE, phone), notes


def heard(phone: TurnPhone) -> list[str]:
    return [" ".join(sound.removeprefix("dialback/") for sound in sounds) for sounds in phone.heard]


@pytest.mark.parametrize("key", "0123456789*#")
def test_F070_the_code_is_heard_after_any_key_and_not_before(key: str) -> None:
    phone = TurnPhone(script=[key, ""])
    outcome, accepted = run(phone)
    assert outcome == CodeSpoken()
    assert heard(phone) == ["code-welcome", SAID, "goodbye"]
    assert len(accepted) == 1


def test_F070_a_machine_that_answers_is_not_told_the_code() -> None:
    phone = TimedPhone()
    outcome, accepted = run(phone)
    assert outcome == NotAccepted()
    assert [sounds for _, sounds in phone.heard] == [("dialback/code-welcome",)] * 2
    assert (phone.now, accepted) == (30.0, [])


def test_F070_a_key_says_it_again_four_times_at_most() -> None:
    phone = TurnPhone(script=["1"] * 20)
    assert run(phone)[0] == CodeSpoken()
    assert heard(phone) == ["code-welcome", SAID, SAID, SAID, SAID, "goodbye"]


def test_F070_a_line_that_was_accepted_before_hears_it_at_once() -> None:
    phone = TurnPhone(script=[""])
    assert run(phone, accepted=True)[0] == CodeSpoken()
    assert heard(phone) == [SAID, "goodbye"]


def test_the_code_stands_in_no_trace_of_the_dialog() -> None:
    assert "4711081" not in repr(CODE)
