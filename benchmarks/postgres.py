"""A PostgreSQL server of one's own, from what the machine has installed; the tests of the store take it too."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Cluster:
    """A server on a socket in a folder of its own, run as `user` (None: as whoever runs this)."""

    folder: Path
    binaries: Path
    user: str | None

    @property
    def url(self) -> str:
        """Return its address as `headway serve --store` takes it."""
        name = self.user or pwd.getpwuid(os.getuid()).pw_name
        return f"postgresql://{name}@/postgres?host={self.folder}"

    def call(self, program: str, *arguments: str | Path) -> None:
        """Run one of PostgreSQL's programs."""
        subprocess.run(
            [self.binaries / program, *arguments],
            check=True, user=self.user, timeout=180, cwd=self.folder,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=off"
        self.call("pg_ctl", "-D", self.folder / "data", "-w", "-o", options, "start")

    def stop(self) -> None:
        """Stop the server at once, as a crash would."""
        self.call("pg_ctl", "-D", self.folder / "data", "-w", "-m", "immediate", "stop")


@cache
def start_cluster() -> Cluster | None:
    """Start PostgreSQL once for this process, as an unprivileged user; None where the machine has none."""
    found = shutil.which("pg_ctl")
    places = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not places:
        return None
    user = "nobody" if os.getuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="headway-pg-"))
    if user:
        shutil.chown(folder, user)
    cluster = Cluster(folder, places[-1], user)
    cluster.call("initdb", "-D", folder / "data", "-A", "trust", "-N", "-E", "UTF8", "--locale=C.UTF-8")
    cluster.start()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(cluster.stop)
    return cluster
