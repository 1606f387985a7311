"""Bodies and headers that nobody should send."""

import pytest
from weboffice import AUTH, BODY, Office, errors_of

JSON, FORM = "application/json", "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"", JSON, 400),
        (b"{", JSON, 400),
        (b"null", JSON, 400),
        (b"[]", JSON, 400),
        (b'"+442079460101"', JSON, 400),
        (b"\xff\xfe{\x00}\x00", JSON, 400),
        (b"[" * 16_000, JSON, 400),
        (b'{"a":' * 3_000, JSON, 400),
        (b'{"attempts": NaN}', JSON, 400),
        (b'{"attempts": ' + b"9" * 9_000 + b"}", JSON, 400),
        (b'{"number": "+442079460101", "number": "+33142278186"}', JSON, 422),
        (b'{"number": {"number": {"number": "+442079460101"}}}', JSON, 422),
        (b'{"": ""}', JSON, 422),
        (b'{"__proto__": {}}', JSON, 422),
        (b'{"number": "' + b"1" * 16_400 + b'"}', JSON, 413),
        (b"number=%ff%fe", FORM, 400),
        (b"\xc3\xbc=1", FORM, 400),
        (b"a=1&" * 41, FORM, 400),
        (b"number=%2B442079460101&number=%2B33142278186", FORM, 422),
        (b"", FORM, 422),
        (b"number=1%00", FORM, 422),
        (b"number=" + b"1" * 16_400, FORM, 413),
        (b'{"number": "+442079460101"}', "text/plain", 415),
        (b'{"number": "+442079460101"}', "", 415),
        (b"--x\r\n", "multipart/form-data; boundary=x", 415),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_in_words(
    office: Office, body: bytes, media_type: str, status: int
) -> None:
    answer = office.client.post("/api/v1/callbacks", data=body, content_type=media_type, headers=AUTH)
    assert answer.status_code == status
    assert errors_of(answer)
    assert len(answer.data) < 4_000
    assert office.callbacks() == ()


def test_an_answer_does_not_grow_with_foreign_fields(office: Office) -> None:
    answer = office.ask({**BODY, **{f"field{number}": 1 for number in range(900)}})
    assert answer.status_code == 422
    assert len(answer.data) < 4_000


def test_paths_and_methods_that_do_not_exist_are_told_in_the_same_form(office: Office) -> None:
    assert errors_of(office.client.get("/api/v1/nothing", headers=AUTH)) == {}
    answer = office.client.put("/api/v1/callbacks", headers=AUTH)
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize("callback_id", ["%00", "..%2f", "x" * 500, "CB1", "%F0%9F%98%80", "'--"])
def test_an_id_that_can_be_none_is_unknown(office: Office, callback_id: str) -> None:
    assert office.client.get(f"/api/v1/callbacks/{callback_id}", headers=AUTH).status_code == 404


def test_a_fault_of_ours_is_logged_and_none_of_it_is_told(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("inner detail")

    monkeypatch.setattr(office.app.requests, "take", broken)
    monkeypatch.setattr("web.requests.Requests.take", broken)
    answer = office.ask()
    assert answer.status_code == 500
    assert b"inner" not in answer.data
    assert [entry for entry in office.log.entries if entry["event"] == "web.fault"]
