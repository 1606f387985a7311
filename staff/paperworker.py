"""One process that writes papers of issued invoices: `python -m staff.paperworker`.

Reads: on its standard input the database's URL, then a number a line.
Gives: the papers in the database; on its standard output a line for each number: `done`, or `failed` and why.
Knows nothing of: which invoices wait (staff/paperwork.py).

When whoever asked is gone, its input ends and so does it. A second process that writes the same papers at
the same time writes the same bytes, and one of them finds them there.
"""

import sys

from billing.render import forms
from store import papers
from store.database import Database


def write_papers(database: Database, number: str) -> None:
    """Make and keep every form of one issued invoice."""
    invoice = database.read("read issued invoice", papers.invoice_of, number)
    database.call("keep papers", papers.keep, number, forms(invoice))


def main() -> int:
    """Work until the input ends."""
    database = Database(sys.stdin.readline().strip())
    try:
        for line in sys.stdin:
            number = line.rstrip("\n")
            try:
                write_papers(database, number)
                told = f"done {number}"
            except Exception as error:  # noqa: BLE001 - one bad invoice spares the others, and is named
                told = f"failed {number}: {' '.join(str(error).split()) or type(error).__name__}"
            sys.stdout.write(told + "\n")
            sys.stdout.flush()
    except (BrokenPipeError, KeyboardInterrupt):
        return 1
    finally:
        database.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
