"""`bin/demo`: one whole call on a real Asterisk, shown as it happens, and then checked.

Reads: the command line.
Gives: exit code 0 if what the phones logged agrees with what was billed; 1 if not, or if no call came about.
Knows nothing of: how a call is made.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from demo import stoppers
from demo.refusals import WrongUse
from demo.screen import Screen
from demo.show import show

READER_GONE, WRONG_USE = 1, 2


def main() -> int:
    """Show it; the exit code."""
    options = _options()
    screen = Screen(sys.stdout)
    stoppers.listen()
    try:
        return show(screen, keep=options.keep, host=options.host, folder=options.folder)
    except WrongUse as error:
        print(f"Error: {error}", file=sys.stderr)
        return WRONG_USE
    except BrokenPipeError:
        # Whoever read has had enough. Python would complain as it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/demo",
        description="One whole call on a real Asterisk, from a single ring to the invoice.",
        epilog="Exit codes: 0 what the phones logged agrees with what was billed; 1 it does not, or no"
        " call came about; 2 wrong use; 130 interrupted.",
    )
    parser.add_argument(
        "--keep", action="store_true", help="leave it running for your own softphone, until Ctrl-C"
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="with --keep: the address of this machine where the softphone registers (default: %(default)s)",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        metavar="FOLDER",
        help="where the files go, in a new folder for each run (default: demo-output)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
