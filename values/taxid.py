"""Tax places and tax ids: the forms in which they are written.

Reads: what a person wrote.
Gives: the id in one form, `DE123456789`, or what is wrong with it; which countries tax together as the EU.
Knows nothing of: rates, whether an authority has given that id to anybody.

The forms are those of the European Commission's VIES and of the tax offices of GB, CH and NO.
"""

import re

from values.e164 import countries

EU = frozenset(
    {"AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE"}
    | {"IT", "LV", "LT", "LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE"}
)
"""The member states, by their ISO 3166 codes."""
ID_CHARACTERS_MAX = 30

_PLACE = re.compile(r"(?P<country>[A-Z]{2})(?:-[A-Z0-9]{1,3})?")
# By the two letters before the id: Greece writes EL, Northern Ireland XI.
_FORMS = {
    "AT": r"U\d{8}",
    "BE": r"[01]\d{9}",
    "BG": r"\d{9,10}",
    "CH": r"E\d{9}(MWST|TVA|IVA)?",
    "CY": r"\d{8}[A-Z]",
    "CZ": r"\d{8,10}",
    "DE": r"\d{9}",
    "DK": r"\d{8}",
    "EE": r"\d{9}",
    "EL": r"\d{9}",
    "ES": r"(?=.{9}$)[A-Z0-9]\d{7}[A-Z0-9]",
    "FI": r"\d{8}",
    "FR": r"[A-HJ-NP-Z0-9]{2}\d{9}",
    "GB": r"\d{9}|\d{12}|GD\d{3}|HA\d{3}",
    "HR": r"\d{11}",
    "HU": r"\d{8}",
    "IE": r"\d{7}[A-W][A-I]?|\d[A-Z+*]\d{5}[A-W]",
    "IT": r"\d{11}",
    "LT": r"\d{9}|\d{12}",
    "LU": r"\d{8}",
    "LV": r"\d{11}",
    "MT": r"\d{8}",
    "NL": r"\d{9}B\d{2}",
    "NO": r"\d{9}(MVA)?",
    "PL": r"\d{10}",
    "PT": r"\d{9}",
    "RO": r"\d{2,10}",
    "SE": r"\d{12}",
    "SI": r"\d{8}",
    "SK": r"\d{10}",
    "XI": r"\d{9}|\d{12}|GD\d{3}|HA\d{3}",
}
_WRITTEN = {"GR": "EL"}
_ANYWHERE = re.compile(rf"[A-Z0-9][A-Z0-9+*/-]{{1,{ID_CHARACTERS_MAX - 1}}}")


class TaxIdRefused(ValueError):
    """This cannot be a tax place or id; `remedy` tells what to write."""

    def __init__(self, problem: str, remedy: str) -> None:
        """`problem` is a sentence without a full stop, `remedy` an order."""
        super().__init__(f"{problem}; {remedy}")
        self.problem = problem
        self.remedy = remedy


def tax_country(place: str) -> str:
    """The ISO 3166 code of a tax place such as `DE` or `US-NY`; empty for none."""
    found = _PLACE.fullmatch(place)
    return found["country"] if found else ""


def is_in_eu(place: str) -> bool:
    """Whether that tax place is in the EU."""
    return tax_country(place) in EU


def tax_place(text: str) -> str:
    """The place in one form, `DE` or `US-NY`; empty stays empty."""
    written = text.strip().upper()
    if written and tax_country(written) not in countries():
        raise TaxIdRefused(f"{text!r} is no country or region", "write two capitals, such as DE, or US-NY")
    return written


def tax_id(text: str, place: str) -> str:
    """The id without spaces, dots and dashes; where its country's form is known, in that form."""
    written = "".join(char for char in text.upper() if char not in " .-\t")
    if not written:
        return ""
    if not (written.isascii() and _ANYWHERE.fullmatch(written)):
        raise TaxIdRefused(
            f"{text!r} is no tax id",
            f"write 2 to {ID_CHARACTERS_MAX} letters and digits, such as DE123456789",
        )
    country = written[:2]
    if country not in _FORMS:
        if is_in_eu(place):
            prefix = _WRITTEN.get(tax_country(place), tax_country(place))
            problem = f"{text!r} does not begin with the letters of an EU country"
            raise TaxIdRefused(
                problem, f"write them first, such as {prefix}…, or leave it out for a consumer"
            )
        return written
    if not re.fullmatch(_FORMS[country], written[2:], re.ASCII):
        problem = f"{text!r} has not the form of a tax id of {country}"
        raise TaxIdRefused(problem, "write it as the tax office does, its country's letters first")
    return written
