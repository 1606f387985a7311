"""In which country a consumer lives: what was seen, and whether that is enough.

Reads: what the clerk has seen; rows of `tax_evidence`, which nobody changes.
Gives: Evidence, and what may be concluded from it.
Knows nothing of: tax rates, who must have evidence.

EU law asks of a seller of telephone calls for two pieces that do not contradict each other
(Implementing Regulation (EU) 282/2011, articles 24b and 24f).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from store import checks
from store.accounts import account
from store.audit import Author, note
from store.customertables import tax_evidence

KINDS = ("address", "bank", "ip", "sim", "fixed_line")
PIECES_NEEDED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One piece: a kind of thing that showed that the account's holder lives in `country`."""

    kind: str
    country: str
    detail: str
    seen_at: datetime
    seen_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Residence:
    """What the evidence shows: `country` is proven by `pieces` kinds, or empty while it is not."""

    country: str
    pieces: int
    contradicts: bool

    @property
    def sentence(self) -> str:
        """The same for a clerk."""
        if self.country:
            return f"{self.country}, by {self.pieces} pieces of evidence"
        if self.contradicts:
            return "the evidence contradicts itself: add another piece"
        return f"not proven: {self.pieces} of {PIECES_NEEDED} pieces"


def add_evidence(
    connection: Connection, account_id: str, *, kind: str, country: str, detail: str, author: Author
) -> Evidence:
    """Write down what was seen; a later piece of the same kind takes the place of the earlier one."""
    account(connection, account_id)
    made = Evidence(
        kind=checks.one_of("kind", kind, KINDS),
        country=checks.country("country", country),
        detail=checks.line("detail", detail),
        seen_at=author.at,
        seen_by=author.name,
    )
    row = {"kind": made.kind, "country": made.country, "detail": made.detail}
    seen = {"account_id": account_id, "seen_at": made.seen_at, "seen_by": made.seen_by}
    connection.execute(insert(tax_evidence), row | seen)
    note(connection, author, "account.evidence", account_id, after=row)
    return made


def list_evidence(connection: Connection, account_id: str) -> tuple[Evidence, ...]:
    """All that was ever seen, in order."""
    columns = (tax_evidence.c[name] for name in ("kind", "country", "detail", "seen_at", "seen_by"))
    wanted = select(*columns).where(tax_evidence.c.account_id == account_id).order_by(tax_evidence.c.id)
    return tuple(Evidence(**row) for row in connection.execute(wanted).mappings())


def residence(pieces: Sequence[Evidence]) -> Residence:
    """The country that two kinds of evidence show and that not as many deny."""
    newest = {each.kind: each.country for each in pieces}
    ranked = Counter(newest.values()).most_common()
    if not ranked:
        return Residence(country="", pieces=0, contradicts=False)
    country, most = ranked[0]
    is_alone = len(ranked) == 1 or ranked[1][1] < most
    proven = most >= PIECES_NEEDED and is_alone
    contradicts = not proven and len(ranked) > 1
    return Residence(country=country if proven else "", pieces=most, contradicts=contradicts)
