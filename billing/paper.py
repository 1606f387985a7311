"""An invoice on A4 paper: a PDF/A-3 made by typst, with the EN 16931 XML in it.

Reads: an Invoice.
Gives: TypstInvoice (the fixed template and the data it prints) and from it the PDF.
Knows nothing of: files to write, today's date: the PDF carries the date it is given, so that a reprint has
    the same bytes.

The template (invoice.typ) is the same for every invoice; all that comes from outside reaches it as JSON in
`sys.inputs`, so that no name can be read as markup or code. Only fonts of installed packages are used, those
inside typst and one for Chinese, Japanese and Korean: a machine with other fonts prints the same bytes. A
letter that none of them has is printed as ▯; the other forms carry it as it is.
"""

import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import typst

from billing.einvoice import NotExpressible, to_xml
from billing.invoice import Invoice
from billing.page import page_of
from billing.xmp import with_factur_x

MISSING = "\u25af"
LETTERS_MISSING_MAX = 200
REMEMBERED = 11
"""typst drops what so many compilations have not used; of pages of calls it would keep hundreds of MiB."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNSHOWN = re.compile(r'the text `"(.+?)"` could not be displayed', re.DOTALL)
_EAST_ASIAN = re.compile(
    "[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypstInvoice:
    """What typst is given: `source` is the fixed template, `data` JSON for its input `invoice`."""

    source: str
    data: str
    xml: str = ""


def to_typst(invoice: Invoice) -> TypstInvoice:
    """Return the template and the texts it prints."""
    return TypstInvoice(source=_template(), data=json.dumps(page_of(invoice), ensure_ascii=False))


def to_pdf(invoice: Invoice, *, created_at: datetime | None = None) -> bytes:
    """Return the PDF. Without `created_at` it is dated on midnight UTC of the day of issue.

    An issued invoice carries its XML, if EN 16931 can say it at all.
    """
    day = invoice.issued_on
    created = created_at or datetime(day.year, day.month, day.day, tzinfo=UTC)
    paper = to_typst(invoice)
    try:
        paper = replace(paper, xml=to_xml(invoice).decode())
    except NotExpressible:
        return _compiled(paper, created)
    return with_factur_x(_compiled(paper, created))


def _compiled(paper: TypstInvoice, created: datetime) -> bytes:
    data = paper.data.encode(errors="replace").decode()  # half a character is no text
    for _ in range(LETTERS_MISSING_MAX):
        try:
            return _compiled_once(paper, data, created)
        except typst.TypstError as error:
            unshown = _UNSHOWN.search(str(error))
            if unshown is None:
                raise
            data = _without(data, unshown[1])
        finally:
            _forget()
    raise ValueError(f"no font has the letters of this invoice: more than {LETTERS_MISSING_MAX} are missing")


def _compiled_once(paper: TypstInvoice, data: str, created: datetime) -> bytes:
    return typst.compile(
        paper.source.encode(),
        format="pdf",
        sys_inputs={"invoice": data, "xml": paper.xml},
        ignore_system_fonts=True,
        font_paths=_fonts(east_asian=_EAST_ASIAN.search(data) is not None),
        timestamp=(created - _EPOCH) // timedelta(seconds=1),
        # For the archive, and readable aloud; typst refuses to write what breaks either.
        pdf_standards=["a-3a", "ua-1"],
    )


def _forget() -> None:
    """Let typst drop the work that it keeps of an invoice: the next one uses none of it."""
    for _ in range(REMEMBERED):
        _blank_sheet().compile(input=b"", format="svg")


def _without(data: str, unshown: str) -> str:
    for letter in dict.fromkeys(unshown):
        if not letter.isascii():
            data = data.replace(letter, MISSING)
    return data


@cache
def _template() -> str:
    return files("billing").joinpath("invoice.typ").read_text(encoding="utf-8")


@cache
def _blank_sheet() -> typst.Compiler:
    return typst.Compiler(b"", ignore_system_fonts=True, font_paths=_fonts(east_asian=False))


@cache
def _fonts(*, east_asian: bool) -> typst.Fonts:
    folders = [str(_east_asian_folder())] if east_asian else []
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=folders)


def _east_asian_folder() -> Path:
    """The folder of Noto Sans CJK; found without importing the package, which would do more than we want."""
    spec = find_spec("cvttf_NotoSansCJK_Regular")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the package cvttf-notosanscjk-regular is not installed")
    return Path(spec.origin).parent
