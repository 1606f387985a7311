"""`dialback trunk …`: the commercial side of carriers' trunks.

Reads: words of the command line; [[trunks]] of switch.toml; trunks in the store.
Gives: the click group `trunk`.
Knows nothing of: SQL, SIP.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import rich_click as click

from staff.desk import Desk, pass_desk, say
from staff.exits import NOT_FOUND, Stop
from staff.inputs import output_option, reason_option, rows_output_option
from staff.listing import Row, show_record, show_rows

if TYPE_CHECKING:
    from store.audit import Author
    from store.callerids import Permit
    from store.database import Connection
    from store.trunks import Trunk

LISTED = (
    "name",
    "carrier",
    "cost_deck",
    "channels_max",
    "priority",
    "asr_floor_percent",
    "acd_floor_seconds",
    "zone",
    "bands",
    "enabled",
    "sip",
)
SPARE = ("acd_floor_seconds", "asr_floor_percent")
CLASSES = ("same_country", "eea", "non_eea", "invalid")
PERMITS = ("trunk", "prefix", "permitted")


@click.group()
def trunk() -> None:
    """Trunks: which carrier takes calls, at which cost, in which order."""


@trunk.command(
    epilog="Example: dialback trunk add alpha --carrier alphatel --cost-deck alphatel-cost --priority 10"
)
@click.argument("name")
@click.option("--carrier", required=True, metavar="CARRIER", help="Who is owed for its calls.")
@click.option("--cost-deck", required=True, metavar="DECK", help="A deck of kind cost.")
@click.option("--channels-max", type=int, default=0, show_default=True, help="Calls at once; 0 sets no cap.")
@click.option(
    "--priority", type=int, default=10, show_default=True, help="At one cost, the lower goes first."
)
@click.option(
    "--asr-floor",
    "asr_floor_percent",
    type=int,
    default=0,
    show_default=True,
    metavar="PERCENT",
    help="It rests while fewer of its latest calls are answered.",
)
@click.option(
    "--acd-floor",
    "acd_floor_seconds",
    type=int,
    default=0,
    show_default=True,
    metavar="SECONDS",
    help="It rests while its latest calls are shorter on average.",
)
@click.option("--zone", default="UTC", show_default=True, metavar="ZONE", help="Whose clock bands go by.")
@click.option(
    "--band",
    "bands",
    multiple=True,
    metavar="BAND",
    help="Hours that its deck's rows may name: peak=Mo-Fr 08:00-20:00. May be given again.",
)
@reason_option
@output_option
@pass_desk
def add(desk: Desk, /, name: str, reason: str, output: str, **terms: Any) -> None:
    """Let calls go out over a trunk; NAME is that of its [[trunks]] table in switch.toml."""
    from store import trunks

    _sip_of(desk, name)
    wish = trunks.Trunk(name=name, **{**terms, "bands": "; ".join(terms["bands"])})
    made = desk.change("add trunk", trunks.add_trunk, wish, desk.author(reason))
    show_record(_line(desk, made), output)


@trunk.command(epilog="Example: dialback trunk change alpha --priority 20")
@click.argument("name")
@click.option("--carrier", metavar="CARRIER", help="Who is behind it.")
@click.option("--cost-deck", metavar="DECK", help="What its minutes cost us.")
@click.option("--channels-max", type=int, help="How many calls at once; 0 sets no cap.")
@click.option("--priority", type=int, help="Among routes of one cost the lowest goes first.")
@click.option(
    "--asr-floor",
    "asr_floor_percent",
    type=int,
    metavar="PERCENT",
    help="It rests while fewer answer; 0 asks nothing.",
)
@click.option(
    "--acd-floor",
    "acd_floor_seconds",
    type=int,
    metavar="SECONDS",
    help="It rests while talks are shorter; 0 asks nothing.",
)
@click.option("--zone", metavar="ZONE", help="Whose clock bands go by.")
@click.option(
    "--band", "bands", multiple=True, metavar="BAND", help='Its bands, all anew; "" takes them away.'
)
@reason_option
@output_option
@pass_desk
def change(desk: Desk, /, name: str, reason: str, output: str, **terms: Any) -> None:
    """Change what is named; the next call takes it so."""
    terms["bands"] = "; ".join(terms["bands"]) if terms["bands"] else None
    given = {field: value for field, value in terms.items() if value is not None}
    if not given:
        raise click.UsageError("nothing to change: name at least one option")
    made = desk.change("change trunk", _change, name, given, desk.author(reason))
    show_record(_line(desk, made), output)


@trunk.command("list", epilog="Example: dialback trunk list")
@rows_output_option
@pass_desk
def list_(desk: Desk, output: str) -> None:
    """List trunks, with their SIP side in switch.toml."""
    from store import trunks

    rows = [_line(desk, each) for each in desk.read("list trunks", trunks.list_trunks)]
    show_rows(
        rows, LISTED, output, spare=SPARE, none="No trunk is in use; add one with `dialback trunk add`."
    )
    unused = sorted({each.name for each in desk.settings.trunks} - {str(row["name"]) for row in rows})
    if unused:
        say(f"In {desk.config} but not in use: {', '.join(unused)}")


@trunk.command(epilog="Example: dialback trunk enable alpha")
@click.argument("name")
@reason_option
@pass_desk
def enable(desk: Desk, name: str, reason: str) -> None:
    """Send calls over it again."""
    _sip_of(desk, name)
    desk.change("enable trunk", _change, name, {"enabled": True}, desk.author(reason))
    say(f"Trunk {name} is in use.")


@trunk.command(epilog="Example: dialback trunk disable alpha --reason 'no audio since noon'")
@click.argument("name")
@reason_option
@pass_desk
def disable(desk: Desk, name: str, reason: str) -> None:
    """Send no new call over it; running ones go on."""
    desk.change("disable trunk", _change, name, {"enabled": False}, desk.author(reason))
    say(f"Trunk {name} takes no new calls.")


@trunk.command(
    "caller-id",
    epilog="Example: dialback trunk caller-id alpha 44 --permit eea --permit non_eea"
    "\n\nExample: dialback trunk caller-id alpha 44 --remove",
)
@click.argument("name")
@click.argument("prefix")
@click.option(
    "--permit",
    multiple=True,
    type=click.Choice(CLASSES),
    help="A class of caller ID that may be shown there. May be given again.",
)
@click.option("--remove", is_flag=True, help="Let the next shorter prefix decide.")
@reason_option
@output_option
@pass_desk
def caller_id(
    desk: Desk, /, name: str, prefix: str, *, permit: tuple[str, ...], remove: bool, reason: str, output: str
) -> None:
    """Say which caller IDs may be shown at numbers with PREFIX ("" for all); else one of our DIDs is."""
    from rating.origin import OriginClass
    from store import callerids

    if bool(permit) == remove:
        raise click.UsageError("name what is permitted by --permit, or --remove the line")
    author = desk.author(reason)
    if remove:
        desk.change("remove permit", callerids.remove_permit, name, prefix, author)
        say(f"Trunk {name} has no rule of its own for {prefix or 'all numbers'} any more.")
        return
    wish = callerids.Permit(trunk=name, prefix=prefix, permitted=frozenset(map(OriginClass, permit)))
    made = desk.change("set permit", callerids.set_permit, wish, author)
    show_record(_permit(made), output)


@trunk.command(epilog="Example: dialback trunk permits")
@output_option
@pass_desk
def permits(desk: Desk, output: str) -> None:
    """List which caller IDs trunks may show where; without a line everything that is ours may be."""
    from store import callerids

    rows = [_permit(each) for each in desk.read("list permits", callerids.list_permits)]
    show_rows(rows, PERMITS, output, none="Every trunk may show every caller ID.")


def _permit(known: Permit) -> Row:
    from rating.origin import OriginClass

    permitted = [each.value for each in OriginClass if each in known.permitted]
    return {"trunk": known.trunk, "prefix": known.prefix, "permitted": permitted}


def _sip_of(desk: Desk, name: str) -> str:
    """Where the trunk is in SIP; exit code 3 if switch.toml does not know it."""
    known = {each.name: f"{each.host}:{each.port}" for each in desk.settings.trunks}
    if name not in known:
        there = f"it has {', '.join(sorted(known))}" if known else "it has none"
        problem = f"{desk.config} has no [[trunks]] named {name!r}; {there}"
        raise Stop(f"trunk: {problem}: add it there first", NOT_FOUND)
    return known[name]


def _change(connection: Connection, name: str, given: dict[str, Any], author: Author) -> Trunk:
    from store import trunks

    return trunks.change_trunk(connection, replace(trunks.trunk(connection, name), **given), author)


def _line(desk: Desk, known: Trunk) -> Row:
    sip = {each.name: f"{each.host}:{each.port}" for each in desk.settings.trunks}
    return {
        "name": known.name,
        "carrier": known.carrier,
        "cost_deck": known.cost_deck,
        "channels_max": known.channels_max or None,
        "priority": known.priority,
        "asr_floor_percent": known.asr_floor_percent,
        "acd_floor_seconds": known.acd_floor_seconds,
        "zone": known.zone,
        "bands": known.bands,
        "enabled": known.enabled,
        "sip": sip.get(known.name, f"not in {desk.config.name}"),
    }
