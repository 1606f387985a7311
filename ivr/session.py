"""Play the dialog to one caller and come back with what they want.

Reads: an Opening, Rules, and the keys that a Line reports.
Gives: the Outcome of ivr/turns.py. A hang-up is the line's own exception and passes through.
Knows nothing of: Asterisk, greenlets, what becomes of the outcome.

The line is asked once per question: one command both plays and listens, so that no key falls between two.
"""

from collections.abc import Callable
from typing import Protocol

from ivr.dialog import Rules, begin, reply
from ivr.turns import (
    AfterPrompt,
    Ask,
    AskAgain,
    CodeSpoken,
    ConnectFixed,
    DestinationKeyed,
    Digits,
    FollowOn,
    GaveUp,
    NextNumber,
    NotAccepted,
    Opening,
    Outcome,
    SpeakCode,
    Welcome,
)
from values.e164 import E164, Dialable, Refusal, dialling_refusal

__all__ = [
    "AskAgain",
    "CodeSpoken",
    "ConnectFixed",
    "DestinationKeyed",
    "Digits",
    "FollowOn",
    "GaveUp",
    "Line",
    "NextNumber",
    "NotAccepted",
    "Opening",
    "Outcome",
    "Rules",
    "Session",
    "SpeakCode",
    "Welcome",
    "number_reader",
]

# A first-digit time-out of 0 would mean "no limit of yours" to Asterisk (main/app.c, ast_app_getdata).
FIRST_DIGIT_SECONDS_MIN = 0.5


class Line(Protocol):
    """An answered call. Both methods return when done and raise the line's own exception on hang-up."""

    def play(self, sounds: tuple[str, ...]) -> None:
        """Play the sounds to their end."""

    def get_digits(
        self,
        sounds: tuple[str, ...],
        first_digit_seconds: float,
        between_digits_seconds: float,
        max_digits: int,
    ) -> Digits:
        """Play the sounds, stop at the first key, collect until `#`, a time-out or `max_digits`.

        `first_digit_seconds` counts from the end of the sounds. No sounds: only listen.
        """


class Session:
    """The spoken part of one A-leg.

    `seconds_of` tells how long a sound lasts, `seconds_since_answer` how long the line has been open.
    `on_accepted` is called once, at the first key of a line that was not accepted yet.
    """

    def __init__(
        self,
        *,
        rules: Rules,
        accepted: bool,
        seconds_of: Callable[[str], float],
        seconds_since_answer: Callable[[], float],
        on_accepted: Callable[[], None],
    ) -> None:
        self._rules = rules
        self._accepted = accepted
        self._seconds_of = seconds_of
        self._seconds_since_answer = seconds_since_answer
        self._on_accepted = on_accepted

    @property
    def accepted(self) -> bool:
        """Whether a key was pressed on this line."""
        return self._accepted

    def run(self, opening: Opening, line: Line) -> Outcome:
        """What the caller wants, after as many questions as it takes."""
        turn = begin(opening, self._rules, accepted=self._accepted)
        while isinstance(turn, Ask):
            digits = line.get_digits(
                turn.sounds, self._first_digit_seconds(turn), turn.between_digits_seconds, turn.digits_max
            )
            self._note(digits)
            turn = reply(turn, digits, self._rules)
        if turn.sounds:
            line.play(turn.sounds)
        return turn.outcome

    def _first_digit_seconds(self, asked: Ask) -> float:
        if isinstance(asked.first_digit, AfterPrompt):
            return asked.first_digit.seconds
        spoken = sum(self._seconds_of(sound) for sound in asked.sounds)
        left = asked.first_digit.seconds - self._seconds_since_answer() - spoken
        return max(FIRST_DIGIT_SECONDS_MIN, left)

    def _note(self, digits: Digits) -> None:
        if self._accepted or digits.was_silent:
            return
        self._accepted = True
        self._on_accepted()


def number_reader(home_country: str | None) -> Callable[[str], E164 | Refusal]:
    """How keyed digits are read for a subscriber of that country, with all bars of values/e164.py."""

    def read(keyed: str) -> E164 | Refusal:
        outcome = dialling_refusal(keyed, home_country)
        return outcome.number if isinstance(outcome, Dialable) else outcome

    return read
