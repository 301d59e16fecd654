"""The file that keeps a server's nodes and sessions over a restart."""

from __future__ import annotations

import os
import random
import stat
from pathlib import Path

import pytest

import zookeeper
from tests import sessions
from tests.calls import Calls
from tests.deadlines import wait_until
from tests.sessions import OPEN
from tests.testing.test_engine import connected, create, everything
from zc.zk.testing import Server
from zc.zk.testing.engine import Create, Engine, Entry, Kind
from zc.zk.testing.snapshot import MAGIC, SnapshotError, load, save


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data"


def grown() -> Engine:
    """Return an engine that has had a life."""
    engine = Engine(lambda: 1_700_000_000_000, b"secret of the first")
    client = connected(engine)
    engine.prove(client, "digest", b"bob:secret")
    acl = (Entry(31, "auth", ""), Entry(1, "world", "anyone"))
    engine.write(client, Create("/zażółć", b"\xff\0", acl, 0))
    engine.write(client, Create("/null", None, acl, 0))
    engine.write(client, Create("/c", b"", acl, 4, kind=Kind.CONTAINER))
    engine.write(client, Create("/t", b"", acl, 5, 1000, Kind.WITH_TTL))
    engine.write(client, create("/e", flags=1))
    engine.write(client, create("/zookeeper/quota/null"))
    engine.write(client, create("/zookeeper/quota/null/zookeeper_limits"))
    engine.write(client, create("/zookeeper/quota/null/zookeeper_stats"))
    for number in range(100):
        engine.write(client, create(f"/null/{number}"))
    return engine


def fresh() -> Engine:
    return Engine(lambda: 1_700_000_100_000, b"secret of the second")


def test_a_tree_that_is_saved_is_loaded(file: Path) -> None:
    engine, later = grown(), fresh()
    save(engine, file)
    load(later, file)
    assert everything(later) == everything(engine)
    assert [(s.id, s.timeout) for s in later.sessions] == [
        (s.id, s.timeout) for s in engine.sessions
    ]
    (session,) = later.sessions
    assert later.sessions.password(session.id) == engine.sessions.password(session.id)
    # Quotas go on, and so do the numbers of changes and sessions.
    client = connected(later)
    assert client.session is not None
    assert client.session.id != session.id
    later.prove(client, "digest", b"bob:secret")
    later.write(client, create("/null/more"))
    assert later.tree.node("/zookeeper/quota/null/zookeeper_stats").data == b"count=102,bytes=0"
    assert later.zxid > engine.zxid


def test_no_client_comes_from_the_future_after_a_restart(file: Path) -> None:
    engine, later = grown(), fresh()
    save(engine, file)
    for number in range(50):
        engine.write(connected(engine), create(f"/lost-{number}"))
    load(later, file)
    assert later.zxid > engine.zxid


def test_a_file_is_replaced_in_one_step_and_leaves_no_others(file: Path) -> None:
    save(grown(), file)
    before = file.read_bytes()
    save(fresh(), file)
    assert file.read_bytes() != before
    assert list(file.parent.iterdir()) == [file]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_written_is_left_as_it_was(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(grown(), file)
    before = file.read_bytes()

    def no_space(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", no_space)
    with pytest.raises(OSError, match="No space"):
        save(fresh(), file)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_damage_of_any_kind_is_found(file: Path) -> None:
    save(grown(), file)
    whole = file.read_bytes()
    chosen = random.Random(5)
    damaged = [whole[: chosen.randrange(len(whole))] for _ in range(100)]
    for _ in range(300):
        place = chosen.randrange(len(whole))
        flipped = whole[place] ^ 1 << chosen.randrange(8)
        damaged.append(whole[:place] + bytes([flipped]) + whole[place + 1 :])
    for content in [*damaged, b"", b"something else", MAGIC, whole + b"x"]:
        file.write_bytes(content)
        engine = fresh()
        with pytest.raises(SnapshotError, match=str(file)):
            load(engine, file)


def test_a_server_goes_on_with_its_nodes_sessions_and_watches(file: Path) -> None:
    states, events = Calls(), Calls()
    with Server(data=file) as server:
        handle = zookeeper.init(server.connection_string, states)
        sessions.wait_until_connected(zookeeper, handle)
        zookeeper.create(handle, "/e", "data", OPEN, zookeeper.EPHEMERAL)
        zookeeper.get(handle, "/e", events)
        port = server.port
    with Server(port, data=file) as server:
        wait_until(
            lambda: (
                [s for _, _, s, _ in states.all()][-1:] == [zookeeper.CONNECTED_STATE]
                and len(states) == 3
            ),
            "it is connected again",
            20,
        )
        assert zookeeper.get(handle, "/e")[0] == "data"
        zookeeper.set(handle, "/e", "changed")
        wait_until(lambda: events.all()[-1][1] == zookeeper.CHANGED_EVENT, "the watch is there")
        zookeeper.close(handle)


def test_changes_are_saved_every_few_seconds(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zc.zk.testing.snapshot.SAVE_SECONDS", 0.02)

    def saved() -> bool:
        engine = fresh()
        load(engine, file)
        return "/a" in engine.tree.nodes

    with Server(data=file) as server:
        with sessions.session(zookeeper, server.connection_string) as handle:
            zookeeper.create(handle, "/a", "", OPEN)
            wait_until(saved, "the file has it")


def test_a_server_does_not_start_with_a_file_that_is_damaged(file: Path) -> None:
    file.write_bytes(b"not a snapshot")
    with pytest.raises(SnapshotError, match="data"):
        Server(data=file)


def test_a_fifo_is_refused_without_waiting_for_its_other_end(file: Path) -> None:
    os.mkfifo(file)
    with pytest.raises(SnapshotError, match=f"{file}: not a regular file"):
        Server(data=file)
    assert stat.S_ISFIFO(file.stat().st_mode)


def test_a_folder_is_refused(file: Path) -> None:
    file.mkdir()
    with pytest.raises(SnapshotError, match=f"{file}: not a regular file"):
        Server(data=file)


def test_a_device_is_refused_and_stays(file: Path) -> None:
    try:
        os.mknod(file, stat.S_IFCHR | 0o600, os.stat("/dev/null").st_rdev)
    except PermissionError:
        pytest.skip("only root makes devices")
    with pytest.raises(SnapshotError, match=f"{file}: not a regular file"):
        Server(data=file)
    assert stat.S_ISCHR(file.stat().st_mode)


def test_a_file_that_becomes_a_fifo_before_the_start_is_refused(file: Path) -> None:
    server = Server(data=file)
    os.mkfifo(file)
    with pytest.raises(SnapshotError, match=f"{file}: not a regular file"):
        server.start()
    assert stat.S_ISFIFO(file.stat().st_mode)


@pytest.mark.parametrize("is_there", [False, True])
def test_the_target_of_a_symbolic_link_is_replaced_and_not_the_link(
    file: Path, tmp_path: Path, is_there: bool
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    target = folder / "target"
    file.symlink_to(target)
    if is_there:
        save(grown(), target)
    with (
        Server(data=file) as server,
        sessions.session(zookeeper, server.connection_string) as handle,
    ):
        assert bool(zookeeper.exists(handle, "/null")) is is_there
        zookeeper.create(handle, "/a", "", OPEN)
        with pytest.raises(SnapshotError, match=f"{target}: another server uses it"):
            Server(data=target)
    assert file.readlink() == target
    assert list(folder.iterdir()) == [target]
    engine = fresh()
    load(engine, target)
    assert "/a" in engine.tree.nodes


def test_two_servers_do_not_use_one_file(file: Path) -> None:
    with Server(data=file) as server:
        with pytest.raises(SnapshotError, match=f"{file}: another server uses it"):
            Server(data=file)
        with sessions.session(zookeeper, server.connection_string) as handle:
            zookeeper.create(handle, "/a", "", OPEN)
        server.restart()
        with pytest.raises(SnapshotError, match=f"{file}: another server uses it"):
            Server(data=file)
    with (
        Server(data=file) as server,
        sessions.session(zookeeper, server.connection_string) as handle,
    ):
        assert zookeeper.exists(handle, "/a")


def test_a_server_does_not_overwrite_a_file_used_since_it_was_made(file: Path) -> None:
    early = Server(data=file)
    with Server(data=file):
        with pytest.raises(SnapshotError, match="another server uses it"):
            early.start()
    with pytest.raises(SnapshotError, match="another server has used it meanwhile"):
        early.start()
    with Server(data=file):
        pass


def test_a_server_killed_at_its_first_start_leaves_a_file_that_can_be_used(file: Path) -> None:
    file.touch()
    with Server(data=file):
        pass
    load(fresh(), file)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_does_not_keep_the_file(file: Path) -> None:
    release, held = os.pipe()
    with Server(data=file):
        child = os.fork()
        if not child:
            os.close(held)
            os.read(release, 1)
            os._exit(0)
    try:
        with Server(data=file):
            pass
    finally:
        os.close(held)
        os.close(release)
        os.waitpid(child, 0)
