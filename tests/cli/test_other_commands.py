"""The commands that validate, compare, set properties, delete and draw."""

from __future__ import annotations

import http.client
import shutil
import socket
from contextlib import closing

import pytest

import zc.zk
from tests.deadlines import scaled

# Nobody may read a node with this.
CLOSED = [{"scheme": "world", "id": "anyone", "perms": 31 & ~1}]

TREE = """\
/shop : web
  threads = 8
  /providers
  /queue
    /one
"""


@pytest.fixture
def tree(zk):
    zk.import_tree(TREE)


class TestValidate:
    def test_a_good_file_is_passed_over_in_silence(self, command, tmp_path):
        (tmp_path / "tree.txt").write_text(TREE)
        assert command("validate", "tree.txt") == (0, "", "")

    @pytest.mark.parametrize("words", [[], ["-"]])
    def test_standard_input(self, command, words):
        assert command("validate", *words, given=TREE) == (0, "", "")
        assert command("validate", *words, given="/a\n  b\n").status == 1

    def test_every_file_is_looked_at(self, command, tmp_path):
        (tmp_path / "good.txt").write_text(TREE)
        (tmp_path / "bad.txt").write_text("/a\n  b = c\n")
        (tmp_path / "bad.json").write_text('{\n"a": {}\n}\n')
        outcome = command("validate", "bad.txt", "good.txt", "bad.json", "none.txt")
        assert (outcome.status, outcome.output) == (1, "")
        faults = outcome.messages.replace("python -m zc.zk validate: ", "").splitlines()
        assert faults[0].startswith("bad.txt: line 2: bad expression")
        assert faults[1:] == [
            "bad.json: line 2: bad path 'a': '\"a\": {}'",
            "none.txt: No such file or directory",
        ]


@pytest.mark.usefixtures("tree")
class TestDiff:
    def test_no_differences(self, command, place):
        assert command("diff", place, "-", given=TREE) == (0, "", "")
        assert command("diff", "--exit-code", place, place) == (0, "", "")

    def test_each_line_makes_the_new_of_the_old(self, command, place):
        new = (
            "/shop : web\n  threads = 9\n  prices -> /p\n  /providers\n    /p\n"
            "  /mailer\n    x = 1\n"
        )
        outcome = command("diff", place, "-", given=new)
        assert outcome == (
            0,
            "/shop threads change from 8 to 9\n"
            "/shop add link prices -> /p\n"
            "delete /shop/queue\n"
            "add /shop/mailer\n"
            "add /shop/providers/p\n",
            "",
        )
        back = command("diff", "--exit-code", "-v", "-", place, given=new)
        assert back == (
            3,
            "/shop remove link prices -> /p\n"
            "/shop threads change from 9 to 8\n"
            "delete /shop/mailer\n"
            "delete /shop/providers/p\n"
            "add /shop/queue\n"
            "add /shop/queue/one\n",
            "",
        )

    def test_of_servers_only_the_top_level_nodes_that_a_file_has_are_compared(
        self, command, place, zk
    ):
        zk.import_tree("/other\n")
        assert command("diff", place, "-", given=TREE).output == ""
        outcome = command("diff", place, "-", given="/new\n")
        assert outcome.output == "add /new\n"
        assert outcome.messages.endswith(
            ": not compared, as not in the file: /other, /shop (--all compares them)\n"
        )
        assert command("diff", "--part", place, "-", given=TREE) == (0, "", "")
        assert command("diff", "--part", "-", place, given=TREE) == (0, "", "")
        outcome = command("diff", "--all", "--exit-code", place, "-", given=TREE)
        assert outcome == (3, "delete /other\n", "")

    def test_a_node_that_is_newer_than_the_file_is_told(self, command, place, zk):
        zk.import_tree("/other\n  /below\n")
        outcome = command("diff", "--exit-code", "-", place, given=TREE)
        assert outcome == (3, "add /other\n", "")
        outcome = command("diff", "--all", "--exit-code", "-", place, given=TREE)
        assert outcome == (3, "add /other\n", "")

    def test_a_node_that_may_not_be_read_is_an_error_or_left_out_of_both(self, command, place, zk):
        zk.create_recursive("/shop/secret/below")
        zk.create("/closed")
        for path in ("/shop/secret", "/closed"):
            zk.set_acl(path, -1, CLOSED)
        outcome = command("diff", place, "-", given=TREE)
        assert outcome.status == 1
        assert outcome.messages.endswith(
            "not authenticated: /closed (--skip-unreadable leaves out such nodes)\n"
        )
        given = TREE.replace("8", "9") + "/closed\n"
        outcome = command("diff", "--skip-unreadable", "-", place, given=given)
        assert (outcome.status, outcome.output) == (4, "/shop threads change from 9 to 8\n")
        assert outcome.messages.count("left out, with all below it: not authenticated: /") == 2
        outcome = command("diff", "--skip-unreadable", "--exit-code", "-", place, given=given)
        assert outcome.status == 3

    def test_files_are_compared_as_a_whole(self, command, tmp_path):
        (tmp_path / "old.txt").write_text("/a\n  /b\n")
        (tmp_path / "new.yaml").write_text("/c: {}\n/c/d: {}\n")
        assert command("diff", "old.txt", "new.yaml").output == "delete /a\nadd /c\n"
        assert command("diff", "-v", "old.txt", "new.yaml").output == (
            "delete /a\ndelete /a/b\nadd /c\nadd /c/d\n"
        )

    def test_servers_are_compared_below_their_paths(self, command, place, zk):
        zk.import_tree("/shop2 : web\n  threads = 1\n  /providers\n  /queue\n")
        outcome = command("diff", f"{place}/shop", f"{place}/shop2", "--exit-code")
        assert outcome == (3, "delete /queue/one\n", "")

    def test_ephemeral_nodes_count_if_asked_for(self, command, place, zk):
        zk.register_server("/shop/providers", "1.2.3.4:80")
        assert command("diff", place, "-", given=TREE).output == ""
        outcome = command("diff", "-e", place, "-", given=TREE)
        assert outcome.output == "delete /shop/providers/1.2.3.4:80\n"

    def test_the_old_side_can_come_from_the_environment(self, command, place):
        variables = {"ZC_ZK_CONNECTION_STRING": place}
        outcome = command("diff", "-", given="/shop\n", variables=variables)
        assert outcome.output.startswith("/shop remove property threads = 8\n")


@pytest.mark.usefixtures("tree")
class TestSetProperty:
    def test_properties_links_and_property_links(self, command, place, zk):
        words = ["threads=9", "color='deep red'", "main -> /shop/queue", "t => /shop threads"]
        assert command("set_property", place, "/shop", *words) == (0, "", "")
        assert zk.get_properties("/shop") == {
            "type": "web",
            "threads": 9,
            "color": "deep red",
            "main ->": "/shop/queue",
            "t =>": "/shop threads",
        }

    def test_links_in_the_path_are_followed(self, command, place, zk):
        zk.ln("/shop/queue", "/shop/providers/")
        assert command("set_property", place, "/shop/providers/queue", "x=1").status == 0
        assert zk.get_properties("/shop/queue") == {"x": 1}

    def test_a_dry_run_prints_and_does_nothing(self, command, place, zk):
        before = zk.get_properties("/shop")
        outcome = command(
            "set_property", "-d", place, "/shop", "threads=9", "x=[1, 2]", "type='web'"
        )
        assert outcome == (
            0,
            "/shop threads change from 8 to 9\n/shop add property x = [1, 2]\n",
            "",
        )
        assert command("set_property", "-d", place, "/shop", "threads=8") == (0, "", "")
        assert zk.get_properties("/shop") == before

    @pytest.mark.parametrize(
        "word",
        [
            "x", "x=", "=x", "x=y", "x=f()", "/x=1", "#x=1", "", "x=1\ny=2", "x->", "x->/y z",
            "x=__import__('os')",
        ],
    )  # fmt: skip
    def test_an_argument_that_is_no_property_is_refused(self, command, place, zk, word):
        before = zk.get_properties("/shop")
        outcome = command("set_property", place, "/shop", "threads=1", word)
        assert (outcome.status, outcome.output) == (2, "")
        assert outcome.messages.count("\n") == 1
        assert repr(word) in outcome.messages
        assert zk.get_properties("/shop") == before

    def test_some_are_set_and_others_removed_in_one_step(self, command, place, zk):
        zk.set("/shop", '{"a":null,"b":1,"main ->":"/shop/queue","t =>":"/shop b"}')
        version = zk.exists("/shop")["version"]
        removals = ["-r", "a", "--remove", "main->", "-r", "t =>"]
        assert command("set_property", *removals, place, "/shop", "c=2") == (0, "", "")
        assert zk.get_properties("/shop") == {"b": 1, "c": 2}
        assert zk.exists("/shop")["version"] == version + 1
        assert command("set_property", "-d", "-r", "b", place, "/shop").output == (
            "/shop remove property b = 1\n"
        )
        assert command("set_property", "-r", "b", place, "/shop") == (0, "", "")
        assert zk.get_properties("/shop") == {"c": 2}

    def test_a_property_that_is_not_there_cannot_be_removed(self, command, place, zk):
        before = zk.get_properties("/shop")
        for options in ([], ["-d"]):
            outcome = command("set_property", *options, "-r", "no", place, "/shop", "x=1")
            assert outcome.status == 1
            assert outcome.messages.endswith(": there is no property 'no' at /shop\n")
        outcome = command("set_property", "-r", "x", place, "/shop", "x=1")
        assert outcome.status == 2
        assert zk.get_properties("/shop") == before

    def test_forgotten_quotes_are_answered_with_what_to_type(self, command, place):
        outcome = command("set_property", place, "/shop", "color=red")
        assert outcome.messages.endswith("""; if it is a string: "color='red'"\n""")

    @pytest.mark.parametrize(
        ("word", "constant"),
        [("false", "False"), ("TRUE", "True"), ("no", "False"), ("null", "None")],
    )
    def test_a_constant_written_in_another_way_is_answered_with_both(
        self, command, place, word, constant
    ):
        outcome = command("set_property", place, "/shop", f"sandbox={word}")
        assert outcome.status == 2
        assert outcome.messages.endswith(
            f"; if it is {constant}: sandbox={constant}"
            f"""; if it is a string: "sandbox='{word}'"\n"""
        )

    def test_the_same_name_twice(self, command, place):
        outcome = command("set_property", place, "/shop", "x=1", "x=2")
        assert outcome[::2] == (2, "python -m zc.zk set_property: 'x' is given twice\n")

    def test_a_property_link_that_leads_nowhere(self, command, place, zk):
        outcome = command("set_property", place, "/shop", "x=>/nowhere y")
        assert outcome.status == 1
        assert outcome.messages.endswith(": bad property link: /shop x =>: no node: /nowhere\n")
        assert "x =>" not in zk.get_properties("/shop")


@pytest.mark.usefixtures("tree")
class TestDelete:
    def test_a_dry_run_shows_what_goes(self, command, place, zk):
        plan = "would delete /shop/queue/one.\nwould delete /shop/queue.\n"
        assert command("delete", "-d", place, "/shop/queue") == (0, plan, "")
        assert zk.export_tree() == TREE

    def test_without_a_terminal_it_has_to_be_confirmed_beforehand(self, command, place, zk):
        outcome = command("delete", place, "/shop/queue", given="y\n")
        assert outcome.status == 2
        assert "this deletes 2 nodes: --dry-run shows them, --yes deletes them" in outcome.messages
        assert zk.export_tree() == TREE
        assert command("delete", "-y", place, "/shop/queue") == (0, "", "")
        assert zk.get_children("/shop") == ["providers"]

    def test_ephemeral_nodes_stay_unless_forced(self, command, place, zk):
        with zc.zk.ZooKeeper(place) as server:
            server.register_server("/shop/providers", "1.2.3.4:80")
            outcome = command("delete", "-y", place, "/shop/providers")
            assert outcome.status == 4
            assert "Not deleting /shop/providers/1.2.3.4:80 because" in outcome.messages
            assert zk.exists("/shop/providers/1.2.3.4:80")
            server.close()
        zk.create("/shop/providers/5.6.7.8:80", "", zc.zk.OPEN_ACL_UNSAFE, 1)
        assert command("delete", "-y", "-f", place, "/shop/providers") == (0, "", "")
        assert not zk.exists("/shop/providers")


class TestGraph:
    def test_dot_is_the_format_that_is_always_there(self, command, place, zk, tmp_path):
        zk.import_tree("/a\n  /providers\n/b\n  a -> /a/providers\n")
        (tmp_path / "tree.txt").write_text(zk.export_tree())
        outcome = command("graph", place, variables={"PATH": ""})
        assert outcome.output.startswith("digraph system {\n")
        assert '"/b" -> "/a" [label="a"]' in outcome.output
        assert command("graph", "--tree", "tree.txt").output == outcome.output
        assert command("graph", "--tree", "-", given=zk.export_tree()).output == outcome.output

    def test_live_counts_providers(self, command, place, zk):
        zk.import_tree("/a\n  /providers\n")
        assert "provider" not in command("graph", place).output.replace("/providers", "")
        assert "no providers" in command("graph", "--live", place).output
        zk.register_server("/a/providers", "1.2.3.4:80")
        assert "1 provider<" in command("graph", "--live", place).output

    def test_a_part_of_the_tree(self, command, place, zk):
        zk.import_tree("/a\n  /providers\n/b\n  a -> /a/providers\n/c\n  /providers\n")
        output = command("graph", place, "/b").output
        assert '"/b" -> "/a"' in output
        assert '"/c"' not in output

    def test_pictures_need_graphviz_and_say_so(self, command, tmp_path):
        outcome = command(
            "graph", "--tree", "-", "-o", "x.svg", given="/a : b\n", variables={"PATH": "/none"}
        )
        assert outcome.status == 1
        assert "svg needs Graphviz, which is not installed" in outcome.messages
        assert not (tmp_path / "x.svg").exists()

    @pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed")
    @pytest.mark.parametrize(
        ("format", "beginning"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")]
    )
    def test_pictures(self, command, tmp_path, format, beginning):
        outcome = command("graph", "--tree", "-", "-o", f"x.{format}", given="/a : b\n")
        assert outcome == (0, "", "")
        assert (tmp_path / f"x.{format}").read_bytes().startswith(beginning)

    def test_nothing_to_draw_is_said(self, command):
        outcome = command("graph", "--tree", "-", given="/a\n")
        assert (outcome.status, outcome.output[:7]) == (0, "digraph")
        assert "nothing to draw" in outcome.messages


class TestBrowse:
    def served(self, process):
        """Return the page's port, and the lines that the command tells, the last of which is it."""
        address = process.stdout.readline().decode().strip()
        assert address.startswith("http://")
        told = [process.stderr.readline().decode()]
        return int(address.rstrip("/").rpartition(":")[2]), told

    def status(self, port, host="127.0.0.1", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=scaled(20))
        with closing(connection):
            connection.request("GET", "/", headers={"Host": host, **headers})
            return connection.getresponse().status

    def test_a_page_that_others_reach_answers_to_names_and_asks_for_the_token(
        self, start, place, tmp_path
    ):
        token = "0123456789abcdef"
        (tmp_path / "token").write_text(f"{token}\n")
        (tmp_path / "token").chmod(0o600)
        process = start(
            "browse", "--port", "0", "--host", "0.0.0.0", "--token-file", "token",
            "--allow-host", "Tree.example.com", place,
        )  # fmt: skip
        port, told = self.served(process)
        name = socket.gethostname()
        for host in "127.0.0.1", f"{name}:{port}", name.partition(".")[0], "tree.example.com":
            assert self.status(port, host) == 401
            assert self.status(port, host, Authorization=f"Bearer {token}") == 200
        assert self.status(port, "evil.example.com", Authorization=f"Bearer {token}") == 421
        process.terminate()
        assert token not in "".join(told) + process.stderr.read().decode()
        assert token not in " ".join(map(str, process.args))

    def test_a_page_that_all_may_read_says_so(self, start, place):
        process = start("browse", "--port", "0", "--host", "0.0.0.0", place)
        self.served(process)
        assert process.stderr.readline().endswith(
            b"all who reach it can read it; --token-file has it ask them\n"
        )
