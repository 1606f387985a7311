"""FastAGI side by side: calls a second, CPU for a call, memory for a call that waits.

Reads: nothing; it starts three servers (bench/agiservers.py) and plays Asterisk's side of TCP itself.
Gives: a table of medians over interleaved rounds; an error ends it.
Knows nothing of: how the servers work.

`bin/bench agi`. Figures of one run may be compared with each other, not with another run's.
"""

import argparse
import os
import select
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.agiservers import PROMPT, use_all_descriptors
from bench.machine import machine_line

OURS, PEERS = "ours", ("threads", "asyncio")
NAMES = {
    "ours": "Dialback (pyst2's verbs in greenlets, Twisted)",
    "threads": "pyst2, a thread a call (socketserver)",
    "asyncio": "asyncio streams, a coroutine a call",
}
ENVIRONMENT = "".join(
    f"agi_{line}\n"
    for line in (
        "network: yes",
        "network_script: ivr/cb0123456789-a1/0123456789abcdef",
        "request: agi://127.0.0.1:4573/ivr/cb0123456789-a1/0123456789abcdef",
        "channel: PJSIP/carrier-00000001",
        "language: en",
        "type: PJSIP",
        "uniqueid: cb0123456789-a1",
        "version: 22.10.1",
        "callerid: +442079460000",
        "calleridname: unknown",
        "callingpres: 0",
        "callingani2: 0",
        "callington: 0",
        "callingtns: 0",
        "dnid: unknown",
        "rdnis: unknown",
        "context: dialback-ivr",
        "extension: s",
        "priority: 3",
        "enhanced: 0.0",
        "accountcode: cb0123456789-a1",
        "threadid: 139872345872128",
    )
).encode() + b"\n"  # fmt: skip
COMMANDS = (
    "ANSWER",
    "GET VARIABLE CHANNEL",
    f"GET DATA {PROMPT} 0 16",
    "SET VARIABLE ECHO {digits}",
    f"STREAM FILE {PROMPT} 0",
    "EXEC NoOp talk",
    "VERBOSE done 3",
    "HANGUP",
)
REPLIES = (
    "200 result=0",
    "200 result=1 (PJSIP/carrier-00000001)",
    "200 result={digits}",
    "200 result=1",
    "200 result=0 endpos=8000",
    "200 result=0",
    "200 result=1",
    "200 result=1",
)
SILENCE_SECONDS_MAX = 10
WAITING_STEP = 2
"""A call that waits does so in GET DATA, as a real one does in Read while the subscriber keys a number."""


class WrongAnswerError(Exception):
    """A server did not do what the others did; its figures would mean nothing."""


class Call:
    """Asterisk's side of one call."""

    def __init__(self, port: int, number: int, steps: int) -> None:
        """Connect and say what the call is; after `steps` answers nothing more is said."""
        self.digits = f"{4420_0000_0000 + number}"
        self.step = 0
        self._steps = steps
        self._heard = b""
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(ENVIRONMENT)

    def answer(self) -> bool:
        """Answer what has come; whether the call is over."""
        data = self.socket.recv(4_096)
        if not data:
            if self.step != len(COMMANDS):
                raise WrongAnswerError(f"the server closed after {self.step} of {len(COMMANDS)} commands")
            self.socket.close()
            return True
        self._heard += data
        if not self._heard.endswith(b"\n"):
            return False
        words = self._heard.replace(b'"', b"").decode().split()
        self._heard = b""
        wanted = COMMANDS[self.step].format(digits=self.digits).split()
        if words != wanted:
            raise WrongAnswerError(f"{' '.join(wanted)!r} was due, {' '.join(words)!r} came")
        if self.step < self._steps:
            self.socket.sendall(REPLIES[self.step].format(digits=self.digits).encode() + b"\n")
            self.step += 1
        return False


def play(port: int, calls: int, at_once: int) -> int:
    """Make that many calls, so many at once; the sum of all digits that came back."""
    poll = select.epoll()
    live: dict[int, Call] = {}
    begun = checksum = 0
    silent_since = time.monotonic()
    while begun < calls or live:
        while begun < calls and len(live) < at_once:
            call = Call(port, begun, len(COMMANDS))
            live[call.socket.fileno()] = call
            poll.register(call.socket, select.EPOLLIN)
            begun += 1
        # Never asleep: to wake a sleeper costs the server's send() more than all else, by chance of timing.
        events = poll.poll(0)
        if events:
            silent_since = time.monotonic()
        elif time.monotonic() - silent_since > SILENCE_SECONDS_MAX:
            raise WrongAnswerError("the server has stopped answering")
        for descriptor, _ in events:
            call = live[descriptor]
            if call.answer():
                del live[descriptor]
                checksum += int(call.digits)
    poll.close()
    return checksum


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server."""

    kind: str
    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """All its threads together, in nanosecond steps: the clock that clock_getcpuclockid(3) names."""
        return time.clock_gettime((~self.pid << 3) | 2)

    def memory_bytes(self) -> int:
        """Its resident memory."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def running(kind: str) -> Iterator[Server]:
    """A server of that kind, ended afterwards."""
    argv = [sys.executable, "-m", "bench.agiservers", kind]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Server(kind=kind, port=int(process.stdout.readline()), pid=process.pid)
        finally:
            process.terminate()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One server in one round."""

    calls_per_second: float
    cpu_micros_per_call: float
    checksum: int


def measure(server: Server, calls: int, at_once: int) -> Measured:
    """One round."""
    cpu, wall = server.cpu_seconds(), time.monotonic()
    checksum = play(server.port, calls, at_once)
    wall, cpu = time.monotonic() - wall, server.cpu_seconds() - cpu
    return Measured(calls_per_second=calls / wall, cpu_micros_per_call=cpu / calls * 1e6, checksum=checksum)


def idle_bytes(kind: str, calls: int) -> float:
    """Memory that one call holds while it waits for digits, in a fresh server."""
    with ExitStack() as stack, running(kind) as server:  # the server ends first, so no call fails
        play(server.port, 50, 10)  # what is loaded once belongs to no call
        before = server.memory_bytes()
        for number in range(calls):
            call = Call(server.port, number, WAITING_STEP)
            stack.callback(call.socket.close)
            while call.step < WAITING_STEP:
                call.answer()
            call.answer()
        return (server.memory_bytes() - before) / calls


def run(*, rounds: int, calls: int, at_once: int, idle_calls: int) -> str:
    """The table."""
    measured: dict[str, list[Measured]] = {kind: [] for kind in (OURS, *PEERS)}
    with ExitStack() as stack:
        servers = [stack.enter_context(running(kind)) for kind in measured]
        for server in servers:
            play(server.port, calls // 10, at_once)
        for number in range(rounds):
            turn = number % len(servers)
            for server in servers[turn:] + servers[:turn]:
                measured[server.kind].append(measure(server, calls, at_once))
    checksums = {result.checksum for results in measured.values() for result in results}
    if len(checksums) != 1:
        raise WrongAnswerError(f"the servers gave different sums: {sorted(checksums)}")
    idle = {kind: idle_bytes(kind, idle_calls) for kind in measured}
    lines = [
        machine_line(),
        (
            f"load: {rounds} interleaved rounds of {calls} calls of {len(COMMANDS)} commands, "
            f"{at_once} at once; {idle_calls} waiting calls; checksum {checksums.pop()}"
        ),
        "",
        f"{'':50}{'calls/s':>9}{'CPU/call':>10}{'idle call':>11}",
    ]
    for kind, results in measured.items():
        rate = statistics.median(result.calls_per_second for result in results)
        cpu = statistics.median(result.cpu_micros_per_call for result in results)
        lines.append(f"{NAMES[kind]:50}{rate:9,.0f}{cpu:7,.0f} µs{idle[kind] / 1024:7,.1f} KiB")
    lines += ["", "peer ÷ ours, median of the rounds (least … most):"]
    for kind in PEERS:
        lines += _ratio_lines(kind, measured, idle)
    return "\n".join(lines)


def _ratio_lines(kind: str, measured: dict[str, list[Measured]], idle: dict[str, float]) -> list[str]:
    pairs = list(zip(measured[kind], measured[OURS], strict=True))
    cpu = [peer.cpu_micros_per_call / ours.cpu_micros_per_call for peer, ours in pairs]
    rate = [ours.calls_per_second / peer.calls_per_second for peer, ours in pairs]
    return [
        f"  {kind:8} CPU a call   {_spread(cpu)}",
        f"  {kind:8} calls/s      {_spread(rate)}   (ours ÷ peer)",
        f"  {kind:8} idle memory  {idle[kind] / idle[OURS]:.2f}",
    ]


def _spread(ratios: list[float]) -> str:
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} … {max(ratios):.2f})"


def main(arguments: list[str] | None = None) -> int:
    """The command line; 0 if every call of every server went right."""
    parser = argparse.ArgumentParser(
        prog="bench agi", description="FastAGI: ours and two peers, side by side."
    )
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--calls", type=int, default=1_500, help="in each round, for each server")
    parser.add_argument("--at-once", type=int, default=25)
    parser.add_argument("--idle-calls", type=int, default=400)
    chosen = parser.parse_args(arguments)
    use_all_descriptors()
    sys.stdout.write(run(**vars(chosen)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
