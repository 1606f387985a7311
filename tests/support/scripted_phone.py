"""Telephones for tests of the spoken part: no sleeping, time is a number that moves when a prompt plays.

They do what Asterisk's GET DATA does (main/app.c, ast_app_getdata): a key stops the prompt, `#` ends the
entry and is not part of it, silence ends it with the note "timeout".
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ivr.session import Digits

PROMPT_SECONDS = 2.0
KEY_SECONDS = 0.1


class HungUp(Exception):
    """The caller is gone."""


def seconds_of(_sound: str) -> float:
    """All prompts of these tests are equally long."""
    return PROMPT_SECONDS


@dataclass(kw_only=True)
class TimedPhone:
    """A caller who presses keys at given seconds since answer, and perhaps hangs up."""

    keys: Sequence[tuple[float, str]] = ()
    hangs_up_at: float = float("inf")
    now: float = 0.0
    heard: list[tuple[float, tuple[str, ...]]] = field(default_factory=list)
    next_key: int = 0

    def play(self, sounds: tuple[str, ...]) -> None:
        self.heard.append((self.now, sounds))
        self._advance(self.now + PROMPT_SECONDS * len(sounds))

    def get_digits(
        self,
        sounds: tuple[str, ...],
        first_digit_seconds: float,
        between_digits_seconds: float,
        max_digits: int,
    ) -> Digits:
        assert first_digit_seconds > 0
        self.heard.append((self.now, sounds))
        self._drop_keys_before(self.now)
        text = ""
        until = self.now + PROMPT_SECONDS * len(sounds) + first_digit_seconds
        while len(text) < max_digits:
            key = self._key_before(until)
            if key is None:
                self._advance(until)
                return Digits(text=text, timed_out=True, ended_by_hash=False)
            if key == "#":
                return Digits(text=text, timed_out=False, ended_by_hash=True)
            text += key
            until = self.now + between_digits_seconds
        return Digits(text=text, timed_out=False, ended_by_hash=False)

    def _advance(self, to: float) -> None:
        if to >= self.hangs_up_at:
            raise HungUp
        self.now = to

    def _drop_keys_before(self, now: float) -> None:
        while self.next_key < len(self.keys) and self.keys[self.next_key][0] < now:
            self.next_key += 1

    def _key_before(self, until: float) -> str | None:
        if self.next_key >= len(self.keys) or self.keys[self.next_key][0] > until:
            return None
        at, key = self.keys[self.next_key]
        self.next_key += 1
        self._advance(at)
        return key


@dataclass(kw_only=True)
class TurnPhone:
    """A caller who answers each question with the next text: `020…#`, digits without `#`, or nothing at all.

    When the script is over the caller stays silent.
    """

    script: Sequence[str] = ()
    now: float = 0.0
    heard: list[tuple[str, ...]] = field(default_factory=list)
    waits: list[tuple[float, float, int]] = field(default_factory=list)

    @property
    def questions(self) -> int:
        return len(self.waits)

    def play(self, sounds: tuple[str, ...]) -> None:
        self.heard.append(sounds)
        self.now += PROMPT_SECONDS * len(sounds)

    def get_digits(
        self,
        sounds: tuple[str, ...],
        first_digit_seconds: float,
        between_digits_seconds: float,
        max_digits: int,
    ) -> Digits:
        assert first_digit_seconds > 0
        keyed = self.script[self.questions] if self.questions < len(self.script) else ""
        self.heard.append(sounds)
        self.waits.append((first_digit_seconds, between_digits_seconds, max_digits))
        if not keyed:
            self.now += PROMPT_SECONDS * len(sounds) + first_digit_seconds
            return Digits(text="", timed_out=True, ended_by_hash=False)
        text, hash_key, _ = keyed.partition("#")
        self.now += KEY_SECONDS * len(keyed)
        if len(text) >= max_digits:
            return Digits(text=text[:max_digits], timed_out=False, ended_by_hash=False)
        if not hash_key:
            self.now += between_digits_seconds
        return Digits(text=text, timed_out=not hash_key, ended_by_hash=bool(hash_key))
