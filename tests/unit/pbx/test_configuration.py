"""The text of Asterisk's configuration: odd settings, and values that would like to be lines."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pbx_site import site_of
from pydantic import SecretStr, ValidationError

from pbx import configuration
from pbx.configuration import (
    AMI_READ,
    AMI_WRITE,
    CEL_COLUMNS,
    CEL_EVENTS,
    drop_in,
    entity_id,
    manager_conf,
    without_secrets,
)
from pbx.dialplan import extensions_conf, site_token
from pbx.errors import ConfigurationRefused
from pbx.modules import module_names, modules_conf
from pbx.settings import PbxSettings, TrunkSettings
from pbx.text import section, value_text
from pbx.trunks import pjsip_conf


@pytest.fixture
def site(tmp_path: Path) -> Any:
    return site_of(tmp_path, 4573, {"alpha": ("192.0.2.1", 5060), "beta": ("192.0.2.2", 5080)})


def trunk(**values: Any) -> Any:
    return TrunkSettings(**{"name": "alpha", "host": "192.0.2.1", "country": "GB", **values})


def lines_of(text: Any, name: Any) -> Any:
    """The lines of the sections of that name, in order."""
    wanted, found = False, []
    for line in text.splitlines():
        if line.startswith("["):
            wanted = line == f"[{name}]"
        elif wanted and line:
            found.append(line)
    return found


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b", "a\x7fb", "\x1b[0m"])
def test_a_control_character_never_becomes_a_line(value: Any) -> None:
    with pytest.raises(ConfigurationRefused, match="secret"):
        value_text("secret", value)
    with pytest.raises(ConfigurationRefused):
        section(value, {})


def test_a_semicolon_is_no_comment_and_outer_spaces_are_refused() -> None:
    assert value_text("secret", "a;b") == "a\\;b"
    with pytest.raises(ConfigurationRefused, match="space"):
        value_text("secret", " a")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Alpha"),
        ("name", "a]\n[global"),
        ("name", "global"),
        ("name", "dialback-x"),
        ("name", ""),
        ("host", "192.0.2.1\ncontact=x"),
        ("host", "exa mple.test"),
        ("host", "-x.test"),
        ("port", 0),
        ("transport", "tcp"),
        ("match", ["192.0.2.0/4"]),
        ("match", ["192.0.2.1:x"]),
        ("match", ["a,b"]),
        ("country", "gb"),
        ("codecs", []),
        ("codecs", ["alaw\nx"]),
        ("prefix", "00+"),
        ("username", "user\n"),
        ("qualify_seconds", -1),
        ("dtmf", "smoke"),
        ("nonsense", 1),
    ],
)
def test_a_wrong_trunk_value_is_refused_by_its_key(field: Any, value: Any) -> None:
    with pytest.raises(ValidationError) as refusal:
        trunk(**{field: value})
    assert refusal.value.errors()[0]["loc"][0] == field


def test_username_and_password_go_together() -> None:
    with pytest.raises(ValidationError, match="go together"):
        trunk(username="me")
    with pytest.raises(ValidationError) as refusal:
        trunk(username="me", password="two\nlines")
    assert "two" not in str(refusal.value), "a secret is never printed"


@pytest.mark.parametrize("folder", ["/x;y", "/x\ny", "/x[y]"])
def test_a_folder_that_cannot_stand_in_a_file_is_refused(folder: Any) -> None:
    with pytest.raises(ValidationError) as refusal:
        PbxSettings(folder=Path(folder), sip_port=5060, rtp_start=10000, rtp_end=10100)
    assert refusal.value.errors()[0]["loc"] == ("folder",)


def test_a_media_range_without_room_is_refused_with_the_least_end() -> None:
    with pytest.raises(ValidationError, match="10007"):
        PbxSettings(folder=Path("/x"), sip_port=5060, rtp_start=10000, rtp_end=10001)


def test_two_trunks_that_cannot_be_told_apart_are_refused(site: Any) -> None:
    with pytest.raises(ConfigurationRefused, match=r"'alpha' and 'beta' both match 192\.0\.2\.1"):
        pjsip_conf(site.pbx, (trunk(), trunk(name="beta", port=5062)))
    with pytest.raises(ConfigurationRefused, match="stands twice"):
        pjsip_conf(site.pbx, (trunk(), trunk(host="192.0.2.2")))
    apart = pjsip_conf(
        site.pbx, (trunk(match=["192.0.2.1:5060"]), trunk(name="beta", match=["192.0.2.1:5062"]))
    )
    assert "match=192.0.2.1:5062" in apart
    assert apart.count("permit=192.0.2.1\n") == 1


def test_nobody_but_a_trunk_is_let_in(site: Any) -> None:
    text = pjsip_conf(site.pbx, site.trunks)
    assert "endpoint_identifier_order=ip" in lines_of(text, "global")
    assert lines_of(text, "dialback-acl")[1:] == [
        "deny=0.0.0.0/0.0.0.0",
        "deny=::/0",
        "permit=192.0.2.1",
        "permit=192.0.2.2",
    ]
    assert "anonymous" not in text
    assert "type=registration" not in text


def test_a_trunk_known_by_name_gets_no_acl_that_would_lock_it_out(site: Any) -> None:
    assert "dialback-acl" not in pjsip_conf(site.pbx, (trunk(host="sip.example.test"),))


def test_every_trunk_has_its_timeouts_and_manners(site: Any) -> None:
    lines = set(lines_of(pjsip_conf(site.pbx, site.trunks), "alpha"))
    assert {
        "rtp_timeout=60",
        "direct_media=no",
        "send_diversion=no",
        "allow_transfer=no",
        "redirect_method=user",
        "set_var=FORWARD_CONTEXT=dialback-nowhere",
        "context=dialback-trigger",
        f"media_address={site.pbx.host}",
    } <= lines


def test_keys_come_by_agreement_unless_the_trunk_says_how(site: Any) -> None:
    site = replace(site, trunks=(trunk(), trunk(name="beta", host="192.0.2.2", dtmf="inband")))
    text = pjsip_conf(site.pbx, site.trunks)
    assert "dtmf_mode=auto" in lines_of(text, "alpha")
    assert "dtmf_mode=inband" in lines_of(text, "beta")


def test_a_number_with_parameters_of_its_own_is_still_that_number(site: Any) -> None:
    assert "ignore_uri_user_options=yes" in lines_of(pjsip_conf(site.pbx, site.trunks), "global")


def test_a_secret_with_odd_characters_is_written_so_that_asterisk_reads_it_back(site: Any) -> None:
    text = pjsip_conf(site.pbx, (trunk(username="u", password=SecretStr("p;w\\#=>[x]")),))
    assert "password=p\\;w\\#=>[x]" in text


def test_address_translation_names_both_addresses_and_the_near_networks(site: Any) -> None:
    pbx = site.pbx.model_copy(update={"external_address": "198.51.100.7", "host": "0.0.0.0"})
    text = pjsip_conf(pbx, site.trunks)
    assert "external_media_address=198.51.100.7" in text
    assert "local_net=10.0.0.0/8" in text
    assert "media_address=0.0.0.0" not in text


def test_an_ipv6_trunk_is_bracketed_in_its_contact(site: Any) -> None:
    assert "contact=sip:[2001:db8::1]:5060" in pjsip_conf(site.pbx, (trunk(host="2001:db8::1"),))


def test_the_manager_is_on_loopback_with_least_rights(site: Any) -> None:
    text = manager_conf(site.ami)
    assert "bindaddr=127.0.0.1" in text
    assert f"read={','.join(AMI_READ)}" in text
    assert f"write={','.join(AMI_WRITE)}" in text
    assert not {"system", "command", "config", "all", "agi", "user"} & set(AMI_WRITE)
    assert "timestampevents=yes" in text
    assert "allowmultiplelogin=no" in text
    with pytest.raises(ConfigurationRefused, match="loopback only"):
        manager_conf(replace(site.ami, host="0.0.0.0"))


def test_a_manager_secret_of_two_lines_is_refused(site: Any) -> None:
    with pytest.raises(ConfigurationRefused, match=r"\[ami\] secret"):
        manager_conf(replace(site.ami, secret=SecretStr("0123456789abcdef\nwrite=all")))


def test_keys_are_nowhere_recorded() -> None:
    assert "DTMF" not in CEL_EVENTS
    assert "dtmf" not in configuration.logger_conf()
    assert "digit" not in CEL_COLUMNS


def test_the_switch_reads_the_columns_that_we_write() -> None:
    from switch.evidence import CEL_COLUMNS as READ

    assert READ == CEL_COLUMNS


def test_every_agi_line_is_followed_by_hangup_and_nothing_dials(site: Any) -> None:
    text = extensions_conf(site.pbx, site.agi)
    lines = [line for line in text.splitlines() if line and not line.startswith((";", "["))]
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if "AGI(" in line:
            assert ",Hangup(" in following
    assert "Dial(" not in text
    assert "Answer()" not in text.partition("[dialback-ivr]")[0]
    assert "Progress" not in text
    assert text.rstrip().endswith("[dialback-nowhere]")


def test_only_digits_enter_the_trigger(site: Any) -> None:
    entries = lines_of(extensions_conf(site.pbx, site.agi), "dialback-trigger")
    patterns = [line.removeprefix("exten => _").split(",")[0] for line in entries]
    assert all(set(pattern.removeprefix("+")) == {"X"} for pattern in patterns)


def test_the_site_token_hangs_on_the_secret_and_is_not_the_secret(site: Any) -> None:
    assert site_token("a" * 16) != site_token("b" * 16)
    assert len(site_token("a" * 16)) == 32
    text = extensions_conf(site.pbx, site.agi)
    assert site.agi.secret.get_secret_value() not in text
    assert site_token(site.agi.secret.get_secret_value()) not in without_secrets(text)


def test_modules_are_required_one_by_one_and_none_that_is_known_to_be_dangerous() -> None:
    text = modules_conf()
    assert "autoload=no" in text
    assert text.count("require=") == len(module_names()) == len(set(module_names()))
    dangerous = {
        "app_sms",
        "chan_iax2",
        "app_system",
        "func_shell",
        "app_originate",
        "res_ari",
        "res_pjsip_refer",
        "res_pjsip_endpoint_identifier_anonymous",
        "res_pjsip_endpoint_identifier_user",
        "res_pjsip_registrar",
        "res_clioriginate",
        "pbx_spool",
    }
    assert not dangerous & set(module_names())


def test_the_entity_id_is_a_local_address_and_differs_by_name() -> None:
    first, second = entity_id("one"), entity_id("two")
    assert first != second
    assert int(first[:2], 16) & 3 == 2


def test_files_are_written_readable_by_their_owner_alone_even_over_open_ones(
    site: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "manager.conf").write_text("old")
    (folder / "manager.conf").chmod(0o644)
    configuration.write(drop_in(site), folder)
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "old" not in (folder / "manager.conf").read_text()
    assert sorted(path.name for path in folder.iterdir()) == sorted(drop_in(site))
