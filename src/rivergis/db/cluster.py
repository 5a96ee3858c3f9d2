"""The private PostGIS cluster: the system's PostgreSQL binaries over the user's own data folder.

No TCP port: a unix socket in a folder only its owner can enter, so whoever reaches it owns the data. As root the
server runs as an unprivileged user. Three starts at once give one server; after ``kill -9`` the next start waits for
the dying postmaster and recovers.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg2
from psycopg2 import sql

from rivergis.errors import EnvironmentFault

ROLE = "rivergis"
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_LIMIT = 107  # sun_path on Linux
START_SECONDS = 60
DYING_SECONDS = 10


@dataclass(frozen=True)
class Status:
    """State of a private cluster."""

    running: bool
    data_dir: str
    socket_dir: str
    postgres: str | None
    pid: int | None


@dataclass(frozen=True)
class Binaries:
    """Folder of PostgreSQL programs that PostGIS goes with."""

    folder: Path
    version: str

    def path(self, program: str) -> str:
        return str(self.folder / program)


def find_binaries(env: dict[str, str] | None = None) -> Binaries:
    """The newest PostgreSQL (15 or later) with PostGIS; ``RIVERGIS_PG_BIN`` names a folder. One sentence if there is none."""
    given = (os.environ if env is None else env).get("RIVERGIS_PG_BIN")
    folders = [Path(given)] if given else sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_major, reverse=True)
    without = None
    for folder in folders:
        if not (folder / "postgres").exists() or not (folder / "initdb").exists():
            continue
        version = _output([str(folder / "postgres"), "--version"]).split()[2]
        if int(version.split(".")[0]) < 15:
            continue
        if not (_share_dir(folder) / "extension" / "postgis.control").exists():
            without = without or folder
            continue
        return Binaries(folder, version)
    if without:
        raise EnvironmentFault(
            f"PostgreSQL in {without} has no PostGIS: install postgresql-15-postgis-3 (scripts/setup does it), "
            "or set RIVERGIS_DATABASE_URL to a server that has it."
        )
    where = f" in {given}" if given else ""
    raise EnvironmentFault(
        f"No PostgreSQL 15 server programs were found{where}: install postgresql-15 and postgresql-15-postgis-3 "
        "(scripts/setup does it), or set RIVERGIS_DATABASE_URL to an existing server."
    )


def _major(folder: Path) -> int:
    return int(folder.parent.name) if folder.parent.name.isdigit() else 0


def _output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
    except (OSError, subprocess.SubprocessError) as error:
        raise EnvironmentFault(f"{command[0]} cannot be run ({error}).") from error


def _share_dir(folder: Path) -> Path:
    """Where this PostgreSQL keeps its extensions: as its own pg_config says, else by its layout."""
    if (folder / "pg_config").exists():
        return Path(_output([str(folder / "pg_config"), "--sharedir"]))
    debian = Path("/usr/share/postgresql") / folder.parent.name
    return debian if debian.exists() else folder.parent / "share"


class Cluster:
    """A private cluster in ``data_dir/cluster``. ``durable=False`` gives up safety against power cuts (for tests)."""

    def __init__(self, data_dir: Path, durable: bool = True) -> None:
        self.data_dir = data_dir.expanduser().absolute()
        self.durable = durable
        self.user = _server_user()
        self.home = self._home()
        self.pgdata = self.home / "pg"
        self.socket_dir = self._socket_dir()

    def _home(self) -> Path:
        """The cluster's folder; elsewhere when the server's user could not get into the data folder (root's home)."""
        home = self.data_dir / "cluster"
        if self.user is None or _may_enter(self.data_dir, self.user):
            return home
        if (home / "pg").exists():  # never a second, empty cluster beside one that holds data
            raise EnvironmentFault(
                f"The database in {home} cannot be used: a folder on the way is closed to its server's user "
                f"{self.user.pw_name!r}; open it (chmod o+x) and start again."
            )
        return Path("/var/lib/rivergis") / hashlib.sha256(str(self.data_dir).encode()).hexdigest()[:16]

    def _socket_dir(self) -> Path:
        if len(str(self.home / "run" / SOCKET_NAME)) <= SOCKET_LIMIT:
            return self.home / "run"
        short = Path("/tmp") / f"rivergis-{os.getuid()}-{hashlib.sha256(str(self.home).encode()).hexdigest()[:12]}"
        if short.exists() and (
            short.is_symlink() or short.stat().st_uid not in {os.getuid(), self.user.pw_uid if self.user else -1}
        ):
            raise EnvironmentFault(
                f"The path {self.home} is too long for a socket, and {short} belongs to somebody else: choose a shorter RIVERGIS_DATA_DIR."
            )
        return short

    @property
    def dsn(self) -> str:
        return f"postgresql://{ROLE}@/postgres?host={quote(str(self.socket_dir), safe='')}"

    def url(self, name: str) -> str:
        """SQLAlchemy address of one database of the cluster."""
        return f"postgresql+psycopg2://{ROLE}@/{quote(name)}?host={quote(str(self.socket_dir), safe='')}"

    def status(self) -> Status:
        pid = self._pid()
        running = pid is not None and self._answers()
        return Status(
            running,
            str(self.pgdata),
            str(self.socket_dir),
            None if not (self.pgdata / "PG_VERSION").exists() else (self.pgdata / "PG_VERSION").read_text().strip(),
            pid if running else None,
        )

    def start(self) -> str:
        """Start the server if it is not running (made on first use); returns its address once it answers."""
        if self._answers():
            return self.dsn
        programs = find_binaries()
        with self._one_at_a_time():
            if self._answers():
                return self.dsn
            self._make(programs)
            if not self._comes_back():
                self._launch(programs)
        return self.dsn

    def stop(self) -> bool:
        """Stop the server; False when it was not running."""
        if not (self.pgdata / "postmaster.pid").exists():
            return False
        with self._one_at_a_time():
            if not (self.pgdata / "postmaster.pid").exists():
                return False
            done = self._run(
                [find_binaries().path("pg_ctl"), "stop", "-D", str(self.pgdata), "-m", "fast", "-w", "-t", "60"]
            )
        return done.returncode == 0

    def ensure_database(self, name: str) -> bool:
        """Create the database with PostGIS unless it is there; True when it was made."""
        connection = psycopg2.connect(self.dsn)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
                if cursor.fetchone():
                    return False
                try:
                    cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
                except (psycopg2.errors.DuplicateDatabase, psycopg2.errors.UniqueViolation):
                    return False
                return True
        finally:
            connection.close()

    # ---- how it is done --------------------------------------------------------------------------------------

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        self._folder(self.home)
        with (self.home / "lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _folder(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if self.user is not None:
                os.chown(folder, self.user.pw_uid, self.user.pw_gid)
            folder.chmod(0o700)
        except OSError as error:
            raise EnvironmentFault(
                f"The folder {folder} cannot be made for the database ({error.strerror}): check its owner and the free space, "
                "or set RIVERGIS_DATA_DIR."
            ) from error

    def _make(self, programs: Binaries) -> None:
        if (self.pgdata / "PG_VERSION").exists():
            made = (self.pgdata / "PG_VERSION").read_text().strip()
            if made != programs.version.split(".")[0]:
                raise EnvironmentFault(
                    f"The cluster in {self.pgdata} was made by PostgreSQL {made}, but {programs.version} is installed: "
                    f"install postgresql-{made}, back up, and restore into a new data folder."
                )
            return
        # made under another name and renamed, so that a broken attempt is never taken for a cluster
        part = self.home / "pg.part"
        shutil.rmtree(part, ignore_errors=True)
        self._folder(part)
        done = self._run(
            [
                programs.path("initdb"),
                "-D",
                str(part),
                "-U",
                ROLE,
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "--auth=trust",
                "--data-checksums",
                "--no-sync",
            ]
        )
        if done.returncode:
            shutil.rmtree(part, ignore_errors=True)
            raise EnvironmentFault(f"The database cluster could not be made in {self.home}: {_last_line(done)}")
        (part / "pg_hba.conf").write_text("local all all trust\n")
        part.rename(self.pgdata)

    def _launch(self, programs: Binaries) -> None:
        self._folder(self.socket_dir)
        options = {
            "listen_addresses": "''",
            "unix_socket_directories": f"'{self.socket_dir}'",
            "unix_socket_permissions": "0700",
            "port": "5432",
            "shared_buffers": "128MB",
            "max_connections": "60",
            "timezone": "'UTC'",
            "log_timezone": "'UTC'",
            "logging_collector": "off",
        }
        if not self.durable:
            options |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        (self.pgdata / "rivergis.conf").write_text("".join(f"{k} = {v}\n" for k, v in options.items()))
        conf = self.pgdata / "postgresql.conf"
        if "rivergis.conf" not in conf.read_text():
            conf.write_text(conf.read_text() + "\ninclude 'rivergis.conf'\n")
        log = self.home / "server.log"
        done = self._run(
            [
                programs.path("pg_ctl"),
                "start",
                "-D",
                str(self.pgdata),
                "-l",
                str(log),
                "-w",
                "-t",
                str(START_SECONDS),
                "-s",
            ]
        )
        if done.returncode or not self._answers():
            tail = log.read_text(errors="replace").strip().splitlines()[-3:] if log.exists() else []
            reason = next(
                (line for line in reversed(tail) if "FATAL" in line or "PANIC" in line or "could not" in line),
                _last_line(done),
            )
            raise EnvironmentFault(f"The database server did not start: {reason} (log: {log}).")

    def _comes_back(self) -> bool:
        """Wait for a postmaster that is there and does not answer: it is dying (True: it answers after all).

        After kill -9 the old one can stay a zombie for a second or two; and one of whose processes was killed recovers, which can
        take as long as a start.
        """
        began = time.monotonic()
        while (pid := self._pid()) is not None and _is_postgres(pid):
            if self._answers():
                return True
            waited = time.monotonic() - began
            if waited > DYING_SECONDS and _is_zombie(pid):  # dead for good, only nobody has collected it
                (self.pgdata / "postmaster.pid").unlink(missing_ok=True)
                return False
            if waited > START_SECONDS:
                return False
            time.sleep(0.1)
        return False

    def _pid(self) -> int | None:
        try:
            return int((self.pgdata / "postmaster.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return None

    def _answers(self) -> bool:
        if not (self.socket_dir / SOCKET_NAME).exists():
            return False
        try:
            psycopg2.connect(self.dsn, connect_timeout=3).close()
        except psycopg2.OperationalError:
            return False
        return True

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a server program, as the unprivileged user when we are root."""
        extra: dict[str, object] = {}
        if self.user is not None:
            extra = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        env = {k: v for k, v in os.environ.items() if not k.startswith("PG")} | {
            "LC_ALL": "C.UTF-8",
            "HOME": str(self.home),
        }
        # output goes to a file: a server that keeps a pipe open would never let us go on
        out = self.home / f".out-{os.getpid()}"
        with out.open("w") as handle:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=handle,
                stderr=subprocess.STDOUT,
                env=env,
                cwd="/",
                text=True,
                **extra,
            )  # type: ignore[call-overload]
        done.stdout = out.read_text(errors="replace")
        out.unlink(missing_ok=True)
        return done


def _server_user() -> pwd.struct_passwd | None:
    """None for an ordinary user; for root the user the server runs as."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise EnvironmentFault(
        "PostgreSQL does not run as root, and this system has neither a user 'postgres' nor 'nobody': start as an ordinary user."
    )


def _may_enter(folder: Path, user: pwd.struct_passwd) -> bool:
    """Whether a user can pass through every existing folder on the way."""
    for part in [folder, *folder.parents]:
        if part.is_dir():
            mode = part.stat()
            if not (mode.st_mode & 0o001 or (mode.st_uid == user.pw_uid and mode.st_mode & 0o100)):
                return False
    return True


def _process(pid: int) -> str:
    """The process's line in /proc: number, (name), state ...; empty when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""


def _is_postgres(pid: int) -> bool:
    return "(postgres)" in _process(pid)


def _is_zombie(pid: int) -> bool:
    return ") Z " in _process(pid)


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in (done.stdout or "").strip().splitlines() if line.strip()]
    return lines[-1] if lines else f"exit code {done.returncode}"


def ensure(data_dir: Path, name: str) -> str:
    """Address of database ``name`` on the private cluster of ``data_dir``, started and created when needed."""
    cluster = Cluster(data_dir)
    cluster.start()
    cluster.ensure_database(name)
    return cluster.url(name)
