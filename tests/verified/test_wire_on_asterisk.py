"""AGI and AMI against the real Asterisk: what we send is what it reads, what it sends is what we read."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
from asterisk.agi import AGIAppError, AGIHangup, AGIInvalidCommand, AGIUsageError
from pydantic import SecretStr
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.epollreactor import EPollReactor
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from pbx.configuration import manager_conf
from pbx.installation import find_or_fetch
from pbx.process import Asterisk
from switch.ami import ActionRefused, AmiLoginRefused, AmiService, Message
from switch.clock import use_monotonic_clock
from switch.fastagi import AgiSession, FastAgiFactory
from wire.ami import OriginateVariable

pytestmark = pytest.mark.real_asterisk

HOSTILE = (
    "plain",
    "two  words ",
    '"',
    '\\"',
    "\\",
    "\\\\n",
    'a" "b',
    "${CHANNEL(name)}",
    "$[1+1]",
    "a,b&c|d;e",
    "x) result=-1 (y",
    "(",
    ")",
    "hangup",
    "HANGUP",
    "200 result=0",
    "\t\x1b[0m\x7f",
    "grüße 電話",
    "x" * 1_000,  # GET VARIABLE gives back 1,023 bytes at most
)
LONG = "x" * 1_950
MODULES = ("pbx_config", "res_speech", "res_agi", "func_channel")
SECONDS_MAX = 40


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@dataclass
class Site:
    """A small Asterisk, and what our side saw."""

    asterisk: Asterisk
    ami_port: int
    agi_port: int
    reactor: EPollReactor = field(default_factory=EPollReactor)
    events: list[Message] = field(default_factory=list)

    def service(self, secret: str = "secret", **options: object) -> AmiService:
        return AmiService(
            self.reactor,
            TCP4ClientEndpoint(self.reactor, "127.0.0.1", self.ami_port),
            user="dialback",
            secret=secret,
            on_event=self.events.append,
            on_connected=lambda: None,
            subscribed=("Newstate", "Hangup"),
            **options,  # type: ignore[arg-type]
        )


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    asterisk = Asterisk(find_or_fetch(), tmp_path)
    layout, installation = asterisk.layout, asterisk.installation
    ami_port, agi_port = free_port(), free_port()
    layout.prepare(installation)
    login = SimpleNamespace(host="127.0.0.1", port=ami_port, user="dialback", secret=SecretStr("secret"))
    files = {
        "asterisk.conf": layout.directories(installation),
        "modules.conf": "[modules]\nautoload=no\n" + "".join(f"load={name}.so\n" for name in MODULES),
        "manager.conf": manager_conf(login),
        "logger.conf": "[logfiles]\nmessages.log => error,warning\n",
        "extensions.conf": (
            "[far]\nexten => s,1,Answer()\nsame => n,Wait(60)\n"
            f"[near]\nexten => s,1,AGI(agi://127.0.0.1:{agi_port}/verified/token,one two,,three)\n"
        ),
    }
    for name, text in files.items():
        (layout.etc / name).write_text(text)
    asterisk.start()
    try:
        asterisk.wait_until_ready()
        yield Site(asterisk=asterisk, ami_port=ami_port, agi_port=agi_port)
    finally:
        asterisk.stop()


class Caller:
    """The script of the one call, and what it found."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.over: Deferred[None] = Deferred()
        self.echoed: list[str] = []
        self.arguments: tuple[str, ...] = ()
        self.uniqueid = self.leg = ""
        self.ends: list[str] = []
        self.live: tuple[Message, ...] = ()

    def script(self, agi: AgiSession, ami: AmiService) -> None:
        self.arguments, self.uniqueid = agi.environment.arguments, agi.environment.uniqueid
        self.leg = agi.get_variable("DIALBACK_LEG")
        for value in HOSTILE:
            agi.set_variable("ECHO", value)
            self.echoed.append(agi.get_variable("ECHO").encode("latin-1").decode())
        agi.set_variable("ECHO", LONG)
        self.echoed.append(agi.get_full_variable("${ECHO}"))
        with pytest.raises(AGIInvalidCommand):
            agi.execute("NO SUCH COMMAND")
        with pytest.raises(AGIUsageError, match="usage"):
            agi.execute("SET VARIABLE")
        self.live = agi.wait(ami.send_list("CoreShowChannels"))
        agi.on_hangup().addCallback(self.ends.append)
        self.site.reactor.callLater(0.2, ami.send, "Hangup", {"Channel": agi.environment.channel})
        with pytest.raises(AGIAppError):
            agi.appexec("Wait", "30")
        agi.wait(deferLater(self.site.reactor, 0.5))
        with pytest.raises(AGIHangup):
            agi.answer()
        self.over.callback(None)


def test_T21_T22_a_whole_conversation_with_asterisk(site: Site) -> None:
    failures: list[BaseException] = []
    ami, caller = site.service(), Caller(site)
    use_monotonic_clock(site.reactor)

    async def story() -> None:
        wrong = site.service("wrong")
        waiting = wrong.when_logged_in()
        wrong.start()
        with pytest.raises(AmiLoginRefused, match="does not accept"):
            await waiting
        await wrong.stop()
        broad = site.service(excess_actions=("Originate",))
        waiting = broad.when_logged_in()
        broad.start()
        with pytest.raises(AmiLoginRefused, match="Originate"):
            await waiting
        await broad.stop()
        logged_in = ami.when_logged_in()
        ami.start()
        await logged_in
        assert await ami.send_list("CoreShowChannels") == ()
        with pytest.raises(ActionRefused, match="No such channel"):
            await ami.send("Hangup", {"Channel": "PJSIP/" + "x" * 800})
        headers = {
            "Channel": "Local/s@far/n",
            "Context": "near",
            "Exten": "s",
            "Priority": "1",
            "Async": "true",
        }
        await ami.send(
            "Originate", {**headers, "ChannelId": "cb1-a1"}, {OriginateVariable.LEG: "cb1-a1:+._-"}
        )
        await caller.over
        await deferLater(site.reactor, 0.5)
        await ami.stop()

    def factory_script(agi: AgiSession) -> None:
        try:
            caller.script(agi, ami)
        except BaseException as error:
            caller.over.errback(error)
            raise

    def failed(failure: Failure) -> None:
        assert failure.value is not None
        failures.append(failure.value)

    def begin() -> None:
        told = Deferred.fromCoroutine(story())
        told.addErrback(failed)
        told.addBoth(lambda _: site.reactor.stop())

    factory = FastAgiFactory(site.reactor, lambda environment: factory_script)
    site.reactor.listenTCP(site.agi_port, factory, interface="127.0.0.1")
    site.reactor.callWhenRunning(begin)
    site.reactor.callLater(SECONDS_MAX, site.reactor.stop)
    site.reactor.run(installSignalHandlers=False)

    if failures:
        raise failures[0]
    assert caller.over.called
    assert caller.echoed == [*HOSTILE, LONG]
    assert caller.arguments == ("one two", "", "three")
    assert caller.uniqueid == "cb1-a1"
    assert caller.leg == "cb1-a1:+._-"
    assert "cb1-a1" in {channel["Uniqueid"] for channel in caller.live}
    assert len(caller.ends) == 1
    hangups = [event for event in site.events if event.event == "Hangup" and event["Uniqueid"] == "cb1-a1"]
    assert len(hangups) == 1
    assert "." in hangups[0]["Timestamp"]
    assert factory.session_count == 0
