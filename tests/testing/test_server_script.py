"""The command zookeeper_server, as a shell runs it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

import zc.zk
import zookeeper
from tests.deadlines import scaled
from tests.testing.serverscript import BANNER, Start, fault
from zc.zk.scripts import export
from zc.zk.testing import Server


def test_it_says_where_it_listens_and_that_it_is_no_ensemble(start: Start) -> None:
    process, where = start("--port", 0)
    with zc.zk.ZooKeeper(where) as zk:
        assert zk.get_children("/") == ["zookeeper"]
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=scaled(20))
    assert (process.returncode, output) == (0, "")
    assert errors == f"python -m zc.zk server: {BANNER}\n"


def test_it_holds_a_tree_and_keeps_what_is_changed_in_a_file(start: Start, tmp_path: Path) -> None:
    tree, data = tmp_path / "tree", tmp_path / "data"
    tree.write_text("/service\n  threads = 3\n  /providers\n")
    process, where = start("--port", 0, "--tree", tree, "--data", data)
    with zc.zk.ZooKeeper(where) as zk:
        zk.properties("/service").update(colour="red")
        assert zk.get_children("/service") == ["providers"]
    process.terminate()
    assert process.wait(scaled(20)) == 0
    _, again = start("--port", 0, "--data", data)
    with zc.zk.ZooKeeper(again) as zk:
        assert zk.get_properties("/service") == {"colour": "red", "threads": 3}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"this is no tree", "line 1: "),
        (b"/a\n  x = [\n", "line 2: "),
        (b"/a\n  x = '\xff'\n", "line 2: not UTF-8 text"),
        (None, "No such file or directory"),
    ],
)
def test_a_tree_that_is_no_good(tmp_path: Path, content: bytes | None, complaint: str) -> None:
    tree = tmp_path / "tree"
    if content is not None:
        tree.write_bytes(content)
    assert fault("--port", "0", "--tree", tree).startswith(f"{tree}: {complaint}")


def test_a_tree_in_another_format(start: Start, tmp_path: Path) -> None:
    tree = tmp_path / "tree.json"
    _, where = start("--port", 0)
    with zc.zk.ZooKeeper(where) as zk:
        zk.import_tree("/a\n  x = 1\n  /b\n")
    assert export(["--format", "json", "-o", str(tree), where]) is None
    _, again = start("--port", 0, "--tree", tree)
    with zc.zk.ZooKeeper(again) as zk:
        assert zk.export_tree() == "/a\n  x = 1\n  /b\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--port", "65536"), "argument --port: not a port: '65536'"),
        (("--port", "http"), "argument --port: not a port: 'http'"),
        (("--host", ""), "argument --host: it is empty; 0.0.0.0 is all addresses"),
        (("--host", "\udcff"), "argument --host: not a host: '\\udcff'"),
        (("--tree",), "argument --tree: expected one argument"),
        (("2181",), "unrecognized arguments: 2181"),
    ],
)
def test_arguments_that_make_no_sense(arguments: tuple[str, ...], complaint: str) -> None:
    assert fault(*arguments, status=2).startswith(complaint)


def test_a_port_that_is_taken(own: Server) -> None:
    expected = f"cannot listen on {own.connection_string}: Address already in use"
    assert fault("--port", own.port) == expected


def test_an_address_that_is_none_of_ours() -> None:
    expected = "cannot listen on 192.0.2.1:0: Cannot assign requested address"
    assert fault("--port", "0", "--host", "192.0.2.1") == expected


def test_a_data_file_that_is_no_snapshot_is_left_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.write_bytes(b"precious")
    expected = f"{data}: not a snapshot of this version"
    assert fault("--port", "0", "--data", data) == expected
    assert data.read_bytes() == b"precious"


def test_a_data_file_that_is_damaged_is_left_alone(start: Start, tmp_path: Path) -> None:
    data = tmp_path / "data"
    process, _ = start("--port", 0, "--data", data)
    process.terminate()
    assert process.wait(scaled(20)) == 0
    damaged = data.read_bytes()[:-1]
    data.write_bytes(damaged)
    expected = f"{data}: damaged, its checksum is wrong"
    assert fault("--port", "0", "--data", data) == expected
    assert data.read_bytes() == damaged


def test_a_data_file_that_is_a_folder(tmp_path: Path) -> None:
    expected = f"{tmp_path}: not a regular file"
    assert fault("--port", "0", "--data", tmp_path) == expected


def test_a_data_file_that_cannot_be_written_is_found_out_at_once(tmp_path: Path) -> None:
    data = tmp_path / "nowhere" / "data"
    expected = f"{data}: cannot be written: No such file or directory"
    assert fault("--port", "0", "--data", data) == expected


def test_a_client_that_is_connected_does_not_hinder_the_end(start: Start) -> None:
    process, where = start("--port", 0)
    handle = zookeeper.init(where)
    try:
        process.terminate()
        assert process.wait(scaled(20)) == 0
    finally:
        zookeeper.close(handle)
