"""Vouchers: a secret of sixteen digits that is worth an amount once.

Reads: random bytes, what a person typed.
Gives: secrets with a check digit, their fingerprints, why one is not taken.
Knows nothing of: who may redeem one, where fingerprints are kept, clocks.

Fifteen digits are drawn, the last one checks them (Luhn, ISO/IEC 7812-1 annex B): a mistyped digit is told
from a wrong guess. Fifty bits are too few for a fast hash, so the fingerprint is a slow one: whoever steals
the database must spend scrypt's 16 MB for each of 10^15 guesses. It has no salt of its own, because a voucher
is looked up by its secret alone.
"""

import hashlib
from enum import StrEnum

SECRET_DIGITS = 16
RANDOM_BYTES = 16
"""Of 2^128 chances each of 10^15 secrets has its share, but for one part in 10^23."""
_SCRYPT = {"n": 2**14, "r": 8, "p": 1, "maxmem": 64 * 2**20}
_DOMAIN = b"dialback voucher"


class VoucherRefusal(StrEnum):
    """Why a voucher is not taken."""

    MISTYPED = "mistyped"
    UNKNOWN = "unknown"
    USED = "used"
    VOID = "void"
    EXPIRED = "expired"
    OTHER_CURRENCY = "other_currency"
    LOCKED = "locked"

    @property
    def sentence(self) -> str:
        """Return what is wrong and what to do instead."""
        return _SENTENCES[self]


def secret_of(chance: bytes) -> str:
    """Return a new secret from RANDOM_BYTES random bytes."""
    if len(chance) != RANDOM_BYTES:
        raise ValueError(f"a voucher takes {RANDOM_BYTES} random bytes, not {len(chance)}")
    drawn = f"{int.from_bytes(chance, 'big') % 10 ** (SECRET_DIGITS - 1):0{SECRET_DIGITS - 1}d}"
    return drawn + _check_digit(drawn)


def typed(text: str) -> str | VoucherRefusal:
    """Return the secret that a person typed, without spaces and dashes; MISTYPED if it cannot be one."""
    digits = text.replace(" ", "").replace("-", "").strip()
    is_whole = len(digits) == SECRET_DIGITS and digits.isascii() and digits.isdecimal()
    if not is_whole or _check_digit(digits[:-1]) != digits[-1]:
        return VoucherRefusal.MISTYPED
    return digits


def fingerprint(secret: str) -> str:
    """Return what is kept of a secret. Slow on purpose: about a twentieth of a second."""
    return hashlib.scrypt(secret.encode(), salt=_DOMAIN, dklen=32, **_SCRYPT).hex()


def printed(secret: str) -> str:
    """Return a secret in groups of four, as it is printed and read out."""
    return " ".join(secret[start : start + 4] for start in range(0, SECRET_DIGITS, 4))


def _check_digit(digits: str) -> str:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value  # the digits of the product, summed
    return str(-total % 10)


_SENTENCES = {
    VoucherRefusal.MISTYPED: "these are not the sixteen digits of a voucher; read them again",
    VoucherRefusal.UNKNOWN: "there is no such voucher; read its digits again",
    VoucherRefusal.USED: "this voucher was redeemed before; see `dialback voucher list`",
    VoucherRefusal.VOID: "this voucher was withdrawn; ask whoever sold it",
    VoucherRefusal.EXPIRED: "this voucher's time is over; ask whoever sold it",
    VoucherRefusal.OTHER_CURRENCY: "this voucher is in another currency than the account; use one in its own",
    VoucherRefusal.LOCKED: "too many wrong vouchers were tried for this account; try again tomorrow",
}
