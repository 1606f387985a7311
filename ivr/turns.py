"""What the spoken dialog is made of: how it opens, what is asked, what was keyed, how it ends.

Reads: nothing.
Gives: the values between ivr/dialog.py, which decides, and ivr/session.py, which plays.
Knows nothing of: what follows from what.
"""

from dataclasses import dataclass, field

from calls.callback import Reason
from values.e164 import E164, RefusalReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """The subscriber has just answered. With a fixed destination one key dials it."""

    fixed_destination: E164 | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskAgain:
    """The destination could not be dialled, was busy or failed: say why and ask for another."""

    reason: Reason | RefusalReason


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowOn:
    """The destination is gone: say why if there is something to say, and offer another call."""

    reason: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NextNumber:
    """The subscriber ended the call with the in-call key and wants the next number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakCode:
    """The number is to be proven: who presses a key hears the code."""

    code: str = field(repr=False)


Opening = Welcome | AskAgain | FollowOn | NextNumber | SpeakCode


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationKeyed:
    """This number is to be dialled; `tag` is what a keyed code means."""

    number: E164
    tag: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectFixed:
    """The fixed destination is to be dialled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAccepted:
    """No key until the end: nobody is there, or a machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GaveUp:
    """A human was there and named no destination; the goodbye has been said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSpoken:
    """The code was said to its end."""


Outcome = DestinationKeyed | ConnectFixed | NotAccepted | GaveUp | CodeSpoken


@dataclass(frozen=True, slots=True, kw_only=True)
class Digits:
    """What was keyed after one question: `#` is not part of the text, `*` is."""

    text: str
    timed_out: bool
    ended_by_hash: bool

    @property
    def was_silent(self) -> bool:
        """Whether no key was pressed at all."""
        return self.timed_out and not self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterPrompt:
    """The wait for the first key, counted from the end of the prompt."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SinceAnswer:
    """The wait for the first key lasts until the line has been open so long."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepting:
    """Nobody has pressed a key yet."""

    fixed: bool
    is_last: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entering:
    """A number is awaited. `tries` are those used up before."""

    tries: int = 0
    helps: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingBack:
    """The inferred country and the digits are said; `#` or silence goes on."""

    number: E164
    entering: Entering


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowingOn:
    """The follow-on key is awaited, `hashes` of it have been pressed."""

    hashes: int = 0
    tries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Proving:
    """Nobody has pressed a key yet to hear the code."""

    code: str = field(repr=False)
    is_last: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """The code is being said for the `times`-th time."""

    code: str = field(repr=False)
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagging:
    """The number is known; the code of what it is booked under is awaited. `tries` were used up before."""

    number: E164
    tries: int = 0


Stage = Accepting | Entering | ReadingBack | Tagging | FollowingOn | Proving | Telling


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Say the sounds, which any key interrupts, and listen; then hand what was keyed to reply()."""

    stage: Stage
    sounds: tuple[str, ...]
    first_digit: AfterPrompt | SinceAnswer
    between_digits_seconds: float
    digits_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """Say the sounds; the dialog is over."""

    outcome: Outcome
    sounds: tuple[str, ...] = ()


Turn = Ask | Done
