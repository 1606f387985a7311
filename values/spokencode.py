"""The code that a verification call speaks.

Reads: the secret of this switch, the callback's id.
Gives: seven digits, the same each time, that nobody without the secret can tell.
Knows nothing of: who may ask for one, how often it may be tried.

The code is nowhere stored: a copy of the database opens no number.
"""

import hashlib
import hmac

DIGITS = 7
"""More than 20 bits: 10^7 is 2^23.2."""


def spoken_code(secret: bytes, callback_id: str) -> str:
    """The code of that callback."""
    mac = hmac.new(secret, f"spoken code of {callback_id}".encode(), hashlib.sha256).digest()
    # 64 bits on 10^7 codes: the first ones are likelier by less than one in 10^12.
    return f"{int.from_bytes(mac[:8]) % 10**DIGITS:0{DIGITS}d}"
