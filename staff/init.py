"""`dialback init`: a first switch.toml and an empty database, or a site to practise on.

Reads: which ports are free here.
Gives: the click command `init`.
Knows nothing of: what the settings do.
"""

from __future__ import annotations

import os
import socket
from base64 import urlsafe_b64encode
from pathlib import Path

import rich_click as click

from staff import db
from staff.desk import Desk, pass_desk, say
from staff.exits import CONFLICT, UNAVAILABLE, Stop

LOOPBACK = "127.0.0.1"
FILE_NAME, DATABASE_NAME = "switch.toml", "dialback.db"
SECRET_BYTES = 24
SIP_PORT, AGI_PORT, AMI_PORT, WEB_PORT = 5060, 4573, 5038, 8080
"""The usual ones: SIP (RFC 3261), FastAGI and AMI (Asterisk), HTTP beside a proxy."""
MEDIA_PORTS = 200
MEDIA_STARTS = range(10_000, 30_000, 1_000)

TEMPLATE = """\
# Dialback's only configuration file; relative paths start at its folder.
# It holds secrets: keep it readable for the switch alone. `dialback db check` says what is wrong in it.

[database]
url = "sqlite:///{database}"          # or postgresql://user@host/name
# Everything else about accounts, numbers, plans and rates is in there, and changed by `dialback …` commands.

[pbx]                                  # the Asterisk that Dialback brings along
folder = "asterisk"
host = "{host}"                     # SIP and media; the address that carriers see, or 0.0.0.0 for all
sip_port = {sip_port}
rtp_start = {rtp_start}
rtp_end = {rtp_end}
# external_address = "203.0.113.5"     # behind address translation: what carriers see

[agi]                                  # where Asterisk finds the switch
host = "{host}"
port = {agi_port}
secret = "{agi_secret}"

[ami]                                  # where the switch finds Asterisk; never leave the loopback
host = "{host}"
port = {ami_port}
user = "dialback"
secret = "{ami_secret}"

[web]                                  # the API; a proxy with TLS stands in front of it
host = "{host}"
port = {web_port}
# public_url = "https://calls.example.com"  # where people outside find it: for links in letters

[switch]
drain_seconds = 30                     # SIGTERM: how long running calls may go on
guard_seconds = 3                      # from the trigger's hang-up to the call back
a_ring_seconds = 45
b_ring_seconds = 60
# callbacks_max = 0                    # how many callbacks at once; 0 sets no cap

[log]
format = "text"                        # or json
level = "info"

[seller]                               # who stands on invoices
{seller}

# [decks]
# two_people = true                    # who stages a rate sheet may not approve it

{invoices}

# [mail]                               # the server that takes invoices; `dialback mail run` sends them
# host = "mail.example.com"
# port = 587
# security = "starttls"                # or tls, or none
# user = "dialback"
# password = "…"
# sender = "accounts@example.com"

# [privacy]                            # how long numbers are kept whole; `dialback privacy run` masks
# keep_months = 6
# keep_months_by_country = {{ DE = 3 }}  # by the subscriber's home country
# mask_on_screen = true                # lists show masked ones; `dialback privacy unmask` shows and logs
# unmask_users = ["anna"]              # who may do so; without it everybody
# log_reading = true                   # reading call records is written into the audit log

# One table for each carrier; its cost deck, channels and priority: `dialback trunk add`.
# [[trunks]]
# name = "alpha"
# host = "sip.carrier.example"
# port = 5060
# match = ["198.51.100.7"]             # whence its calls come
# country = "GB"                       # how it writes caller numbers
# username = "…"
# password = "…"
# codecs = ["alaw", "ulaw"]
# prefix = "990"                       # digits that it wants before each number
# plus = true                          # it wants numbers as +44…
# dtmf = "inband"                      # only if keys are lost: it agrees to RFC 4733 and then sends tones
"""

SELLER = """\
name = "Dialback"
# address = ["1 High Street", "London"]
# country = "GB"                       # wanted by the electronic form of invoices
# tax_id = "GB123456789"
# email = "accounts@example.com"
# bank = ["IBAN GB33BUKB20201555555555"]"""
INVOICES = """\
# [invoices]                           # numbers have no gap within what the pattern fixes
# number = "INV-{year}-{n:05}"
# due_days = 14"""
PRACTICE_HEAD = "# PRACTICE: these customers, carriers and calls are made up. Never let real ones in.\n"
PRACTICE_SELLER = """\
name = "PRACTICE (no real company)"
address = ["1 Nowhere Street", "London"]
country = "GB"
tax_id = "GB000000000"
email = "practice@dialback.example"
bank = ["PRACTICE: pay nothing"]"""
PRACTICE_INVOICES = """\
[invoices]
number = "PRACTICE-{year}-{n:05}"
credit_note_number = "PRACTICE-CN-{year}-{n:05}\""""


@click.command(
    epilog="Example: dialback init --folder /etc/dialback"
    "\n\nExample: dialback init --folder practice --practice"
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where switch.toml is written.  [default: here]",
)
@click.option(
    "--practice",
    is_flag=True,
    help="Put made-up customers in, with their calls of last month, to try things on.",
)
@pass_desk
def init(desk: Desk, folder: Path, *, practice: bool) -> None:
    """Write a commented switch.toml with fresh secrets and free ports, and make the database."""
    file = folder / FILE_NAME
    for kept in (file, folder / DATABASE_NAME) if practice else (file,):
        if kept.exists():
            raise Stop(f"{kept}: is there already and is never overwritten; name another --folder", CONFLICT)
    folder.mkdir(parents=True, exist_ok=True)
    _write(file, _text(desk, practice=practice))
    desk.config = file
    try:
        revision, rows = db.prepare(desk)
        month = _practise(desk) if practice else ""
    except BaseException:
        # Half an installation would look like a whole one, and a second init would refuse to mend it.
        file.unlink()
        raise
    click.echo(f"{file} written; its database is at revision {revision}, with {rows} rows of country policy")
    if practice:
        click.echo(f"PRACTICE: four customers who do not exist, and their calls of {month}")
        say(f"Next: `dialback account list`, and the walk of docs/OPERATING.md with MONTH={month}.")
        return
    say("Next: add your carriers to it, then `dialback deck import`, `plan add`, `trunk add`, `account add`.")


def _write(file: Path, text: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)


def _practise(desk: Desk) -> str:
    """Fill the new database with a practice month; which one."""
    from staff import practice

    try:
        year, month = practice.fill(desk)
    except BaseException:
        desk.database.close()
        (desk.config.parent / DATABASE_NAME).unlink()
        raise
    return f"{year}-{month:02}"


def _text(desk: Desk, *, practice: bool) -> str:
    taken: set[int] = set()
    rtp_start = _media_start()
    text = TEMPLATE.format(
        database=DATABASE_NAME,
        seller=PRACTICE_SELLER if practice else SELLER,
        invoices=PRACTICE_INVOICES if practice else INVOICES,
        host=LOOPBACK,
        sip_port=_port(SIP_PORT, socket.SOCK_DGRAM, taken),
        rtp_start=rtp_start,
        rtp_end=rtp_start + MEDIA_PORTS - 1,
        agi_port=_port(AGI_PORT, socket.SOCK_STREAM, taken),
        ami_port=_port(AMI_PORT, socket.SOCK_STREAM, taken),
        web_port=_port(WEB_PORT, socket.SOCK_STREAM, taken),
        agi_secret=_secret(desk),
        ami_secret=_secret(desk),
    )
    return f"{PRACTICE_HEAD}{text}" if practice else text


def _secret(desk: Desk) -> str:
    return urlsafe_b64encode(desk.chance(SECRET_BYTES)).decode()


def _port(usual: int, kind: socket.SocketKind, taken: set[int]) -> int:
    """The usual port if it is free, else one that is."""
    port = usual if _is_free(usual, kind) else 0
    while port == 0 or port in taken:
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.bind((LOOPBACK, 0))
            port = probe.getsockname()[1]
    taken.add(port)
    return port


def _media_start() -> int:
    for start in MEDIA_STARTS:
        if all(_is_free(port, socket.SOCK_DGRAM) for port in range(start, start + MEDIA_PORTS)):
            return start
    raise Stop(f"ports: no {MEDIA_PORTS} free UDP ports in a row from 10000 to 30000; free some", UNAVAILABLE)


def _is_free(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind is socket.SOCK_STREAM:
            # As a server binds: a connection that closed a minute ago does not count as a listener.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
