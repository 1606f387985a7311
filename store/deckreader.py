"""One process that reads a large version of a deck: `python -m store.deckreader`.

Reads: on its standard input the database's URL and the version's row id, a line each.
Gives: on its standard output the version as a packed table (rating/ratetable.py).
Knows nothing of: who asked, when a version is wanted.

It runs behind everything else of the machine, since whoever asked goes on without the table meanwhile.
"""

import os
import sys

from store import decks
from store.database import Database

BEHIND = 10
"""Added to its niceness."""


def main() -> int:
    """Write the one table."""
    os.nice(BEHIND)
    url, row_id = (sys.stdin.readline().strip() for _ in range(2))
    database = Database(url)
    try:
        table = database.read("read deck", decks.table_of, int(row_id))
    finally:
        database.close()
    sys.stdout.buffer.writelines(table.packed())
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
