"""Large decks come into memory beside the calls."""

from datetime import UTC, datetime
from pathlib import Path

import structlog
from storeworld import CLERK, LONG_AGO, rate
from structlog.testing import capture_logs
from twisted.internet.task import Clock

from rating.deck import Deck
from store import decks
from store.database import Database
from store.upgrade import upgrade
from switch.shelf import LOOK_SECONDS, DeckShelf

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


class InOneThread(Database):
    """A store whose reads are done at once."""

    def run_read(self, name, function, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        from twisted.internet.defer import execute

        return execute(self.read, name, function, *args, **kwargs)


def test_a_large_version_is_on_the_shelf_after_the_next_look_and_a_small_one_is_left(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'd.db'}"
    upgrade(url)
    database = InOneThread(url)
    clock = Clock()
    shelf = DeckShelf(reactor=clock, database=database, wall=lambda: NOW, log=structlog.get_logger())
    shelf.start()
    rows = [rate(str(200_000 + number), "0.1") for number in range(decks.ROWS_READ_IN_A_CALL_MAX + 1)]
    for name, some in (("large", rows), ("small", rows[:5])):
        database.call("deck", decks.add_deck, name=name, kind="sell", currency="EUR", author=CLERK)
        database.call(
            "version", decks.add_version, deck_name=name, new_rates=some, effective_at=LONG_AGO, author=CLERK
        )
    assert isinstance(database.read("deck", decks.deck, "large", NOW), decks.DeckInTable)
    with capture_logs() as logs:
        clock.advance(LOOK_SECONDS)
    assert [(line["event"], line["deck"]) for line in logs] == [("deck.shelved", "large:1")]
    assert isinstance(database.read("deck", decks.deck, "large", NOW), Deck)
    shelf.stop()
    assert clock.getDelayedCalls() == []
    database.close()
