"""Re-rating a callback: its price is taken back and a new one is posted; nothing is edited.

Reads: what the callback came to before and what it comes to now.
Gives: two Entries, the reversal and the new price, both of kind rerate.
Knows nothing of: why the price is another, carriers' cost (it stays as it is), where entries are kept.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from billing.ledger import Entry, EntryKind, LedgerAccount, LedgerAccountKind, Posting


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a callback came to, in 10^-4 of its currency's unit; what was waived is our loss."""

    gross_units: int
    waived_units: int

    @property
    def total_units(self) -> int:
        """Return what the account pays."""
        return self.gross_units - self.waived_units

    def rerated(self, gross_units: int, payable_max_units: int | None) -> "Outcome":
        """Return the outcome at another price.

        Where something was waived at first, the account had no more than it paid then, `payable_max_units`:
        that stays the most it pays, however often it is re-rated.
        """
        waived = 0 if payable_max_units is None else max(gross_units - payable_max_units, 0)
        return replace(self, gross_units=gross_units, waived_units=waived)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerating:
    """One callback at another price. `at` is when it ended: its entries belong to the same period."""

    callback_id: str
    account_id: str
    currency: str
    at: datetime
    revision: int
    before: Outcome
    after: Outcome
    reason: str

    @property
    def reversal_id(self) -> str:
        """Return the id of the entry that takes the old price back."""
        return f"rerate-{self.callback_id}-{self.revision}-reversal"

    @property
    def entry_id(self) -> str:
        """Return the id of the entry of the new price."""
        return f"rerate-{self.callback_id}-{self.revision}"

    def entries(self) -> tuple[Entry, Entry]:
        """Return the reversal and the new entry."""
        return self._entry(self.reversal_id, self.before, -1), self._entry(self.entry_id, self.after, 1)

    def _entry(self, entry_id: str, outcome: Outcome, sign: int) -> Entry:
        """Return what the outcome posts, or takes back."""
        postings = [
            self._posting(LedgerAccountKind.RECEIVABLE, -sign * outcome.total_units, self.account_id),
            self._posting(LedgerAccountKind.REVENUE, sign * outcome.gross_units),
        ]
        if outcome.waived_units:
            postings.append(self._posting(LedgerAccountKind.LOSS, -sign * outcome.waived_units))
        return Entry(
            id=entry_id,
            kind=EntryKind.RERATE,
            at=self.at,
            reference=self.callback_id,
            postings=tuple(postings),
            reason=self.reason,
        )

    def _posting(self, kind: LedgerAccountKind, units: int, owner: str = "") -> Posting:
        return Posting(
            ledger_account=LedgerAccount(kind=kind, owner=owner), units=units, currency=self.currency
        )
