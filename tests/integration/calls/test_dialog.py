"""What the subscriber hears and keys: acceptance, entry of the number, reasons, further calls."""

from typing import Any

import pytest
from heard_words import Said, heard
from town import D1, D2, Town, leaves

from calls.callback import Callback, Reason, State
from calls.cdr import LegRole
from ivr.prompts import DEFAULT_LANGUAGE, Prompt, say_country, say_digits, sounds_of
from pbx.layout import Layout
from rating.plan import ALegPolicy
from world.scripts import (
    Answers,
    AnswersLikeVoicemail,
    Busy,
    HangsUp,
    Keys,
    Records,
    Step,
    Talks,
    TalksUntilHungUp,
    Waits,
)

pytestmark = pytest.mark.real_asterisk
TO_D1, TO_D2 = "0061255500123#", "0033199001234#"
SAYABLE = {
    *sounds_of(*Prompt),
    *say_digits("0123456789"),
    *(sound for country in ("GB", "GG", "IE", "US", "FR") for sound in say_country(country)),
}
"""What is listened for: every sentence, the digits, Britain and countries that it might be taken for."""


def calls(town: Town, *steps: Step, talks: int = 0, **terms: Any) -> Callback:
    """The callback of a new traveller whose phone answers and plays these steps.

    With `talks` he then stays on the line until so many destinations have ended, and hangs up.
    """
    sam = town.traveller(**terms)
    town.world.phone(sam.number, Answers(after=0.5), *steps, *(leaves(sam) if talks else ()))
    town.ring(sam)
    if talks:
        town.leaves_after(sam, talks, seconds=60)
    return town.wait_for_end(sam, seconds=60)


def said_to(town: Town, number: str) -> list[Said]:
    """What the phone at that number heard whole, told by the sound on its line; it must record."""
    (call,) = town.world.calls(number)
    assert call.recording is not None
    sounds = Layout(town.stage.settings.pbx.folder).sounds / DEFAULT_LANGUAGE
    return heard(call.recording, sounds, SAYABLE)


def talks_for(town: Town, number: str, seconds: float = 1) -> None:
    """That destination answers, talks and hangs up."""
    town.world.phone(number, Answers(), Talks(seconds=seconds), HangsUp())


def test_F034_within_two_seconds_of_the_answer_the_number_is_asked_for_and_nothing_else(town: Town) -> None:
    sam = town.traveller()
    town.world.phone(sam.number, Answers(after=0.5), Records(), Waits(9), HangsUp())
    town.ring(sam)
    town.wait_for_end(sam)
    said = said_to(town, sam.number)
    assert tuple(each.name for each in said) == sounds_of(Prompt.WELCOME, Prompt.ENTER_NUMBER)
    assert said[0].from_seconds < 2


@pytest.mark.parametrize(("digit_ms", "gap_ms"), [(100, 1900), (60, 40)], ids=["one in 2 s", "ten a second"])
def test_F035_digits_at_any_normal_speed_give_the_number(town: Town, digit_ms: int, gap_ms: int) -> None:
    talks_for(town, D1)
    callback = calls(town, Keys(TO_D1, after=1, digit_ms=digit_ms, gap_ms=gap_ms), talks=1)
    assert callback.state is State.COMPLETED
    assert [str(leg.number) for leg in callback.legs_b] == [D1]


def test_F036_accepted_and_then_silent_is_asked_again_and_released_after_three_tries(town: Town) -> None:
    callback = calls(town, Keys("*", after=1), Waits(120))
    assert (callback.state, callback.reason) == (State.ABANDONED, Reason.GAVE_UP)


def test_F036_a_wrong_number_is_explained_and_asked_again(town: Town) -> None:
    talks_for(town, D1)
    callback = calls(town, Keys("123#", after=1), Waits(8), Keys(TO_D1), talks=1)
    assert callback.state is State.COMPLETED


def test_F041_emergency_numbers_are_refused_aloud_and_nobody_is_dialled(town: Town) -> None:
    sam = town.traveller(a_leg_policy=ALegPolicy.FREE)
    rest = (step for number in ("112#", "999#") for step in (Waits(9), Keys(number)))
    town.world.phone(
        sam.number, Answers(after=0.5), Records(), Keys("911#", after=1), *rest, Waits(30), HangsUp()
    )
    town.ring(sam)
    callback = town.wait_for_end(sam, seconds=60)
    assert (callback.state, callback.reason) == (State.ABANDONED, Reason.GAVE_UP)
    assert callback.legs_b == ()
    assert town.balance_of(sam) == 0
    assert [call.number for call in town.world.calls(incoming=True)] == [sam.number.lstrip("+")]
    # "… Please hang up and dial locally."
    reasons = [each.name for each in said_to(town, sam.number) if "reason" in each.name]
    assert reasons == [*sounds_of(Prompt.REASON_EMERGENCY)] * 3


def test_F121_a_machine_that_answers_is_not_accepted_and_costs_nothing(town: Town) -> None:
    sam = town.traveller()
    town.world.phone(sam.number, AnswersLikeVoicemail(after=0.5))
    town.ring(sam)
    callback = town.wait_for_end(sam, seconds=60)
    assert (callback.state, callback.reason) == (State.ABANDONED, Reason.NOT_ACCEPTED)
    assert town.balance_of(sam) == 0
    (leg,) = callback.legs
    assert leg.answered_at is not None
    assert leg.hung_up_at is not None
    assert 29 < (leg.hung_up_at - leg.answered_at).total_seconds() < 32


@pytest.mark.parametrize("key", ["#", "*", "7"])
def test_F121_any_key_accepts(town: Town, key: str) -> None:
    callback = calls(town, Keys(key, after=1), Waits(1), HangsUp())
    assert callback.accepted_at is not None


def test_F128_digits_during_the_prompt_count_and_a_star_starts_again(town: Town) -> None:
    talks_for(town, D1)
    callback = calls(town, Keys(f"0044*{TO_D1}", after=0.2), talks=1)
    assert [str(leg.number) for leg in callback.legs_b] == [D1]


def test_F128_a_home_number_is_read_back_as_of_the_United_Kingdom_and_silence_confirms_it(town: Town) -> None:
    friend = "+442079460777"
    talks_for(town, friend)
    callback = calls(town, Records(), Keys("02079460777#", after=1), talks=1)
    assert [str(leg.number) for leg in callback.legs_b] == [friend]
    read_back = (*say_country("GB"), *say_digits("02079460777"), *sounds_of(Prompt.CONFIRM))
    said = tuple(each.name for each in said_to(town, str(callback.number_a)))
    assert said[: len(read_back)] == read_back


def test_F128_a_read_back_that_is_taken_back_with_a_star_dials_the_next_number(town: Town) -> None:
    talks_for(town, D1)
    callback = calls(
        town,
        Keys("02079460777#", after=1),
        Keys("*", after=4),
        Keys(TO_D1, after=3),
        talks=1,
    )
    assert [str(leg.number) for leg in callback.legs_b] == [D1]


def test_F129_after_a_busy_destination_a_second_number_connects_and_the_busy_one_is_free(town: Town) -> None:
    sam = town.traveller()
    town.world.phone(
        sam.number, Answers(after=0.5), Keys(TO_D1, after=1), Waits(9), Keys(TO_D2), *leaves(sam)
    )
    town.world.phone(D1, Busy())
    talks_for(town, D2, seconds=2)
    town.ring(sam)
    town.leaves_after(sam, 2, seconds=60)
    callback = town.wait_for_end(sam)
    assert callback.state is State.COMPLETED
    busy, answered = (leg for leg in town.records_of(sam) if leg.cdr.role is LegRole.B)
    assert str(busy.cdr.disposition) == "busy"
    assert busy.charge is None
    assert answered.charge is not None


@pytest.mark.parametrize("key", ["#", "##", "###"])
def test_F039_the_follow_on_key_places_another_call_on_the_same_leg(town: Town, key: str) -> None:
    talks_for(town, D1)
    talks_for(town, D2)
    callback = calls(
        town,
        Keys(TO_D1, after=1),
        Waits(5),
        Keys(key, gap_ms=200),
        Keys(TO_D2, after=3),
        talks=2,
        follow_on_key=key,
    )
    assert [str(leg.number) for leg in callback.legs_b] == [D1, D2]
    assert sum(leg.role is LegRole.A for leg in callback.legs) == 1


@pytest.mark.parametrize("key", ["#", "##", "###"])
def test_F039_the_in_call_key_ends_the_destination_and_asks_for_the_next(town: Town, key: str) -> None:
    town.world.phone(D1, Answers(), TalksUntilHungUp())
    talks_for(town, D2)
    callback = calls(
        town,
        Keys(TO_D1, after=1),
        Waits(4),
        Keys(key, gap_ms=200),
        Keys(TO_D2, after=3),
        talks=2,
        in_call_key=key,
    )
    assert [str(leg.number) for leg in callback.legs_b] == [D1, D2]


@pytest.mark.parametrize(("in_call_key", "heard"), [("##", "1#2"), ("", "1##2")])
def test_F039_other_keys_reach_the_destination_in_talk(town: Town, in_call_key: str, heard: str) -> None:
    town.world.phone(D1, Answers(), Waits(9), HangsUp())
    calls(
        town,
        Keys(TO_D1, after=1),
        Waits(4),
        *(step for key in heard for step in (Keys(key), Waits(0.0 if in_call_key == "" else 1.3))),
        talks=1,
        in_call_key=in_call_key,
    )
    (call,) = town.world.calls(D1)
    assert "".join(digit.key for digit in call.digits) == heard


def test_a_subscriber_who_hangs_up_while_keying_leaves_nothing_behind(town: Town) -> None:
    callback = calls(town, Keys("0061", after=1), HangsUp())
    assert (callback.state, callback.reason) == (State.ABANDONED, Reason.LEFT)
