"""What a hand-made carrier writes: replies, challenges, the bodies of INFO.

Reads: requests as they came.
Gives: bytes; whether a login was shown.
Knows nothing of: sockets, time.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from world.sipwriting import header_of

REALM = "handmade"
ALLOW = b"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK"


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What a carrier asks of who calls it (RFC 2617, MD5)."""

    username: str
    password: str
    code: int = 407
    """Or 401."""
    with_qop: bool = False
    """Ask for quality of protection `auth`."""

    def challenge(self, nonce: str) -> bytes:
        name = "Proxy-Authenticate" if self.code == 407 else "WWW-Authenticate"
        qop = ', qop="auth"' if self.with_qop else ""
        return f'{name}: Digest realm="{REALM}", nonce="{nonce}", algorithm=MD5{qop}'.encode()

    def is_shown_in(self, invite: bytes, nonce: str) -> bool:
        """Whether who sent that INVITE knows the password."""
        name = b"Proxy-Authorization" if self.code == 407 else b"Authorization"
        said = dict(re.findall(r'(\w+)="?([^",]+)"?', header_of(invite, name).decode()))
        first = _md5(f"{self.username}:{REALM}:{self.password}")
        second = _md5(f"INVITE:{said.get('uri', '')}")
        between = f"{said.get('nc')}:{said.get('cnonce')}:auth:" if self.with_qop else ""
        right = said.get("username") == self.username and said.get("nonce") == nonce
        return right and said.get("response") == _md5(f"{first}:{nonce}:{between}{second}")


SDP = b"Content-Type: application/sdp"


def reply(
    request: bytes, code: int, *, tag: str, headers: tuple[bytes, ...] = (), body: bytes = b""
) -> bytes:
    """A response to that request."""
    head = request.split(b"\r\n\r\n", 1)[0].split(b"\r\n")[1:]
    kept = [line for line in head if line.split(b":", 1)[0].lower() in {b"via", b"from", b"call-id", b"cseq"}]
    to_line = b"To: " + header_of(request, b"To")
    if code > 100 and b";tag=" not in to_line:
        to_line += b";tag=" + tag.encode()
    more = [ALLOW, *headers, *([SDP] if body else []), f"Content-Length: {len(body)}".encode()]
    return b"\r\n".join([f"SIP/2.0 {code} Said".encode(), *kept, to_line, *more]) + b"\r\n\r\n" + body


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def info_body(key: str, how: str, milliseconds: int) -> tuple[bytes, bytes]:
    if how == "info-short":
        return b"dtmf", key.encode()
    return b"dtmf-relay", f"Signal={key}\r\nDuration={milliseconds}\r\n".encode()
