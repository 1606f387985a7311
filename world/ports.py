"""Free ports of the loopback network, chosen when they are needed.

Reads: what the operating system says is free.
Gives: port numbers; a range for RTP.
Knows nothing of: who will listen.
"""

from __future__ import annotations

import secrets
import socket

RTP_PORTS = 400
"""RTP and RTCP of 100 calls, with room for ports that others take."""
LISTENERS_FROM = 10_000
ATTEMPTS_MAX = 200
LOWEST, HIGHEST = 20000, 32000
"""Below Linux's ephemeral ports (32768 and up), so that no passing socket sits in the range."""


class NoFreePorts(RuntimeError):
    """No range of free ports was found."""


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port that is free for UDP and TCP on `host` just now.

    Not of those that the operating system gives to passing sockets: one of them could take it before its
    listener starts.
    """
    for _ in range(ATTEMPTS_MAX):
        port = LISTENERS_FROM + secrets.randbelow(LOWEST - LISTENERS_FROM)
        if _is_free(host, port) and _is_free(host, port, socket.SOCK_STREAM):
            return port
    raise NoFreePorts(f"no free port between {LISTENERS_FROM} and {LOWEST} on {host}")


def free_rtp_range(host: str, seed: int, size: int = RTP_PORTS) -> tuple[int, int]:
    """Return the first and last port of a range of which every eighth was tried and found free.

    `seed` (a process id, say) spreads the ranges of several worlds on one host.
    """
    slots = (HIGHEST - LOWEST) // size
    for attempt in range(slots):
        start = LOWEST + (seed + attempt) % slots * size
        if all(_is_free(host, port) for port in range(start, start + size, 8)):
            return start, start + size - 1
    raise NoFreePorts(f"no {size} free UDP ports between {LOWEST} and {HIGHEST} on {host}")


def _is_free(host: str, port: int, kind: socket.SocketKind = socket.SOCK_DGRAM) -> bool:
    with socket.socket(socket.AF_INET, kind) as line:
        try:
            line.bind((host, port))
        except OSError:
            return False
    return True
