"""Many phones at once, without an Asterisk to play them: SIPp as callers, subscribers, destinations.

Reads: the scenarios in world/sipp/, an Installation that has SIPp, addresses.
Gives: running SIPp processes; how many calls went well; when each was invited, answered, hung up.
Knows nothing of: the switch under test. For sound and behaviour that is measured, use world/network.py.
"""

from __future__ import annotations

import csv
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

from pbx.installation import Installation

STOP_SECONDS_MAX = 10.0
STATISTICS_SECONDS = 1
RECV_MILLISECONDS_MAX = 60_000
FIRST_PORT, LAST_PORT = 40_000, 60_000
"""SIPp's own RTP ports; it tries the next one when one is taken."""

EVENTS = "0123456789*#ABCD"
"""RFC 4733 section 3.2: a key's event code is its place."""
NO_EVENT = 99
"""Asterisk passes over events above 16 (res_rtp_asterisk.c, process_dtmf_rfc2833): a pause between keys."""
PACKET_BYTES, PACKET_SAMPLES = 50, 240
"""What SIPp sends each 30 ms for iLBC, the one coding it takes for a payload type above 95."""
KEY_PACKETS, GAP_PACKETS = 3, 2


class LoadRefused(ValueError):
    """A load of that shape cannot be made."""


class LoadFailed(RuntimeError):
    """SIPp did not run, or calls of it failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How the calls of one SIPp went."""

    started: int
    succeeded: int
    failed: int
    live: int
    retransmissions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Something that happened to one call."""

    what: str
    """INVITED, ANSWERED or HUNG_UP."""
    number: str
    at: datetime


class Load:
    """One SIPp process."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self.folder = folder
        with (folder / "console.txt").open("wb") as console:
            self._process = subprocess.Popen(
                list(command),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait(self, seconds_max: float) -> Tally:
        """Wait until all calls are made; raise LoadFailed if SIPp had to be stopped or could not start."""
        try:
            code = self._process.wait(seconds_max)
        except subprocess.TimeoutExpired:
            self.stop()
            raise LoadFailed(f"SIPp in {self.folder} took longer than {seconds_max:g} s") from None
        if code not in {0, 1}:  # 1: at least one call failed, which the tally tells
            raise LoadFailed(f"SIPp in {self.folder} ended with {code}: {self._complaint()}")
        return self.tally()

    def stop(self) -> None:
        """End it: first let live calls end, then not."""
        for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGKILL):
            if not self.running:
                return
            self._process.send_signal(number)
            try:
                self._process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                continue

    def tally(self) -> Tally:
        """Return the counts; of a running SIPp they are up to a second old."""
        path = self.folder / "statistics.csv"
        rows = list(csv.DictReader(path.read_text().splitlines(), delimiter=";")) if path.exists() else []
        if not rows:
            return Tally(started=0, succeeded=0, failed=0, live=0, retransmissions=0)
        last = rows[-1]
        return Tally(
            started=int(last["TotalCallCreated"]),
            succeeded=int(last["SuccessfulCall(C)"]),
            failed=int(last["FailedCall(C)"]),
            live=int(last["CurrentCall"]),
            retransmissions=int(last["Retransmissions(C)"]),
        )

    def moments(self) -> list[Moment]:
        """Return what happened to each call, with times to the µs."""
        path = self.folder / "moments.log"
        if not path.exists():
            return []
        return [moment for line in path.read_text(errors="replace").splitlines() if (moment := _moment(line))]

    def _complaint(self) -> str:
        errors = self.folder / "errors.log"
        source = errors if errors.exists() else self.folder / "console.txt"
        return source.read_text(errors="replace")[-400:]


class Sipp:
    """Starts SIPp processes, each in a folder of its own below `folder`."""

    def __init__(self, installation: Installation, folder: Path) -> None:
        self.folder = folder.absolute()
        self._command = installation.run("sipp")
        self._count = 0

    def callers(
        self,
        rings: Sequence[tuple[str, str]],
        *,
        to: tuple[str, int],
        host: str,
        ring_ms: int = 500,
        per_second: float = 10,
        count: int | None = None,
        at_once_max: int = 1000,
    ) -> Load:
        """Ring (caller, DID) pairs in turn, `count` rings in all, and hang each up after `ring_ms`."""
        folder = self._new_folder("callers")
        lines = folder / "rings.csv"
        lines.write_text("SEQUENTIAL\n" + "".join(f"{caller};{did}\n" for caller, did in rings))
        total = len(rings) if count is None else count
        rate = ["-r", f"{per_second:g}", "-m", str(total), "-l", str(at_once_max), "-inf", str(lines)]
        where = [f"{to[0]}:{to[1]}", "-i", host]
        return self._start(folder, "caller_rings", {"ring_ms": str(ring_ms)}, [*where, *rate])

    def subscribers(
        self,
        *,
        host: str,
        port: int,
        digits: str,
        ring_ms: int = 200,
        keys_after_ms: int = 500,
        talk_ms: int = 2000,
        count: int | None = None,
    ) -> Load:
        """Answer every call at host:port, press `digits`, hang up `talk_ms` after the last key."""
        folder = self._new_folder("subscribers")
        keys = folder / "keys.bin"
        keys.write_bytes(telephone_events(digits))
        values = {
            "ring_ms": str(ring_ms),
            "keys_after_ms": str(keys_after_ms),
            "keys_file": str(keys),
            "talk_ms": str(keys_milliseconds(digits) + talk_ms),
        }
        return self._start(folder, "subscriber", values, _listen(host, port, count))

    def destinations(self, *, host: str, port: int, ring_ms: int = 200, count: int | None = None) -> Load:
        """Answer every call at host:port and play sound until the other side hangs up."""
        folder = self._new_folder("destinations")
        sound = folder / "sound.alaw"
        sound.write_bytes(bytes([0xD5, 0x55] * 4000))  # one second of near-silence in A-law
        values = {"ring_ms": str(ring_ms), "sound_file": str(sound)}
        return self._start(folder, "destination", values, _listen(host, port, count))

    def _start(
        self, folder: Path, scenario: str, values: Mapping[str, str], arguments: Sequence[str]
    ) -> Load:
        text = resources.files("world").joinpath("sipp", f"{scenario}.xml").read_text()
        for name, value in values.items():
            text = text.replace(f"@{name}@", value)
        path = folder / f"{scenario}.xml"
        path.write_text(text)
        options = (
            f"-sf {path} -nostdin -trace_stat -stf {folder / 'statistics.csv'} -fd {STATISTICS_SECONDS} "
            f"-trace_logs -log_file {folder / 'moments.log'} -trace_err -error_file {folder / 'errors.log'} "
            f"-recv_timeout {RECV_MILLISECONDS_MAX} -min_rtp_port {FIRST_PORT} -max_rtp_port {LAST_PORT} "
            "-rtp_threadtasks 200"
        ).split(" ")
        return Load([*self._command, *arguments, *options], folder)

    def _new_folder(self, name: str) -> Path:
        self._count += 1
        folder = self.folder / f"{self._count:02d}-{name}"
        folder.mkdir(parents=True)
        return folder


def telephone_events(digits: str) -> bytes:
    """Return the RTP payloads of `digits` as RFC 4733 events, padded to the packets that SIPp sends.

    SIPp's own play_dtmf wants root (a raw socket). Its rtp_stream does not; Asterisk reads the first four
    bytes of an event packet and passes over the rest.
    """
    strange = set(digits.upper()) - set(EVENTS)
    if strange or not digits:
        raise LoadRefused(f"a phone has no keys {sorted(strange)}: {digits!r}")
    return b"".join(_key(EVENTS.index(digit)) for digit in digits.upper())


def keys_milliseconds(digits: str) -> int:
    """Return how long the keys take."""
    return len(digits) * (KEY_PACKETS + 1 + GAP_PACKETS) * 30


def _key(event: int) -> bytes:
    held = [_event(event, 0x0A, PACKET_SAMPLES * number) for number in range(1, KEY_PACKETS + 1)]
    released = _event(event, 0x8A, PACKET_SAMPLES * KEY_PACKETS)
    return b"".join([*held, released, *[_event(NO_EVENT, 0x0A, 0)] * GAP_PACKETS])


def _event(code: int, flags_and_volume: int, duration: int) -> bytes:
    return (bytes([code, flags_and_volume]) + duration.to_bytes(2, "big")).ljust(PACKET_BYTES, b"\0")


def _listen(host: str, port: int, count: int | None) -> list[str]:
    return ["-i", host, "-p", str(port), "-mi", host, *(["-m", str(count)] if count is not None else [])]


def _moment(line: str) -> Moment | None:
    """Read `INVITED 442079460101 2026-11-23<TAB>10:00:00.000001<TAB>1795428972.983019`."""
    words = line.split()
    if len(words) != 5 or words[0] not in {"INVITED", "ANSWERED", "HUNG_UP"}:
        return None
    seconds, _, fraction = words[4].partition(".")
    at = datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int(fraction.ljust(6, "0")[:6]))
    return Moment(what=words[0], number=words[1].lstrip("+"), at=at)
