"""Our Asterisk from nothing to ready, and away again, by the commands an operator types."""

from __future__ import annotations

import json
import os
import signal
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pbx_site import Site, site_of
from pydantic import SecretStr

from pbx.bringup import asterisk_of, bring_up
from pbx.commands import pbx
from pbx.errors import AlreadyRunning, StartFailed
from pbx.installation import find_or_fetch
from pbx.process import Asterisk

pytestmark = pytest.mark.real_asterisk


@dataclass
class Context:
    settings: Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Any]:
    made = site_of(tmp_path / "pbx", 4573, {"alpha": ("127.0.9.1", 5060)})
    yield made
    asterisk_of(made).stop()


def type_in(site: Any, *words: Any) -> Any:
    return CliRunner().invoke(pbx, list(words), obj=Context(site))


def test_up_check_down_leaves_nothing_behind(site: Any) -> None:
    up = type_in(site, "up")
    assert up.exit_code == 0, up.output
    assert f"127.0.0.1:{site.pbx.sip_port}/udp" in up.output
    pid = asterisk_of(site).pid
    assert pid is not None
    assert os.getpgid(pid) == pid, "it must not share our terminal's Ctrl-C"

    check = type_in(site, "check", "--output", "json")
    assert check.exit_code == 0, check.output
    assert all(finding["good"] for finding in json.loads(check.output))

    again = type_in(site, "up")
    assert again.exit_code == 5
    assert f"pid {pid}" in again.output

    assert type_in(site, "down").exit_code == 0
    assert asterisk_of(site).pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not list(asterisk_of(site).layout.run.iterdir())
    assert type_in(site, "down").exit_code == 0, "down twice is no error"
    assert type_in(site, "check").exit_code == 1


def test_a_start_writes_no_warning_and_secrets_are_the_owners_alone(site: Any) -> None:
    asterisk = bring_up(site)
    log = (asterisk.layout.log / "messages.log").read_text()
    assert " WARNING[" not in log
    assert " ERROR[" not in log
    for path in (*asterisk.layout.etc.iterdir(), asterisk.layout.events.parent, asterisk.layout.run):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_check_names_what_is_wrong(site: Any) -> None:
    asterisk = bring_up(site)
    manager = asterisk.layout.etc / "manager.conf"
    manager.write_text(manager.read_text().replace("write=originate", "write=system,originate"))
    asterisk.command("manager reload")
    next((asterisk.layout.sounds / "en" / "dialback").glob("goodbye.*")).unlink()
    check = type_in(site, "check", "--output", "json")
    assert check.exit_code == 1
    wrong = {finding["what"]: finding["says"] for finding in json.loads(check.output) if not finding["good"]}
    assert set(wrong) == {"manager rights", "prompts en"}
    assert "system" in wrong["manager rights"]
    assert "goodbye" in wrong["prompts en"]


def test_check_says_that_the_secret_is_another_one(site: Any) -> None:
    bring_up(site)
    other = replace(site, ami=replace(site.ami, secret=SecretStr("not-the-one-it-was-started-with")))
    check = type_in(other, "check", "--output", "json")
    wrong = [finding["what"] for finding in json.loads(check.output) if not finding["good"]]
    assert wrong == ["manager login"]


def test_a_crash_is_seen_and_a_new_start_works(site: Any) -> None:
    asterisk = bring_up(site)
    asterisk.crash()
    assert asterisk.pid is None
    asterisk.start()
    asterisk.wait_until_ready()
    assert "fully booted" in asterisk.command("core waitfullybooted")
    stranger = Asterisk(asterisk.installation, site.pbx.folder)
    assert stranger.pid == asterisk.pid, "found again by its pid file"
    with pytest.raises(AlreadyRunning):
        stranger.start()
    stranger.stop()
    assert asterisk.pid is None


def test_a_frozen_asterisk_is_stopped_all_the_same(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pbx.process.STOP_SECONDS_MAX", 0.5)
    asterisk = bring_up(site)
    pid = asterisk.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    asterisk.stop()
    assert asterisk.pid is None


def test_a_port_in_use_and_a_broken_file_are_told_with_the_last_lines(site: Any) -> None:
    asterisk = bring_up(site)
    asterisk.stop()
    (asterisk.layout.etc / "modules.conf").write_text("[modules]\nautoload=no\nrequire=no_such_module.so\n")
    asterisk.start()
    with pytest.raises(StartFailed, match="no_such_module"):
        asterisk.wait_until_ready()
    assert asterisk.pid is None


def test_a_folder_too_deep_for_a_socket_still_works(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    made = site_of(deep, 4573, {"alpha": ("127.0.9.1", 5060)})
    asterisk = bring_up(made)
    try:
        assert not str(asterisk.layout.run).startswith(str(deep))
        assert asterisk.command("core show uptime")
    finally:
        asterisk.stop()
        asterisk.layout.run.rmdir()


def test_drop_in_files_are_complete_and_printed_without_secrets(site: Any, tmp_path: Path) -> None:
    printed = type_in(site, "drop-in").output
    secrets = (site.ami.secret.get_secret_value(), site.agi.secret.get_secret_value())
    assert not any(secret in printed for secret in secrets)
    assert "/trigger/(not shown)" in printed
    assert type_in(site, "drop-in", "--into", str(tmp_path / "files")).exit_code == 0
    names = {path.name for path in (tmp_path / "files").iterdir()}
    assert {"README", "extensions.conf", "pjsip.conf", "manager.conf", "cel.conf", "cel_custom.conf"} <= names
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in (tmp_path / "files").iterdir())
    shown = type_in(site, "show-config", "manager.conf").output
    assert "secret=(not shown)" in shown
    assert type_in(site, "show-config", "nonsense.conf").exit_code == 2


def test_the_fetched_tools_run(site: Any) -> None:
    import subprocess

    installation = find_or_fetch()
    for tool, argument in (("sipp", "-v"), ("flite", "--version")):
        done = subprocess.run(
            [*installation.run(tool), argument], capture_output=True, text=True, check=False
        )
        assert tool in (done.stdout + done.stderr).lower()
