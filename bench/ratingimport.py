"""Import of a large deck by the command itself, as a process: rows a second, and how much memory at most.

Reads: how many rows.
Gives: one paragraph of figures.
Knows nothing of: how import works.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import ratingload
from bench.processes import Process

ROOT = Path(__file__).parents[1]
LOOKS_SECONDS = 0.05
"""Between two looks at the command's memory, whose peak is told only while it runs."""
HEADER = "prefix,destination,rate_per_min,first_increment,next_increment,connect_fee\n"


class ImportFailedError(Exception):
    """The command did not import the deck."""


def import_deck(folder: Path, rows: int) -> str:
    """Import so many rows into a new SQLite database, durably."""
    config = str(folder / "switch.toml")
    _run(["--config", config, "init", "--folder", str(folder)])
    sheet = folder / "deck.csv"
    with sheet.open("w", encoding="utf-8") as out:
        out.write(HEADER)
        for rate in ratingload.rates(rows):
            steps = f"{rate.first_increment_s or ''},{rate.next_increment_s or ''}"
            out.write(
                f"{rate.prefix},{rate.destination},{rate.per_minute:f},{steps},{rate.connect_fee or ''}\n"
            )
    words = ["deck", "import", "bench", str(sheet), "--kind", "sell", "--currency", "USD"]
    wall, processor, memory = _run(["--config", config, *words])
    # Prefixes are drawn at random, and some are of no country, which holds a sheet.
    _run(["--config", config, "deck", "approve", "bench:1", "--override", "drawn at random"])
    return (
        f"deck import, {rows:,} rows of CSV, {sheet.stat().st_size / 2**20:.0f} MiB, into SQLite "
        f"(synchronous=FULL):\n  {wall:.0f} s, {rows / wall:,.0f} rows a second; "
        f"{processor:.0f} s of processor, {rows / processor:,.0f} rows for each; "
        f"{memory / 2**20:.0f} MiB of memory at most"
    )


def _run(words: list[str]) -> tuple[float, float, int]:
    """Run a command; seconds, seconds of processor, and the most bytes that were resident."""
    started, peak = time.monotonic(), 0
    with tempfile.TemporaryFile() as said:
        command = subprocess.Popen(
            [sys.executable, "-m", "cli", *words], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=said
        )
        while not (ended := os.wait4(command.pid, os.WNOHANG))[0]:
            peak = max(peak, Process(pid=command.pid).peak_bytes())
            time.sleep(LOOKS_SECONDS)
        _, status, used = ended
        command.returncode = os.waitstatus_to_exitcode(status)
        if command.returncode != 0:
            said.seek(0)
            told = said.read().decode(errors="replace")[-2000:]
            raise ImportFailedError(f"dialback {' '.join(words)}: {told}")
    return time.monotonic() - started, used.ru_utime + used.ru_stime, peak
