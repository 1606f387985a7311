"""What a phone does with a call, step by step, as an author of tests writes it.

Reads: steps such as `Answers(after=5), Keys("61255500123#"), Talks(seconds=35), HangsUp()`.
Gives: dialplan lines for the world's Asterisk, one application each.
Knows nothing of: files, sockets, the switch under test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

FOREVER_SECONDS = 7200
"""Longest that a phone stays on the line by itself: the longest talk of any plan (rating/plan.py)."""

DTMF_TONES = {
    digit: f"{low}+{high}"
    for low, row in ((697, "123A"), (770, "456B"), (852, "789C"), (941, "*0#D"))
    for high, digit in zip((1209, 1336, 1477, 1633), row, strict=True)
}
"""ITU-T Q.23: the two frequencies of each key."""

CAUSES = {
    404: 1,
    408: 18,
    480: 19,
    403: 21,
    410: 22,
    484: 28,
    486: 17,
    488: 58,
    500: 38,
    501: 29,
    502: 27,
    503: 34,
}
"""SIP answer → the Q.850 cause that makes chan_pjsip send it (`hangup_cause2sip`); 500 by `FAILURE`."""

BEEP_HZ = 1400
VOICE_HZ = 300


class ScriptRefused(ValueError):
    """A step cannot be played by a phone."""


class Step(Protocol):
    """One thing that a phone does."""

    def lines(self, call: Call) -> list[str]:
        """Return dialplan applications, `${…}` allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What the dialplan knows of the call that a script plays in."""

    recordings: Path

    @property
    def recording(self) -> str:
        return f"{self.recordings}/${{UNIQUEID}}.wav"


@dataclass(frozen=True, slots=True)
class Rings:
    """180 Ringing for so long."""

    seconds: float = 2

    def lines(self, call: Call) -> list[str]:
        return [*_ring(), *_wait(self.seconds)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Ring for `after` seconds, then pick up; at 0 pick up without a ring."""

    # `i`: go on at once. Without it Asterisk waits up to 500 ms for sound, and every later step is late.

    after: float = 0

    def lines(self, call: Call) -> list[str]:
        return [*(Rings(self.after).lines(call) if self.after else []), "Answer(,i)"]


@dataclass(frozen=True, slots=True)
class Keys:
    """Press keys, `after` seconds from now; `in_band` sends tones in the audio, not RFC 4733 events."""

    digits: str
    after: float = 0
    digit_ms: int = 100
    gap_ms: int = 100
    in_band: bool = False

    def lines(self, call: Call) -> list[str]:
        digits = self.digits.upper()
        strange = set(digits) - DTMF_TONES.keys()
        if strange or not digits:
            raise ScriptRefused(f"a phone has no keys {sorted(strange)}: {self.digits!r}")
        if not self.in_band:
            return [*_wait(self.after), f"SendDTMF({digits},{self.gap_ms},{self.digit_ms})"]
        tones = ",".join(f"!{DTMF_TONES[digit]}/{self.digit_ms},!0/{self.gap_ms}" for digit in digits)
        seconds = len(digits) * (self.digit_ms + self.gap_ms) / 1000
        return [*_wait(self.after), f"PlayTones({tones})", *_wait(seconds), "StopPlayTones()"]


@dataclass(frozen=True, slots=True)
class Waits:
    """Stay silent on the line."""

    seconds: float

    def lines(self, call: Call) -> list[str]:
        return _wait(self.seconds)


@dataclass(frozen=True, slots=True)
class Awaits:
    """Stay silent, or go on ringing, until `World.gives(sign)`: whoever plays the phone decides when."""

    sign: str

    def lines(self, call: Call) -> list[str]:
        return [f"GoSub(await,s,1({self.sign}))"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Talks:
    """Send a steady tone for so long: the voice of this side."""

    seconds: float
    tone_hz: int = 440

    def lines(self, call: Call) -> list[str]:
        return [f"PlayTones({self.tone_hz})", *_wait(self.seconds), "StopPlayTones()"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TalksUntilHungUp:
    """Send a steady tone until the other side hangs up."""

    tone_hz: int = 440

    def lines(self, call: Call) -> list[str]:
        return Talks(seconds=FOREVER_SECONDS, tone_hz=self.tone_hz).lines(call)


@dataclass(frozen=True, slots=True)
class Tone:
    """Start a steady tone and go on with the next step; keys stop it."""

    hz: int

    def lines(self, call: Call) -> list[str]:
        return [f"PlayTones({self.hz})"]


@dataclass(frozen=True, slots=True)
class Records:
    """Record from here on what is heard on the line; `PhoneCall.recording` names the file."""

    def lines(self, call: Call) -> list[str]:
        return [
            f"CELGenUserEvent(RECORDED,{call.recording})",
            f"MixMonitor(,r({call.recording}))",
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """Wait until `digits_max` keys came, or nothing for `seconds`."""

    digits_max: int
    seconds: float = 10

    def lines(self, call: Call) -> list[str]:
        return [f"Read(HEARD,,{self.digits_max},,1,{self.seconds:g})"]


@dataclass(frozen=True, slots=True)
class HangsUp:
    """Hang up, or refuse if not answered yet."""

    cause: int = 16

    def lines(self, call: Call) -> list[str]:
        return [f"Hangup({self.cause})"]


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Refuse with this SIP answer."""

    sip_code: int = 480

    def lines(self, call: Call) -> list[str]:
        return [f"Hangup({cause_for(self.sip_code)})"]


@dataclass(frozen=True, slots=True)
class Busy:
    """486 at once."""

    def lines(self, call: Call) -> list[str]:
        return Unavailable(486).lines(call)


@dataclass(frozen=True, slots=True)
class Congestion:
    """503 at once."""

    def lines(self, call: Call) -> list[str]:
        return Unavailable(503).lines(call)


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Ring until the caller gives up."""

    def lines(self, call: Call) -> list[str]:
        return Rings(FOREVER_SECONDS).lines(call)


@dataclass(frozen=True, slots=True)
class Forwards:
    """302 Moved Temporarily to another number."""

    number: str

    def lines(self, call: Call) -> list[str]:
        # Towards this same carrier, so that whoever follows is seen in the log of the number forwarded to.
        return [f"Transfer(PJSIP/sip:{self.number}@${{CHANNEL(pjsip,local_addr)}})", "Hangup(19)"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyMedia:
    """183 with a tone (an announcement, ring-back made by the network) before any answer."""

    seconds: float = 5
    tone_hz: int = 425

    def lines(self, call: Call) -> list[str]:
        return ["Progress()", *Talks(seconds=self.seconds, tone_hz=self.tone_hz).lines(call)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersLikeVoicemail:
    """Pick up, greet with something voice-like, beep, then record in silence until hung up."""

    after: float = 3
    greeting_seconds: float = 4

    def lines(self, call: Call) -> list[str]:
        beep = f"PlayTones(!{BEEP_HZ}/400)"
        return [
            *Answers(after=self.after).lines(call),
            *Records().lines(call),
            *Talks(seconds=self.greeting_seconds, tone_hz=VOICE_HZ).lines(call),
            *(beep, *_wait(0.5), "StopPlayTones()"),
            *_wait(FOREVER_SECONDS),
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class SendsFax:
    """Send the pages of a TIFF file; as sound in G.711 unless `t38` may be proposed."""

    page: Path
    after: float = 1
    t38: bool = False

    def lines(self, call: Call) -> list[str]:
        return [*_wait(self.after), f"SendFAX({self.page},{'z' if self.t38 else 'F'})"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivesFax:
    """Take a fax; `PhoneCall.fax` tells its fate and where the TIFF lies."""

    t38: bool = False

    def lines(self, call: Call) -> list[str]:
        page = f"{call.recordings}/${{UNIQUEID}}.tiff"
        return [f"Set(FAX_FILE={page})", f"ReceiveFAX({page}{'' if self.t38 else ',F'})"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RingsSoftphone:
    """Let a person take the call, at a program registered with the world (World(softphone=…))."""

    user: str = "softphone"
    seconds: int = 60

    def lines(self, call: Call) -> list[str]:
        return [f"Dial(PJSIP/{self.user},{self.seconds})", "Hangup(19)"]


@dataclass(frozen=True, slots=True)
class Does:
    """Any dialplan application, for what has no step of its own: `Does("Echo()")`."""

    application: str

    def lines(self, call: Call) -> list[str]:
        return [self.application]


def compile_script(steps: Sequence[Step], call: Call) -> tuple[str, ...]:
    """Return the dialplan lines of a script; a script that runs to its end hangs up."""
    lines = tuple(line for step in steps for line in step.lines(call))
    for line in lines:
        if any(character in line for character in "\r\n\0"):
            raise ScriptRefused(f"a dialplan line is one line: {line!r}")
    return lines


def cause_for(sip_code: int) -> int:
    """Return the Q.850 cause by which the world's Asterisk sends `sip_code`."""
    if sip_code not in CAUSES:
        known = ", ".join(map(str, sorted(CAUSES)))
        raise ScriptRefused(f"Asterisk cannot be made to answer {sip_code}; it can: {known}")
    return CAUSES[sip_code]


def _ring() -> list[str]:
    # CEL has no event for ringing, so the phone writes one itself.
    return ["Ringing()", "CELGenUserEvent(RANG)"]


def _wait(seconds: float) -> list[str]:
    return [f"Wait({seconds:g})"] if seconds > 0 else []
