"""What can go wrong with the Asterisk we bring along, each with its remedy.

Reads: nothing.
Gives: exceptions whose text is the one line that the operator reads.
Knows nothing of: apt, Asterisk, click.
"""

from __future__ import annotations


class PbxError(Exception):
    """A reason and a remedy in one line."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason}. {remedy}")
        self.reason = reason
        self.remedy = remedy


class FetchRefused(PbxError):
    """A private Asterisk cannot be fetched on this host as it stands."""


class VersionRefused(PbxError):
    """The Asterisk at hand has known holes."""


class ToolMissing(PbxError):
    """A program that is needed is neither installed nor fetched."""


class ConfigurationRefused(PbxError):
    """The settings cannot be written as Asterisk configuration."""


class StartFailed(PbxError):
    """Asterisk did not come up."""


class CommandFailed(PbxError):
    """A running Asterisk did not take a console command."""


class NotRunning(PbxError):
    """No Asterisk runs in that folder."""


class AlreadyRunning(PbxError):
    """An Asterisk runs in that folder already."""
