"""A page to fax, as the TIFF file that a fax modem takes.

Reads: nothing.
Gives: a black and white test page, 1,728 dots wide, left uncompressed: the modem codes it by itself.
Knows nothing of: modems, Asterisk.
"""

from __future__ import annotations

import struct
from pathlib import Path

WIDTH_DOTS = 1728
"""A4 at the standard 8.03 dots per mm (ITU-T T.4)."""
HEIGHT_LINES = 200
"""A short strip at the standard 98 lines per inch: fewer lines, shorter call (14 s with its handshake)."""

SHORT, LONG, RATIONAL = 3, 4, 5
PIXELS_AT = 8


def write_page(path: Path, *, height_lines: int = HEIGHT_LINES) -> Path:
    """Write a page of black and white blocks and return its path."""
    pixels = b"".join(_line(number) for number in range(height_lines))
    directory_at = PIXELS_AT + len(pixels)
    path.write_bytes(
        struct.pack("<2sHL", b"II", 42, directory_at)
        + pixels
        + _directory(directory_at, len(pixels), height_lines)
    )
    return path


def size_of(path: Path) -> tuple[int, int]:
    """Return width in dots and height in lines of a TIFF's first page, as a fax modem wrote it."""
    data = path.read_bytes()
    if data[:4] != b"II*\0":
        raise ValueError(f"{path}: not a little-endian TIFF")
    (at,) = struct.unpack_from("<L", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    values: dict[int, int] = {}
    for index in range(count):
        tag, kind, _, value = struct.unpack_from("<HHLL", data, at + 2 + 12 * index)
        values[tag] = value & 0xFFFF if kind == SHORT else value
    return values[256], values[257]


def _line(number: int) -> bytes:
    return bytes(0xFF if (column // 6 + number // 20) % 3 == 0 else 0 for column in range(WIDTH_DOTS // 8))


def _directory(at: int, size: int, height: int) -> bytes:
    """Return the image file directory (TIFF 6.0, baseline bi-level), 204 × 98 dots per inch."""
    entries = (
        (254, LONG, 2),  # one page of many
        (256, LONG, WIDTH_DOTS),
        (257, LONG, height),
        (258, SHORT, 1),  # one bit a dot
        (259, SHORT, 1),  # not compressed
        (262, SHORT, 0),  # zero is white
        (266, SHORT, 1),  # leftmost dot in the highest bit
        (273, LONG, PIXELS_AT),
        (277, SHORT, 1),
        (278, LONG, height),
        (279, LONG, size),
        (282, RATIONAL, 204),
        (283, RATIONAL, 98),
        (296, SHORT, 2),  # dots per inch
    )
    rationals_at = at + 2 + 12 * len(entries) + 4
    table, rationals = struct.pack("<H", len(entries)), b""
    for tag, kind, value in entries:
        if kind == RATIONAL:
            table += struct.pack("<HHLL", tag, kind, 1, rationals_at + len(rationals))
            rationals += struct.pack("<LL", value, 1)
        else:
            table += struct.pack("<HHLL", tag, kind, 1, value)
    return table + struct.pack("<L", 0) + rationals
