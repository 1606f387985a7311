"""Fetching without root: what is said when apt refuses, and that parallel runs do not collide."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from pbx import debian
from pbx.debian import explain, fetch, host_keyring, host_mirror
from pbx.errors import FetchRefused


@pytest.mark.parametrize(
    ("apt_says", "reason", "remedy"),
    [
        (
            "E: Release file for http://m/debian/dists/forky/InRelease is expired (invalid since 2d 3h).",
            "expired",
            "Acquire::Check-Valid-Until",
        ),
        (
            "E: Release file for http://m/debian/dists/forky/InRelease is not valid yet (invalid for 1h).",
            "not valid yet",
            "clock",
        ),
        (
            "W: GPG error: http://m/debian forky InRelease: NO_PUBKEY 6ED0E7B82643E131",
            "signature",
            "debian-archive-keyring",
        ),
        ("E: Failed to fetch http://m/ Temporary failure resolving 'm'", "cannot be reached", "network"),
        ("E: Could not connect to m:80 (10.0.0.1), connection timed out", "cannot be reached", "proxy"),
        (
            "E: The repository 'http://m forky Release' does not have a Release file.",
            "no suite forky",
            "mirror",
        ),
        ("E: Failed to fetch http://m/x.deb  404  Not Found [IP: 1.2.3.4 80]", "no suite forky", "mirror"),
        ("E: Unable to locate package asterisk", "lacks a package", "later"),
        ("E: You don't have enough free space in /tmp.", "disk is full", "DIALBACK_CACHE"),
        ("E: Something that nobody foresaw", "nobody foresaw", "Asterisk 22.10.1"),
        ("", "no message", "Asterisk 22.10.1"),
    ],
)
def test_what_apt_says_becomes_one_line_with_a_remedy(apt_says: Any, reason: Any, remedy: Any) -> None:
    refusal = explain(apt_says)
    assert reason in refusal.reason
    assert remedy in refusal.remedy
    assert "\n" not in str(refusal)
    assert refusal.exit_code == 69


def test_a_host_without_a_debian_source_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    listing = "http://m/ubuntu noble main\nhttp://m/tool nodistro main\nhttp://m/debian-security x main\n"
    monkeypatch.setattr(debian, "_apt_output", lambda *words: listing)
    with pytest.raises(FetchRefused, match="no Debian source"):
        host_mirror()


def test_the_mirror_is_the_hosts_own_and_never_the_security_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    listing = (
        "http://s/debian-security bookworm-security main\n"
        "http://m/debian bookworm contrib\nhttp://m/debian bookworm main\n"
    )
    monkeypatch.setattr(debian, "_apt_output", lambda *words: listing)
    assert host_mirror() == "http://m/debian"


def test_a_missing_keyring_is_named_with_its_usual_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "KEYRINGS", (Path("/no/such/keyring.gpg"),))
    with pytest.raises(FetchRefused, match=r"/no/such/keyring\.gpg"):
        host_keyring()


def test_a_host_without_apt_or_dpkg_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FetchRefused, match="apt-get is not on this host"):
        host_mirror()
    with pytest.raises(FetchRefused, match="no Debian"):
        fetch(("asterisk",), tmp_path)


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(FetchRefused, match="cannot be written"):
        fetch(("asterisk",), tmp_path / "cache")


def test_a_cache_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    with pytest.raises(FetchRefused, match=r"cache.*cannot be written"):
        fetch(("asterisk",), tmp_path / "cache")


def test_two_runs_at_once_fetch_once_and_share_the_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fetched = []

    def slow(root: Path, packages: object, architecture: str) -> None:
        fetched.append(root)
        time.sleep(0.05)
        root.mkdir()

    monkeypatch.setattr(debian, "_fetch_into", slow)
    results: list[Path] = []
    threads = [threading.Thread(target=lambda: results.append(fetch(("b", "a"), tmp_path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fetched) == 1
    assert set(results) == {fetched[0]}
    assert fetch(("a", "b"), tmp_path) == fetched[0], "the order of packages is no difference"
    assert fetch(("a",), tmp_path) != fetched[0]


def test_a_fetch_that_fails_leaves_nothing_half_done(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    def refuse(*words: str) -> str:
        if "indextargets" in words:
            return "http://m/debian bookworm main\n"
        raise explain("E: Unable to locate package asterisk")

    monkeypatch.setattr(debian, "_apt_output", refuse)
    monkeypatch.setattr(debian, "host_keyring", lambda: Path("/keyring"))
    with pytest.raises(FetchRefused):
        fetch(("asterisk",), tmp_path)
    assert [path.name for path in tmp_path.iterdir() if not path.name.endswith(".lock")] == []
