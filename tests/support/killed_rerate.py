"""A re-rating in a process of its own that kills itself: `python killed_rerate.py CONFIG STATEMENT WORD…`.

Before the database is told its STATEMENT-th thing, a commit counted as one, the process is gone as by kill
-9; with `-` nothing stops it, and it says how many things it told. The clock is fixed, so runs say the same.
"""

import os
import signal
import sys
import threading
from datetime import UTC, datetime
from itertools import count

from sqlalchemy import event
from sqlalchemy.engine import Engine

NOW = datetime(2026, 4, 2, 9, tzinfo=UTC)


def main(config: str, statement: str, *words: str) -> int:
    """Re-rate as the command line does, two callbacks in a transaction."""
    import cli
    from staff import rerate
    from staff.desk import Desk

    rerate.DONE_AT_ONCE = 2
    told = count(1)
    last = 0

    def tell(*_: object) -> None:
        nonlocal last
        last = next(told)
        if str(last) == statement:
            os.kill(os.getpid(), signal.SIGKILL)

    # By the driver: what store/quick.py remembers passes SQLAlchemy's own events by.
    event.listen(Engine, "connect", lambda driver, _record: driver.set_trace_callback(tell))
    desk = Desk(
        now=lambda: NOW,
        chance=os.urandom,
        pause=threading.Event().wait,
        serve=lambda *_, **__: 1,
        who="clerk",
    )
    try:
        words = ("--config", config, "rerate", *words, "--output", "json")
        code = cli.dialback.main(words, standalone_mode=False, obj=desk)
    finally:
        desk.close()
    sys.stderr.write(f"{last}\n")
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
