"""The switch's own sections of switch.toml.

Reads: the tables [switch], [agi] and [ami], already parsed.
Gives: frozen settings; a wrong value is refused by pydantic with its key and rule.
Knows nothing of: the file, other shells' sections.
"""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from calls.limits import Limits

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[int, Field(ge=1, le=86400)]


class Section(BaseModel):
    """A table of switch.toml: unknown keys are refused, values do not change."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AgiSettings(Section):
    """Where Asterisk reaches our FastAGI server. `secret` proves that a session is ours."""

    host: str = "127.0.0.1"
    port: Port
    secret: SecretStr = Field(min_length=16)
    allow: tuple[str, ...] = ("127.0.0.1", "::1")
    """The addresses that may speak AGI; anybody else is closed before any command."""

    @field_validator("allow")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ip_address(text)) for text in value)  # a ValueError is reported with the key


class AmiSettings(Section):
    """Where and as whom we log in to Asterisk's manager interface."""

    host: str = "127.0.0.1"
    port: Port
    user: str = Field(default="dialback", pattern=r"^[A-Za-z0-9_-]{1,64}$")
    secret: SecretStr = Field(min_length=16)


class SwitchSettings(Section):
    """How the switch treats calls."""

    node: str = Field(default="main", pattern=r"^[a-z0-9-]{1,32}$")
    drain_seconds: Seconds = 30
    guard_seconds: Annotated[int, Field(ge=0, le=60)] = 3
    trigger_ring_seconds: Seconds = 30
    a_ring_seconds: Seconds = 45
    b_ring_seconds: Seconds = 60
    quick_retry_seconds: Seconds = 5
    request_worth_seconds: Seconds = 300
    absolute_seconds: Seconds = 7200
    callbacks_max: Annotated[int, Field(ge=0)] = 0
    """How many callbacks may be in progress at once; 0 means no cap. The rest waits its turn."""
    lag_report_seconds: Annotated[int, Field(ge=0, le=86400)] = 0
    """How often the reactor's lateness is written to the log; 0 means it is not measured."""
    cel_file: Path | None = None
    """Asterisk's CEL file; set by the PBX section when we bring Asterisk along."""

    def limits(self) -> Limits:
        """The waits of a callback's life, as calls/transitions.py takes them."""
        return Limits(
            guard_seconds=self.guard_seconds,
            trigger_ring_seconds=self.trigger_ring_seconds,
            request_worth_seconds=self.request_worth_seconds,
            quick_retry_seconds=self.quick_retry_seconds,
        )
