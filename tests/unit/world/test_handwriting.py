"""What a hand-made carrier writes: logins and replies."""

import pytest

from world.handwriting import Login, reply

LOGIN = Login(username="Mufasa", password="Circle Of Life")
ANSWER = "b6a9aa0ffce4848ab70f8adca0fb8dfe"
"""MD5 by hand: of user, realm and password; nonce; method and address."""
INVITE = b"""INVITE sip:1@h SIP/2.0\r
Via: SIP/2.0/UDP a\r
From: <sip:a@b>;tag=1\r
To: <sip:1@h>\r
Call-ID: x\r
CSeq: 1 INVITE\r
"""


def shown(response: str) -> bytes:
    words = f'username="Mufasa", realm="handmade", nonce="n1", uri="sip:1@h", response="{response}"'
    return INVITE + f"Proxy-Authorization: Digest {words}\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("response", "nonce", "is_right"),
    [
        (ANSWER, "n1", True),
        (ANSWER, "n2", False),
        ("0" * 32, "n1", False),
    ],
)
def test_a_login_is_right_only_for_its_password_and_the_nonce_that_was_asked(
    response: str, nonce: str, is_right: bool
) -> None:
    assert LOGIN.is_shown_in(shown(response), nonce) is is_right


def test_a_call_without_a_login_shows_none() -> None:
    assert not LOGIN.is_shown_in(INVITE + b"\r\n", "n1")


def test_a_reply_tags_the_call_once_and_counts_its_body() -> None:
    said = reply(INVITE + b"\r\n", 183, tag="t", body=b"v=0\r\n")
    assert said.startswith(b"SIP/2.0 183 ")
    assert said.count(b"To: <sip:1@h>;tag=t\r\n") == 1
    assert said.endswith(b"Content-Length: 5\r\n\r\nv=0\r\n")
