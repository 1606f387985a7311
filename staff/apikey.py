"""`dialback api-key …`: keys with which an account's programs ask for callbacks.

Reads: words of the command line; API keys in the store.
Gives: the click group `api-key`.
Knows nothing of: SQL, HTTP.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING

import rich_click as click

from staff.desk import Desk, pass_desk, say
from staff.inputs import output_option, required_reason_option
from staff.listing import show_record, show_rows

if TYPE_CHECKING:
    from store.apikeys import ApiKey
    from store.database import Connection

SECRET_BYTES = 24
LISTED = ("id", "account", "name", "created_at", "revoked_at")


@click.group("api-key")
def api_key() -> None:
    """API keys: with them an account's programs ask for callbacks."""


@api_key.command(epilog='Example: dialback api-key create acme --name "web shop"')
@click.argument("account_id", metavar="ACCOUNT")
@click.option("--name", required=True, help="What it is for.")
@output_option
@pass_desk
def create(desk: Desk, account_id: str, name: str, output: str) -> None:
    """Make a key and show its secret, this once: only a hash of it is kept."""
    from store import apikeys

    secret = f"dbk_{urlsafe_b64encode(desk.chance(SECRET_BYTES)).decode()}"
    key_id, author = desk.new_id(), desk.author()

    def add(connection: Connection) -> ApiKey:
        return apikeys.add_api_key(
            connection, id=key_id, account_id=account_id, name=name, secret=secret, author=author
        )

    made = desk.change("add api key", add)
    show_record({"id": made.id, "account": made.account_id, "name": made.name, "secret": secret}, output)
    say("Keep the secret now; it cannot be shown again.")


@api_key.command("list", epilog="Example: dialback api-key list --account acme")
@click.option("--account", "account_id", metavar="ACCOUNT", help="Only this account's.")
@output_option
@pass_desk
def list_(desk: Desk, account_id: str | None, output: str) -> None:
    """List keys; secrets are not known."""
    from store import apikeys

    desk.check_account(account_id)
    rows = [
        {
            "id": each.id,
            "account": each.account_id,
            "name": each.name,
            "created_at": each.created_at,
            "revoked_at": each.revoked_at,
        }
        for each in desk.read("list api keys", apikeys.list_api_keys, account_id)
    ]
    show_rows(rows, LISTED, output, none="There is no API key.")


@api_key.command(epilog="Example: dialback api-key revoke 01kz… --reason 'laptop lost'")
@click.argument("key_id", metavar="ID")
@required_reason_option
@pass_desk
def revoke(desk: Desk, key_id: str, reason: str) -> None:
    """Let a key open nothing any more, at once."""
    from store import apikeys

    desk.change("revoke api key", apikeys.revoke_api_key, key_id, desk.author(reason))
    say(f"Key {key_id} opens nothing any more.")
