"""Rows on disk, in a file without a name that is gone when it is closed.

Reads: plain tuples of whole numbers, texts, None and tuples of such.
Gives: the same, in the order in which they were put, as often as they are asked for.
Knows nothing of: what they mean.
"""

import marshal
import os
import tempfile
from collections.abc import Iterator
from itertools import chain
from typing import Any

ROWS_AT_ONCE = 1_000


class Spool:
    """Put, then read; several may read at once. What was put after reading began is not surely read."""

    def __init__(self) -> None:
        """Make the file."""
        self._file = tempfile.TemporaryFile(dir=_folder())  # noqa: SIM115 - close() closes it
        self._blocks: list[tuple[int, int]] = []
        self._size = 0
        self._waiting: list[tuple[Any, ...]] = []

    def close(self) -> None:
        """Delete it all."""
        self._file.close()

    def put(self, row: tuple[Any, ...]) -> None:
        """Add a row."""
        self._waiting.append(row)
        if len(self._waiting) == ROWS_AT_ONCE:
            self._flush()

    def blocks(self) -> Iterator[list[tuple[Any, ...]]]:
        """Yield all rows, some at once."""
        self._flush()
        for start, size in self._blocks:
            yield marshal.loads(os.pread(self._file.fileno(), size, start))  # noqa: S302 - we wrote it

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """Yield all rows."""
        return chain.from_iterable(self.blocks())

    def _flush(self) -> None:
        if self._waiting:
            data = marshal.dumps(self._waiting)
            self._file.write(data)
            self._file.flush()
            self._blocks.append((self._size, len(data)))
            self._size += len(data)
            self._waiting = []


def _folder() -> str | None:
    """TMPDIR, else /var/tmp: /tmp is memory on many machines, and a sheet may be larger than that."""
    var_tmp = "/var/tmp"  # noqa: S108 - the file has no name there
    return var_tmp if "TMPDIR" not in os.environ and os.access(var_tmp, os.W_OK) else None
