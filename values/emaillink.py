"""The token of a link that confirms an e-mail address: who follows it reads that mailbox.

Reads: the secret of this switch, the account, its address, the instant at which the link was made.
Gives: that instant and a MAC, as text that stands in a URL unescaped; how long it is good.
Knows nothing of: letters, pages, whether the address is still the account's.

Like a spoken code it is nowhere stored: a copy of the database confirms no address.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta

from values.instants import instant_of, micros

LIFE = timedelta(hours=24)
"""From the instant at which it was made, which is included; after so long it is refused."""
_FORM = re.compile(r"([1-9][0-9]{0,15})\.[A-Za-z0-9_-]{43}")
"""Microseconds up to the year 2286, and 256 bits."""


def email_token(secret: bytes, *, account_id: str, email: str, made_at: datetime) -> str:
    """The token of that link."""
    instant = micros(made_at)
    # No id and no instant has a blank in it, so no two links say the same.
    said = f"email link of {account_id} {instant} {email}"
    mac = hmac.new(secret, said.encode(), hashlib.sha256).digest()
    return f"{instant}.{urlsafe_b64encode(mac).decode().rstrip('=')}"


def instant_in(text: str) -> datetime | None:
    """When a token says that it was made, which is not yet proven; None for text that is no token."""
    found = _FORM.fullmatch(text)
    return None if found is None else instant_of(int(found[1]))


def is_same(token: str, other: str) -> bool:
    """Whether both are one; how long it takes says nothing about where they differ."""
    return hmac.compare_digest(token.encode(errors="replace"), other.encode(errors="replace"))


def is_good(made_at: datetime, now: datetime) -> bool:
    """Whether a link that was made then may still be followed."""
    return made_at <= now < made_at + LIFE
