"""`zk edit`: nodes in an editor, written back if nobody else has changed them."""

from __future__ import annotations

import re
import sys

import pytest

from tests.cli.inprocess import call, the_line

TREE = "/shop : web\n  threads = 8\n  /queue\n    x = 1\n"


@pytest.fixture
def editor(monkeypatch, tmp_path):
    """Return a function that sets an editor: a program over `text`, run the n-th time as `n`."""

    def editor(program, variable="VISUAL"):
        script = tmp_path / "editor.py"
        script.write_text(
            "import pathlib, sys\n"
            f"calls = pathlib.Path({str(tmp_path / 'calls')!r})\n"
            "n = len(calls.read_text()) if calls.exists() else 0\n"
            "calls.write_text('x' * (n + 1))\n"
            "file = pathlib.Path(sys.argv[1])\n"
            "text = file.read_text()\n"
            f"{program}\n"
            "file.write_text(text)\n"
        )
        monkeypatch.setenv(variable, f"{sys.executable} '{script}'")
        return lambda: len((tmp_path / "calls").read_text())

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return editor


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setattr("zc.zk.cli.editor.can_ask", lambda: True)


@pytest.fixture(autouse=True)
def _tree(zk):
    zk.import_tree(TREE)


def kept(outcome):
    """Return what is in the file that a message names."""
    match = re.search(r"what you have written is kept in (\S+)", outcome.messages)
    assert match is not None, outcome
    with open(match[1]) as source:
        return source.read()


class TestNode:
    def test_properties_are_edited_as_in_a_tree_file(self, place, zk, editor):
        editor("assert text == '/shop : web\\n  threads = 8\\n'\ntext = text.replace('8', '9')")
        assert call("edit", place, "/shop") == (0, "", "")
        assert zk.get_properties("/shop") == {"type": "web", "threads": 9}

    def test_data_as_they_are_without_the_end_of_line_of_an_editor(self, place, zk, editor):
        zk.create("/raw", "one\ntwo")
        editor("assert text == 'one\\ntwo'\ntext = 'größe\\n'", "EDITOR")
        assert call("edit", "--raw", place, "/raw") == (0, "", "")
        assert zk.get("/raw")[0] == "größe"

    def test_nothing_changed_is_nothing_written(self, place, zk, editor, tmp_path):
        editor("pass")
        outcome = call("edit", place, "/shop")
        assert outcome.status == 0
        assert "nothing was changed" in outcome.messages
        assert zk.exists("/shop")["version"] == 0
        assert not list(tmp_path.glob("zc.zk-edit-*"))

    @pytest.mark.usefixtures("terminal")
    def test_after_a_mistake_the_editor_opens_again(self, place, zk, editor):
        count = editor(
            "text = text.replace('= 8', '= eight') if n == 0 else text.replace('eight', '9')"
        )
        outcome = call("edit", place, "/shop", given=b"\n")
        assert outcome.status == 0
        assert count() == 2
        assert "Edit it again?" in outcome.messages
        assert "line 2: bad expression" in outcome.messages
        assert zk.get_properties("/shop")["threads"] == 9

    @pytest.mark.usefixtures("terminal")
    @pytest.mark.parametrize(("answers", "opened"), [(b"", 1), (b"n\n", 1), (b" YES \n\n", 2)])
    def test_a_mistake_that_is_not_put_right_is_kept_in_a_file(
        self, place, zk, editor, answers, opened
    ):
        count = editor("text = text.replace('= 8', '= eight')")
        outcome = call("edit", place, "/shop", given=answers)
        assert (outcome.status, count()) == (1, opened)
        assert "eight" in kept(outcome)
        assert zk.exists("/shop")["version"] == 0

    def test_without_a_terminal_a_mistake_is_the_end(self, place, zk, editor):
        # It never leaves the same text, so that no end comes of itself.
        count = editor("assert n < 3\ntext += '  bad ' * (n + 1)")
        outcome = call("edit", place, "/shop")
        assert (outcome.status, count()) == (1, 1)
        assert "; nothing was changed" in outcome.messages
        assert "  bad" in kept(outcome)

    @pytest.mark.parametrize("words", [["/shop"], ["--raw", "/shop"], ["-R", "/shop"]])
    def test_changes_of_others_meanwhile_are_not_overwritten(
        self, place, zk, editor, words, monkeypatch
    ):
        from zc.zk.cli import editor as module

        editor("text = text.replace('8', '9')")
        real_open = module._open

        def open_(file):
            zk.set("/shop", '{"threads": 77}')
            real_open(file)

        monkeypatch.setattr(module, "_open", open_)
        outcome = call("edit", place, *words)
        assert outcome.status == 1
        assert "/shop: somebody else has changed it meanwhile" in outcome.messages
        assert "9" in kept(outcome)
        assert zk.get_properties("/shop") == {"threads": 77}

    def test_a_node_that_was_made_anew_is_another_one(self, place, zk, editor, monkeypatch):
        from zc.zk.cli import editor as module

        zk.create("/new", "x")
        editor("text = text.replace('x', 'y')")
        real_open = module._open

        def open_(file):
            zk.delete("/new")
            zk.create("/new", "x")
            real_open(file)

        monkeypatch.setattr(module, "_open", open_)
        assert "somebody else" in call("edit", "--raw", place, "/new").messages
        assert zk.get("/new")[0] == "x"

    def test_data_that_are_no_text(self, place, zk):
        zk.create("/raw", b"\xff\0")
        assert "/raw: its data are no text" in the_line(call("edit", "--raw", place, "/raw"))


class TestSubtree:
    def test_nodes_are_changed_and_made(self, place, zk, editor):
        editor("text = text.replace('x = 1', 'x = 2') + '  /new\\n'")
        assert call("edit", "-R", place, "/shop") == (0, "", "")
        assert zk.get_properties("/shop/queue") == {"x": 2}
        assert zk.exists("/shop/new")

    def test_nodes_that_are_taken_out_are_deleted_if_confirmed(self, place, zk, editor):
        editor("text = text[:text.index('  /queue')]")
        outcome = call("edit", "-R", place, "/shop")
        assert outcome.status == 2
        assert "this deletes 1 node: --yes deletes it" in outcome.messages
        assert "--dry-run" not in outcome.messages
        assert kept(outcome) == "/shop : web\n  threads = 8\n"
        assert zk.exists("/shop/queue")
        assert call("edit", "-R", "-y", place, "/shop") == (0, "", "")
        assert not zk.exists("/shop/queue")

    def test_children_whose_parent_is_taken_out_are_told_to_move(self, place, zk, editor):
        zk.create_recursive("/shop/queue/low/deep")
        editor("text = '/shop : web\\n    /low\\n      /deep\\n'")
        told = "/shop/queue/low moves to /shop/low, as the line of the node above is gone\n"
        outcome = call("edit", "-R", place, "/shop")
        assert (outcome.status, told in outcome.messages) == (2, True), outcome
        assert not zk.exists("/shop/low")
        outcome = call("edit", "-R", "-y", place, "/shop")
        assert (outcome.status, outcome.messages.count(" moves to ")) == (0, 1)
        assert zk.exists("/shop/low/deep")

    def test_another_node_at_the_top_is_a_mistake(self, place, editor):
        editor("text = '/other\\n'")
        outcome = call("edit", "-R", place, "/shop")
        assert outcome.status == 1
        assert "one node at the top, /shop" in outcome.messages


def test_editors_that_fail(place, zk, editor, monkeypatch):
    editor("sys.exit(3)")
    assert " has ended with 3; nothing was changed" in the_line(call("edit", place, "/shop"))
    monkeypatch.setenv("VISUAL", "no-such-editor")
    assert "no-such-editor: No such file" in the_line(call("edit", place, "/shop"))
    monkeypatch.setenv("VISUAL", "'")
    assert "VISUAL or EDITOR: No closing quotation" in the_line(call("edit", place, "/shop"))
    assert zk.exists("/shop")["version"] == 0


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        ([], 2, "which node?"),
        (["/none"], 1, "no node: /none"),
        (["-R", "/"], 1, "a node below the root is needed"),
        (["-R", "--raw", "/shop"], 2, "not allowed with"),
    ],
)
def test_words_that_make_no_sense(place, words, status, told):
    assert told in the_line(call("edit", place, *words), status)
