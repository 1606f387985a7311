"""Find the longest prefix of a number.

Reads: pairs of a prefix (ASCII digits) and what it stands for.
Gives: Prefixes, an immutable table; a new deck is a new table, swapped by reference.
Knows nothing of: rates, dates, files.

One dictionary and the lengths that occur in it: a lookup costs one slice and one hash for each length, so
it does not grow with the deck. E.164 allows 15 digits, which bounds it.
"""

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

PREFIX_DIGITS_MAX = 15
"""E.164: a number has at most 15 digits, and so has a prefix."""

Value = TypeVar("Value")


class Prefixes(Generic[Value]):
    """Values by prefix. Immutable by convention: nothing in it changes after it is made."""

    __slots__ = ("_by_prefix", "_lengths")

    def __init__(self, pairs: Iterable[tuple[str, Value]]) -> None:
        """Keep the pairs; a prefix that occurs twice is an error."""
        by_prefix: dict[str, Value] = {}
        for prefix, value in pairs:
            if prefix in by_prefix:
                raise ValueError(f"prefix {prefix} occurs twice")
            if not (prefix.isascii() and prefix.isdigit() and len(prefix) <= PREFIX_DIGITS_MAX):
                raise ValueError(f"prefix {prefix!r} is not 1 to {PREFIX_DIGITS_MAX} ASCII digits")
            by_prefix[prefix] = value
        self._by_prefix = by_prefix
        self._lengths = tuple(sorted({len(prefix) for prefix in by_prefix}, reverse=True))

    def __len__(self) -> int:
        """Return how many prefixes there are."""
        return len(self._by_prefix)

    def matches(self, digits: str) -> Iterator[Value]:
        """Yield the values of all prefixes of `digits`, the longest prefix first."""
        by_prefix = self._by_prefix
        for length in self._lengths:
            if length <= len(digits):
                prefix = digits[:length]
                if prefix in by_prefix:
                    yield by_prefix[prefix]
