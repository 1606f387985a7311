"""What can go wrong with the Asterisk we bring along, each with its remedy.

Reads: nothing.
Gives: exceptions with an exit code, whose text is the one line that the operator reads.
Knows nothing of: apt, Asterisk, click.
"""

from __future__ import annotations


class PbxError(Exception):
    """A reason and a remedy in one line."""

    exit_code = 1

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason}. {remedy}")
        self.reason = reason
        self.remedy = remedy


class FetchRefused(PbxError):
    """A private Asterisk cannot be fetched on this host as it stands."""

    exit_code = 69


class VersionRefused(PbxError):
    """The Asterisk at hand has known holes."""

    exit_code = 4


class ToolMissing(PbxError):
    """A program that is needed is neither installed nor fetched."""

    exit_code = 69


class ConfigurationRefused(PbxError):
    """The settings cannot be written as Asterisk configuration."""

    exit_code = 78


class StartFailed(PbxError):
    """Asterisk did not come up."""

    exit_code = 69


class CommandFailed(PbxError):
    """A running Asterisk did not take a console command."""

    exit_code = 69


class NotRunning(PbxError):
    """No Asterisk runs in that folder."""

    exit_code = 69


class AlreadyRunning(PbxError):
    """An Asterisk runs in that folder already."""

    exit_code = 5
