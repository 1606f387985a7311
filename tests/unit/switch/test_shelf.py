"""Large decks come into memory beside the calls."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
import structlog
from storeworld import CLERK, LONG_AGO, rate
from structlog.testing import capture_logs
from twisted.internet.task import Clock

from rating.deck import Deck
from rating.ratetable import RateTable
from store import decks
from store.database import Database
from store.upgrade import upgrade
from switch import deckreader
from switch.deckreader import DeckUnreadError
from switch.shelf import LOOK_SECONDS, DeckShelf

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


READ_ON_A_REACTOR = """
import sys
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from store.database import Database
from switch.deckreader import DeckReader

database = Database(sys.argv[1], reactor=reactor)

async def read():
    try:
        reader = DeckReader(reactor=reactor, database=database)
        table = await reader.read(1, version_id="large:1", currency="EUR")
        print(len(table), table[0].id)
    except Exception as error:
        print(repr(error))
    finally:
        reactor.stop()

def begin():
    database.start()
    Deferred.fromCoroutine(read())

reactor.callWhenRunning(begin)
reactor.run()
database.stop()
"""


class InOneThread(Database):
    """A store whose reads are done at once."""

    def run_read(self, name, function, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        from twisted.internet.defer import execute

        return execute(self.read, name, function, *args, **kwargs)


class AtOnce:
    """Reads a version where it stands, unless it is to complain."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.complaint = ""

    async def read(self, row_id: int, *, version_id: str, currency: str) -> RateTable:
        if self.complaint:
            raise DeckUnreadError(self.complaint)
        return self.database.read("read", decks.table_of, row_id)

    def stop(self) -> None:
        pass


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path / 'd.db'}"
    upgrade(url)
    database = InOneThread(url)
    rows = [rate(str(200_000 + number), "0.1") for number in range(decks.ROWS_READ_IN_A_CALL_MAX + 1)]
    for name, some in (("large", rows), ("small", rows[:5])):
        database.call("deck", decks.add_deck, name=name, kind="sell", currency="EUR", author=CLERK)
        database.call(
            "version", decks.add_version, deck_name=name, new_rates=some, effective_at=LONG_AGO, author=CLERK
        )
    yield database
    database.close()


def test_a_large_version_is_on_the_shelf_after_the_next_look_and_a_small_one_is_left(
    database: Database,
) -> None:
    clock = Clock()
    reader = AtOnce(database)
    reader.complaint = "it is not there yet"
    shelf = DeckShelf(
        reactor=clock, database=database, reader=reader, wall=lambda: NOW, log=structlog.get_logger()
    )
    with capture_logs() as logs:
        shelf.start()
        assert isinstance(database.read("deck", decks.deck, "large", NOW), decks.DeckInTable)
        reader.complaint = ""
        clock.advance(LOOK_SECONDS)
    assert [(line["event"], line["deck"]) for line in logs] == [
        ("deck.unread", "large:1"),
        ("deck.shelved", "large:1"),
    ]
    assert isinstance(database.read("deck", decks.deck, "large", NOW), Deck)
    shelf.stop()
    assert clock.getDelayedCalls() == []


def test_a_process_of_its_own_reads_the_table_that_we_would_have_read(database: Database) -> None:
    (version,) = database.read("wanted", decks.wanted_on_shelf, NOW)
    packed = subprocess.run(
        [sys.executable, "-m", "store.deckreader"],
        input=f"{database.url}\n{version.id}\n".encode(),
        capture_output=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    table = RateTable.unpacked(BytesIO(packed.stdout).read, version_id="large:1", currency="EUR")
    assert tuple(table) == tuple(database.read("read", decks.table_of, version.id))


def test_a_real_reactor_brings_a_table(database: Database) -> None:
    assert on_a_reactor(database.url) == f"{decks.ROWS_READ_IN_A_CALL_MAX + 1} large:1:1\n"


def test_a_process_that_cannot_read_says_why(database: Database) -> None:
    told = on_a_reactor(f"{database.url}.gone")
    assert told.startswith("DeckUnreadError(")
    assert "no such table" in told


def on_a_reactor(url: str) -> str:
    """What a process with a real reactor of its own tells of reading version 1."""
    told = subprocess.run(
        [sys.executable, "-c", READ_ON_A_REACTOR, url],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
        timeout=60,
        cwd=Path(__file__).parents[3],
    )
    return told.stdout


def test_a_table_that_did_not_come_whole_counts_as_unread() -> None:
    with pytest.raises(DeckUnreadError, match="has no end"):
        deckreader._unpacked(BytesIO(b"half"), "large:1", "EUR")
