"""The test page is a TIFF as the modem wants it."""

from __future__ import annotations

from pathlib import Path

import pytest

from world.fax import size_of, write_page


def test_a_page_is_1728_dots_wide_and_as_high_as_asked(tmp_path: Path) -> None:
    assert size_of(write_page(tmp_path / "page.tiff", height_lines=120)) == (1728, 120)


def test_a_page_is_neither_all_white_nor_all_black(tmp_path: Path) -> None:
    pixels = write_page(tmp_path / "page.tiff").read_bytes()[8 : 8 + 216 * 200]
    assert {0x00, 0xFF} == set(pixels)


def test_what_is_no_tiff_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "page.pdf"
    path.write_bytes(b"%PDF-1.7 and more")
    with pytest.raises(ValueError, match="not a little-endian TIFF"):
        size_of(path)
