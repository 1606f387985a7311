"""An invoice as one HTML file: it needs nothing else, and is read aloud as well as seen.

Reads: an Invoice.
Gives: the text of the file.
Knows nothing of: servers, styles of other pages; every text is escaped by the template engine.
"""

from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template

from billing.invoice import Invoice
from billing.page import page_of

CHART_WIDTH, CHART_HEIGHT = 720, 120


def to_html(invoice: Invoice) -> str:
    """Return the file; the same invoice gives the same text."""
    page = page_of(invoice)
    bars = [] if page["chart"] is None else _drawn(page["chart"]["bars"])
    text = _template().render(it=page, bars=bars, width=CHART_WIDTH, height=CHART_HEIGHT)
    return text.encode(errors="replace").decode()


def _drawn(bars: list[tuple[str, int, str]]) -> list[dict[str, str]]:
    """Return where each bar stands, in the picture's units."""
    step = CHART_WIDTH / len(bars)
    return [
        {
            "x": f"{index * step:.1f}",
            "middle": f"{index * step + step / 2:.1f}",
            "width": f"{step - 2:.1f}",
            "height": f"{height * CHART_HEIGHT / 1000:.1f}",
            "y": f"{CHART_HEIGHT - height * CHART_HEIGHT / 1000:.1f}",
            "day": day,
            "amount": amount,
        }
        for index, (day, height, amount) in enumerate(bars)
    ]


@cache
def _template() -> Template:
    source = files("billing").joinpath("invoice.html.jinja").read_text(encoding="utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(source)
