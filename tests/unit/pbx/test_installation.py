"""Which Asterisk is fit for use, and what is said of one that is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pbx import installation
from pbx.errors import PbxError, ToolMissing, VersionRefused
from pbx.installation import Installation, default_cache, fit_version, through_loader


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("Asterisk 22.10.1", "22.10.1"),
        ("Asterisk 22.10.1+dfsg+~cs6.17.60671434-1", "22.10.1"),
        ("Asterisk 22.10.1~dfsg+~cs6.15.60671435-1", "22.10.1"),
        ("Asterisk 22.11.0 built by nobody @ somewhere", "22.11.0"),
        ("Asterisk 22.11.0-rc1", "22.11.0"),
    ],
)
def test_a_release_with_the_fixes_is_fit(line: Any, version: Any) -> None:
    assert fit_version(line, where="it") == version


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Asterisk 22.10.0", "holes"),
        ("Asterisk 22.9.0", "holes"),
        ("Asterisk 22.10.1-rc1", "holes"),
        ("Asterisk 20.99.9", "no safe oldest release of 20"),
        ("Asterisk 23.0.0", "no safe oldest release of 23"),
        ("Asterisk certified/20.7-cert8", "no release that can be judged"),
        ("Asterisk GIT-master-abcdef", "no release that can be judged"),
        ("", "no release that can be judged"),
    ],
)
def test_an_older_or_unknown_release_is_refused_with_reason_and_remedy(line: Any, reason: Any) -> None:
    with pytest.raises(VersionRefused, match=reason) as refusal:
        fit_version(line, where="/usr/sbin/asterisk")
    assert "22.10.1" in refusal.value.remedy
    assert refusal.value.exit_code == 4


def test_an_installed_asterisk_that_is_too_old_is_passed_over_with_a_note(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    old = VersionRefused("/usr/sbin/asterisk is Asterisk 20.1.0", "Install a newer one")

    def too_old() -> None:
        raise old

    monkeypatch.setattr(installation, "installed_on_host", too_old)
    monkeypatch.setattr(installation, "fetch", lambda packages, into: into / "root")
    monkeypatch.setattr(installation, "_in_root", lambda root, note: (root, note))
    found: Any = installation.find_or_fetch(tmp_path)
    assert found == (tmp_path / "root", str(old))


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIALBACK_CACHE", "/somewhere")
    assert default_cache() == Path("/somewhere")
    monkeypatch.delenv("DIALBACK_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert default_cache() == Path("/cache/dialback")


@pytest.mark.parametrize(
    ("architecture", "loader"),
    [("x86_64-linux-gnu", "ld-linux-x86-64.so.2"), ("aarch64-linux-gnu", "ld-linux-aarch64.so.1")],
)
def test_a_fetched_program_runs_by_its_own_loader_on_either_architecture(
    tmp_path: Path, architecture: Any, loader: Any
) -> None:
    libraries = tmp_path / "usr/lib" / architecture
    libraries.mkdir(parents=True)
    (libraries / loader).touch()
    words = through_loader(tmp_path, "usr/bin/flite")
    assert words[0] == str(libraries / loader)
    assert words[words.index("--library-path") + 1] == str(libraries)
    assert words[-1] == str(tmp_path / "usr/bin/flite")


def test_a_tool_that_is_nowhere_is_named(tmp_path: Path) -> None:
    bare = Installation(
        version="22.10.1",
        asterisk=("asterisk",),
        modules=tmp_path,
        data=tmp_path,
        sounds=tmp_path,
        companions=None,
    )
    with pytest.raises(ToolMissing, match="no-such-tool-here is neither installed nor fetched"):
        bare.run("no-such-tool-here")


def test_every_refusal_is_one_line_with_a_remedy() -> None:
    error = PbxError("it is so", "Do that")
    assert str(error) == "it is so. Do that"
