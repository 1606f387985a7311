"""Ctrl-C, SIGTERM and SIGHUP: the first one ends the show, none disturbs the tidying up after it.

Reads: signals.
Gives: KeyboardInterrupt, once.
Knows nothing of: what is tidied up.
"""

from __future__ import annotations

import signal
from types import FrameType

STOPPERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def listen() -> None:
    """From now on the first stopper raises KeyboardInterrupt."""
    for number in STOPPERS:
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup wants it
            signal.signal(number, _interrupt)


def ignore() -> None:
    """From now on no stopper does anything."""
    for number in STOPPERS:
        signal.signal(number, signal.SIG_IGN)


def has_struck() -> bool:
    """Whether a stopper came, or none is heard any more."""
    return signal.getsignal(signal.SIGTERM) == signal.SIG_IGN


def _interrupt(number: int, frame: FrameType | None) -> None:
    ignore()
    raise KeyboardInterrupt
