"""Where one Asterisk of ours keeps its files.

Reads: a folder, an Installation.
Gives: the paths below the folder, the folders made, the `[directories]` that tell Asterisk of them.
Knows nothing of: what the configuration files say.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pbx.errors import StartFailed
from pbx.installation import Installation

SOCKET_PATH_MAX = 107
"""Bytes of `sun_path` (unix(7)), less the closing NUL."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one Asterisk; several live on one host, each with its own folder."""

    folder: Path

    @property
    def etc(self) -> Path:
        return self.folder / "etc"

    @property
    def main_file(self) -> Path:
        return self.etc / "asterisk.conf"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def sounds(self) -> Path:
        """Own prompts go to `<sounds>/<language>/dialback/`."""
        return self.data / "sounds"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def console(self) -> Path:
        """What Asterisk wrote to its terminal: the place to look when it does not start."""
        return self.log / "console.txt"

    @property
    def events(self) -> Path:
        """The CEL file, which cel_custom writes."""
        return self.log / "cel-custom" / "dialback.csv"

    @property
    def run(self) -> Path:
        """Folder of the control socket; a short one elsewhere if ours is too deep for a socket."""
        near = self.folder / "run"
        if len(os.fsencode(near / "asterisk.ctl")) <= SOCKET_PATH_MAX:
            return near
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"dialback-{os.getuid()}-{digest}"

    @property
    def pid_file(self) -> Path:
        return self.run / "asterisk.pid"

    def prepare(self, installation: Installation) -> None:
        """Make the folders, and link the installation's documentation and core prompts in."""
        for path in (self.etc, self.log, self.events.parent, self.folder / "lib", self.folder / "spool"):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._own_run_folder()
        self.sounds.mkdir(parents=True, exist_ok=True)
        for name in ("documentation", "keys", "rest-api", "static-http"):
            _link(self.data / name, installation.data / name)
        english = self.sounds / "en"
        english.mkdir(exist_ok=True)
        for sound in installation.sounds.iterdir():
            _link(english / sound.name, sound)

    def directories(self, installation: Installation) -> str:
        """Return the `[directories]` section of asterisk.conf."""
        places = {
            "astetcdir": self.etc,
            "astmoddir": installation.modules,
            "astvarlibdir": self.folder / "lib",
            "astdbdir": self.folder / "lib",
            "astkeydir": self.data,
            "astdatadir": self.data,
            "astagidir": self.folder / "lib",
            "astspooldir": self.folder / "spool",
            "astrundir": self.run,
            "astlogdir": self.log,
            "astcachedir": self.folder / "lib",
        }
        return "[directories]\n" + "".join(f"{key} => {path}\n" for key, path in places.items())

    def _own_run_folder(self) -> None:
        self.run.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.run.stat().st_uid != os.getuid():
            raise StartFailed(
                f"{self.run} belongs to another user", "Name a shorter [pbx] folder in switch.toml"
            )


def _link(link: Path, target: Path) -> None:
    if link.is_symlink():
        if link.readlink() == target:
            return
        link.unlink()
    if target.exists() and not link.exists():
        link.symlink_to(target)
