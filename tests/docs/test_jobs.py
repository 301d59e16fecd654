"""Every job of docs/jobs.txt is done by the command that stands beside it."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import pytest

import zc.zk
from tests.cli.inprocess import zk as run
from tests.deadlines import scaled
from tests.docs.pages import PAGES
from tests.servers import Ensemble
from zc.zk.cli.commands import COMMANDS

JOBS = re.findall(r"^(\S.*?)  +``zk (.+)``$", PAGES["docs/jobs.txt"], re.MULTILINE)

# They go on until they are interrupted; and those that start other processes, or fork.
ENDLESS = {"watch"}
OF_THEIR_OWN = {"create", "edit", "lock"}

# The commands that are for no job of zkCli.sh, zk-shell and etcdctl.
FOR_TREES = {
    "browse", "export", "graph", "import", "render", "server", "set_property", "validate"
}  # fmt: skip

OUTPUT = {
    "get one property": "8\n",
    "get an ACL": "world:anyone:crwa",
    "list children": "open\n",
    "stat": "/jobs\n  kind      persistent\n",
    "authenticate": "digest:alice\n",
    "the configuration of the ensemble": "version=",
    "list quotas": "/jobs",
    "four-letter words": "zk_server_state    leader\n",
    "the status of each server": "  follower  ",
    "find text in data": "/jobs/open: text\n",
    "find nodes": "/jobs/queue-0000000",
    "count nodes and bytes": "  /jobs\n",
    "count children": "5\n",
    "watch a node": "/jobs add property threads = 8\n",
    "watch a node and all below": "/jobs add property threads = 8\n",
    "who owns an ephemeral node, sessions": "session 0x",
    "read commands line by line": "open\n",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "alice").write_text("digest:alice:secret\n")
    (tmp_path / "alice").chmod(0o600)
    (tmp_path / "tree.txt").write_text("/jobs\n")
    return tmp_path


@pytest.mark.not_over_tls("the table says nothing of keys")
def test_every_job_is_done_by_its_command(folder, ensemble: Ensemble, monkeypatch):
    # All go to one server, as another one may not have yet what was just written.
    server = ensemble.leader().connection_string
    monkeypatch.setenv("ZC_ZK_CONNECTION_STRING", server)
    monkeypatch.setenv("EDITOR", "sed -i s/8/9/")
    done = []
    with zc.zk.ZooKeeper(server) as zk:
        for job, line in JOBS:
            words = shlex.split(line)
            if words[0] in ENDLESS:
                output = first_line(words)
            elif words[0] in OF_THEIR_OWN:
                output = in_a_process(words)
            else:
                if words[0] == "status":
                    words.append(ensemble.connection_string)
                outcome = run(*words)
                assert outcome.status == 0, (job, outcome)
                output = outcome.output
                assert outcome.messages == "", (job, outcome)
            assert OUTPUT.get(job, "") in output, (job, output)
            done.append(job)
            if job.startswith("edit"):
                assert zk.get_properties("/jobs") == {"threads": 9}
        assert len(done) == len(JOBS)
        assert zk.exists("/jobs") is None
        assert (folder / "data").read_text() == '{"threads": 8}'


def test_every_command_has_a_job() -> None:
    with_job = {line.split()[0] for _, line in JOBS}
    assert with_job | FOR_TREES == set(COMMANDS)
    assert len(JOBS) >= 37


def in_a_process(words: list[str]) -> str:
    command = [sys.executable, "-m", "zc.zk", *words]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=scaled(60))
    assert ended.returncode == 0, (words, ended.stderr)
    return ended.stdout


def first_line(words: list[str]) -> str:
    command = [sys.executable, "-m", "zc.zk", words[0], "--no-time", *words[1:]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.terminate()
    return line
