"""Three FastAGI servers that do the same for each call: ours, and two as people write them.

Reads: the kind of server on the command line.
Gives: its port on standard output; then it serves until it is ended.
Knows nothing of: who measures it.

`python -m bench.agiservers ours | threads | asyncio`
"""

import asyncio
import io
import os
import re
import resource
import socketserver
import sys
import threading
from collections.abc import Callable

import asterisk.agi
import structlog
from asterisk.agi import AGI
from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.base import ReactorBase

from switch.clock import use_monotonic_clock
from switch.fastagi import AgiSession, FastAgiFactory

PROMPT = "dialback/hello"
TALK = "EXEC NoOp talk"


def use_all_descriptors() -> None:
    """As many sockets as the machine grants: a soft limit of 1,024 is too few for both ends."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def call_with_verbs(agi: AGI | AgiSession) -> None:
    """Eight commands in pyst2's verbs, for the two servers that have them."""
    agi.answer()
    agi.get_variable("CHANNEL")
    digits = agi.get_data(PROMPT, 0, 16)
    agi.set_variable("ECHO", digits)
    agi.stream_file(PROMPT)
    agi.appexec("NoOp", "talk")
    agi.verbose("done", 3)
    agi.hangup()


def serve_ours() -> None:
    """Dialback's own server."""
    assert isinstance(reactor, ReactorBase)
    use_monotonic_clock(reactor)
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    factory = FastAgiFactory(reactor, lambda environment: call_with_verbs)
    port = reactor.listenTCP(0, factory, backlog=1_000, interface="127.0.0.1")
    address = port.getHost()
    assert isinstance(address, IPv4Address)
    announce(address.port)
    reactor.run()


def serve_threads() -> None:
    """A thread for each call around pyst2's AGI, with the two changes that it needs to run at all."""
    # It asks for SIGHUP in __init__, which Python allows in the main thread only.
    asterisk.agi.signal.signal = lambda *_: None
    silence = open(os.devnull, "w")  # noqa: SIM115, PTH123 - open as long as the server; its log is not wanted

    class Call(socketserver.StreamRequestHandler):
        disable_nagle_algorithm = True

        def handle(self) -> None:
            source = io.TextIOWrapper(io.BufferedReader(self.connection.makefile("rb", 0)))
            call_with_verbs(AGI(source, self.connection.makefile("w"), silence))

    class Server(socketserver.ThreadingTCPServer):
        request_queue_size = 1_000
        daemon_threads = True

    threading.stack_size(0)  # the system's own, as everybody has it
    with Server(("127.0.0.1", 0), Call) as server:
        announce(server.server_address[1])
        server.serve_forever()


def serve_asyncio() -> None:
    """Plain asyncio streams, a coroutine for each call."""
    result = re.compile(rb"200 result=(\S*)(?: \((.*)\))?")

    async def call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        environment = {}
        while line := (await reader.readline()).strip():
            key, _, value = line.decode().partition(": ")
            environment[key] = value

        async def ask(command: str) -> bytes:
            writer.write(command.encode() + b"\n")
            await writer.drain()
            found = result.match(await reader.readline())
            if found is None:
                raise ValueError(command)
            return found[1]

        await ask("ANSWER")
        await ask('GET VARIABLE "CHANNEL"')
        digits = await ask(f"GET DATA {PROMPT} 0 16")
        await ask(f'SET VARIABLE "ECHO" "{digits.decode()}"')
        await ask(f'STREAM FILE {PROMPT} "" 0')
        await ask('EXEC NoOp "talk"')
        await ask('VERBOSE "done" 3')
        await ask("HANGUP")
        writer.close()
        await writer.wait_closed()

    async def serve() -> None:
        server = await asyncio.start_server(call, "127.0.0.1", 0, backlog=1_000)
        announce(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


def announce(port: int) -> None:
    """Tell the measuring process where to call."""
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


SERVERS: dict[str, Callable[[], None]] = {
    "ours": serve_ours,
    "threads": serve_threads,
    "asyncio": serve_asyncio,
}

if __name__ == "__main__":
    use_all_descriptors()
    SERVERS[sys.argv[1]]()
