"""The web's own section of switch.toml.

Reads: the table [web], already parsed.
Gives: frozen settings.
Knows nothing of: the file, other sections.
"""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

CONFIRM_PATH = "/confirm"
"""Behind it comes the token of a link that confirms an e-mail address."""
PUBLIC_URL_CHARACTERS_MAX = 200


class WebSettings(BaseModel):
    """Where the API listens. A proxy with TLS stands in front of it when it leaves this machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8080
    threads: Annotated[int, Field(ge=1, le=64)] = 4
    connections_max: Annotated[int, Field(ge=1, le=10_000)] = 500
    """Further connections are closed at once."""
    connections_per_peer_max: Annotated[int, Field(ge=1, le=10_000)] = 250
    """From one address; a proxy in front of it is one address."""
    receive_seconds: Annotated[int, Field(ge=1, le=300)] = 15
    """In which a whole request must have come, however busily its sender drips."""
    public_url: str = ""
    """What people outside write before our paths, such as the proxy's; links in letters begin with it."""

    @field_validator("public_url")
    @classmethod
    def _is_a_plain_url(cls, value: str) -> str:
        if value and not _is_plain(value):
            raise ValueError("write http(s)://HOST, or with a path, without user, query or #")
        return value.rstrip("/")


def _is_plain(url: str) -> bool:
    """Whether a path can be written behind it, and a person can click on that."""
    if len(url) > PUBLIC_URL_CHARACTERS_MAX or not (url.isascii() and url.isprintable()):
        return False
    if any(character in " \"'<>\\?#@" for character in url):
        return False
    try:
        parts = urlsplit(url)
        is_port = parts.port is None or parts.port > 0
    except ValueError:  # such as a port of seven digits
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and is_port
