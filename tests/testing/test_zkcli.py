"""Java's own command line, zkCli.sh of Debian, is a client of our server."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

import zc.zk
from tests.cli.inprocess import call
from tests.deadlines import scaled
from zc.zk.testing import Server

JAR = Path("/usr/share/java/zookeeper.jar")
MAIN_CLASS = "org.apache.zookeeper.ZooKeeperMain"  # the program that zkCli.sh runs

pytestmark = pytest.mark.skipif(not JAR.exists(), reason="no ZooKeeper for Java here")


def tell(server: Server, *commands: str) -> str:
    """Return the output of the command line in one session."""
    java = ["java", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-cp", str(JAR), MAIN_CLASS]
    process = subprocess.run(
        [*java, "-server", server.connection_string],
        input="".join(f"{command}\n" for command in (*commands, "quit")),
        capture_output=True,
        text=True,
        timeout=scaled(60),
    )
    assert process.returncode == 0, process.stderr
    noise = "|".join(["SLF4J: .*", "JLine .*", "Welcome .*", "Connecting .*", ""])
    lines = (process.stdout + process.stderr).splitlines()
    return "\n".join(line for line in lines if not re.fullmatch(noise, line))


def test_zkcli_does_its_everyday_work(own: Server) -> None:
    said = tell(
        own,
        "create /a data",
        "create -s -e /a/s- x",
        "ls -R /",
        "get -w /a",
        "set /a changed",
        "get -s /a",
        "setAcl /a world:anyone:cdrwa",
        "getAcl -s /a",
        "stat /a/s-0000000000",
        "addWatch /a",
        "create /a/new",
        "ls -w /a",
        "removewatches /a",
        "deleteall /a",
        "ls /",
    )
    for expected in [
        "Created /a\n",
        "Created /a/s-0000000000",
        "/\n/a\n/zookeeper\n/a/s-0000000000\n/zookeeper/config\n/zookeeper/quota",
        "type:NodeDataChanged path:/a",
        "changed\n",
        "dataVersion = 1",
        "'world,'anyone\n: cdrwa",
        "aclVersion = 1",
        "type:NodeCreated path:/a/new",
        "[new, s-0000000000]",
        "type:PersistentWatchRemoved path:/a",
        "[zookeeper]",
    ]:
        assert expected in said, said
    owner = re.search(r"ephemeralOwner = (0x[0-9a-f]+)", said.partition("aclVersion = 1")[2])
    assert owner is not None
    assert "exception" not in said.lower(), said


def test_zkcli_asks_what_only_newer_servers_know(own: Server) -> None:
    said = tell(
        own,
        "addauth digest bob:secret",
        "whoami",
        "create -c /container",
        "create -t 5000 /brief",
        "create -e /a",
        "getEphemerals",
        "getAllChildrenNumber /",
        "addWatch -m PERSISTENT_RECURSIVE /",
        "sync /",
        "config",
        "reconfig -remove 1",
        "get /nowhere",
        "ls /",  # last, for the exit status is the last command's
    )
    for expected in [
        "digest: bob",
        "ip: 127.0.0.1",
        "Created /container",
        "Created /brief",
        "[/a]",
        "\n6\n",
        "Sync is OK",
        "KeeperErrorCode = Unimplemented",
        "Node does not exist: /nowhere",
    ]:
        assert expected in said, said


def test_quotas_are_kept_count_of(own: Server) -> None:
    said = tell(
        own,
        "create /a 12345",
        "setquota -n 100 /a",
        "create /a/b 123",
        "listquota /a",
        "delquota -n /a",
    )
    assert "count=2,bytes=8" in said, said


def test_quotas_of_ours_are_javas_and_the_other_way_round(own: Server) -> None:
    with zc.zk.ZooKeeper(own.connection_string) as zk:
        zk.create_recursive("/a/b")
        zk.create("/j", "12345")
    place = own.connection_string
    assert call("quota", "set", place, "/a", "--count", 10, "--hard-bytes", 1000).status == 0
    said = tell(own, "listquota /a", "setquota -b 100 /j", "setquota -N 7 /j")
    assert "Output quota for /a count=10,bytes=-1=;byteHardLimit=1000" in said
    assert "Output stat for /a count=2,bytes=0" in said
    assert call("quota", "list", place).output == (
        "/a count 2 of 10, bytes 0 of any, at most 1000\n"
        "/j count 1 of any, at most 7, bytes 5 of 100\n"
    )
    assert call("quota", "delete", place, "/j").status == 0
    assert "quota for /j does not exist" in tell(own, "listquota /j")
