"""Fetch Debian packages into a folder of our own, without root.

Reads: the host's own apt configuration (mirror, proxies, time checks) and Debian's archive keyring.
Gives: a folder with the packages and all they need, extracted; the same folder again next time.
Knows nothing of: what the packages are for.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pbx.errors import FetchRefused

SUITE = "forky"
"""The first Debian with an Asterisk 22; bookworm and trixie have no package of it."""

KEYRINGS = (
    Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
    Path("/usr/share/keyrings/debian-archive-keyring.pgp"),
)
APT_SECONDS_MAX = 900
DEBIAN_SUITES = re.compile(
    r"(?:old)*stable|testing|unstable|sid|bullseye|bookworm|trixie|forky|duke|rc-buggy"
)
INSTALL_IT_YOURSELF = "Or install Asterisk 22.10.1 or newer yourself: it is used when it is on PATH"

# Hooks of the host (cache cleaners, desktop indexes) want root and have no business in our tree.
# Only a file read after the host's own files can clear a list: hence -c, not APT_CONFIG.
HOOKS_OFF = "".join(
    f"#clear {hook};\n"
    for hook in (
        "APT::Update::Pre-Invoke",
        "APT::Update::Post-Invoke",
        "APT::Update::Post-Invoke-Success",
        "DPkg::Pre-Invoke",
        "DPkg::Post-Invoke",
        "DPkg::Pre-Install-Pkgs",
    )
)

REFUSALS: tuple[tuple[str, str, str], ...] = (
    (
        r"is expired|no longer valid|\bexpired\b.*Release|Release.*\bexpired\b",
        "apt calls the Release file of Debian forky expired",
        (
            "The mirror lags or this host's clock is wrong: wait, take another mirror in apt's sources, "
            "or let apt accept it (Acquire::Check-Valid-Until in /etc/apt/apt.conf.d)"
        ),
    ),
    (
        r"is not valid yet|not yet valid",
        "apt calls the Release file of Debian forky not valid yet",
        "Set this host's clock",
    ),
    (
        r"NO_PUBKEY|not signed|GPG error|signatures? (?:couldn't|could not) be verified|Missing key",
        "apt cannot verify the signature of Debian forky",
        "Update the package debian-archive-keyring",
    ),
    (
        r"resolv|[Cc]ould not connect|[Uu]nable to connect|Connection (?:timed out|refused)|unreachable",
        "the Debian mirror of this host's apt configuration cannot be reached",
        "Check the network, or the proxy in /etc/apt/apt.conf.d",
    ),
    (
        r"\b404\b|does not have a Release file",
        "the Debian mirror of this host's apt configuration has no suite forky",
        "Name a full Debian mirror in apt's sources",
    ),
    (
        r"Unable to locate package|no installation candidate|unmet dependencies|not installable",
        "Debian forky on this mirror lacks a package that is needed",
        "Try again later: the suite is moving just now",
    ),
    (
        r"No space left|enough free space",
        "the disk is full",
        "Free 600 MB in the cache folder, or name another in DIALBACK_CACHE",
    ),
)


def fetch(packages: Sequence[str], into: Path) -> Path:
    """Return the folder under `into` that holds `packages` and their dependencies, extracted.

    Safe to call from several processes at once: one fetches, the others wait and use its folder.
    Raises FetchRefused with the remedy.
    """
    architecture = _architecture()
    root = into / f"{SUITE}-{architecture}-{_fingerprint(packages)}"
    if root.is_dir():
        return root
    try:
        into.mkdir(parents=True, exist_ok=True)
        with _locked(into / f".{root.name}.lock"):
            if not root.is_dir():
                _fetch_into(root, packages, architecture)
    except OSError as error:
        raise FetchRefused(
            f"the cache folder {into} cannot be written ({error.strerror})",
            "Name another in DIALBACK_CACHE",
        ) from error
    return root


def host_mirror() -> str:
    """Return the address of the Debian mirror that this host's own apt uses."""
    listing = _apt_output(
        "indextargets",
        "--no-release-info",
        "--format",
        "$(SITE) $(RELEASE) $(COMPONENT)",
        "Created-By: Packages",
    )
    for line in listing.splitlines():
        fields = line.split()
        if len(fields) == 3 and fields[2] == "main" and DEBIAN_SUITES.fullmatch(fields[1]):
            return fields[0]
    raise FetchRefused(
        "apt on this host has no Debian source (main), so there is no mirror to fetch Asterisk from",
        f"Add one line for Debian to /etc/apt/sources.list.d. {INSTALL_IT_YOURSELF}",
    )


def host_keyring() -> Path:
    """Return the file with Debian's archive keys."""
    for keyring in KEYRINGS:
        if keyring.is_file():
            return keyring
    raise FetchRefused(
        f"Debian's archive keyring is not at {KEYRINGS[0]}",
        f"Install the package debian-archive-keyring. {INSTALL_IT_YOURSELF}",
    )


def explain(apt_says: str) -> FetchRefused:
    """Return one line for what apt wrote when it refused."""
    for pattern, reason, remedy in REFUSALS:
        if re.search(pattern, apt_says):
            return FetchRefused(reason, remedy)
    complaints = [line for line in apt_says.splitlines() if line.startswith(("E:", "W:", "Err"))]
    last = (complaints or apt_says.splitlines() or ["no message"])[-1]
    return FetchRefused(f"apt refused: {last.strip()[:300]}", INSTALL_IT_YOURSELF)


def _fetch_into(root: Path, packages: Sequence[str], architecture: str) -> None:
    mirror, keyring = host_mirror(), host_keyring()
    partial = root.with_name(f".{root.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # of a run that was killed; we hold the lock
    try:
        apt = _AptTree(partial / "apt")
        apt.create(f"deb [arch={architecture} signed-by={keyring}] {mirror} {SUITE} main\n")
        apt.run("update")
        apt.run("-y", "--no-install-recommends", "--download-only", "install", *packages)
        archives = sorted(apt.archives.glob("*.deb"))
        for archive in archives:
            _extract(archive, partial / "root")
        (partial / "root" / "PACKAGES").write_text("".join(f"{a.stem}\n" for a in archives))
        (partial / "root").rename(root)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


class _AptTree:
    """A private apt state that knows nothing of what is installed on the host."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.archives = folder / "archives"

    def create(self, source: str) -> None:
        for name in ("lists/partial", "archives/partial", "log"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "sources.list").write_text(source)
        (self.folder / "status").touch()
        (self.folder / "hooks-off.conf").write_text(HOOKS_OFF)

    def run(self, *arguments: str) -> None:
        folder = self.folder
        options = {
            "Dir::State": folder,
            "Dir::State::status": folder / "status",
            "Dir::State::Lists": folder / "lists",
            "Dir::Cache": folder,
            "Dir::Cache::archives": self.archives,
            "Dir::Log": folder / "log",
            "Dir::Etc::sourcelist": folder / "sources.list",
            "Dir::Etc::sourceparts": "-",
            "Dir::Etc::preferences": "-",
            "Dir::Etc::preferencesparts": "-",
            "Debug::NoLocking": "1",
            "APT::Sandbox::User": "root",  # no change of user: nobody else may read our tree
            "APT::Update::Error-Mode": "any",  # else a mirror that is away is only a warning
            "APT::Get::List-Cleanup": "0",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
        }
        pairs = [part for key, value in options.items() for part in ("-o", f"{key}={value}")]
        _apt_output("-q", "-c", str(folder / "hooks-off.conf"), *pairs, *arguments)


def _apt_output(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["apt-get", *arguments],
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=APT_SECONDS_MAX,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
        )
    except FileNotFoundError:
        raise FetchRefused("apt-get is not on this host", INSTALL_IT_YOURSELF) from None
    except subprocess.TimeoutExpired:
        raise FetchRefused(
            f"apt took longer than {APT_SECONDS_MAX} s", "Try again with a faster mirror"
        ) from None
    if done.returncode != 0:
        raise explain(done.stderr or done.stdout)
    return done.stdout


def _extract(archive: Path, root: Path) -> None:
    done = subprocess.run(
        ["dpkg-deb", "-x", str(archive), str(root)],
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
    )
    if done.returncode != 0:
        raise explain(done.stderr)


def _architecture() -> str:
    try:
        return subprocess.run(
            ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
        ).stdout.strip()
    except (FileNotFoundError, subprocess.CalledProcessError):
        raise FetchRefused("this host is no Debian: dpkg is missing", INSTALL_IT_YOURSELF) from None


def _fingerprint(packages: Sequence[str]) -> str:
    return hashlib.sha256(" ".join(sorted(packages)).encode()).hexdigest()[:12]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
