"""The AGI script of a trigger: a ring on one of our numbers that is never answered.

Reads: the AGI environment of the ringing channel; its arguments carry the caller's own text, URI-encoded.
Gives: the fact that it rang, and the fact that its line is free again.
Knows nothing of: who the caller is, what becomes of the callback.

The dialplan sends Ringing and nothing else: no answer, no early media, so nobody can charge for it.
"""

import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import unquote_to_bytes

from asterisk.agi import AGIAppError

from calls.wishes import Ring
from switch.fastagi import AgiSession, Refused, Script
from switch.triggers import TriggerDesk
from wire.agi import Environment

NUMBER_CHARACTERS_MAX = 80
"""Longer than any number or SIP user part that a carrier sends; the rest is noise or an attack."""
NOBODY = frozenset({"", "anonymous", "unknown", "restricted", "unavailable", "private"})
"""What carriers write in place of a withheld number (RFC 3323 says anonymous)."""


def ring_of(
    environment: Environment, *, trigger_id: str, countries: Mapping[str, str], received_at: datetime
) -> Ring:
    """The ring that the dialplan described in its AGI arguments; `countries` by trunk name."""
    number, name, presentation, redirecting, trunk = (*map(_decoded, environment.arguments), *[""] * 5)[:5]
    return Ring(
        trigger_id=trigger_id,
        channel_id=environment.uniqueid,
        did_raw=_decoded(environment.get("extension")),
        caller_number_raw=number,
        caller_name_raw=name,
        is_withheld=presentation.startswith(("prohib", "unavailable")) or number.lower() in NOBODY,
        is_diverted=bool(redirecting),
        trunk=trunk,
        ingress_country=countries.get(trunk, ""),
        received_at=received_at,
    )


class Triggers:
    """Serves the AGI sessions of ringing triggers."""

    def __init__(
        self,
        *,
        desk: TriggerDesk,
        site_token: str,
        ring_seconds: int,
        countries: Mapping[str, str],
        new_id: Callable[[], str],
        wall: Callable[[], datetime],
    ) -> None:
        """`site_token` is in our dialplan and nowhere else; longer than `ring_seconds` nobody rings."""
        self._desk = desk
        self._site_token = site_token.encode()
        self._ring_seconds = ring_seconds
        self._countries = countries
        self._new_id = new_id
        self._wall = wall

    def route(self, environment: Environment) -> Script | Refused:
        """The script of a `trigger/<site token>` session; a stranger is refused."""
        _, _, shown = environment.script.partition("/")
        if not hmac.compare_digest(shown.encode(), self._site_token):
            return Refused(reason="its token is not our dialplan's")
        ring = ring_of(
            environment, trigger_id=f"tr{self._new_id()}", countries=self._countries, received_at=self._wall()
        )

        def script(agi: AgiSession) -> None:
            agi.wait(self._desk.rang(ring))
            try:
                # Asterisk answers when the caller hangs up, or after the longest ring we listen to.
                agi.appexec("Wait", str(self._ring_seconds))
            except AGIAppError:
                pass  # Wait ends with -1 when the caller hangs up, which is what callers of a trigger do
            finally:
                self._desk.released(ring)

        return script


def _decoded(text: str) -> str:
    """The caller's text, bounded and printable; bytes that are not UTF-8 are shown as U+FFFD."""
    decoded = unquote_to_bytes(text).decode("utf-8", "replace")
    return "".join(char if char.isprintable() else "\ufffd" for char in decoded)[:NUMBER_CHARACTERS_MAX]
