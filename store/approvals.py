"""A staged version comes into force, or goes again: each in one short transaction.

Reads: versions of decks (store/staging.py), and who says so.
Gives: the version as it stands then; a refusal with its remedy.
Knows nothing of: how it was checked.
"""

from dataclasses import dataclass, replace

from sqlalchemy import Connection, select, update

from billing import printed
from store.audit import Author, note
from store.errors import Conflict, Forbidden, NotFound
from store.schema import deck_versions, decks
from store.staging import Version, standing, version


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """How a version is approved: in spite of findings that hold, for a reason; without its rejected rows."""

    override: str = ""
    without_rejected: bool = False
    by_another: bool = False


def approve(
    connection: Connection, deck_name: str, number: int, approval: Approval, author: Author
) -> Version:
    """The version, approved: in force from its instant, or from now if that has passed.

    Approving what is approved changes nothing.
    """
    _lock(connection, deck_name)
    wanted = version(connection, deck_name, number)
    if wanted.state == "approved":
        return wanted
    before = standing(connection, deck_name)
    _check(wanted, before, approval, author)
    # What was in force stays what it was until now; a first version may reach back.
    effective_at = wanted.effective_at if before is None else max(wanted.effective_at, author.at)
    values = {"approved_at": author.at, "approved_by": author.name, "effective_at": effective_at}
    connection.execute(update(deck_versions).where(deck_versions.c.id == wanted.id).values(**values))
    reason = "; ".join(text for text in (author.reason, approval.override) if text)
    after = {
        "version": number,
        "effective_at": effective_at,
        "rows": wanted.rows,
        "rejected": wanted.rejected,
    }
    note(connection, replace(author, reason=reason), "deck.approve", deck_name, after=after)
    return version(connection, deck_name, number)


def withdraw(connection: Connection, deck_name: str, author: Author) -> tuple[Version, Version]:
    """Take back the newest approved version; it, and the one that holds instead, exactly as it was."""
    _lock(connection, deck_name)
    newest = standing(connection, deck_name)
    if newest is None:
        raise NotFound("deck", f"deck {deck_name!r} has no version in force", "there is nothing to take back")
    mine = deck_versions.c.id == newest.id
    connection.execute(update(deck_versions).where(mine).values(withdrawn_at=author.at))
    instead = standing(connection, deck_name)
    if instead is None:
        problem = f"{newest.name} is the only version of the deck: without it every call is refused"
        raise Forbidden("deck", problem, "import and approve a better one instead")
    note(
        connection,
        author,
        "deck.rollback",
        deck_name,
        before={"version": newest.version},
        after={"version": instead.version},
    )
    return version(connection, deck_name, newest.version), instead


def _lock(connection: Connection, deck_name: str) -> None:
    """One at a time: on PostgreSQL two might otherwise both find the same version standing."""
    connection.execute(select(decks.c.name).where(decks.c.name == deck_name).with_for_update())


def _check(wanted: Version, before: Version | None, approval: Approval, author: Author) -> None:
    if wanted.state == "withdrawn":
        raise Conflict("version", f"{wanted.name} was withdrawn", "import its sheet again")
    if wanted.state != "staged":
        raise Conflict("version", f"{wanted.name} was never staged to its end", "import the sheet again")
    standing_version = 0 if before is None else before.version
    if wanted.base_version != standing_version:
        problem = (
            f"{wanted.name} was compared with version {wanted.base_version}, {standing_version} stands now"
        )
        raise Conflict("version", problem, "import the sheet again, so that it is compared with that")
    if before is not None and wanted.effective_at < before.effective_at:
        problem = (
            f"{before.name} is approved for {before.effective_at:%Y-%m-%dT%H:%M:%SZ}, later than this one"
        )
        raise Conflict("version", problem, "roll that one back first, or import with a later --effective")
    if wanted.rejected and not approval.without_rejected:
        problem = f"{printed.count(wanted.rejected, 'row')} of the sheet rejected"
        raise Forbidden("rejected", problem, "mend them and import again, or say --without-rejected")
    if wanted.held and not approval.override:
        findings = printed.count(wanted.held, "finding")
        problem = f"held by {findings} (`dialback deck diff {wanted.name}`)"
        raise Forbidden("override", problem, "say why it is right: --override REASON")
    if approval.by_another and author.name == wanted.created_by:
        problem = f"{author.name} staged it, and [decks] two_people is on"
        raise Forbidden("author", problem, "let somebody else approve it")
