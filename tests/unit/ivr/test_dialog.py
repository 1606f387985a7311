"""What the caller keys, what they hear, what comes out."""

from collections.abc import Sequence

import pytest
from scripted_phone import HungUp, TimedPhone, TurnPhone, seconds_of

from calls.callback import Reason
from ivr.session import (
    AskAgain,
    ConnectFixed,
    DestinationKeyed,
    FollowOn,
    GaveUp,
    NextNumber,
    NotAccepted,
    Opening,
    Outcome,
    Rules,
    Session,
    Welcome,
    number_reader,
)
from values.e164 import E164, RefusalReason

D1 = E164("61255500123")
LONDON = E164("442079460101")
DIAL_D1 = DestinationKeyed(number=D1)
DIAL_LONDON = DestinationKeyed(number=LONDON)
FIXED = Welcome(fixed_destination=D1)

WELCOME = "welcome enter-number"
ENTER = "enter-number"
AGAIN = "enter-number-again"
NEXT = "enter-next-number"
LONDON_DIGITS = " ".join(f"digit-{digit}" for digit in "02079460101")
LONDON_READ_BACK = f"country-gb {LONDON_DIGITS} confirm"


def rules_of(home_country: str = "GB", follow_on_key: str = "#") -> Rules:
    return Rules(
        normalise=number_reader(home_country), home_country=home_country, follow_on_key=follow_on_key
    )


def run(
    phone: TurnPhone | TimedPhone, opening: Opening, rules: Rules, *, accepted: bool = False
) -> tuple[Outcome, list[float]]:
    notes: list[float] = []
    session = Session(
        rules=rules,
        accepted=accepted,
        seconds_of=seconds_of,
        seconds_since_answer=lambda: phone.now,
        on_accepted=lambda: notes.append(phone.now),
    )
    return session.run(opening, phone), notes


def heard_by(phone: TurnPhone) -> list[str]:
    return [" ".join(sound.removeprefix("dialback/") for sound in sounds) for sounds in phone.heard]


def check(
    *,
    opening: Opening,
    script: Sequence[str],
    heard: Sequence[str],
    outcome: Outcome,
    accepted: bool = True,
    rules: Rules | None = None,
) -> None:
    phone = TurnPhone(script=script)
    assert run(phone, opening, rules or rules_of(), accepted=accepted)[0] == outcome
    assert heard_by(phone) == list(heard)


# --- answer and acceptance ---------------------------------------------------------------------------


def test_F034_the_prompt_is_the_first_thing_after_the_answer_and_asks_for_nothing_but_the_number() -> None:
    phone = TimedPhone(keys=[(4.0 + n / 10, key) for n, key in enumerate("0061255500123#")])
    outcome, _ = run(phone, Welcome(), rules_of())
    assert outcome == DIAL_D1
    assert phone.heard == [(0.0, ("dialback/welcome", "dialback/enter-number"))]


@pytest.mark.parametrize("opening", [Welcome(), FIXED])
def test_F121_without_a_key_it_asks_again_at_15_s_and_is_over_at_30_s(opening: Welcome) -> None:
    phone = TimedPhone()
    outcome, accepted_at = run(phone, opening, rules_of())
    assert outcome == NotAccepted()
    assert [at for at, _ in phone.heard] == [0.0, 15.0]
    assert phone.now == 30.0
    assert accepted_at == []


def test_F121_time_that_went_by_before_the_prompt_counts() -> None:
    phone = TimedPhone(now=1.5)
    outcome, _ = run(phone, Welcome(), rules_of())
    assert outcome == NotAccepted()
    assert [at for at, _ in phone.heard] == [1.5, 15.0]
    assert phone.now == 30.0


@pytest.mark.parametrize("key", "0123456789*#")
def test_F121_any_key_accepts(key: str) -> None:
    phone = TimedPhone(keys=[(7.0, key)])
    outcome, accepted_at = run(phone, Welcome(), rules_of())
    assert outcome == GaveUp()
    assert len(accepted_at) == 1


def test_F121_the_key_that_accepts_is_the_first_digit_of_the_number() -> None:
    phone = TurnPhone(script=["0061255500123#"])
    outcome, accepted_at = run(phone, Welcome(), rules_of())
    assert (outcome, phone.questions, len(accepted_at)) == (DIAL_D1, 1, 1)


@pytest.mark.parametrize("key", "0123456789*#")
def test_F123_one_key_accepts_and_dials_a_fixed_destination(key: str) -> None:
    phone = TurnPhone(script=["", key])
    outcome, accepted_at = run(phone, FIXED, rules_of())
    assert outcome == ConnectFixed()
    assert heard_by(phone) == ["welcome press-any-key", "press-any-key"]
    assert len(accepted_at) == 1


def test_a_line_that_is_accepted_already_is_not_asked_for_a_key() -> None:
    check(opening=FIXED, script=[], heard=[], outcome=ConnectFixed())
    check(opening=Welcome(), script=["0061255500123#"], heard=[ENTER], outcome=DIAL_D1)


def test_a_lone_hash_accepts_and_is_no_failed_entry() -> None:
    check(
        opening=Welcome(),
        script=["#", "", "", "0061255500123#"],
        heard=[WELCOME, ENTER, f"nothing-keyed {AGAIN}", f"nothing-keyed {AGAIN}"],
        outcome=DIAL_D1,
        accepted=False,
    )


def test_a_hang_up_ends_the_dialog_with_the_lines_own_exception() -> None:
    with pytest.raises(HungUp):
        run(TimedPhone(hangs_up_at=9), Welcome(), rules_of())


# --- entry -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gap", [2.0, 0.1], ids=["one key in two seconds", "ten keys a second"])
def test_F035_keys_at_any_normal_speed_are_one_number(gap: float) -> None:
    phone = TimedPhone(keys=[(3.0 + gap * n, key) for n, key in enumerate("0061255500123#")])
    outcome, _ = run(phone, Welcome(), rules_of())
    assert outcome == DIAL_D1
    assert len(phone.heard) == 1


def test_F035_a_number_without_hash_is_taken_after_five_silent_seconds() -> None:
    phone = TimedPhone(keys=[(5.0 + n, key) for n, key in enumerate("0061255500123")])
    outcome, _ = run(phone, Welcome(), rules_of())
    assert outcome == DIAL_D1
    assert phone.now == 17.0 + 5.0


def test_F036_accepted_then_15_s_of_silence_asks_again_and_says_goodbye_after_three() -> None:
    phone = TimedPhone(keys=[(5.0, "#")])
    outcome, _ = run(phone, Welcome(), rules_of())
    assert outcome == GaveUp()
    starts = [at for at, _ in phone.heard]
    assert starts == [0.0, 5.0, 5.0 + 2 + 15, 22.0 + 4 + 15, 41.0 + 4 + 15]
    assert phone.heard[-1][1] == ("dialback/nothing-keyed", "dialback/goodbye")


def test_F036_a_wrong_number_is_explained_and_asked_again_and_the_third_says_goodbye() -> None:
    check(
        opening=Welcome(),
        script=["004420#", "00999123456#", "5#"],
        heard=[
            WELCOME,
            f"reason-wrong-length {AGAIN}",
            f"reason-unknown-country-code {AGAIN}",
            "reason-short-code goodbye",
        ],
        outcome=GaveUp(),
        accepted=False,
    )


def test_F036_a_wrong_number_then_a_right_one_connects() -> None:
    check(
        opening=Welcome(),
        script=["004420#", "0061255500123#"],
        heard=[WELCOME, f"reason-wrong-length {AGAIN}"],
        outcome=DIAL_D1,
        accepted=False,
    )


def test_F036_an_entry_waits_15_s_for_the_first_key_and_5_s_between_and_takes_32() -> None:
    phone = TurnPhone()
    run(phone, NextNumber(), rules_of(), accepted=True)
    assert phone.waits == [(15, 5, 32)] * 3


@pytest.mark.parametrize("keyed", ["911#", "112#", "999#", "0044999#"])
def test_F041_an_emergency_number_is_refused_aloud_and_nothing_is_dialled(keyed: str) -> None:
    check(
        opening=Welcome(),
        script=[keyed, "", ""],
        heard=[WELCOME, f"reason-emergency {AGAIN}", f"nothing-keyed {AGAIN}", "nothing-keyed goodbye"],
        outcome=GaveUp(),
        accepted=False,
    )


@pytest.mark.parametrize(
    ("keyed", "reason"),
    [
        ("0019005550100#", "reason-premium"),
        ("00870773111632#", "reason-satellite"),
        ("00979123456789#", "reason-satellite"),
        ("116123#", "reason-short-code"),
        ("99999999999999999999999999999999", "reason-wrong-length"),
        ("A#", "reason-invalid-number"),
    ],
)
def test_F042_what_is_not_connected_is_refused_with_its_reason(keyed: str, reason: str) -> None:
    check(
        opening=NextNumber(),
        script=[keyed, "0061255500123#"],
        heard=[NEXT, f"{reason} {AGAIN}"],
        outcome=DIAL_D1,
    )


def test_F128_keys_during_the_prompt_stop_it_and_count() -> None:
    phone = TimedPhone(keys=[(0.5 + n / 10, key) for n, key in enumerate("0061255500123#")])
    outcome, accepted_at = run(phone, Welcome(), rules_of())
    assert outcome == DIAL_D1
    assert accepted_at == [pytest.approx(1.8)]


@pytest.mark.parametrize(
    ("script", "heard"),
    [
        (["0061255500123#"], [NEXT]),
        (["0061255500123"], [NEXT]),
        (["0044*0061255500123#"], [NEXT]),
        (["1*2**0061255500123#"], [NEXT]),
        (["0061*", "0061255500123#"], [NEXT, ENTER]),
        (["*#", "0061255500123#"], [NEXT, ENTER]),
        (["0#", "0061255500123#"], [NEXT, "help enter-number"]),
        (["0044*0#", "0061255500123#"], [NEXT, "help enter-number"]),
        (
            ["0#", "0#", "0#", "0061255500123#"],
            [NEXT, f"help {ENTER}", f"help {ENTER}", f"reason-short-code {AGAIN}"],
        ),
        (["0", "0061255500123#"], [NEXT, f"reason-short-code {AGAIN}"]),
    ],
    ids=[
        "hash ends",
        "silence ends",
        "star starts again",
        "the last star counts",
        "star then silence",
        "star then hash",
        "help",
        "help after a star",
        "help is given twice",
        "a lone nought is no call for help",
    ],
)
def test_F128_the_keys_of_an_entry(script: list[str], heard: list[str]) -> None:
    check(opening=NextNumber(), script=script, heard=heard, outcome=DIAL_D1)


@pytest.mark.parametrize("answer", ["#", ""], ids=["hash", "three silent seconds"])
def test_F128_a_home_number_is_read_back_with_its_country_and_dialled(answer: str) -> None:
    check(
        opening=Welcome(),
        script=["02079460101#", answer],
        heard=[WELCOME, LONDON_READ_BACK],
        outcome=DIAL_LONDON,
        accepted=False,
    )


def test_F128_the_read_back_waits_three_seconds_for_one_key() -> None:
    phone = TurnPhone(script=["02079460101#"])
    run(phone, NextNumber(), rules_of(), accepted=True)
    assert phone.waits[1] == (3, 3, 1)


@pytest.mark.parametrize("key", ["*", "0"], ids=["star", "a digit of somebody who corrects already"])
def test_F128_a_number_taken_back_is_entered_again(key: str) -> None:
    check(
        opening=NextNumber(),
        script=["02079460101#", key, "0061255500123#"],
        heard=[NEXT, LONDON_READ_BACK, ENTER],
        outcome=DIAL_D1,
    )


def test_F128_the_third_number_taken_back_is_the_last() -> None:
    check(
        opening=NextNumber(),
        script=["02079460101#", "*"] * 3,
        heard=[NEXT, LONDON_READ_BACK, ENTER, LONDON_READ_BACK, ENTER, LONDON_READ_BACK, "goodbye"],
        outcome=GaveUp(),
    )


@pytest.mark.parametrize(
    ("home", "keyed", "number", "country"),
    [
        ("GB", "00442079460101", "442079460101", None),
        ("US", "011442079460101", "442079460101", None),
        ("US", "00442079460101", "442079460101", None),
        ("GB", "011442079460101", "442079460101", "gb"),
        ("US", "2025550111", "12025550111", "us"),
        ("US", "12025550111", "12025550111", "us"),
        ("IT", "0669820101", "390669820101", "va"),
        ("AU", "0255500123", "61255500123", "au"),
        ("AU", "0011442079460101", "442079460101", None),
    ],
)
def test_F128_the_country_is_read_back_unless_it_was_keyed(
    home: str, keyed: str, number: str, country: str | None
) -> None:
    phone = TurnPhone(script=[keyed + "#"])
    outcome, _ = run(phone, NextNumber(), rules_of(home), accepted=True)
    assert outcome == DestinationKeyed(number=E164(number))
    said = [sounds[0].removeprefix("dialback/country-") for sounds in phone.heard[1:]]
    assert said == ([country] if country else [])


# --- after a call ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (Reason.BUSY, "reason-busy"),
        (Reason.NO_ANSWER, "reason-no-answer"),
        (Reason.REJECTED, "reason-rejected"),
        (Reason.UNOBTAINABLE, "reason-unobtainable"),
        (Reason.CONGESTION, "reason-failed"),
        (Reason.NO_CREDIT, "reason-no-credit"),
        (Reason.NO_RATE, "reason-no-rate"),
        (Reason.COUNTRY_DENIED, "reason-country-denied"),
        (Reason.TRY_LATER, "reason-try-later"),
        (RefusalReason.EMERGENCY, "reason-emergency"),
    ],
)
def test_F129_a_busy_or_failed_destination_is_explained_and_the_next_is_asked_for(
    reason: Reason | RefusalReason, said: str
) -> None:
    check(
        opening=AskAgain(reason=reason),
        script=["0061255500123#"],
        heard=[f"{said} {ENTER}"],
        outcome=DIAL_D1,
    )


@pytest.mark.parametrize(
    ("follow_on_key", "script", "silent_questions", "prompt"),
    [
        ("#", ["#"], 0, "follow-on-1"),
        ("##", ["#", "#"], 1, "follow-on-2"),
        ("###", ["#", "#", "#"], 2, "follow-on-3"),
    ],
)
def test_F039_every_follow_on_key_asks_for_the_next_number(
    follow_on_key: str, script: list[str], silent_questions: int, prompt: str
) -> None:
    check(
        opening=FollowOn(reason=Reason.TALKED),
        script=[*script, "0061255500123#"],
        heard=[f"reason-call-ended {prompt}", *[""] * silent_questions, NEXT],
        outcome=DIAL_D1,
        rules=rules_of(follow_on_key=follow_on_key),
    )


@pytest.mark.parametrize("follow_on_key", ["#", "##", "###"])
def test_F039_no_key_within_15_s_says_goodbye(follow_on_key: str) -> None:
    phone = TimedPhone()
    outcome, _ = run(phone, FollowOn(), rules_of(follow_on_key=follow_on_key), accepted=True)
    assert outcome == GaveUp()
    assert [at for at, _ in phone.heard] == [0.0, 2.0 + 15.0]
    assert phone.heard[-1][1] == ("dialback/goodbye",)


def test_F039_half_a_follow_on_key_is_asked_again_and_then_said_goodbye() -> None:
    check(
        opening=FollowOn(),
        script=["#", "", "#", "", "#", ""],
        heard=["follow-on-2", "", "follow-on-2", "", "follow-on-2", "", "goodbye"],
        outcome=GaveUp(),
        rules=rules_of(follow_on_key="##"),
    )


@pytest.mark.parametrize("follow_on_key", ["#", "##", "###"])
def test_F039_digits_instead_of_the_follow_on_key_are_the_next_number(follow_on_key: str) -> None:
    check(
        opening=FollowOn(),
        script=["0061255500123#"],
        heard=[f"follow-on-{len(follow_on_key)}"],
        outcome=DIAL_D1,
        rules=rules_of(follow_on_key=follow_on_key),
    )


def test_F039_after_the_in_call_key_the_next_number_is_asked_for_at_once() -> None:
    check(opening=NextNumber(), script=["02079460101#"], heard=[NEXT, LONDON_READ_BACK], outcome=DIAL_LONDON)


def test_a_follow_on_key_that_is_none_is_an_error() -> None:
    with pytest.raises(ValueError, match="one of #, ## and ###"):
        rules_of(follow_on_key="*")
