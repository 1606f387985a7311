"""The sound of a hand-made phone: RTP packets, twenty milliseconds each, with keys in any of their forms.

Reads: where the other side listens, which keys to press and how.
Gives: a steady stream of A-law, RFC 4733 events and tones in it; how many packets came back.
Knows nothing of: SIP.
"""

from __future__ import annotations

import secrets
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from world.audio import RATE_HZ, tone
from world.sipp import EVENTS

FRAME_SECONDS = 0.02
FRAME_SAMPLES = round(RATE_HZ * FRAME_SECONDS)
PCMA = 8
SILENCE = bytes([0xD5]) * FRAME_SAMPLES
LOW_HZ, HIGH_HZ = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
KEYPAD = ("123A", "456B", "789C", "*0#D")
END_PACKETS = 3
"""RFC 4733 2.5.1.4: the end of an event is told three times, for packets are lost."""
EVENT_LEVEL, END_OF_EVENT = 0x0A, 0x80


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What goes out in one frame: sound, or none, and the event packets with it."""

    sound: bytes | None = SILENCE
    events: tuple[bytes, ...] = ()
    begins: bool = False
    """The first frame of a key."""


class Sound:
    """One stream. It begins with `start`, is silence while no key is pressed, and ends with `stop`."""

    def __init__(self, host: str) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._socket.settimeout(0)
        self._frames: deque[Frame] = deque()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self.packets_heard = 0

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def start(self, to: tuple[str, int], event_type: int) -> None:
        """Send from now on; `event_type` is the payload type that was agreed on for keys."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, args=(to, event_type), daemon=True)
            self._thread.start()

    def press(self, key: str, *, milliseconds: int, gap: int, event: bool, audible: bool) -> None:
        """Press a key as an RFC 4733 event, as a tone, or as both at once."""
        frames = max(1, round(milliseconds / 1000 / FRAME_SECONDS))
        tones = tone_frames(key, frames) if audible else (None,) * frames
        packets = tuple(event_packets(key, frames)) if event else ((),) * frames
        for number, (heard, told) in enumerate(zip(tones, packets, strict=True)):
            self._frames.append(Frame(sound=heard, events=told, begins=number == 0))
        self._frames.extend([Frame()] * round(gap / 1000 / FRAME_SECONDS))

    @property
    def is_pressing(self) -> bool:
        return bool(self._frames)

    def stop(self) -> None:
        """Send no more, and let the port go."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
        self._socket.close()

    def _run(self, to: tuple[str, int], event_type: int) -> None:
        source, sequence, stamp, begun = secrets.randbits(32), secrets.randbits(15), secrets.randbits(31), 0
        due = time.monotonic()
        while not self._stopped.is_set():
            frame = self._frames.popleft() if self._frames else Frame()
            begun = stamp if frame.begins else begun
            packets = [] if frame.sound is None else [(PCMA, stamp, frame.sound)]
            packets += [(event_type, begun, each) for each in frame.events]
            for kind, at, payload in packets:
                marker = 0x80 if kind == event_type and frame.begins else 0
                sequence = (sequence + 1) & 0xFFFF
                head = struct.pack("!BBHII", 0x80, marker | kind, sequence, at & 0xFFFFFFFF, source)
                self._socket.sendto(head + payload, to)
            stamp += FRAME_SAMPLES
            self._listen()
            due += FRAME_SECONDS
            self._stopped.wait(max(0.0, due - time.monotonic()))

    def _listen(self) -> None:
        while True:
            try:
                self._socket.recv(2048)
            except (BlockingIOError, ConnectionError):
                return
            self.packets_heard += 1


def event_packets(key: str, frames: int) -> Iterator[tuple[bytes, ...]]:
    """The RFC 4733 payloads of a key, frame by frame."""
    code = EVENTS.index(key)
    for number in range(1, frames + 1):
        held = struct.pack("!BBH", code, EVENT_LEVEL, number * FRAME_SAMPLES)
        end = struct.pack("!BBH", code, EVENT_LEVEL | END_OF_EVENT, frames * FRAME_SAMPLES)
        yield (held, *((end,) * END_PACKETS if number == frames else ()))


@lru_cache(maxsize=64)
def tone_frames(key: str, frames: int) -> tuple[bytes, ...]:
    """The tone of a key as A-law, frame by frame."""
    row = next(number for number, keys in enumerate(KEYPAD) if key in keys)
    pair = (LOW_HZ[row], HIGH_HZ[KEYPAD[row].index(key)])
    samples = tone(pair, frames * FRAME_SECONDS, level_dbfs=-12.0)
    coded = bytes(a_law(round(float(each) * 32767)) for each in samples)
    return tuple(coded[start : start + FRAME_SAMPLES] for start in range(0, len(coded), FRAME_SAMPLES))


def a_law(sample: int) -> int:
    """ITU-T G.711: one 16-bit sample as eight bits."""
    mask, value = (0xD5, sample >> 3) if sample >= 0 else (0x55, -(sample >> 3) - 1)
    segment = max(0, value.bit_length() - 5)
    if segment > 7:
        return 0x7F ^ mask
    step = (value >> (1 if segment < 2 else segment)) & 0x0F
    return ((segment << 4) | step) ^ mask
