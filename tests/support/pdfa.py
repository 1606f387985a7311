"""Clauses of ISO 19005-3 (PDF/A-3) that a PDF can be held to by reading it.

A strict reading of the clauses named below, by pypdf and by the bytes, quick enough for every test. typst
checks the same standard while it writes, veraPDF afterwards (verapdf.py); that the XML is described as
Factur-X wants it is told here only.
"""

import io
import re
from collections.abc import Iterator
from typing import Any

from lxml import etree
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, StreamObject

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
PDFAID = "{http://www.aiim.org/pdfa/ns/id/}"
SCHEMA = "{http://www.aiim.org/pdfa/ns/schema#}"
PROPERTY = "{http://www.aiim.org/pdfa/ns/property#}"
FACTUR_X = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
# Namespaces of ISO 19005-2, 6.6.2.3.1, table of predefined schemas; all others are to be described.
PREDEFINED = {
    "http://purl.org/dc/elements/1.1/",
    "http://ns.adobe.com/xap/1.0/",
    "http://ns.adobe.com/xap/1.0/mm/",
    "http://ns.adobe.com/xap/1.0/t/pg/",
    "http://ns.adobe.com/pdf/1.3/",
    "http://www.aiim.org/pdfa/ns/id/",
    "http://www.aiim.org/pdfua/ns/id/",
    "http://www.aiim.org/pdfa/ns/extension/",
}
FORBIDDEN_ACTIONS = {"/Launch", "/Sound", "/Movie", "/ResetForm", "/ImportData", "/Hide", "/SetOCGState"} | {
    "/Rendition", "/Trans", "/GoTo3DView", "/JavaScript",
}  # fmt: skip
FORBIDDEN_FILTERS = {"/LZWDecode", "/Crypt"}
FORBIDDEN_ANNOTATIONS = {"/3D", "/Sound", "/Screen", "/Movie"}


def clauses_broken(pdf: bytes, *, has_xml: bool) -> list[str]:
    """Each clause that the PDF breaks, with what was found."""
    return list(_broken(pdf, PdfReader(io.BytesIO(pdf), strict=True), has_xml=has_xml))


def _broken(pdf: bytes, reader: PdfReader, *, has_xml: bool) -> Iterator[str]:
    root: Any = reader.trailer["/Root"].get_object()
    yield from _file(pdf, reader)
    yield from _graphics(reader, root)
    yield from _objects(reader)
    yield from _metadata(reader, root, has_xml=has_xml)
    yield from _attachments(root, has_xml=has_xml)
    # 6.7 (level A): marked, with a structure and a language.
    if root.get("/MarkInfo", {}).get("/Marked") is None or "/StructTreeRoot" not in root:
        yield "6.7.2: it is not tagged"
    if not root.get("/Lang"):
        yield "6.7.4: it names no language"


def _file(pdf: bytes, reader: PdfReader) -> Iterator[str]:
    # 6.1.2: the header at offset 0, then a comment of four bytes above 127.
    header = re.match(rb"%PDF-1\.[0-7]\r?\n%([\x80-\xff]{4})", pdf)
    if not header:
        yield "6.1.2: the header or its binary comment is missing"
    if "/ID" not in reader.trailer:
        yield "6.1.3: there is no ID in the trailer"
    if "/Encrypt" in reader.trailer:
        yield "6.1.3: it is encrypted"
    # 6.1.3: nothing after the last end-of-file marker but one end of line.
    if not re.search(rb"%%EOF\r?\n?$", pdf):
        yield "6.1.3: bytes follow the end-of-file marker"


def _graphics(reader: PdfReader, root: DictionaryObject) -> Iterator[str]:
    intents = [each.get_object() for each in root.get("/OutputIntents", [])]
    pdfa: list[Any] = [each for each in intents if each.get("/S") == "/GTS_PDFA1"]
    if len(pdfa) != 1:
        yield f"6.2.3: {len(pdfa)} output intents of PDF/A"
    for each in pdfa:
        profile = each["/DestOutputProfile"].get_object()
        if profile.get_data()[36:40] != b"acsp":
            yield "6.2.3: the output intent's profile is no ICC profile"
        if profile["/N"] not in {1, 3, 4}:
            yield "6.2.3: the profile has a wrong number of components"
    for number, page in enumerate(reader.pages, 1):
        resources = page.get("/Resources", {})
        for name, font in resources.get("/Font", {}).items():
            yield from _font(f"page {number}, font {name}", font.get_object())
        if "/AA" in page:
            yield f"6.5.2: page {number} has additional actions"
        for annotation in page.get("/Annots", []):
            if annotation.get_object().get("/Subtype") in FORBIDDEN_ANNOTATIONS:
                yield f"6.3.1: page {number} has a forbidden annotation"


def _font(where: str, font: DictionaryObject) -> Iterator[str]:
    if "/ToUnicode" not in font:
        yield f"6.2.11.7.2: {where} has no ToUnicode"
    for inner in font.get("/DescendantFonts", [font]):
        descriptor = inner.get_object().get("/FontDescriptor")
        described = descriptor.get_object() if descriptor is not None else {}
        if not {"/FontFile", "/FontFile2", "/FontFile3"} & set(described):
            yield f"6.2.11.4.1: {where} is not embedded"
        is_cid = inner.get_object().get("/Subtype") == "/CIDFontType2"
        if is_cid and "/CIDToGIDMap" not in inner.get_object():
            yield f"6.2.11.3.2: {where} has no CIDToGIDMap"


def _objects(reader: PdfReader) -> Iterator[str]:
    for number in range(1, len(reader.xref[0]) + 1):
        try:
            found: Any = reader.get_object(IndirectObject(number, 0, reader))
        except Exception as error:  # noqa: BLE001 - whatever makes an object unreadable is a finding
            yield f"6.1: object {number} cannot be read: {error}"
            continue
        if isinstance(found, StreamObject):
            filters = found.get("/Filter", ArrayObject())
            named = {str(each) for each in (filters if isinstance(filters, list) else [filters])}
            if named & FORBIDDEN_FILTERS:
                yield f"6.1.7.2: object {number} is filtered by {named}"
            if {"/F", "/FFilter", "/FDecodeParms"} & set(found):
                yield f"6.1.7.1: object {number} is kept in another file"
        if isinstance(found, DictionaryObject):
            if found.get("/S") in FORBIDDEN_ACTIONS:
                yield f"6.5.1: object {number} is a forbidden action"
            if found.get("/Subtype") == "/PS" or "/Alternates" in found or "/OPI" in found:
                yield f"6.2: object {number} is of a forbidden kind"


def _metadata(reader: PdfReader, root: DictionaryObject, *, has_xml: bool) -> Iterator[str]:
    stream: Any = root["/Metadata"].get_object()
    if stream.get("/Type") != "/Metadata" or stream.get("/Subtype") != "/XML":
        yield "6.6.2.1: the metadata stream has not its type"
    packet = etree.fromstring(stream.get_data())
    values = {each.tag: each.text for each in packet.iter() if isinstance(each.tag, str)}
    if values.get(f"{PDFAID}part") != "3":
        yield f"6.6.4: the part is {values.get(f'{PDFAID}part')}"
    if values.get(f"{PDFAID}conformance") not in {"A", "B", "U"}:
        yield "6.6.4: the conformance level is missing"
    described = {each.text for each in packet.iter(f"{SCHEMA}namespaceURI")}
    used = {
        etree.QName(each).namespace
        for description in packet.iter(f"{RDF}Description")
        for each in description
    }
    for namespace in sorted(used - PREDEFINED - described):
        yield f"6.6.2.3.2: the schema {namespace} is not described"
    if has_xml:
        names = {each.text for each in packet.iter(f"{PROPERTY}name")}
        for name, value in (("DocumentType", "INVOICE"), ("DocumentFileName", "factur-x.xml"),
                            ("Version", "1.0"), ("ConformanceLevel", "EN 16931")):  # fmt: skip
            if values.get(f"{{{FACTUR_X}}}{name}") != value:
                yield f"Factur-X 6.2.3: {name} is {values.get(f'{{{FACTUR_X}}}{name}')!r}"
            if name not in names:
                yield f"6.6.2.3.3: the property {name} is not described"
    info: Any = reader.trailer.get("/Info")
    title = info.get_object().get("/Title") if info is not None else None
    if title is not None and title not in "".join(map(str, packet.itertext())):
        yield "6.6.3: the title in the packet is another"


def _attachments(root: DictionaryObject, *, has_xml: bool) -> Iterator[str]:
    files = root.get("/Names", {}).get("/EmbeddedFiles", {}).get("/Names", [])
    specifications = [each.get_object() for each in files[1::2]]
    associated = [each.get_object() for each in root.get("/AF", [])]
    if has_xml and len(specifications) != 1:
        yield f"Factur-X 6.2: {len(specifications)} files are embedded"
    for each in specifications:
        if each not in associated:
            yield "6.8: an embedded file is not associated with the document"
        if each.get("/AFRelationship") not in {
            "/Source",
            "/Data",
            "/Alternative",
            "/Supplement",
            "/Unspecified",
        }:
            yield f"6.8: AFRelationship is {each.get('/AFRelationship')}"
        if not {"/F", "/UF"} <= set(each):
            yield "6.8: a file specification lacks F or UF"
        embedded = each["/EF"]["/F"].get_object()
        if not embedded.get("/Subtype"):
            yield "6.8: an embedded file has no MIME type"
        if "/ModDate" not in embedded.get("/Params", {}):
            yield "6.8: an embedded file has no date of change"
