"""`zookeeper_export` writes trees."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

TREE = """\
/cms : z4m
  threads = 3
  main -> /databases/main
  /providers
/databases
  /main
    port = 5432
"""


@pytest.fixture(autouse=True)
def tree(zk):
    zk.import_tree(TREE)


def test_all_is_written_but_ephemeral_nodes(command, place, zk):
    zk.register_server("/cms/providers", "1.2.3.4:80")
    assert command("export", place) == (0, TREE, "")


def test_ephemeral_nodes_are_written_if_asked_for(command, place, zk):
    zk.register_server("/cms/providers", "1.2.3.4:80", pid=7)
    written = TREE.replace("  /providers\n", "  /providers\n    /1.2.3.4:80\n      pid = 7\n")
    marked = written.replace("= 7\n", "= 7\n      = ephemeral\n")
    for option in "-e", "--ephemeral":
        assert command("export", option, place) == (0, marked, "")
    assert command("export", "-e", "--no-kinds", place) == (0, written, "")


def test_a_path_is_the_top_of_what_is_written(command, place):
    assert command("export", place, "/databases").output == "/databases\n  /main\n    port = 5432\n"
    assert command("export", place, "/databases/main/").output == "/main\n  port = 5432\n"


def test_links_in_the_path_are_followed(command, place):
    assert command("export", place, "/cms/main").output == "/main\n  port = 5432\n"


def test_the_top_node_can_be_given_another_name(command, place):
    written = command("export", place, "/databases/main", "--name", "other").output
    assert written == "/other\n  port = 5432\n"


def test_options_may_come_between_the_words(command, place):
    output = command("export", place, "--name", "x", "/databases/main", "-e").output
    assert output == "/x\n  port = 5432\n"


def test_the_connection_can_come_from_the_environment(command, place):
    variables = {"ZC_ZK_CONNECTION_STRING": place}
    assert command("export", variables=variables).output == TREE
    output = command("export", "/databases/main", variables=variables).output
    assert output == "/main\n  port = 5432\n"


def test_a_connection_that_is_given_counts_more_than_the_environment(command, place):
    variables = {"ZC_ZK_CONNECTION_STRING": "127.0.0.1:1"}
    assert command("export", place, variables=variables).output == TREE


def test_into_a_file(command, place, tmp_path):
    assert command("export", place, "-o", "tree.txt") == (0, "", "")
    assert (tmp_path / "tree.txt").read_text() == TREE


def test_a_dash_is_standard_output(command, place):
    assert command("export", place, "-o", "-").output == TREE


def test_the_extension_of_the_file_chooses_the_format(command, place, tmp_path):
    for name in "tree.json", "tree.yaml", "tree.YML":
        assert command("export", place, "-o", name).status == 0
    written = json.loads((tmp_path / "tree.json").read_text())
    assert written["/cms"] == {"main ->": "/databases/main", "threads": 3, "type": "z4m"}
    assert (tmp_path / "tree.yaml").read_text() == (tmp_path / "tree.YML").read_text()
    assert (tmp_path / "tree.yaml").read_text().startswith("/cms:\n  main ->: /databases/main\n")


def test_an_option_chooses_the_format_whatever_the_extension(command, place, tmp_path):
    command("export", place, "--format", "text", "-o", "tree.json")
    assert (tmp_path / "tree.json").read_text() == TREE
    output = command("export", place, "/databases", "--format", "json").output
    assert output == '{\n  "/databases": {},\n  "/databases/main": {"port": 5432}\n}\n'


def test_an_existing_file_keeps_its_permissions_and_its_links(command, place, tmp_path):
    file, link = tmp_path / "tree.txt", tmp_path / "link.txt"
    file.write_text("old")
    file.chmod(0o640)
    link.symlink_to(file)
    command("export", place, "-o", "link.txt")
    assert link.is_symlink()
    assert file.read_text() == TREE
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_new_file_has_the_usual_permissions(command, place, tmp_path):
    (tmp_path / "usual").touch()
    command("export", place, "-o", "new")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_text_of_any_language_is_utf_8_whatever_the_locale(command, place, zk):
    zk.import_tree("/größe\n  名 = '値'\n")
    output = command("export", place, "/größe", variables={"LC_ALL": "C"}).output
    assert output == "/größe\n  名 = '値'\n"


@pytest.fixture
def secret(zk):
    for path in ("/cms/secret", "/cms/secret/below", "/databases/secret"):
        zk.create(path, "")
    for path in ("/cms/secret", "/databases/secret"):
        zk.set_acl(path, -1, [{"scheme": "world", "id": "anyone", "perms": 31 & ~1}])


@pytest.mark.usefixtures("secret")
def test_a_node_that_may_not_be_read_is_an_error_that_says_what_to_do(command, place):
    outcome = command("export", place)
    assert (outcome.status, outcome.output) == (1, "")
    assert outcome.messages.endswith(
        ": not authenticated: /cms/secret (--skip-unreadable leaves out such nodes)\n"
    )


@pytest.mark.usefixtures("secret")
def test_nodes_that_may_not_be_read_are_left_out_if_asked_for(command, place, tmp_path):
    outcome = command("export", "--skip-unreadable", place)
    assert (outcome.status, outcome.output) == (4, TREE)
    assert outcome.messages.splitlines() == [
        f"python -m zc.zk export: left out, with all below it: not authenticated: {path}"
        for path in ("/cms/secret", "/databases/secret")
    ]
    outcome = command("export", "--skip-unreadable", "-o", "tree.json", place)
    assert outcome.status == 4
    assert "/databases/main" in json.loads((tmp_path / "tree.json").read_text())
    assert command("graph", "--skip-unreadable", place).status == 4
    assert command("graph", place).status == 1


@pytest.mark.usefixtures("secret")
def test_the_top_itself_cannot_be_left_out(command, place):
    outcome = command("export", "--skip-unreadable", place, "/cms/secret")
    assert (outcome.status, outcome.output) == (1, "")
    assert outcome.messages.endswith(": not authenticated: /cms/secret\n")


def test_of_many_nodes_that_are_left_out_some_are_named(command, place, zk):
    zk.import_tree("/many\n" + "".join(f"  /n{number:02}\n" for number in range(30)))
    for number in range(30):
        zk.set_acl(f"/many/n{number:02}", -1, [{"scheme": "world", "id": "anyone", "perms": 30}])
    outcome = command("export", "--skip-unreadable", place)
    assert (outcome.status, outcome.output) == (4, TREE + "/many\n")
    lines = outcome.messages.splitlines()
    assert len(lines) == 11
    assert lines[-1].endswith("left out, with all below them: 20 more")


def test_nothing_left_out_is_a_success(command, place):
    assert command("export", "--skip-unreadable", place) == (0, TREE, "")


def test_a_node_of_ones_own_that_is_called_zookeeper_is_written(command, place, zk):
    zk.import_tree("/zookeeper\n  x = 1\n  /quota\n")
    mine = TREE + "/zookeeper\n  x = 1\n  /quota\n"
    assert command("export", place).output == mine
    assert zk.export_tree() == mine
    outcome = command("diff", "--exit-code", "-", place, given=TREE)
    assert outcome == (3, "add /zookeeper\n", "")
    assert command("diff", "--exit-code", place, "-", given=mine) == (0, "", "")


def test_a_file_that_is_standard_output_keeps_what_it_had(place, tmp_path):
    log = tmp_path / "log"
    log.write_text("before\n")
    words = [sys.executable, "-m", "zc.zk", "export", place, "/databases", "-o", "/dev/stdout"]
    with open(log, "ab") as opened:
        subprocess.run(words, stdout=opened, check=True)
        opened.write(b"after\n")
    assert log.read_text() == "before\n/databases\n  /main\n    port = 5432\nafter\n"
