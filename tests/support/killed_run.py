"""A bill run in a process of its own that kills itself at a step: `python killed_run.py CONFIG STEP`.

STEP is one of STEPS, or `-` for a run that nothing stops. The clock is fixed, so that two runs say the same.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

NOW = datetime(2026, 4, 2, 9, tzinfo=UTC)
SETTINGS = """
[database]
url = "{url}"
[pbx]
folder = "pbx"
sip_port = 5060
rtp_start = 10000
rtp_end = 10199
[agi]
port = 4573
secret = "{secret}"
[ami]
port = 5038
secret = "{secret}"
[seller]
name = "Dialback Ltd"
country = "DE"
tax_id = "DE123456789"
"""
"""Of the folder in which a program is killed."""
STEPS = (
    "numbered",
    "posted",
    "before the commit",
    "between two batches",
    "before the papers",
    "a paper made",
    "a paper kept",
)


def killing(*, at_call: int = 1, after: bool = False) -> Callable[[Any], Any]:
    """What makes a function the last one that this process calls: kill -9, nothing is cleaned up."""
    calls = iter(range(1, 10**6))

    def around(function: Any) -> Any:
        def last(*args: Any, **kwargs: Any) -> Any:
            is_last = next(calls) == at_call
            if is_last and not after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = function(*args, **kwargs)
            if is_last:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return last

    return around


def arm(step: str) -> None:
    """Put the kill where that step is."""
    from staff import paperwork
    from store import billruns, ledger, papers
    from store.database import Database

    billruns.ACCOUNTS_AT_ONCE = 2
    match step:
        case "numbered":
            ledger.post_all = killing()(ledger.post_all)
        case "posted":
            ledger.post_all = killing(after=True)(ledger.post_all)
        case "before the commit":
            billruns.note = killing(at_call=2, after=True)(billruns.note)  # type: ignore[attr-defined]
        case "between two batches":
            billruns.close = killing(at_call=2)(billruns.close)
        case "before the papers":
            paperwork.write_all = killing()(paperwork.write_all)
        case "a paper made":
            papers.keep = killing(at_call=3)(papers.keep)
        case "a paper kept":
            Database.call = killing(at_call=6, after=True)(Database.call)  # type: ignore[method-assign]
        case "-":
            pass
        case _:
            raise SystemExit(f"no step {step!r}")


def main(config: str, step: str, *more: str) -> int:
    """Run the month as the command line does."""
    import cli
    from staff.desk import Desk

    arm(step)
    desk = Desk(
        now=lambda: NOW,
        chance=os.urandom,
        pause=threading.Event().wait,
        serve=lambda *_, **__: 1,
        who="clerk",
    )
    try:
        code = cli.dialback.main(
            ["--config", config, "invoice", "run", "--month", "2026-03", "--yes", *more],
            standalone_mode=False,
            obj=desk,
        )
    finally:
        desk.close()
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
