"""Commands under a locale that has no characters for what UTF-8 has."""

from __future__ import annotations

import pytest

import zookeeper
from zc.zk.links import as_told

ASCII_ONLY = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


@pytest.fixture
def plain_command(command):
    def plain_command(*arguments):
        outcome = command(*arguments, variables=ASCII_ONLY)
        assert (outcome.status, outcome.messages) == (0, "")
        return outcome.output

    return plain_command


def test_a_node_is_deleted(plain_command, place, zk):
    zk.import_tree("/café\n  /été\n/other\n")
    output = plain_command("delete", "-d", place, "/café")
    assert output == "would delete /café/été.\nwould delete /café.\n"
    plain_command("delete", "-y", place, "/café")
    assert zk.get_children("/") == ["other"]


def test_a_node_that_is_not_there_is_an_error(command, place, zk):
    outcome = command("delete", "-y", place, "/thé", variables=ASCII_ONLY)
    assert (outcome.status, outcome.output) == (1, "")
    assert "no node: /th\\xe9" in outcome.messages


def test_a_root_behind_the_servers(plain_command, place, zk):
    zk.import_tree("/café\n  /été\n")
    plain_command("delete", "-y", place + "/café", "/été")
    assert zk.get_children("/café") == []


def test_a_tree_is_imported_and_exported(plain_command, place, zk, tmp_path):
    text = "/thé\n  /été\n    x = 'é'\n"
    (tmp_path / "tree.txt").write_text(text)
    zk.create("/café", "")
    for _ in range(2):
        plain_command("import", place, "tree.txt", "/café")
    assert plain_command("export", place, "/café", "--name", "crème") == "/crème\n" + "".join(
        f"  {line}\n" for line in text.splitlines()
    )
    assert plain_command("diff", place + "/café", "tree.txt") == ""


def test_a_property_is_set(plain_command, place, zk):
    zk.create("/café", "")
    plain_command("set_property", place, "/café", "thé='crème'")
    assert zk.get_properties("/café") == {"thé": "crème"}


def test_a_title_and_a_path_of_a_picture(plain_command, place, zk):
    zk.import_tree("/café\n  /main : thé\n")
    assert "crème" in plain_command("graph", place, "/café", "--title", "crème")


def test_acls(plain_command, place, zk, tmp_path):
    (tmp_path / "tree.txt").write_text("/a\n")
    acl = "world:anyone:cdrwa,digest:café:MDEyMzQ1Njc4OTAxMjM0NTY3ODk=:r"
    plain_command("import", "--acl", acl, place, "tree.txt")
    assert zk.get_acl("/a")[1][1]["id"].startswith("café:")


def test_the_library_takes_such_paths_too(zk):
    path = b"/caf\xc3\xa9".decode("ascii", "surrogateescape")
    assert as_told(path) == "/café"
    zk.import_tree("/a\n  /b\n", path)
    zk.import_tree("/a\n  /b\n", path)
    assert zk.export_tree(path) == "/café\n  /a\n    /b\n"
    zk.delete_recursive(path)
    assert zk.get_children("/") == []
    with pytest.raises(zookeeper.NoNodeException):
        zk.delete_recursive(path)
