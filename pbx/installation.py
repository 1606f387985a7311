"""Find an Asterisk that is fit for use, or fetch one privately.

Reads: what is installed on the host (`asterisk -V`), the cache of fetched packages.
Gives: an Installation: how to run Asterisk and its companions, where its modules and sounds lie.
Knows nothing of: configuration, running processes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pbx.debian import fetch
from pbx.errors import ToolMissing, VersionRefused

OLDEST = (22, 10, 1)
"""First release with the fixes of March to June 2026 (GHSA-c4cg-9275-6w44, -33x6-fj46-6rfh,
-2grh-7mhv-fcfw, -64qc-9x89-rx5j, -ph27-3m5q-mj5m, -3rhj-hhw7-m6fw): not 22.9.0, not 22.10.0."""

COMPANIONS = ("asterisk-core-sounds-en-gsm", "flite", "sip-tester")
PACKAGES = ("asterisk", *COMPANIONS)

MODULE_FOLDERS = ("/usr/lib/*/asterisk/modules", "/usr/lib/asterisk/modules", "/usr/lib64/asterisk/modules")
DATA_FOLDERS = ("usr/share/asterisk", "var/lib/asterisk")
SOUND_FOLDERS = ("sounds/en_US_f_Allison", "sounds/en")

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """An Asterisk at hand, and how to run what belongs to it."""

    version: str
    asterisk: tuple[str, ...]
    """The beginning of every command line that runs Asterisk."""
    modules: Path
    data: Path
    """Holds `documentation/`, without which modules refuse to load."""
    sounds: Path
    """The English core prompts: digits/, letters/, silence/, beep."""
    companions: Path | None
    """Root of fetched packages; None when all is installed on the host."""
    note: str = ""
    """Why the installed Asterisk was passed over, if it was."""

    def run(self, tool: str) -> tuple[str, ...]:
        """Return the beginning of a command line that runs `tool` (sipp, flite)."""
        if self.companions is not None and (self.companions / "usr/bin" / tool).exists():
            return through_loader(self.companions, f"usr/bin/{tool}")
        installed = shutil.which(tool)
        if installed is None:
            raise ToolMissing(f"{tool} is neither installed nor fetched", f"Install {tool}")
        return (installed,)


def default_cache() -> Path:
    """Return the folder in which fetched packages are kept from run to run."""
    named = os.environ.get("DIALBACK_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dialback"


def find_or_fetch(cache: Path | None = None) -> Installation:
    """Return the host's Asterisk if it is fit, else a fetched one.

    Raises VersionRefused if even the fetched one has known holes, FetchRefused if none can be had.
    """
    cache = cache or default_cache()
    note = ""
    try:
        installed = installed_on_host()
        if installed is not None:
            return _with_companions(installed, cache)
    except VersionRefused as refusal:
        note = str(refusal)
    return _in_root(fetch(PACKAGES, cache), note)


def installed_on_host() -> Installation | None:
    """Return the Asterisk on PATH; None if there is none; raises VersionRefused if it is not fit."""
    program = shutil.which("asterisk") or shutil.which("asterisk", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        return None
    version = fit_version(_version_line((program,)), where=program)
    modules = _first(path for pattern in MODULE_FOLDERS for path in Path("/").glob(pattern[1:]))
    data = _first(Path("/") / name for name in DATA_FOLDERS if _has_documentation(Path("/") / name))
    if modules is None or data is None:
        return None  # an install of unusual shape: the fetched one is known to work
    sounds = _first(data / name for name in SOUND_FOLDERS if (data / name / "beep.gsm").exists())
    return Installation(
        version=version,
        asterisk=(program,),
        modules=modules,
        data=data,
        sounds=sounds or data / SOUND_FOLDERS[-1],
        companions=None,
    )


def fit_version(line: str, *, where: str) -> str:
    """Return the version named by `asterisk -V`, or raise VersionRefused with the reason."""
    found = re.match(r"Asterisk (\d+)\.(\d+)\.(\d+)(?P<suffix>\S*)", line)
    oldest = ".".join(map(str, OLDEST))
    if found is None:
        raise VersionRefused(
            f"{where} calls itself {line.strip()[:80]!r}, which is no release that can be judged",
            f"Install a plain release {oldest} or newer",
        )
    version: Version = tuple(int(part) for part in found.groups()[:3])
    text = ".".join(map(str, version))
    if version[0] != OLDEST[0]:
        raise VersionRefused(
            f"{where} is Asterisk {text}; Dialback is tested on Asterisk 22 and knows no safe "
            f"oldest release of {version[0]}",
            f"Install {oldest} or a newer 22",
        )
    if version < OLDEST or (version == OLDEST and re.match(r"-?(rc|beta|alpha)", found["suffix"])):
        raise VersionRefused(
            f"{where} is Asterisk {text}, which has the holes closed in {oldest} "
            "(March to June 2026, GHSA-c4cg-9275-6w44 and others)",
            f"Install {oldest} or a newer 22",
        )
    return text


def through_loader(root: Path, program: str) -> tuple[str, ...]:
    """Return a command line that runs a fetched program with its own C library, not the host's."""
    loader = _first(sorted(root.glob("usr/lib/*/ld-linux*.so.*")))
    if loader is None:
        raise ToolMissing(f"no loader in {root}", "Remove that folder and fetch again")
    # Without --inhibit-cache a library that is missing here would be taken from the host.
    return (str(loader), "--inhibit-cache", "--library-path", str(loader.parent), str(root / program))


def _in_root(root: Path, note: str) -> Installation:
    asterisk = through_loader(root, "usr/sbin/asterisk")
    data = root / DATA_FOLDERS[0]
    return Installation(
        version=fit_version(_version_line(asterisk), where="the fetched Asterisk"),
        asterisk=asterisk,
        modules=Path(asterisk[0]).parent / "asterisk/modules",
        data=data,
        sounds=data / SOUND_FOLDERS[0],
        companions=root,
        note=note,
    )


def _with_companions(installed: Installation, cache: Path) -> Installation:
    """The host's Asterisk, with prompts and tools fetched if the host lacks any of them."""
    has_sounds = (installed.sounds / "beep.gsm").exists()
    if has_sounds and shutil.which("flite") and shutil.which("sipp"):
        return installed
    root = fetch(COMPANIONS, cache)
    return Installation(
        version=installed.version,
        asterisk=installed.asterisk,
        modules=installed.modules,
        data=installed.data,
        sounds=installed.sounds if has_sounds else root / DATA_FOLDERS[0] / SOUND_FOLDERS[0],
        companions=root,
    )


def _version_line(asterisk: Sequence[str]) -> str:
    done = subprocess.run([*asterisk, "-V"], check=False, capture_output=True, text=True, timeout=30)
    return done.stdout.strip() or done.stderr.strip()


def _has_documentation(data: Path) -> bool:
    return (data / "documentation").is_dir()


def _first(paths: Iterable[Path]) -> Path | None:
    return next(iter(paths), None)
