"""An Asterisk in virtual time: phones that a table moves, AMI as headers, FastAGI as bytes.

Reads: what phones do, from a scenario's table; AMI actions and AGI commands of the switch.
Gives: AMI events with exact timestamps, answers to AGI commands, a CEL file; the orders it was given.
Knows nothing of: callbacks, money. What it does by itself is what Asterisk does: ring time-outs, L(), the end
of B when A leaves, Hangup() when an AGI session is over. It goes on when the switch is dead.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from agi_line import AgiLine
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock
from virtual_agi import AgiEnd, AgiPeer

from switch.ami import ActionRefused, AmiLost, AmiNotSent
from wire.ami import Message

TOLD_LATE_SECONDS = 0.045
"""After a far end's BYE Asterisk tells of an A-leg's Hangup once its AGI session has ended."""
DOWN, RINGING, UP = "0", "5", "6"
DIAL = re.compile(
    r"PJSIP/(?P<number>[0-9]+)@(?P<trunk>\w+),(?P<ring>\d+),giH?b\(dialback-leg\^s\^1\((?P<leg>[a-z0-9-]+)\)\)"
    r"L\((?P<limit>\d+)\)"
)
Headers = dict[str, str]


@dataclass(slots=True, kw_only=True, eq=False)
class Channel:
    """One channel, and what really happened to its phone, in seconds of the scenario."""

    leg_id: str
    unique_id: str
    number: str
    trunk: str
    state: str = DOWN
    invited: float = 0.0
    rang: float | None = None
    answered: float | None = None
    first_key: float | None = None
    ended: float | None = None
    hung_up_itself: bool = False
    told_ended: bool = False
    token: str = ""
    caller: "Channel | None" = None
    session: AgiEnd | None = None
    limit_seconds: float = 0.0
    heard: list[str] = field(default_factory=list)
    timers: list[IDelayedCall] = field(default_factory=list)

    @property
    def is_live(self) -> bool:
        """Whether its phone is not gone."""
        return self.ended is None

    @property
    def is_a(self) -> bool:
        """Whether it is an A-leg's."""
        return self.unique_id == self.leg_id


class VirtualPbx:
    """The exchange. `switch` is where AMI events and AGI connections go; None while nobody is there."""

    def __init__(self, clock: Clock, wall: Callable[[], datetime], cel_file: Path) -> None:
        self.clock = clock
        self.wall = wall
        self.cel_file = cel_file
        self.ami: VirtualAmi | None = None
        self.connect: Callable[[bytes], AgiLine] | None = None
        self.orders: list[tuple[float, str]] = []
        self.channels: list[Channel] = []
        self.sessions: list[AgiPeer] = []
        self.refuses = self.swallows = self.loses_replies = False
        self.unreachable: set[str] = set()
        self.is_up = True
        self.repeats = self.holds_back = False
        self.late_seconds = 0.0
        self._batch: list[tuple[str, Headers]] = []

    # what the switch asks

    def order(self, text: str) -> None:
        """Write down what was ordered."""
        self.orders.append((self.clock.seconds(), text))

    def originate(self, headers: Mapping[str, str], variables: Mapping[str, str]) -> None:
        """Make an A-leg's channel."""
        number, _, trunk = headers["Channel"].removeprefix("PJSIP/").partition("@")
        leg_id = headers["ChannelId"]
        self.order(f"originate {leg_id} {number} via {trunk}, showing {headers['CallerID'] or 'nothing'}")
        if any(channel.unique_id == leg_id and not channel.told_ended for channel in self.channels):
            raise refusal("Channel ID already in use")
        if self.swallows:
            return
        channel = self._made(leg_id=leg_id, unique_id=leg_id, number=number, trunk=trunk)
        channel.token = variables["DIALBACK_TOKEN"]
        ring_seconds = int(headers["Timeout"]) / 1000
        self._tell_dial("DialBegin", channel)
        self._later(channel, ring_seconds, lambda: self.end(channel, 16, by_far_end=False))

    def dial(self, caller: Channel, arguments: str) -> Channel:
        """Make a B-leg's channel for Dial's arguments."""
        wanted = DIAL.fullmatch(arguments)
        assert wanted is not None, f"Dial({arguments}) is not as the dialplan expects it"
        leg_id, limit = wanted["leg"], int(wanted["limit"])
        self.order(f"dial {leg_id} {wanted['number']} via {wanted['trunk']}, at most {limit / 1000:g} s")
        unique_id = f"{len(self.channels)}.{leg_id}"
        callee = self._made(
            leg_id=leg_id, unique_id=unique_id, number=wanted["number"], trunk=wanted["trunk"]
        )
        callee.caller, callee.limit_seconds = caller, limit / 1000
        if callee.trunk in self.unreachable:
            # No channel can be made: no event of it is ever told, and Dial returns.
            callee.ended, callee.told_ended = self.clock.seconds(), True
            self.clock.callLater(0, self._dial_failed, caller)
            return callee
        self._tell_dial("DialBegin", callee)
        self._later(callee, int(wanted["ring"]), lambda: self.end(callee, 16, status="NOANSWER"))
        return callee

    def hang_up(self, name: str) -> None:
        """The AMI action."""
        channel = next((each for each in self.live if f"PJSIP/{each.leg_id}" == name), None)
        if channel is None:
            raise refusal("No such channel")
        self.order(f"hang up {channel.leg_id}")
        self.end(channel, 16)

    @property
    def live(self) -> list[Channel]:
        """The channels that Asterisk shows."""
        return [channel for channel in self.channels if not channel.told_ended]

    # what phones do

    def phone(self, number: str) -> Channel:
        """The latest A-leg's channel to that number."""
        return next(each for each in reversed(self.channels) if each.is_a and each.number == number)

    def spoken_code(self, number: str) -> str:
        """The digits that the latest call to that number said last."""
        last = [sounds for sounds in self.phone(number.removeprefix("+")).heard if "digit-" in sounds][-1]
        return "".join(sound[-1] for sound in last.split("&") if "digit-" in sound)

    def destination(self, caller: Channel) -> Channel:
        """The latest B-leg's channel that this A-leg's channel dialled."""
        return next(each for each in reversed(self.channels) if each.caller is caller)

    def alert(self, channel: Channel) -> None:
        """180 Ringing."""
        assert channel.is_live, f"{channel.leg_id} is gone"
        assert channel.state == DOWN, f"{channel.leg_id} cannot alert now"
        channel.state, channel.rang = RINGING, self.clock.seconds()
        self._tell("Newstate", channel)

    def answer(self, channel: Channel) -> None:
        """200 OK."""
        assert channel.is_live, f"{channel.leg_id} is gone"
        assert channel.state != UP, f"{channel.leg_id} is answered already"
        self._cancel_timers(channel)
        channel.state, channel.answered = UP, self.clock.seconds()
        self._tell("Newstate", channel)
        self._write_cel("ANSWER", channel)
        if channel.caller is not None:
            self._tell_dial("DialEnd", channel, "ANSWER")
            self._later(channel, channel.limit_seconds, lambda: self.end(channel, 16))
        else:
            channel.session = AgiEnd(self, channel)
            channel.session.connect()

    def key(self, channel: Channel, keys: str) -> None:
        """Press keys, at this instant."""
        assert channel.state == UP, f"{channel.leg_id} is not answered"
        assert channel.is_live, f"{channel.leg_id} is gone"
        for each in keys:
            if channel.first_key is None:
                channel.first_key = self.clock.seconds()
            self._tell("DTMFEnd", channel, Direction="Received", Digit=each)
        if channel.session is not None:
            channel.session.keys(keys)

    def leave(self, channel: Channel, cause: int) -> None:
        """BYE, or a final error before the answer."""
        assert channel.is_live, f"{channel.leg_id} is gone"
        status = {17: "BUSY", 18: "NOANSWER", 19: "NOANSWER"}.get(cause, "CONGESTION")
        self.end(channel, cause, by_far_end=True, status=status)

    def end(self, channel: Channel, cause: int, *, by_far_end: bool = False, status: str = "CANCEL") -> None:
        """Let a channel go, with all that hangs on it."""
        if not channel.is_live:
            return
        self._cancel_timers(channel)
        channel.ended, channel.hung_up_itself = self.clock.seconds(), by_far_end
        if by_far_end:
            self._tell("HangupRequest", channel)
        if channel.caller is not None:
            if channel.answered is None:
                self._tell_dial("DialEnd", channel, status)
            self._gone(channel, cause)
            session = channel.caller.session
            if session is not None and channel.caller.is_live:
                session.dial_over("ANSWER" if channel.answered is not None else status)
            return
        callees = [each for each in self.channels if each.caller is channel and each.is_live]
        for callee in callees:
            self.end(callee, 16)
        if channel.session is not None:
            channel.session.hung_up()
        if by_far_end and channel.session is not None:
            self.clock.callLater(TOLD_LATE_SECONDS, self._gone, channel, cause)
        else:
            self._gone(channel, cause)

    # its own life

    def crash(self) -> None:
        """Everything is gone at once and nothing is told or written."""
        self.is_up = False
        for channel in self.live:
            self._cancel_timers(channel)
            channel.ended, channel.told_ended = channel.ended or self.clock.seconds(), True
        for call in self.clock.getDelayedCalls():
            call.cancel()
        for session in list(self.sessions):
            session.cut()
        if self.ami is not None:
            self.ami.lose()

    def switch_died(self) -> None:
        """The AGI connections are gone: what runs goes on to its end, then the dialplan hangs up."""
        self.ami = self.connect = None
        for session in list(self.sessions):
            session.orphan()

    def settle(self) -> bool:
        """Answer AGI commands; whether there were any."""
        busy = False
        for session in list(self.sessions):
            busy |= session.poll()
        return busy

    def tell_in_reverse(self) -> None:
        """Give out what was held back, the last event first."""
        self.holds_back = False
        batch, self._batch = self._batch, []
        for name, headers in reversed(batch):
            self._give(name, headers)

    # how

    def _made(self, *, leg_id: str, unique_id: str, number: str, trunk: str) -> Channel:
        channel = Channel(leg_id=leg_id, unique_id=unique_id, number=number, trunk=trunk)
        channel.invited = self.clock.seconds()
        self.channels.append(channel)
        return channel

    def _dial_failed(self, caller: Channel) -> None:
        if caller.session is not None:
            caller.session.dial_over("CHANUNAVAIL")

    def _later(self, channel: Channel, seconds: float, call: Callable[[], None]) -> None:
        channel.timers.append(self.clock.callLater(seconds, call))

    def _cancel_timers(self, channel: Channel) -> None:
        for timer in channel.timers:
            if timer.active():
                timer.cancel()
        channel.timers.clear()

    def _gone(self, channel: Channel, cause: int) -> None:
        if channel.told_ended:
            return
        channel.told_ended = True
        self._tell("Hangup", channel, Cause=str(cause))
        self._write_cel("HANGUP", channel, f'{{""hangupcause"":{cause}}}')

    def _tell(self, name: str, channel: Channel, **more: str) -> None:
        state = UP if channel.answered is not None else channel.state
        self._out(
            name,
            {
                "Channel": f"PJSIP/{channel.leg_id}",
                "Uniqueid": channel.unique_id,
                "AccountCode": channel.leg_id,
                "ChannelState": state,
                "Timestamp": micros(self.wall()),
                **more,
            },
        )

    def _tell_dial(self, name: str, callee: Channel, status: str = "") -> None:
        """DialBegin and DialEnd, of the called channel; an originated one is called by nobody."""
        caller = callee.caller
        of_caller = {} if caller is None else {"Uniqueid": caller.unique_id, "AccountCode": caller.leg_id}
        self._out(
            name,
            {
                **of_caller,
                "DestChannel": f"PJSIP/{callee.leg_id}",
                "DestUniqueid": callee.unique_id,
                "DestAccountCode": callee.leg_id,
                "DialStatus": status,
                "Timestamp": micros(self.wall()),
            },
        )

    def _out(self, name: str, headers: Headers) -> None:
        if self.late_seconds:
            self.clock.callLater(self.late_seconds, self._give, name, headers)
        elif self.holds_back:
            self._batch.append((name, headers))
        else:
            self._give(name, headers)

    def _give(self, name: str, headers: Headers) -> None:
        for _ in range(2 if self.repeats else 1):
            if self.ami is not None and self.ami.logged_in:
                self.ami.on_event(name, headers)

    def _write_cel(self, kind: str, channel: Channel, extra: str = "") -> None:
        ids = [channel.unique_id, channel.unique_id, channel.leg_id]
        columns = [kind, micros(self.wall()), *ids, f"PJSIP/{channel.leg_id}", "s", "dialback-ivr", "", extra]
        with self.cel_file.open("a") as file:
            file.write(",".join(f'"{column}"' for column in columns) + "\n")


class VirtualAmi:
    """One login to the exchange, as switch/orders.py and switch/proof.py use it."""

    def __init__(
        self, pbx: VirtualPbx, on_event: Callable[[str, Headers], None], on_lost: Callable[[], None]
    ) -> None:
        self._pbx = pbx
        self.on_event = on_event
        self._on_lost = on_lost
        self._asked: list[Deferred[object]] = []
        self.logged_in = False

    def pong_age_seconds(self) -> float:
        """Asterisk has answered right now."""
        return 0.0

    def lose(self) -> None:
        """The connection is gone, and every question on it."""
        if not self.logged_in:
            return
        self.logged_in = False
        asked, self._asked = self._asked, []
        for question in asked:
            question.errback(AmiLost("the connection was lost before the answer"))
        self._on_lost()

    def send(
        self, action: str, headers: Mapping[str, str], variables: Mapping[str, str] | None = None
    ) -> "Deferred[object]":
        """Do the action, in a turn of its own."""

        def act() -> None:
            if action == "Hangup":
                self._pbx.hang_up(headers["Channel"])
                return
            assert action == "Originate"
            if self._pbx.refuses:
                self._pbx.order(f"originate {headers['ChannelId']}, refused")
                raise refusal("refused")
            self._pbx.originate(headers, variables or {})
            if self._pbx.loses_replies:
                self.lose()

        return self._ask(act)

    def send_list(self, action: str) -> "Deferred[object]":
        """CoreShowChannels."""
        assert action == "CoreShowChannels"

        def rows() -> tuple[Headers, ...]:
            return tuple(
                {
                    "Uniqueid": channel.unique_id,
                    "AccountCode": channel.leg_id,
                    "Channel": f"PJSIP/{channel.leg_id}",
                    "ChannelState": UP if channel.answered is not None else channel.state,
                }
                for channel in self._pbx.live
            )

        return self._ask(rows)

    def _ask(self, act: Callable[[], object]) -> "Deferred[object]":
        if not self.logged_in:
            return fail(AmiNotSent("there is no login to AMI"))
        answer: Deferred[object] = Deferred()
        self._asked.append(answer)

        def turn() -> None:
            if answer.called:
                return
            try:
                result = act()
            except ActionRefused as refused:
                self._asked.remove(answer)
                answer.errback(refused)
                return
            if not answer.called:
                self._asked.remove(answer)
                answer.callback(result)

        self._pbx.clock.callLater(0, turn)
        return answer


def refusal(why: str) -> ActionRefused:
    """How an action is refused."""
    headers = {"Response": "Error", "Message": why}
    return ActionRefused("the action", Message(headers=tuple(headers.items()), fields=headers))


def micros(at: datetime) -> str:
    """An instant as AMI and CEL write it."""
    return f"{int(at.timestamp())}.{at.microsecond:06d}"
