"""What to say next: the spoken part of a callback as a machine that only turns keys into questions.

Reads: an Opening, Rules, and what was keyed after each question.
Gives: Ask (say this, then listen so) until Done (say this; here is the Outcome).
Knows nothing of: channels, clocks, how long a prompt lasts, how a number is read (Rules.normalise does).

Laws:
1. The first key of any kind accepts.
2. Unaccepted, it asks twice and gives up 30 s after the answer.
3. A try is one entry: silent, refused, or taken back with `*`. After the third: a goodbye.
4. Help is given twice and then counts as a try, so that every script of keys comes to an end.
5. The text after the last `*` is what was keyed.
6. Digits keyed instead of the follow-on key are the next number: a traveller who already keys it means it.
7. No key is remembered once its entry is over, and none is ever logged.
8. One or two digits and `#` are a short code, if there is one; without the `#` they are the beginning of a
   number. `00#` is the number called last.
9. The code of a cost tag is asked for after the number. Nobody is kept from calling by it: what stays unknown
   after the third try, or is left out, is booked without it.
10. A code is said only after a key: no machine records it. It is said as often as a key asks, within reason.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import assert_never

from calls.directory import EMPTY, Directory
from ivr.prompts import Prompt, say_country, say_digits, say_reason, sounds_of
from ivr.turns import (
    Accepting,
    AfterPrompt,
    Ask,
    AskAgain,
    CodeSpoken,
    ConnectFixed,
    DestinationKeyed,
    Digits,
    Done,
    Entering,
    FollowingOn,
    FollowOn,
    GaveUp,
    NextNumber,
    NotAccepted,
    Opening,
    Proving,
    ReadingBack,
    SinceAnswer,
    SpeakCode,
    Tagging,
    Telling,
    Turn,
    Welcome,
)
from values.e164 import E164, Refusal, country_of, names_its_country

ANY_KEY_DIGITS_MAX = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How this subscriber is asked. The seconds are those of the service's promise to travellers.

    `normalise` reads what was keyed; `home_country` is the ISO 3166 code it uses, None for none: it decides
    whether the country was inferred and is read back. `follow_on_key` is one, two or three `#`.
    """

    normalise: Callable[[str], E164 | Refusal]
    home_country: str | None
    follow_on_key: str = "#"
    directory: Directory = EMPTY
    prompt_again_seconds: float = 15
    release_seconds: float = 30
    first_digit_seconds: float = 15
    between_digits_seconds: float = 5
    read_back_seconds: float = 3
    follow_on_seconds: float = 15
    # Longer than a thumb needs between two `#`, shorter than a pause.
    between_hashes_seconds: float = 1.5
    tries_max: int = 3
    helps_max: int = 2
    code_times_max: int = 4
    tag_digits_max: int = 12
    digits_max: int = 32

    def __post_init__(self) -> None:
        if self.follow_on_key not in _FOLLOW_ON_PROMPTS:
            raise ValueError(f"follow_on_key is {self.follow_on_key!r}; it is one of #, ## and ###")


def begin(opening: Opening, rules: Rules, *, accepted: bool) -> Turn:
    """The first question, or the end at once if nothing is to be asked."""
    match opening:
        case Welcome():
            return _welcome(opening, rules, accepted=accepted)
        case AskAgain(reason=reason):
            return _enter(Entering(), rules, say_reason(reason) + sounds_of(Prompt.ENTER_NUMBER))
        case FollowOn(reason=reason):
            return _follow_on(FollowingOn(), rules, say_reason(reason) if reason is not None else ())
        case NextNumber():
            return _enter(Entering(), rules, sounds_of(Prompt.ENTER_NEXT_NUMBER))
        case SpeakCode(code=code):
            return _tell(Telling(code=code), rules) if accepted else _prove(Proving(code=code), rules)
        case _:
            assert_never(opening)


def reply(asked: Ask, digits: Digits, rules: Rules) -> Turn:
    """What follows from the keys that came after that question."""
    match asked.stage:
        case Accepting():
            return _accepting(asked.stage, digits, rules)
        case Entering():
            return _entered(asked.stage, digits, rules)
        case ReadingBack():
            return _read_back_answered(asked.stage, digits, rules)
        case FollowingOn():
            return _followed_on(asked.stage, digits, rules)
        case Tagging():
            return _tagged(asked.stage, digits, rules)
        case Proving():
            return _proved(asked.stage, digits, rules)
        case Telling():
            return _told(asked.stage, digits, rules)
        case _:
            assert_never(asked.stage)


def _welcome(opening: Welcome, rules: Rules, *, accepted: bool) -> Turn:
    fixed = opening.fixed_destination is not None
    if accepted:
        if fixed:
            return Done(outcome=ConnectFixed())
        return _enter(Entering(), rules, sounds_of(Prompt.ENTER_NUMBER))
    return _accept(Accepting(fixed=fixed), rules, sounds_of(Prompt.WELCOME))


def _accept(stage: Accepting, rules: Rules, before: tuple[str, ...] = ()) -> Ask:
    return Ask(
        stage=stage,
        sounds=before + sounds_of(Prompt.PRESS_ANY_KEY if stage.fixed else Prompt.ENTER_NUMBER),
        first_digit=SinceAnswer(
            seconds=rules.release_seconds if stage.is_last else rules.prompt_again_seconds
        ),
        between_digits_seconds=rules.between_digits_seconds,
        digits_max=ANY_KEY_DIGITS_MAX if stage.fixed else rules.digits_max,
    )


def _accepting(stage: Accepting, digits: Digits, rules: Rules) -> Turn:
    if digits.was_silent:
        # No goodbye: nobody is there to hear it, and a machine would record it.
        return Done(outcome=NotAccepted()) if stage.is_last else _accept(replace(stage, is_last=True), rules)
    if stage.fixed:
        return Done(outcome=ConnectFixed())
    if not digits.text:
        # A lone `#` says "I am here" and is no failed entry.
        return _enter(Entering(), rules, sounds_of(Prompt.ENTER_NUMBER))
    return _entered(Entering(), digits, rules)


def _enter(stage: Entering, rules: Rules, sounds: tuple[str, ...]) -> Ask:
    return Ask(
        stage=stage,
        sounds=sounds,
        first_digit=AfterPrompt(seconds=rules.first_digit_seconds),
        between_digits_seconds=rules.between_digits_seconds,
        digits_max=rules.digits_max,
    )


def _entered(stage: Entering, digits: Digits, rules: Rules) -> Turn:
    keyed = digits.text.rpartition("*")[2]
    if keyed == "0" and digits.ended_by_hash and stage.helps < rules.helps_max:
        return _enter(
            replace(stage, helps=stage.helps + 1), rules, sounds_of(Prompt.HELP, Prompt.ENTER_NUMBER)
        )
    if not keyed:
        explanation = () if "*" in digits.text else sounds_of(Prompt.NOTHING_KEYED)
        return _enter_again(stage, rules, explanation)
    behind = rules.directory.number_behind(keyed) if digits.ended_by_hash else None
    if behind is not None:
        return _chosen(behind, rules)
    number = rules.normalise(keyed)
    if isinstance(number, Refusal):
        return _enter_again(stage, rules, say_reason(number.reason))
    if names_its_country(keyed, home_country=rules.home_country):
        return _chosen(number, rules)
    return Ask(
        stage=ReadingBack(number=number, entering=stage),
        sounds=say_country(country_of(number)) + say_digits(keyed) + sounds_of(Prompt.CONFIRM),
        first_digit=AfterPrompt(seconds=rules.read_back_seconds),
        between_digits_seconds=rules.read_back_seconds,
        # One key, so that `*` is answered at once.
        digits_max=1,
    )


def _enter_again(stage: Entering, rules: Rules, explanation: tuple[str, ...]) -> Turn:
    """Ask once more, or say goodbye after the last try."""
    tries = stage.tries + 1
    if tries >= rules.tries_max:
        return _goodbye(explanation)
    return _enter(
        replace(stage, tries=tries),
        rules,
        explanation + sounds_of(Prompt.ENTER_NUMBER_AGAIN if explanation else Prompt.ENTER_NUMBER),
    )


def _read_back_answered(stage: ReadingBack, digits: Digits, rules: Rules) -> Turn:
    if not digits.text:
        return _chosen(stage.number, rules)
    # `*`, or a digit of somebody who is correcting already: what may be wrong is not dialled.
    return _enter_again(stage.entering, rules, ())


def _chosen(number: E164, rules: Rules) -> Turn:
    """Dial it, once it is known what it is booked under."""
    if not rules.directory.asks_tag:
        return Done(outcome=DestinationKeyed(number=number))
    return _ask_tag(Tagging(number=number), rules, ())


def _ask_tag(stage: Tagging, rules: Rules, before: tuple[str, ...]) -> Ask:
    return Ask(
        stage=stage,
        sounds=before + sounds_of(Prompt.ENTER_TAG),
        first_digit=AfterPrompt(seconds=rules.between_digits_seconds),
        between_digits_seconds=rules.between_digits_seconds,
        digits_max=rules.tag_digits_max,
    )


def _tagged(stage: Tagging, digits: Digits, rules: Rules) -> Turn:
    keyed = digits.text.rpartition("*")[2]
    tag = rules.directory.tag_of(keyed)
    is_left_out = not digits.text
    if tag is not None or is_left_out or stage.tries + 1 >= rules.tries_max:
        return Done(outcome=DestinationKeyed(number=stage.number, tag=tag or ""))
    before = sounds_of(Prompt.UNKNOWN_TAG) if keyed else ()
    return _ask_tag(replace(stage, tries=stage.tries + 1), rules, before)


def _follow_on(stage: FollowingOn, rules: Rules, before: tuple[str, ...] = ()) -> Ask:
    return Ask(
        stage=stage,
        sounds=before + sounds_of(_FOLLOW_ON_PROMPTS[rules.follow_on_key]),
        first_digit=AfterPrompt(seconds=rules.follow_on_seconds),
        between_digits_seconds=rules.between_digits_seconds,
        digits_max=rules.digits_max,
    )


def _followed_on(stage: FollowingOn, digits: Digits, rules: Rules) -> Turn:
    """Whether the follow-on key is complete. Digits keyed instead are the next number: the wish is plain."""
    if digits.text:
        return _entered(Entering(), digits, rules)
    if not digits.ended_by_hash:
        if stage.hashes == 0 or stage.tries + 1 >= rules.tries_max:
            return _goodbye(())
        return _follow_on(FollowingOn(tries=stage.tries + 1), rules)
    hashes = stage.hashes + 1
    if hashes == len(rules.follow_on_key):
        return _enter(Entering(), rules, sounds_of(Prompt.ENTER_NEXT_NUMBER))
    return Ask(
        stage=replace(stage, hashes=hashes),
        sounds=(),
        first_digit=AfterPrompt(seconds=rules.between_hashes_seconds),
        between_digits_seconds=rules.between_digits_seconds,
        digits_max=rules.digits_max,
    )


def _prove(stage: Proving, rules: Rules) -> Ask:
    return Ask(
        stage=stage,
        sounds=sounds_of(Prompt.CODE_WELCOME),
        first_digit=SinceAnswer(
            seconds=rules.release_seconds if stage.is_last else rules.prompt_again_seconds
        ),
        between_digits_seconds=rules.between_digits_seconds,
        digits_max=ANY_KEY_DIGITS_MAX,
    )


def _proved(stage: Proving, digits: Digits, rules: Rules) -> Turn:
    if digits.was_silent:
        return Done(outcome=NotAccepted()) if stage.is_last else _prove(replace(stage, is_last=True), rules)
    return _tell(Telling(code=stage.code), rules)


def _tell(stage: Telling, rules: Rules) -> Ask:
    return Ask(
        stage=stage,
        sounds=sounds_of(Prompt.CODE_IS) + say_digits(stage.code) + sounds_of(Prompt.CODE_AGAIN),
        first_digit=AfterPrompt(seconds=rules.between_digits_seconds),
        between_digits_seconds=rules.between_digits_seconds,
        digits_max=ANY_KEY_DIGITS_MAX,
    )


def _told(stage: Telling, digits: Digits, rules: Rules) -> Turn:
    if digits.was_silent or stage.times >= rules.code_times_max:
        return Done(outcome=CodeSpoken(), sounds=sounds_of(Prompt.GOODBYE))
    return _tell(replace(stage, times=stage.times + 1), rules)


def _goodbye(explanation: tuple[str, ...]) -> Done:
    return Done(outcome=GaveUp(), sounds=explanation + sounds_of(Prompt.GOODBYE))


_FOLLOW_ON_PROMPTS = {"#": Prompt.FOLLOW_ON_1, "##": Prompt.FOLLOW_ON_2, "###": Prompt.FOLLOW_ON_3}
