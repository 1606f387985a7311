"""Find the longest prefixes of a million numbers at once.

Reads: distinct prefixes; numbers as columns (NumberColumn).
Gives: PrefixTable: for each number the place of its longest prefix, and the next shorter one of each prefix.
Knows nothing of: rates, dates, files.

A number is kept as a whole number, its digits moved to the left end of 15 places. Its first six digits choose
a cell of a table; where longer prefixes begin in that cell, the next two digits choose one of a block of a
hundred, and two more another. A look-up is therefore one to three reads, however many prefixes there are.
Prefixes of more than ten digits, and those for whose blocks there is no room, are searched for in sorted
lists, length by length, and only for numbers whose shorter prefix has such longer ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rating.prefixes import PREFIX_DIGITS_MAX

Ints = npt.NDArray[np.int64]
Places = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

NOWHERE = -1
"""The place of a number that has no prefix here."""
CHUNK = 32_768
"""So many numbers at a time: what a chunk needs stays in the processor's cache."""

_CELL_DIGITS = 6
_BLOCK_DIGITS = 2
_TABLE_DIGITS = _CELL_DIGITS + 2 * _BLOCK_DIGITS
BLOCKS_MAX = 250_000
"""100 MB. Real decks need a tenth; a million prefixes strewn at random would need four times as many."""
_NO_CELL = np.iinfo(np.int32).max
"""What a cell holds that no prefix reaches; a block is a negative number, a place one from 0."""


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """Numbers, or prefixes: `keys` are their digits at the left end of 15 places, `lengths` how many."""

    keys: Ints
    lengths: Ints

    def __len__(self) -> int:
        """Return how many numbers there are."""
        return len(self.keys)

    def part(self, start: int, end: int) -> "NumberColumn":
        """Return some of them."""
        return NumberColumn(self.keys[start:end], self.lengths[start:end])


def number_column(digits: Sequence[str]) -> NumberColumn:
    """Return texts of 1 to 15 ASCII digits as a column; ValueError where one is something else."""
    texts = np.array(digits, dtype=f"S{PREFIX_DIGITS_MAX + 1}")  # a longer one is cut, and seen to be so
    characters = texts.view(np.uint8).reshape(len(texts), PREFIX_DIGITS_MAX + 1)
    is_there = characters != 0
    lengths = is_there.sum(axis=1, dtype=np.int64)
    values = characters - np.uint8(ord("0"))  # what is below "0" wraps round and is too large
    is_digit = (values <= 9) | ~is_there
    is_gapless = is_there == (np.arange(PREFIX_DIGITS_MAX + 1) < lengths[:, None])
    sound = (is_digit & is_gapless).all(axis=1) & (lengths >= 1) & (lengths <= PREFIX_DIGITS_MAX)
    if not sound.all():
        raise ValueError(f"{digits[int(np.argmin(sound))]!r} is not 1 to {PREFIX_DIGITS_MAX} ASCII digits")
    keys = np.zeros(len(texts), dtype=np.int64)
    for place in range(PREFIX_DIGITS_MAX):
        keys *= 10
        keys += np.where(is_there[:, place], values[:, place], 0)
    return NumberColumn(keys, lengths)


class PrefixTable:
    """Places by prefix. Immutable by convention: nothing in it changes after it is made."""

    __slots__ = ("_blocks", "_cells", "_has_longer", "_lengths", "_long", "_reach_max", "shorter")

    def __init__(self, prefixes: NumberColumn) -> None:
        """Index distinct prefixes; the place of each is its place in the column.

        `shorter` holds for each place that of the next shorter prefix, or NOWHERE.
        """
        self._cells: Places = np.full(10**_CELL_DIGITS, _NO_CELL, dtype=np.int32)
        self._blocks: Places = np.empty((0, 10**_BLOCK_DIGITS), dtype=np.int32)
        self._lengths = prefixes.lengths
        self._reach_max = int(prefixes.lengths.max(initial=0))
        self._long: tuple[tuple[int, Ints, Places], ...] = ()
        self._has_longer: Flags = np.zeros(len(prefixes) + 1, dtype=np.bool_)
        self.shorter: Places = np.full(len(prefixes), NOWHERE, dtype=np.int32)
        for length in range(1, PREFIX_DIGITS_MAX + 1):
            places = np.flatnonzero(prefixes.lengths == length).astype(np.int32)
            if len(places):
                keys = prefixes.keys[places]
                self.shorter[places] = self._longest(keys)
                self._add(length, keys, places)

    def find(self, numbers: NumberColumn) -> Places:
        """Return the place of each number's longest prefix, NOWHERE for one that has none."""
        found = np.empty(len(numbers), dtype=np.int32)
        for start in range(0, len(numbers), CHUNK):
            some = numbers.part(start, start + CHUNK)
            found[start : start + CHUNK] = self._found(some)
        return found

    def _found(self, numbers: NumberColumn) -> Places:
        found = self._longest(numbers.keys)
        if self._reach_max > numbers.lengths.min(initial=PREFIX_DIGITS_MAX):
            # The places to the right of a short number are empty, not zeros: a prefix longer than the
            # number is none of its own, but the shorter ones below it are.
            while (beyond := np.flatnonzero(self._reach(found) > numbers.lengths)).size:
                found[beyond] = self.shorter[found[beyond]]
        return found

    def _reach(self, places: Places) -> Ints:
        return np.where(places == NOWHERE, 0, self._lengths[places])

    def _longest(self, keys: Ints) -> Places:
        """Return the place of the longest prefix that is there so far, of numbers of 15 digits."""
        codes: Places = np.take(self._cells, keys // 10 ** (PREFIX_DIGITS_MAX - _CELL_DIGITS))
        for digits in (_CELL_DIGITS + _BLOCK_DIGITS, _TABLE_DIGITS):
            inside = np.flatnonzero(codes < 0)
            if not inside.size:
                break
            rest = keys[inside] // 10 ** (PREFIX_DIGITS_MAX - digits)
            cells = ~codes[inside].astype(np.int64) * 10**_BLOCK_DIGITS + rest % 10**_BLOCK_DIGITS
            codes[inside] = np.take(self._blocks, cells)
        codes[codes == _NO_CELL] = NOWHERE
        if self._long:
            self._look_longer(keys, codes)
        return codes

    def _look_longer(self, keys: Ints, found: Places) -> None:
        behind = np.flatnonzero(self._has_longer[found])  # NOWHERE is the last flag
        for length, known, places in self._long:
            if not behind.size:
                return
            wanted = keys[behind] // 10 ** (PREFIX_DIGITS_MAX - length)
            nearest = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
            hit = known[nearest] == wanted
            found[behind[hit]] = places[nearest[hit]]
            behind = behind[~hit]

    def _add(self, length: int, keys: Ints, places: Places) -> None:
        digits = keys // 10 ** (PREFIX_DIGITS_MAX - length)
        if len(np.unique(digits)) < len(digits):
            raise ValueError(f"a prefix of {length} digits occurs twice")
        if length <= _CELL_DIGITS:
            self._cells.reshape(10**length, -1)[digits] = places[:, None]
        elif self._long or length > _TABLE_DIGITS or not self._has_room(length, digits):
            # The lists are searched after the table, so whatever is longer than a listed prefix is listed.
            self._has_longer[self._in_table(keys)] = True
            order = np.argsort(digits)
            self._long = ((length, digits[order], places[order]), *self._long)
        else:
            self._add_to_blocks(length, digits, places)

    def _add_to_blocks(self, length: int, digits: Ints, places: Places) -> None:
        deep = _CELL_DIGITS + _BLOCK_DIGITS
        cells = self._open(self._cells, digits // 10 ** (length - _CELL_DIGITS))
        if length > deep:
            second = digits // 10 ** (length - deep) % 10**_BLOCK_DIGITS
            cells = self._open(self._blocks.reshape(-1), cells * 10**_BLOCK_DIGITS + second)
            deep = _TABLE_DIGITS
        below = length - deep + _BLOCK_DIGITS  # 1 or 2 digits are left to choose within the block
        self._blocks.reshape(len(self._blocks), 10**below, -1)[cells, digits % 10**below] = places[:, None]

    def _has_room(self, length: int, digits: Ints) -> bool:
        """Whether the blocks stay within bounds if each cell that is needed were to get a new one."""
        chosen = [d for d in (_CELL_DIGITS, _CELL_DIGITS + _BLOCK_DIGITS) if d < length]
        needed = sum(len(np.unique(digits // 10 ** (length - d))) for d in chosen)
        return len(self._blocks) + needed <= BLOCKS_MAX

    def _in_table(self, keys: Ints) -> Places:
        longer, self._long = self._long, ()
        found = self._longest(keys)
        self._long = longer
        return found

    def _open(self, cells: Places, wanted: Ints) -> Ints:
        """Return the block of each wanted cell; a cell that has none gets one, filled with what it held."""
        # A cell that no prefix reaches counts as closed too: what it holds is no block.
        closed = np.unique(wanted[cells[wanted] >= 0])
        first = len(self._blocks)
        held = cells[closed]
        cells[closed] = ~np.arange(first, first + len(closed), dtype=np.int32)
        opened = np.repeat(held[:, None], 10**_BLOCK_DIGITS, axis=1)
        numbers: Ints = ~cells[wanted].astype(np.int64)
        self._blocks = np.concatenate([self._blocks, opened])
        return numbers
