"""An invoice as EN 16931 asks for it, in the syntax CII (UN/CEFACT D16B): for programs of the recipient.

Reads: an Invoice.
Gives: the bytes of the XML that the PDF carries as factur-x.xml; NotExpressible, which says what is missing.
Knows nothing of: files, schemas (tests hold the XML against the official rules), calls one by one.

The calls are one line: a line's net amount has two decimals there (BR-DEC-23), a call has four. Each
recurring item is a line of its own, so the lines sum to the invoice's subtotal exactly.
What was paid in advance (a balance in the account's favour) is BT-113; what older invoices still ask for is
not part of this one.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from xml.sax.saxutils import escape, quoteattr

from billing import printed
from billing.invoice import Invoice, PaperKind
from billing.particulars import Item, Party
from billing.tax import CALLS, UNTAXED, TaxCategory
from billing.totals import TOTAL_DIGITS_MAX, TaxLine

GUIDELINE = "urn:cen.eu:en16931:2017"
TYPE_CODES = {PaperKind.INVOICE: "380", PaperKind.CREDIT_NOTE: "381"}
"""UNTDID 1001."""
CREDIT_TRANSFER, SEPA_TRANSFER = "30", "58"
"""UNTDID 4461."""
ADDRESS_LINES_MAX = 3
_NAMESPACES = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
}
_IBAN = re.compile(r"\b([A-Z]{2}[0-9]{2}(?: ?[0-9A-Z]{1,4}){2,8})\b")
_VAT_ID = re.compile(r"[A-Z]{2}[0-9A-Z+*]{2,13}")
_NEVER_RATED = frozenset({TaxCategory.UNTAXED})


class NotExpressible(ValueError):
    """EN 16931 cannot say this invoice: the sentence says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    name: str
    amount: Decimal
    category: TaxCategory
    percent: Decimal


def to_xml(invoice: Invoice) -> bytes:
    """Return the XML; the same invoice gives the same bytes."""
    _check(invoice)
    names = " ".join(f"xmlns:{prefix}={quoteattr(uri)}" for prefix, uri in _NAMESPACES.items())
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>\n',
        f"<rsm:CrossIndustryInvoice {names}>",
        *_document(invoice),
        "<rsm:SupplyChainTradeTransaction>",
        *_lines(invoice),
        *_agreement(invoice),
        *_delivery(invoice),
        *_settlement(invoice),
        "</rsm:SupplyChainTradeTransaction>",
        "</rsm:CrossIndustryInvoice>\n",
    ]
    return "".join(parts).encode()


def _check(invoice: Invoice) -> None:
    for party, told in ((invoice.seller, "the seller"), (invoice.buyer, "the buyer")):
        if not printed.name(party.name):
            raise NotExpressible(f"{told} has no name")
        if not re.fullmatch(r"[A-Z]{2}", party.country):
            raise NotExpressible(f"{told} has no country, such as DE")
    if not printed.name(invoice.number):
        raise NotExpressible("a draft has no number")
    if invoice.minor_digits > TOTAL_DIGITS_MAX:
        raise NotExpressible(
            "its amounts are finer than the minor unit: it credits calls that are on no invoice yet"
        )
    categories = {tax.category for tax in invoice.totals.taxes}
    if TaxCategory.REVERSE_CHARGE in categories and not (invoice.seller.tax_id and invoice.buyer.tax_id):
        raise NotExpressible("reverse charge wants the tax ids of both sides")
    if categories and not invoice.seller.tax_id:
        raise NotExpressible("the seller takes tax and has no tax id")
    if not (invoice.seller.tax_id or invoice.seller.registration):
        raise NotExpressible("the seller has neither a tax id nor a registration")
    base = sum((tax.base for tax in invoice.totals.taxes), Decimal(0))
    if categories and base != invoice.totals.subtotal:
        raise NotExpressible("taxed and untaxed lines stand on one invoice")


def _document(invoice: Invoice) -> Iterator[str]:
    yield "<rsm:ExchangedDocumentContext><ram:GuidelineSpecifiedDocumentContextParameter>"
    yield _element("ram:ID", GUIDELINE)
    yield "</ram:GuidelineSpecifiedDocumentContextParameter></rsm:ExchangedDocumentContext>"
    yield "<rsm:ExchangedDocument>"
    yield _element("ram:ID", printed.name(invoice.number))
    yield _element("ram:TypeCode", TYPE_CODES[invoice.kind])
    yield f"<ram:IssueDateTime>{_day(invoice.issued_on)}</ram:IssueDateTime>"
    for note in _notes(invoice):
        yield f"<ram:IncludedNote>{_element('ram:Content', note)}</ram:IncludedNote>"
    yield "</rsm:ExchangedDocument>"


def _notes(invoice: Invoice) -> Iterator[str]:
    if invoice.reason:
        yield printed.one_line(invoice.reason)
    yield f"Account {printed.name(invoice.account_id)}. Every call is in the PDF that this file is part of."
    if printed.one_line(invoice.dispute):
        yield printed.one_line(invoice.dispute)


def _lines(invoice: Invoice) -> Iterator[str]:
    for number, line in enumerate(_net_lines(invoice), 1):
        quantity = "-1" if line.amount < 0 else "1"
        yield "<ram:IncludedSupplyChainTradeLineItem>"
        yield f"<ram:AssociatedDocumentLineDocument><ram:LineID>{number}</ram:LineID>"
        yield "</ram:AssociatedDocumentLineDocument>"
        yield f"<ram:SpecifiedTradeProduct>{_element('ram:Name', line.name)}</ram:SpecifiedTradeProduct>"
        yield "<ram:SpecifiedLineTradeAgreement><ram:NetPriceProductTradePrice>"
        yield _element("ram:ChargeAmount", _amount(abs(line.amount), invoice))
        yield "</ram:NetPriceProductTradePrice></ram:SpecifiedLineTradeAgreement>"
        # C62 is "one" (UNECE Recommendation 20).
        yield f'<ram:SpecifiedLineTradeDelivery><ram:BilledQuantity unitCode="C62">{quantity}'
        yield "</ram:BilledQuantity></ram:SpecifiedLineTradeDelivery>"
        yield "<ram:SpecifiedLineTradeSettlement><ram:ApplicableTradeTax>"
        yield "<ram:TypeCode>VAT</ram:TypeCode>"
        yield _element("ram:CategoryCode", str(line.category))
        yield _rate(line.category, line.percent)
        yield "</ram:ApplicableTradeTax><ram:SpecifiedTradeSettlementLineMonetarySummation>"
        yield _element("ram:LineTotalAmount", _amount(line.amount, invoice))
        yield "</ram:SpecifiedTradeSettlementLineMonetarySummation></ram:SpecifiedLineTradeSettlement>"
        yield "</ram:IncludedSupplyChainTradeLineItem>"


def _net_lines(invoice: Invoice) -> list[_Line]:
    """Return the lines: each item as it is, the calls with what their tax group leaves."""
    totals = invoice.totals
    recurring = [_item_line(item, totals.taxes) for item in invoice.items]
    left = totals.subtotal - sum((line.amount for line in recurring), Decimal(0))
    if not left and recurring and not totals.charges:
        return recurring
    tax = _tax_of(CALLS, totals.taxes)
    last_day = invoice.period.end_day - timedelta(days=1)
    named = f"Telephone calls, {invoice.period.first_day} to {last_day}"
    if invoice.kind is PaperKind.CREDIT_NOTE:
        named = f"Credit for calls of invoice {printed.name(invoice.corrects)}"
    return [_Line(name=named, amount=left, category=tax.category, percent=tax.percent), *recurring]


def _item_line(item: Item, taxes: Iterable[TaxLine]) -> _Line:
    tax = _tax_of(item.tax_group, taxes)
    name = printed.name(item.name) or str(item.kind)
    return _Line(name=name, amount=item.amount, category=tax.category, percent=tax.percent)


def _tax_of(group: str, taxes: Iterable[TaxLine]) -> TaxLine:
    for tax in taxes:
        if group in tax.groups:
            return tax
    return TaxLine(
        label="",
        percent=Decimal(0),
        base=Decimal(0),
        amount=Decimal(0),
        category=UNTAXED.category,
        text=UNTAXED.text,
    )


def _agreement(invoice: Invoice) -> Iterator[str]:
    is_untaxed = not invoice.totals.taxes
    yield "<ram:ApplicableHeaderTradeAgreement><ram:SellerTradeParty>"
    yield from _party(invoice.seller, is_untaxed=is_untaxed, is_seller=True)
    yield "</ram:SellerTradeParty><ram:BuyerTradeParty>"
    yield from _party(invoice.buyer, is_untaxed=is_untaxed, is_seller=False)
    yield "</ram:BuyerTradeParty></ram:ApplicableHeaderTradeAgreement>"


def _party(party: Party, *, is_untaxed: bool, is_seller: bool) -> Iterator[str]:
    tax_id = re.sub(r"[ .-]", "", party.tax_id).upper()
    registration = printed.name(party.registration)
    if is_seller and is_untaxed and not registration:
        registration = printed.name(party.tax_id)  # what is untaxed names no VAT id (BR-O-02)
    yield _element("ram:Name", printed.name(party.name))
    if registration:
        yield f"<ram:SpecifiedLegalOrganization>{_element('ram:ID', registration)}"
        yield "</ram:SpecifiedLegalOrganization>"
    lines = [line for line in map(printed.name, party.address) if line]
    if len(lines) > ADDRESS_LINES_MAX:
        lines = [*lines[: ADDRESS_LINES_MAX - 1], ", ".join(lines[ADDRESS_LINES_MAX - 1 :])]
    yield "<ram:PostalTradeAddress>"
    for name, line in zip(("LineOne", "LineTwo", "LineThree"), lines, strict=False):
        yield _element(f"ram:{name}", line)
    yield _element("ram:CountryID", party.country)
    yield "</ram:PostalTradeAddress>"
    if party.email and printed.one_line(party.email):
        yield '<ram:URIUniversalCommunication><ram:URIID schemeID="EM">'
        yield f"{escape(printed.one_line(party.email))}</ram:URIID></ram:URIUniversalCommunication>"
    if tax_id and not is_untaxed:
        # BR-CO-09: a VAT id begins with a country; what does not is a number of the local tax office.
        scheme = "VA" if _VAT_ID.fullmatch(tax_id) else "FC"
        if scheme == "VA" or is_seller:
            yield f'<ram:SpecifiedTaxRegistration><ram:ID schemeID="{scheme}">{escape(tax_id)}</ram:ID>'
            yield "</ram:SpecifiedTaxRegistration>"


def _delivery(invoice: Invoice) -> Iterator[str]:
    """Return when it was delivered: a month of calls, on its last day."""
    yield "<ram:ApplicableHeaderTradeDelivery><ram:ActualDeliverySupplyChainEvent><ram:OccurrenceDateTime>"
    yield _day(invoice.period.end_day - timedelta(days=1))
    yield "</ram:OccurrenceDateTime></ram:ActualDeliverySupplyChainEvent></ram:ApplicableHeaderTradeDelivery>"


def _settlement(invoice: Invoice) -> Iterator[str]:
    totals, period = invoice.totals, invoice.period
    yield "<ram:ApplicableHeaderTradeSettlement>"
    yield _element("ram:PaymentReference", printed.name(invoice.number))
    yield _element("ram:InvoiceCurrencyCode", invoice.currency)
    yield from _payment_means(invoice.seller)
    yield from _taxes(invoice)
    yield "<ram:BillingSpecifiedPeriod>"
    yield f"<ram:StartDateTime>{_day(period.first_day)}</ram:StartDateTime>"
    yield f"<ram:EndDateTime>{_day(period.end_day - timedelta(days=1))}</ram:EndDateTime>"
    yield "</ram:BillingSpecifiedPeriod>"
    if invoice.kind is PaperKind.INVOICE:
        yield "<ram:SpecifiedTradePaymentTerms>"
        yield f"<ram:DueDateDateTime>{_day(invoice.due_on)}</ram:DueDateDateTime>"
        yield "</ram:SpecifiedTradePaymentTerms>"
    prepaid = _prepaid(invoice)
    yield "<ram:SpecifiedTradeSettlementHeaderMonetarySummation>"
    yield _element("ram:LineTotalAmount", _amount(totals.subtotal, invoice))
    yield _element("ram:TaxBasisTotalAmount", _amount(totals.subtotal, invoice))
    yield f"<ram:TaxTotalAmount currencyID={quoteattr(invoice.currency)}>{_amount(totals.tax, invoice)}"
    yield "</ram:TaxTotalAmount>"
    yield _element("ram:GrandTotalAmount", _amount(totals.total, invoice))
    if prepaid:
        yield _element("ram:TotalPrepaidAmount", _amount(prepaid, invoice))
    yield _element("ram:DuePayableAmount", _amount(totals.total - prepaid, invoice))
    yield "</ram:SpecifiedTradeSettlementHeaderMonetarySummation>"
    if invoice.corrects:
        yield "<ram:InvoiceReferencedDocument>"
        yield _element("ram:IssuerAssignedID", printed.name(invoice.corrects))
        if invoice.corrects_issued_on is not None:
            yield f"<ram:FormattedIssueDateTime>{_day(invoice.corrects_issued_on, 'qdt')}"
            yield "</ram:FormattedIssueDateTime>"
        yield "</ram:InvoiceReferencedDocument>"
    yield "</ram:ApplicableHeaderTradeSettlement>"


def _payment_means(seller: Party) -> Iterator[str]:
    for line in seller.bank:
        found = _IBAN.search(printed.name(line))
        if found:
            yield "<ram:SpecifiedTradeSettlementPaymentMeans>"
            yield _element("ram:TypeCode", SEPA_TRANSFER if "IBAN" in line.upper() else CREDIT_TRANSFER)
            yield "<ram:PayeePartyCreditorFinancialAccount>"
            yield _element("ram:IBANID", found[1].replace(" ", ""))
            yield "</ram:PayeePartyCreditorFinancialAccount></ram:SpecifiedTradeSettlementPaymentMeans>"
            return


def _taxes(invoice: Invoice) -> Iterator[str]:
    totals = invoice.totals
    lines = totals.taxes or (
        TaxLine(
            label="",
            percent=Decimal(0),
            base=totals.subtotal,
            amount=Decimal(0),
            category=UNTAXED.category,
            text=UNTAXED.text,
        ),
    )
    for tax in lines:
        yield "<ram:ApplicableTradeTax>"
        yield _element("ram:CalculatedAmount", _amount(tax.amount, invoice))
        yield "<ram:TypeCode>VAT</ram:TypeCode>"
        if tax.text and tax.category not in {TaxCategory.STANDARD, TaxCategory.ZERO}:
            yield _element("ram:ExemptionReason", printed.one_line(tax.text))
        yield _element("ram:BasisAmount", _amount(tax.base, invoice))
        yield _element("ram:CategoryCode", str(tax.category))
        yield _rate(tax.category, tax.percent)
        yield "</ram:ApplicableTradeTax>"


def _prepaid(invoice: Invoice) -> Decimal:
    """Return how much of the total a balance in the account's favour has paid."""
    totals = invoice.totals
    favour = totals.payments - totals.previous_owed
    whole = favour.quantize(Decimal(1).scaleb(-invoice.minor_digits))
    if favour <= 0 or whole != favour or totals.total <= 0:
        return Decimal(0)
    return min(whole, totals.total)


def _rate(category: TaxCategory, percent: Decimal) -> str:
    return "" if category in _NEVER_RATED else _element("ram:RateApplicablePercent", printed.percent(percent))


def _amount(value: Decimal, invoice: Invoice) -> str:
    return printed.amount(value, invoice.minor_digits)


def _day(day: date, prefix: str = "udt") -> str:
    return f'<{prefix}:DateTimeString format="102">{day:%Y%m%d}</{prefix}:DateTimeString>'


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>"
