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
