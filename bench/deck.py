"""A rate sheet of many rows: import while somebody else writes, approval, memory, one look-up.

Reads: the command line.
Gives: rows a second, the longest wait of the other writer, peak memory, microseconds a look-up.
Knows nothing of: calls.

`dialback deck import` runs in a process of its own on SQLite, as staff would run it; meanwhile this process
commits one small transaction after the other on the same database and notes how long each took. Then it
approves, and looks numbers up in memory and in the table.
"""

import argparse
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bench.machine import machine_line
from store import decks
from store.audit import Author
from store.database import Connection, Database
from values.e164 import E164

CODES = (
    "1",
    "44",
    "33",
    "49",
    "34",
    "7",
    "86",
    "91",
    "55",
    "61",
    "62",
    "63",
    "65",
    "81",
    "84",
    "90",
    "234",
    "971",
)
NO_PRICES: Mapping[str, str] = {}
HEADER = "prefix,destination,rate_per_min,first_increment,next_increment,currency"
LOOK_UPS = 20_000
LOOK_UPS_IN_TABLE = 500
PASSES = 5


def main(arguments: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="bin/bench deck", description="Import a sheet of many rows")
    parser.add_argument("--rows", type=int, default=1_000_000)
    wanted = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="dialback-deck-") as name:
        folder = Path(name)
        write_sheet(folder / "sheet.csv", wanted.rows)
        dialback(folder, "init", "--folder", ".")
        print(machine_line())
        _import(folder, wanted.rows)
        _approve(folder)
        _look_up(folder, wanted.rows)
    return 0


def write_sheet(
    path: Path, rows: int, *, edition: int = 1, motley: bool = False, prices: Mapping[str, str] = NO_PRICES
) -> None:
    """Write a sheet of so many prefixes; in the next edition every third is dearer.

    `motley`: names, fees and next rates are all different, as in no real sheet. `prices`: rows more, and
    none of the others is longer than these prefixes and begins with one of them.
    """
    chance = random.Random(7)
    prefixes: set[str] = set()
    while len(prefixes) < rows:
        prefix = chance.choice(CODES) + str(chance.randrange(10 ** chance.randint(1, 7)))
        if not prefix.startswith(tuple(prices)):
            prefixes.add(prefix)
    with path.open("w", encoding="utf-8") as sheet:
        sheet.write(HEADER + (",next_rate_per_min,connect_fee\n" if motley else "\n"))
        sheet.writelines(f"{prefix},-,{price},30,1,USD{',,' * motley}\n" for prefix, price in prices.items())
        for place, prefix in enumerate(prefixes):
            units = chance.randrange(100, 5000) + (edition if place % 3 == 0 else 0)
            price, steps = f"0.{units:04d}", chance.choice(["1,1", "30,6"])
            zone = place if motley else int(prefix) % 7000
            further = f",0.{place:08d},0.{place:07d}" if motley else ""
            sheet.write(f"{prefix},Destination {zone},{price},{steps},USD{further}\n")


def _import(folder: Path, rows: int) -> None:
    database = _database(folder)
    waits: list[float] = []
    words = ("deck", "import", "big", "sheet.csv", "--kind", "cost", "--currency", "USD")
    started = time.perf_counter()
    with subprocess.Popen(
        command(words), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as importer:
        while importer.poll() is None:
            name = f"beside-{len(waits)}"
            waits.append(_seconds(partial(database.call, "beside", _small_write, name)))
            time.sleep(0.01)
    took = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    database.close()
    waits.sort()
    cpu = used.ru_utime + used.ru_stime
    print(f"import: {rows:,} rows in {took:.0f} s, {rows / took:,.0f} a second; CPU {cpu:.0f} s")
    print(f"peak memory of the import: {used.ru_maxrss / 1024:,.0f} MiB")
    print(
        f"another writer meanwhile, ms a commit: p50 {1000 * statistics.median(waits):.1f}, "
        f"p99 {1000 * waits[int(len(waits) * 0.99)]:.0f}, worst {1000 * waits[-1]:.0f}, of {len(waits):,}"
    )


def _approve(folder: Path) -> None:
    started = time.perf_counter()
    dialback(folder, "deck", "approve", "big:1", "--override", "measured")
    print(f"approve, the whole command: {time.perf_counter() - started:.2f} s")


def _look_up(folder: Path, rows: int) -> None:
    database = _database(folder)
    chance = random.Random(8)
    numbers = [
        E164(digits=chance.choice(CODES) + str(chance.randrange(10**7, 10**9))) for _ in range(LOOK_UPS)
    ]
    now = datetime.now(UTC)

    def in_table(connection: Connection) -> float:
        deck = decks.deck(connection, "big", now)
        assert rows <= decks.ROWS_READ_IN_A_CALL_MAX or isinstance(deck, decks.DeckInTable)
        return _seconds(lambda: [deck.find(number, now) for number in numbers[:LOOK_UPS_IN_TABLE]])

    print(f"one look-up in the table: {database.read('look', in_table) / LOOK_UPS_IN_TABLE * 1e6:.0f} µs")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    deck = database.read("read deck", decks.whole_deck, "big", now)
    took = time.perf_counter() - started
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"into memory: {took:.1f} s, {grown:,.0f} MiB")
    passes = [_seconds(lambda: [deck.find(number, now) for number in numbers]) for _ in range(PASSES)]
    each = [took / LOOK_UPS * 1e6 for took in passes]
    print(f"one look-up in memory: {statistics.median(each):.1f} µs ({min(each):.1f} … {max(each):.1f})")
    database.close()


def _small_write(connection: Connection, name: str) -> None:
    author = Author(at=datetime.now(UTC), name="bench")
    decks.add_deck(connection, name=name, kind="cost", currency="USD", author=author)


def _database(folder: Path) -> Database:
    return Database(f"sqlite:///{folder / 'dialback.db'}")


def dialback(folder: Path, *words: str) -> None:
    """Run a command of Dialback's in that folder."""
    subprocess.run(
        command(words), cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def command(words: tuple[str, ...]) -> list[str]:
    """The process of a command of Dialback's."""
    return [sys.executable, "-m", "cli", *words]


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
