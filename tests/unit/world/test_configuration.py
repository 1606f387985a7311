"""The configuration of the world's Asterisk follows its plan."""

from __future__ import annotations

import pytest

from world.configuration import Carrier, Line, NetworkRefused, Plan, configuration_files

PLAN = Plan(
    directories="[directories]\n",
    lines=(
        Line(carrier=Carrier(name="alpha", country_code="44"), host="127.0.9.1", port=5071),
        Line(carrier=Carrier(name="beta", reachable=False), host="127.0.9.2", port=5072),
    ),
    switch_host="127.0.0.1",
    switch_port=5060,
    ami_port=5038,
    ami_secret="s",
    rtp_start=20000,
    rtp_end=20399,
)


def test_each_carrier_listens_at_its_own_address_and_knows_itself_by_it() -> None:
    pjsip = configuration_files(PLAN)["pjsip.conf"]
    assert "bind = 127.0.9.1:5071" in pjsip
    assert "match_request_uri = /@127[.]0[.]9[.]1:5071/" in pjsip
    assert "contact = sip:127.0.0.1:5060" in pjsip


def test_a_carrier_that_cannot_be_reached_has_no_port() -> None:
    assert "127.0.9.2" not in configuration_files(PLAN)["pjsip.conf"]


def test_a_dark_carrier_listens_elsewhere_and_comes_back_to_its_own_port() -> None:
    dark = PLAN.moved("alpha", 9999)
    assert "bind = 127.0.9.1:9999" in configuration_files(dark)["pjsip.conf"]
    assert configuration_files(dark.moved("alpha", None)) == configuration_files(PLAN)


def test_the_log_has_microseconds_and_keys() -> None:
    files = configuration_files(PLAN)
    assert "dateformat = %s.%6q" in files["cel.conf"]
    assert "DTMF" in files["cel.conf"]
    assert files["cel_custom.conf"].startswith("[phones.csv]")


def test_the_manager_port_is_bound_to_loopback() -> None:
    assert "bindaddr = 127.0.0.1" in configuration_files(PLAN)["manager.conf"]


def test_every_carrier_has_a_context_that_leads_to_the_phones() -> None:
    dialplan = configuration_files(PLAN)["extensions.conf"]
    assert "[carrier-alpha]" in dialplan
    assert "Set(HOME=44)" in dialplan
    assert "[play]" in dialplan


@pytest.mark.parametrize("name", ["", "al pha", "al/pha", "älpha", "a]b"])
def test_a_carrier_name_that_would_break_the_file_is_refused(name: str) -> None:
    with pytest.raises(NetworkRefused, match="a carrier's name is"):
        Carrier(name=name)


def test_an_unknown_way_of_sending_keys_is_refused() -> None:
    with pytest.raises(NetworkRefused, match="rfc4733, inband or info"):
        Carrier(name="alpha", dtmf="smoke")
