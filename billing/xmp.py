"""The words in a PDF's metadata by which programs know that it carries an electronic invoice.

Reads: a PDF as typst writes it: one revision, a plain cross-reference table, an uncompressed XMP packet.
Gives: the same PDF, whose packet says Factur-X and describes the schema of what it says.
Knows nothing of: invoices. typst cannot write XMP of others (0.15), so the packet is spliced here; offsets
    behind it are moved, nothing else changes, and the same PDF gives the same bytes.
"""

import re

CONFORMANCE = "EN 16931"
XML_NAME = "factur-x.xml"
_NAMESPACE = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
_PROPERTIES = (
    ("DocumentFileName", "Name of the embedded XML invoice file"),
    ("DocumentType", "INVOICE"),
    ("Version", "The version of the Factur-X schema"),
    ("ConformanceLevel", "The conformance level of the embedded XML"),
)
_SCHEMAS_END = b"</rdf:Bag></pdfaExtension:schemas>"
_PACKET_END = b"</rdf:RDF></x:xmpmeta>"
_STREAM = re.compile(
    rb"/Length (?P<length>[0-9]+)(?P<rest>[^>]*/Type/Metadata/Subtype/XML[^>]*>>\s*stream\r?\n)"
)
_START = re.compile(rb"startxref\s+([0-9]+)\s+%%EOF\s*$")
_ENTRY_BYTES = 20
"""Each entry of a cross-reference table has exactly so many (ISO 32000-1, 7.5.4)."""


class UnknownPdf(ValueError):
    """This PDF is not written the way typst writes one."""


def with_factur_x(pdf: bytes) -> bytes:
    """Return the PDF whose metadata declare the EN 16931 XML that is attached to it."""
    found = _STREAM.search(pdf)
    if found is None:
        raise UnknownPdf("the PDF has no plain XMP packet")
    start = found.end()
    length = int(found["length"])
    packet = pdf[start : start + length]
    if _SCHEMAS_END not in packet or _PACKET_END not in packet:
        raise UnknownPdf("the XMP packet describes no extension schemas")
    longer = packet.replace(_SCHEMAS_END, _schema() + _SCHEMAS_END, 1)
    longer = longer.replace(_PACKET_END, _said() + _PACKET_END, 1)
    body = b"".join(
        (
            pdf[: found.start()],
            b"/Length %d" % len(longer),
            found["rest"],
            longer,
            pdf[start + length :],
        )
    )
    return _with_offsets_moved(body, behind=found.start(), by=len(body) - len(pdf))


def _with_offsets_moved(pdf: bytes, *, behind: int, by: int) -> bytes:
    ending = _START.search(pdf)
    if ending is None:
        raise UnknownPdf("the PDF does not end by startxref")
    table = int(ending[1]) + by
    header = re.compile(rb"xref\s+0 ([0-9]+)\s*?\r?\n").match(pdf, table)
    if header is None:
        raise UnknownPdf("the PDF has no plain cross-reference table")
    first, count = header.end(), int(header[1])
    entries = bytearray(pdf[first : first + count * _ENTRY_BYTES])
    for at in range(0, len(entries), _ENTRY_BYTES):
        offset = int(entries[at : at + 10])
        if entries[at + 17 : at + 18] == b"n" and offset > behind:
            entries[at : at + 10] = b"%010d" % (offset + by)
    rest = pdf[first + len(entries) : ending.start()]
    return b"".join((pdf[:first], entries, rest, b"startxref\n%d\n%%%%EOF" % table))


def _said() -> bytes:
    values = {
        "ConformanceLevel": CONFORMANCE,
        "DocumentFileName": XML_NAME,
        "DocumentType": "INVOICE",
        "Version": "1.0",
    }
    inside = "".join(f"<fx:{name}>{value}</fx:{name}>" for name, value in values.items())
    return f'<rdf:Description rdf:about="" xmlns:fx="{_NAMESPACE}">{inside}</rdf:Description>'.encode()


def _schema() -> bytes:
    properties = "".join(
        '<rdf:li rdf:parseType="Resource">'
        f"<pdfaProperty:name>{name}</pdfaProperty:name>"
        "<pdfaProperty:valueType>Text</pdfaProperty:valueType>"
        "<pdfaProperty:category>external</pdfaProperty:category>"
        f"<pdfaProperty:description>{told}</pdfaProperty:description></rdf:li>"
        for name, told in _PROPERTIES
    )
    return (
        '<rdf:li rdf:parseType="Resource">'
        "<pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>"
        f"<pdfaSchema:namespaceURI>{_NAMESPACE}</pdfaSchema:namespaceURI>"
        "<pdfaSchema:prefix>fx</pdfaSchema:prefix>"
        f"<pdfaSchema:property><rdf:Seq>{properties}</rdf:Seq></pdfaSchema:property></rdf:li>"
    ).encode()
