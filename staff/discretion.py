"""What staff see of telephone numbers, and that they saw it.

Reads: [privacy] of switch.toml; rows that are about to be printed.
Gives: the rows, numbers masked if the settings say so; a line in the audit log if they ask for one.
Knows nothing of: how long numbers are kept (store/privacy.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from staff.desk import Desk

NUMBER_COLUMNS = frozenset({"number", "destination", "caller", "what_happened"})


def seen(
    desk: Desk, rows: Sequence[Mapping[str, object]], *, action: str, subject: str
) -> list[Mapping[str, object]]:
    """The rows as this person may see them."""
    from store.audit import note

    privacy = desk.settings.privacy
    if privacy.log_reading:
        desk.change("note reading", note, desk.author(), action, subject or "all")
    if not privacy.mask_on_screen:
        return list(rows)
    return [{name: _masked(name, value) for name, value in row.items()} for row in rows]


def _masked(name: str, value: object) -> object:
    from values.masked import mask_all

    return value if value is None or name not in NUMBER_COLUMNS else mask_all(str(value))
