"""bin/bench: lists the benchmarks, or runs the one that is named.

Reads: the command line.
Gives: what the benchmark prints, and its exit code.
Knows nothing of: what is measured.
"""

import importlib
import sys

BENCHES = {
    "agi": "FastAGI sessions: Dialback's server, pyst2 on threads, plain asyncio. A minute.",
    "rating": "Prices: one at a time by deck size, in bulk against SQL and floats, import. Some minutes.",
    "rerate": "A month priced anew and written down, against an ORM loop. Some minutes.",
    "invoices": "The close of a month of a million legs, against one SQL aggregation. Some ten minutes.",
    "deck": "A rate sheet of a million rows: import, approve, look up. Some minutes.",
    "swap": "A deck of a million rows comes into force: lateness of the reactor, waits. Some minutes.",
    "beside": "Real calls while a deck of a million rows is imported and comes into force. Some minutes.",
    "calls": "Whole callbacks: Dialback, and a bare Asterisk that does the same. Some ten minutes.",
}
USAGE = "usage: bin/bench BENCH [OPTIONS]      bin/bench BENCH --help tells the options\n\n"
NAME_WIDTH = max(map(len, BENCHES)) + 2
EXIT_WRONG_USE = 2


def main(arguments: list[str]) -> int:
    """The command line."""
    if not arguments or arguments[0] in {"-h", "--help"}:
        sys.stdout.write(USAGE + "".join(f"  {name:{NAME_WIDTH}}{told}\n" for name, told in BENCHES.items()))
        return 0
    name, *options = arguments
    if name not in BENCHES:
        sys.stderr.write(f"bench: there is no {name!r}; there are {', '.join(BENCHES)}\n")
        return EXIT_WRONG_USE
    code: int = importlib.import_module(f"bench.{name}").main(options)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
