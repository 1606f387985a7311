"""Carries the conductor's orders to Asterisk over AMI.

Reads: legs and callbacks.
Gives: Originate, Hangup, lists of live channels.
Knows nothing of: states, money, when to order what.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from calls.callback import Callback, Leg
from switch.ami import ActionRefused, AmiNotSent, AmiService
from switch.errors import OriginateRefusedError
from switch.legs import RINGING, UP, LegWatch, leg_id_of, originate
from values.e164 import E164
from values.spokencode import spoken_code

NO_CHANNEL_SECONDS = 2.0
"""Asterisk makes a channel within milliseconds of Originate; after this there will be none."""
TOKEN_CHARACTERS = 32
"""128 bits of HMAC-SHA256 in hexadecimal: nobody guesses the AGI URL of a leg."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkForm:
    """How a carrier wants a number written in the request: +44…, 44…, or behind its own prefix."""

    prefix: str = ""
    plus: bool = False

    def write(self, number: E164) -> str:
        """The user part of the SIP request: ASCII digits by construction, behind what configuration adds."""
        return f"{self.prefix}{'+' if self.plus else ''}{number.digits}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveChannel:
    """A channel of one of our legs that Asterisk shows now. `is_up` means answered, `is_ringing` not yet."""

    leg_id: str
    channel: str
    is_up: bool
    is_ringing: bool = False


class AsteriskOrders:
    """Orders on one Asterisk."""

    def __init__(
        self,
        *,
        reactor: IReactorTime,
        ami: AmiService,
        watch: LegWatch,
        forms: Mapping[str, TrunkForm],
        secret: str,
        absolute_seconds: int,
    ) -> None:
        """`forms` by trunk name; `absolute_seconds` is the time-out that Asterisk itself puts on an A-leg."""
        self._reactor = reactor
        self._ami = ami
        self._watch = watch
        self._forms = forms
        self._secret = secret.encode()
        self._absolute_seconds = absolute_seconds

    @property
    def is_reachable(self) -> bool:
        """Whether AMI is logged in."""
        return self._ami.logged_in

    def dialled(self, number: E164, trunk: str) -> str:
        """The number in the form that this trunk wants."""
        return self._forms.get(trunk, TrunkForm()).write(number)

    def token(self, leg_id: str) -> str:
        """What an AGI session of that leg must show to be believed."""
        return hmac.new(self._secret, leg_id.encode(), hashlib.sha256).hexdigest()[:TOKEN_CHARACTERS]

    def spoken_code(self, callback_id: str) -> str:
        """What a verification call speaks."""
        return spoken_code(self._secret, callback_id)

    async def originate(self, callback: Callback, leg: Leg) -> None:
        """Ring A, once; returns when it is seen to ring or to have ended.

        OriginateRefusedError: it surely did not ring. ConnectionError: nobody knows.
        """
        order = originate(
            callback,
            leg,
            token=self.token(leg.id),
            dialled=self.dialled(leg.number, leg.trunk),
            absolute_seconds=self._absolute_seconds,
        )
        gaps = self._watch.gaps
        try:
            await self._ami.send("Originate", order.headers, order.variables)
        except (ActionRefused, AmiNotSent) as error:
            raise OriginateRefusedError(str(error)) from error
        await deferLater(self._reactor, NO_CHANNEL_SECONDS)
        if self._watch.has_shown(leg.id) or leg.id in {each.leg_id for each in await self.live_channels()}:
            return
        if self._watch.gaps == gaps and not self._watch.has_shown(leg.id):
            # Taken and silently dropped: no such endpoint, or a carrier that is known to be down.
            raise OriginateRefusedError(f"Asterisk made no channel to trunk {leg.trunk}")

    async def hang_up(self, leg_id: str) -> None:
        """End the leg's channel, if Asterisk still shows one."""
        # A list of all channels for each leg that ends would cost as much as all the rest of a busy switch.
        known = self._watch.channel_of(leg_id)
        channels = (
            [known]
            if known
            else [each.channel for each in await self.live_channels() if each.leg_id == leg_id]
        )
        for channel in channels:
            try:
                await self._ami.send("Hangup", {"Channel": channel, "Cause": "16"})
            except ActionRefused:
                return  # it went down by itself in between, which is what was wanted

    async def live_channels(self) -> tuple[LiveChannel, ...]:
        """Every channel of our legs that is up or being tried."""
        rows = await self._ami.send_list("CoreShowChannels")
        found = []
        for row in rows:
            leg_id = leg_id_of(row)
            if leg_id is not None:
                state = row.get("ChannelState")
                found.append(
                    LiveChannel(
                        leg_id=leg_id,
                        channel=row["Channel"],
                        is_up=state == UP,
                        is_ringing=state == RINGING,
                    )
                )
        return tuple(found)
