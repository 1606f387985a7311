"""Channel events of the world's Asterisk become the phones' own log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from world.log import PhoneCall, read_calls, select


def row(
    kind: str,
    at: str,
    *,
    user: str = "",
    channel: str = "PJSIP/alpha-00000000",
    uniqueid: str = "w-1",
    note: str = "",
) -> str:
    fields = (kind, at, user, channel, uniqueid, "", note)
    return ",".join('"' + field.replace('"', '""') + '"' for field in fields) + "\n"


def invited(number: str = "442079460101", caller: str = "%2B12025550111", more: str = "") -> str:
    return (
        '{"extra":"carrier=alpha&number='
        + number
        + "&dialled=%2B"
        + number
        + "&caller="
        + caller
        + "&name=&presentation=allowed_not_screened&diverted="
        + more
        + '"}'
    )


WHOLE_CALL = (
    row("CHAN_START", "1795428972.983019")
    + row("INVITED", "1795428972.987392", user="INVITED", note=invited())
    + row("RANG", "1795428972.990498", user="RANG", note='{"extra":""}')
    + row("ANSWER", "1795428973.992530")
    + row("DTMF", "1795428974.100000", user="Received", note='{"digit":"1","duration_ms":160}')
    + row("DTMF", "1795428974.200000", user="Received", note='{"digit":"#","duration_ms":90}')
    + row("DTMF", "1795428974.300000", user="Sent", note='{"digit":"9","duration_ms":90}')
    + row(
        "HANGUP",
        "1795428976.204858",
        note='{"hangupcause":16,"hangupsource":"PJSIP/alpha-00000000","dialstatus":""}',
    )
    + row("CHAN_END", "1795428976.204858")
)


def only(text: str) -> PhoneCall:
    (call,) = read_calls(text)
    return call


def test_a_whole_call_has_all_its_times_to_the_microsecond() -> None:
    call = only(WHOLE_CALL)
    assert call.invited_at == datetime(2026, 11, 23, 10, 16, 12, 983019, tzinfo=UTC)
    assert call.rang_at == call.invited_at + timedelta(microseconds=7479)
    assert call.talk_microseconds == 2_212_328


def test_who_called_whom_through_which_carrier_is_known() -> None:
    call = only(WHOLE_CALL)
    assert (call.number, call.dialled, call.caller_id_seen) == (
        "442079460101",
        "+442079460101",
        "+12025550111",
    )
    assert (call.carrier, call.incoming, call.withheld) == ("alpha", True, False)


def test_keys_heard_are_listed_and_keys_pressed_are_not() -> None:
    assert only(WHOLE_CALL).digits_heard == "1#"


def test_who_hung_up_is_known() -> None:
    assert only(WHOLE_CALL).hung_up_by_phone is False
    by_phone = WHOLE_CALL.replace(
        '""hangupsource"":""PJSIP/alpha-00000000""', '""hangupsource"":""dialplan/builtin""'
    )
    assert only(by_phone).hung_up_by_phone is True


def test_a_call_that_is_still_up_has_no_end() -> None:
    call = only("".join(WHOLE_CALL.splitlines(keepends=True)[:4]))
    assert not call.over
    assert call.talk_microseconds == 0


def test_half_a_line_is_left_for_the_next_reading() -> None:
    assert only(WHOLE_CALL + '"CHAN_START","17954289').over


def test_an_anonymous_caller_is_withheld() -> None:
    assert only(
        row("CHAN_START", "1.000001") + row("INVITED", "1.000002", note=invited(caller="anonymous"))
    ).withheld


def test_microseconds_keep_their_leading_zeros() -> None:
    call = only(row("CHAN_START", "1795428972.000007") + row("INVITED", "1795428972.000008", note=invited()))
    assert call.invited_at.microsecond == 7


def test_a_fax_tells_its_fate() -> None:
    fate = '{"extra":"status=SUCCESS&pages=1&error=&mode=audio&rate=14400&file=%2Fr%2Fa.tiff"}'
    fax = only(WHOLE_CALL + row("FAX", "1795428976.3", note=fate)).fax
    assert fax is not None
    assert (fax.status, fax.pages, fax.mode, fax.rate, fax.file) == (
        "SUCCESS",
        1,
        "audio",
        14400,
        Path("/r/a.tiff"),
    )


def test_calls_come_in_order_of_invitation_and_can_be_selected() -> None:
    later = row("CHAN_START", "1795428999.000001", uniqueid="w-2", channel="PJSIP/beta-1") + row(
        "INVITED", "1795428999.1", uniqueid="w-2", channel="PJSIP/beta-1", note=invited("61255500123")
    )
    calls = read_calls(later + WHOLE_CALL)
    assert [call.id for call in calls] == ["w-1", "w-2"]
    assert [call.id for call in select(calls, number="61255500123")] == ["w-2"]
    assert select(calls, incoming=False) == []


def test_a_hostile_caller_number_is_kept_as_it_came() -> None:
    hostile = only(
        row("CHAN_START", "1.000001") + row("INVITED", "1.000002", note=invited(caller="%22%0d%0aX%26%2c%00"))
    )
    assert hostile.caller_id_seen == '"\r\nX&,\0'
