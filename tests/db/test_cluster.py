"""The private cluster: from nothing, after kill -9, three starts at once, as an ordinary user, and every refusal as one sentence."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from rivergis.db import cluster as cluster_
from rivergis.db.cluster import Cluster
from rivergis.errors import EnvironmentFault

START = "import sys; from pathlib import Path; from rivergis.db.cluster import Cluster; c = Cluster(Path(sys.argv[1]), durable=False); print(c.start(), c.status().pid)"


@pytest.fixture
def own(run_dir: Path, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A cluster of this test's own."""
    made = Cluster(run_dir / f"c{abs(hash(request.node.name)) % 10**8}", durable=False)
    yield made
    made.stop()


def test_from_nothing_to_postgis_and_off(own: Cluster) -> None:
    assert not own.status().running
    own.start()
    assert own.status().running
    assert own.ensure_database("a") and not own.ensure_database("a")
    with psycopg2.connect(own.dsn.replace("/postgres?", "/a?")) as conn, conn.cursor() as cursor:
        cursor.execute("CREATE EXTENSION postgis; SELECT postgis_lib_version()")
        assert cursor.fetchone()[0] >= "3.3"  # type: ignore[index]
        cursor.execute("SHOW listen_addresses")
        assert cursor.fetchone() == ("",), "no TCP port"
    conn.close()
    assert own.socket_dir.stat().st_mode & 0o777 == 0o700
    assert own.stop() and not own.stop()


def test_after_kill_9_it_starts_again_with_its_data(own: Cluster) -> None:
    own.start()
    own.ensure_database("kept")
    os.kill(own.status().pid, signal.SIGKILL)  # type: ignore[arg-type]
    own.start()
    assert not own.ensure_database("kept"), "the database is still there"


def test_three_starts_at_once_give_one_server(own: Cluster) -> None:
    racers = [
        subprocess.Popen([sys.executable, "-c", START, str(own.data_dir)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    said = {r.communicate(timeout=60)[0].strip() for r in racers}
    assert all(r.returncode == 0 for r in racers)
    assert len(said) == 1, "the same address and the same process"


def test_a_long_path_gets_a_short_socket(run_dir: Path) -> None:
    long = Cluster(run_dir / ("long-" * 20) / "data", durable=False)
    try:
        long.start()
        assert len(str(long.socket_dir)) < 60
        assert long.socket_dir.stat().st_mode & 0o777 == 0o700
        assert long.status().running
    finally:
        long.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_works_as_an_ordinary_user(tmp_path_factory: pytest.TempPathFactory) -> None:
    user = pwd.getpwnam("nobody")
    home = Path("/tmp") / f"rivergis-test-{os.getpid()}"
    home.mkdir(mode=0o755)
    os.chown(home, user.pw_uid, user.pw_gid)
    code = START + "; c.ensure_database('x'); assert c.user is None; c.stop()"
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, str(home / "data")],
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
            cwd="/",
            capture_output=True,
            text=True,
            env={"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(Path(cluster_.__file__).parents[2])},
        )
        if "Permission denied" in done.stderr and "site-packages" in done.stderr:
            pytest.skip("this checkout lies where other users may not read it")
        assert done.returncode == 0, done.stderr
    finally:
        subprocess.run(["rm", "-rf", str(home)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's home is closed to the server's user")
def test_root_with_a_closed_data_folder_puts_the_cluster_where_its_user_may_go(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    c = Cluster(closed / "data", durable=False)
    assert str(c.home).startswith("/var/lib/rivergis/")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another user")
def test_a_folder_closed_later_is_refused_never_a_second_empty_cluster(own: Cluster) -> None:
    own.start()
    own.stop()
    own.data_dir.chmod(0o700)
    try:
        with pytest.raises(EnvironmentFault, match=r"is closed to its server's user .*chmod o\+x"):
            Cluster(own.data_dir, durable=False)
    finally:
        own.data_dir.chmod(0o755)


def programs(folder: Path, *, postgis: bool) -> Path:
    """A PostgreSQL installation with links to the real programs, with or without PostGIS."""
    real = cluster_.find_binaries().folder
    (folder / "bin").mkdir(parents=True)
    for name in ("postgres", "initdb", "pg_ctl"):
        (folder / "bin" / name).symlink_to(real / name)
    (folder / "share" / "extension").mkdir(parents=True)
    if postgis:
        (folder / "share" / "extension" / "postgis.control").touch()
    return folder / "bin"


def test_postgresql_without_postgis_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match=r"has no PostGIS: install postgresql-15-postgis-3"):
        cluster_.find_binaries({"RIVERGIS_PG_BIN": str(programs(tmp_path, postgis=False))})
    assert cluster_.find_binaries({"RIVERGIS_PG_BIN": str(programs(tmp_path / "b", postgis=True))}).version


def test_no_postgresql_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match=r"No PostgreSQL 15 server programs were found .*RIVERGIS_DATABASE_URL"):
        cluster_.find_binaries({"RIVERGIS_PG_BIN": str(tmp_path)})


def test_a_folder_that_cannot_be_made(run_dir: Path) -> None:
    (run_dir / "file").write_text("in the way")
    with pytest.raises(EnvironmentFault, match="cannot be made for the database"):
        Cluster(run_dir / "file" / "data").start()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk_is_one_sentence_and_leaves_no_half_cluster(run_dir: Path) -> None:
    small = run_dir / "small"
    small.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m,mode=0755", "tmpfs", str(small)], capture_output=True
    ).returncode:
        pytest.skip("no file system may be mounted here")
    try:
        full = Cluster(small / "data", durable=False)
        with pytest.raises(EnvironmentFault, match="could not be made"):
            full.start()
        assert not full.pgdata.exists()
    finally:
        time.sleep(0.2)
        subprocess.run(["umount", "-l", str(small)], check=True)
