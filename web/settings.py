"""The web's own section of switch.toml.

Reads: the table [web], already parsed.
Gives: frozen settings.
Knows nothing of: the file, other sections.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


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
