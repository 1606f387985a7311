"""Our Asterisk as `dialback pbx up` makes it, the world behind its trunks, and a switch of a few lines."""

from __future__ import annotations

import csv
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from pbx_site import Ami, Site, site_of

from pbx.bringup import bring_up
from pbx.installation import Installation, find_or_fetch
from pbx.process import Asterisk
from world.network import World
from world.ports import free_port

DID = "12025550111"


class AgiCall:
    """One AGI session: `say(command)` returns the reply's line."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.stream = connection.makefile("rb")
        self.raw_environment: list[bytes] = []
        while (line := self.stream.readline()) not in (b"\n", b""):
            self.raw_environment.append(line)
        self.environment = dict(
            line.decode("latin-1").rstrip("\n").split(": ", 1)
            for line in self.raw_environment
            if b": " in line
        )
        self.hung_up = False

    def say(self, command: str) -> str:
        self.connection.sendall(command.encode() + b"\n")
        while True:
            line = self.stream.readline().decode("latin-1").rstrip("\n")
            if line == "HANGUP":
                self.hung_up = True
                continue
            return line

    def get(self, variable: str) -> str:
        return self.say(f"GET VARIABLE {variable}").partition("(")[2].rstrip(")")


class SmallSwitch:
    """Takes AGI sessions; the test says what each does."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.script: Callable[[AgiCall], None] = lambda call: None
        self.calls: list[AgiCall] = []
        self.errors: list[BaseException] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            call = AgiCall(connection)
            self.calls.append(call)
            try:
                self.script(call)
            except (OSError, ValueError) as error:
                self.errors.append(error)
            finally:
                call.stream.close()

    def close(self) -> None:
        self.listener.close()


@dataclass(slots=True)
class Manager:
    """An AMI session that keeps every event it gets."""

    connection: socket.socket
    raw: bytearray = field(default_factory=bytearray)
    events: list[dict[str, str]] = field(default_factory=list)
    answers: list[dict[str, str]] = field(default_factory=list)

    def run(self) -> None:
        buffer = b""
        while True:
            try:
                piece = self.connection.recv(65536)
            except OSError:
                return
            if not piece:
                return
            self.raw += piece
            buffer += piece
            *messages, buffer = buffer.split(b"\r\n\r\n")
            for message in messages:
                pairs = [line.partition(": ") for line in message.decode("latin-1").split("\r\n")]
                table = {name: value for name, _, value in pairs}
                (self.events if "Event" in table else self.answers).append(table)

    def order(self, action: str, *lines: str) -> None:
        self.connection.sendall("\r\n".join((f"Action: {action}", *lines, "", "")).encode())

    def originate(self, leg: str, number: str, trunk: str, *more: str) -> None:
        self.order(
            "Originate",
            f"ChannelId: {leg}",
            f"Channel: PJSIP/{number}@{trunk}",
            "Context: dialback-ivr",
            "Exten: s",
            "Priority: 1",
            "Timeout: 30000",
            "CallerID: <12025550111>",
            f"Account: {leg}",
            "Async: true",
            f"Variable: DIALBACK_LEG={leg}",
            "Variable: DIALBACK_TOKEN=0123456789abcdef0123456789abcdef",
            "Variable: FORWARD_CONTEXT=dialback-nowhere",
            *more,
        )

    def named(self, name: str, **headers: str) -> list[dict[str, str]]:
        return [
            event
            for event in list(self.events)
            if event["Event"] == name and all(event.get(key) == value for key, value in headers.items())
        ]

    def wait_for(self, name: str, seconds: float = 15, **headers: str) -> dict[str, str]:
        deadline = time.monotonic() + seconds
        while not (found := self.named(name, **headers)):
            if time.monotonic() > deadline:
                raise AssertionError(f"no {name} {headers}; came: {[e['Event'] for e in self.events]}")
            time.sleep(0.02)
        return found[0]


@dataclass(slots=True, kw_only=True)
class Bench:
    """All of it, running."""

    site: Site
    asterisk: Asterisk
    world: World
    switch: SmallSwitch
    manager: Manager

    def evidence(self) -> list[list[str]]:
        with self.asterisk.layout.events.open() as stream:
            return list(csv.reader(stream))

    def complaints(self) -> list[str]:
        text = (self.asterisk.layout.log / "messages.log").read_text(errors="replace")
        return [line for line in text.splitlines() if " WARNING[" in line or " ERROR[" in line]


def login(ami: Ami) -> Manager:
    manager = Manager(socket.create_connection((ami.host, ami.port)))
    threading.Thread(target=manager.run, daemon=True).start()
    manager.order("Login", f"Username: {ami.user}", f"Secret: {ami.secret.get_secret_value()}")
    manager.wait_for("FullyBooted")
    return manager


@pytest.fixture(scope="session")
def installation() -> Installation:
    return find_or_fetch()


@pytest.fixture(scope="module")
def running(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("pbx")
    switch = SmallSwitch()
    sip_port = free_port()
    world = World(
        installation, folder / "world", switch_sip=("127.0.0.1", sip_port), carriers=("alpha", "beta")
    )
    carriers = {name: world.carrier(name).address for name in ("alpha", "beta")}
    site = site_of(folder / "ours", switch.port, carriers)
    site = Site(
        pbx=site.pbx.model_copy(update={"sip_port": sip_port}), trunks=site.trunks, agi=site.agi, ami=site.ami
    )
    asterisk = bring_up(site, installation)
    try:
        with world:
            manager = login(site.ami)
            yield Bench(site=site, asterisk=asterisk, world=world, switch=switch, manager=manager)
            manager.connection.close()
    finally:
        asterisk.stop()
        switch.close()


@pytest.fixture
def bench(running: Bench) -> Iterator[Bench]:
    running.world.reset()
    running.switch.calls.clear()
    running.manager.events.clear()
    running.manager.raw.clear()
    yield running
    running.asterisk.command("channel request hangup all")
    running.world.quiet()
    deadline = time.monotonic() + 10
    while "0 active channels" not in running.asterisk.command("core show channels count"):
        assert time.monotonic() < deadline, "a channel is left over"
        time.sleep(0.05)
    assert not running.switch.errors
