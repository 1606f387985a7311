"""The two ways bytes can be wrong: ours, or theirs.

Reads: nothing.
Gives: LocalProtocolError, RemoteProtocolError.
Knows nothing of: which protocol, sockets.
"""


class ProtocolError(Exception):
    """The bytes of a conversation broke its rules."""


class LocalProtocolError(ProtocolError):
    """Dialback was about to send something that the other side would misread; nothing was sent."""


class RemoteProtocolError(ProtocolError):
    """The other side sent something outside the protocol; only that connection can be given up."""
