"""Shells complete command lines, by the protocol of argcomplete."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

import pytest

TREE = """\
/shop
  /web
    /providers
  /worker
/shut
"""

# Bash splits at these.
WORD_BREAKS = " \t\n\"'><=;|&(:"


@pytest.fixture
def completions(command, tmp_path):
    """Return a function that asks for a line's completions.

    The first word of the line is a command; or `zk`, and the second one is.
    """

    def completions(line: str, status: int = 0, **variables: str) -> list[str]:
        answer = Path(tmp_path, "completions")
        asking = {
            "_ARGCOMPLETE": "1",
            "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
            "_ARGCOMPLETE_IFS": "\n",
            "_ARGCOMPLETE_SHELL": "bash",
            "_ARGCOMPLETE_COMP_WORDBREAKS": WORD_BREAKS,
            "COMP_LINE": line,
            "COMP_POINT": str(len(line)),
        }
        name = line.split()[0]
        outcome = command(*[] if name == "zk" else [name], variables=asking | variables)
        assert (outcome.status, outcome.output) == (status, "")
        return answer.read_text().splitlines()

    return completions


@pytest.fixture(autouse=True)
def tree(zk):
    zk.import_tree(TREE)


def test_options(completions):
    assert completions("export --eph") == ["--ephemeral "]


def test_the_commands_of_the_program(completions, place):
    assert completions("zk exp") == ["export "]
    assert {"set", "create", "acl", "export"} <= set(completions("zk "))
    assert completions("zk export --eph") == ["--ephemeral "]
    assert completions(f"zk export {place} /sh") == ["/shop", "/shut"]
    assert completions("zk no-such ") == []
    assert completions("zk hel") == ["help "]
    assert completions("zk help exp") == ["export "]
    assert "help" not in completions("zk help ")


def test_commands_that_begin_with_a_verb(completions, place):
    assert completions("acl re") == ["remove "]
    assert {"get", "set", "list", "delete"} <= set(completions("quota "))
    assert completions(f"acl get {place} /sh") == ["/shop", "/shut"]
    assert completions("word mn") == ["mntr "]
    assert completions(f"grep {place} text /sh") == ["/shop", "/shut"]
    assert completions("find --kind eph") == ["ephemeral "]


def test_paths_of_nodes(completions, place):
    assert completions(f"export {place} /sh") == ["/shop", "/shut"]
    assert completions(f"export {place} /shop/") == ["/shop/web", "/shop/worker"]
    assert completions(f"export -e {place} /shop/wo") == ["/shop/worker "]
    assert completions(f"export {place} /shop/x") == []


def test_a_path_that_goes_on_ends_with_a_slash(completions, place):
    assert completions(f"delete {place} /shop/we") == ["/shop/web/"]


def test_every_word_of_a_line(completions, place):
    assert completions(f"watch {place} /shut /shop/we") == ["/shop/web/"]
    assert completions(f"import {place} file.txt /shop/wo") == ["/shop/worker "]


def test_the_root_of_a_connection(completions, place):
    """Bash takes what is behind the colon."""
    rest = place.rpartition(":")[2]
    assert completions(f"browse {place}/sho") == [f"{rest}/shop/"]
    assert completions(f"diff tree.txt {place}/shop/w") == [
        f"{rest}/shop/web", f"{rest}/shop/worker",
    ]  # fmt: skip


def test_the_connection_of_the_environment(completions, place):
    assert completions("export /sho", ZC_ZK_CONNECTION_STRING=place) == ["/shop/"]


def test_files_where_there_is_no_such_node(completions, place, tmp_path):
    (tmp_path / "tree.txt").touch()
    assert completions(f"import {place} tr") == ["tree.txt "]
    assert completions(f"import {place} {tmp_path}/tr") == [f"{tmp_path}/tree.txt "]
    assert completions("export -o tr") == ["tree.txt "]
    assert completions("export /sho") == []


def test_names_are_quoted_for_the_shell_and_invisible_ones_left_out(completions, place, zk):
    zk.create("/shut/a b")
    zk.create("/shut/a$(reboot)")
    zk.create("/shut/a\N{RIGHT-TO-LEFT OVERRIDE}")
    assert completions(f"export {place} /shut/") == [r"/shut/a\ b", r"/shut/a\$\(reboot\)"]


def test_a_server_that_does_not_answer_is_not_waited_for(completions):
    """The completion waits less for a silent server than a command does."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        server = f"127.0.0.1:{silent.getsockname()[1]}"
        assert completions(f"export --timeout 1000 {server} /sh", status=1) == []
