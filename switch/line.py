"""The subscriber's line as the spoken dialog sees it: play sounds, get digits.

Reads: an AGI session on an answered A-leg.
Gives: an ivr.session.Line.
Knows nothing of: what is said and why.

One entry is one command: Asterisk throws away keys that arrive between two AGI commands
(res/res_agi.c, run_agi reads and frees frames while it idles), so the prompts and all digits of a number go
through a single Read. It is given no time-out, so that the first digit may take TIMEOUT(response) and each
further one TIMEOUT(digit) (main/app.c, ast_app_getdata_terminator). AGI's own GET DATA can do neither: it
plays one file and has one time-out for all digits (main/app.c, ast_app_getdata_full).
"""

from asterisk.agi import AGISIGHUPHangup

from ivr.session import Digits
from switch.fastagi import AgiSession


class AgiLine:
    """An answered line, played to and listened to over AGI; a hang-up is raised as pyst2's AGIHangup."""

    def __init__(self, agi: AgiSession) -> None:
        self._agi = agi
        self._timeouts: dict[str, float] = {}

    def play(self, sounds: tuple[str, ...]) -> None:
        """Play the sounds to their end, whatever is keyed."""
        if sounds:
            self._agi.appexec("Playback", "&".join(sounds))

    def get_digits(
        self,
        sounds: tuple[str, ...],
        first_digit_seconds: float,
        between_digits_seconds: float,
        max_digits: int,
    ) -> Digits:
        """The digits keyed until `#`, `max_digits` or a time-out; the first key stops the sounds."""
        self._set_timeout("response", first_digit_seconds)
        self._set_timeout("digit", between_digits_seconds)
        self._agi.appexec("Read", f"{KEYS},{'&'.join(sounds)},{max_digits},,1")
        status, _, text = self._agi.get_full_variable(f"${{READSTATUS}}:${{{KEYS}}}").partition(":")
        if status == "HANGUP":
            raise AGISIGHUPHangup("the subscriber hung up while keying")
        timed_out = status == "TIMEOUT"
        return Digits(text=text, timed_out=timed_out, ended_by_hash=not timed_out and len(text) < max_digits)

    def _set_timeout(self, which: str, seconds: float) -> None:
        if self._timeouts.get(which) != seconds:
            self._agi.set_variable(f"TIMEOUT({which})", f"{seconds:.3f}")
            self._timeouts[which] = seconds


KEYS = "DIALBACK_KEYS"
"""The channel variable in which Read leaves what was keyed; it is read once and overwritten by the next."""
