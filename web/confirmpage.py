"""The page behind the link of a letter: which address is confirmed for whom, one button, and every answer.

Reads: what following a link means; who asks.
Gives: Page: HTML that needs nothing else, its status and headers.
Knows nothing of: Flask, tokens. No script, no picture, no other host; every text is escaped by the template.
"""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from jinja2 import Environment, StrictUndefined, Template

from billing.printed import local_time
from store.confirmations import Followed, Meaning
from values.emaillink import LIFE
from web.confirmations import House
from web.problems import RETRY_SECONDS

MEDIA_TYPE = "text/html; charset=utf-8"
STATUSES = {Meaning.TOO_OLD: 410, Meaning.CHANGED: 410, Meaning.UNKNOWN: 404}
"""Of the others it is 200."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An answer for people."""

    html: str
    status: int
    headers: Mapping[str, str]


def page_of(house: House, followed: Followed) -> Page:
    """What a link led to, in words. Whose it is stands there only while the link is good."""
    link = followed.link
    return _page(
        house,
        STATUSES.get(followed.meaning, 200),
        meaning=followed.meaning.value,
        link=link,
        owner=followed.owner,
        good_until=_told(None if link is None else link.made_at + LIFE, followed),
        confirmed_at=_told(followed.confirmed_at, followed),
    )


def unavailable_page(house: House) -> Page:
    """The store is away; nothing was done."""
    return _page(house, 503, meaning="unavailable", retry_after=RETRY_SECONDS)


def _page(house: House, status: int, *, retry_after: int = 0, **facts: object) -> Page:
    template, style = _template()
    headers = {
        "Content-Security-Policy": f"default-src 'none'; style-src {style}; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'",
        # The token is in the path: it is told to nobody who is asked for after this page.
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex",
    }
    if retry_after:
        headers["Retry-After"] = str(retry_after)
    return Page(html=template.render(house=house, **facts), status=status, headers=headers)


def _told(instant: datetime | None, followed: Followed) -> str:
    """An instant in the account's zone."""
    if instant is None or followed.owner is None:
        return ""
    return local_time(instant.astimezone(ZoneInfo(followed.owner.zone)))


@cache
def _template() -> tuple[Template, str]:
    """The template, and its style by the hash under which a browser takes it."""
    source = files("web").joinpath("confirm.html.jinja").read_text(encoding="utf-8")
    style = source.partition("<style>")[2].partition("</style>")[0]
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(source), f"'sha256-{digest}'"
