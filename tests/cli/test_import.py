"""`zookeeper_import` makes nodes what a file says."""

from __future__ import annotations

import pytest

import zc.zk
import zookeeper

TREE = """\
/shop : web
  threads = 8
  /providers
  /queue
"""

CHANGED = """\
/shop : web
  threads = 9
  /providers
  /mailer
    retries = 3
"""


@pytest.fixture
def file(tmp_path):
    (tmp_path / "tree.txt").write_text(TREE)
    (tmp_path / "changed.txt").write_text(CHANGED)
    return "tree.txt"


@pytest.fixture
def imported(zk):
    zk.import_tree(TREE)


def test_from_a_file(command, place, zk, file):
    assert command("import", place, file) == (0, "", "")
    assert zk.export_tree() == TREE


@pytest.mark.parametrize("words", [[], ["-"]])
def test_from_standard_input(command, place, zk, words):
    assert command("import", place, *words, given=TREE) == (0, "", "")
    assert zk.export_tree() == TREE


def test_below_a_path_which_is_made_if_need_be(command, place, zk, file):
    assert command("import", place, file, "/a/b").status == 0
    assert zk.get_children("/a/b") == ["shop"]


def test_the_connection_can_come_from_the_environment(command, place, zk, file):
    variables = {"ZC_ZK_CONNECTION_STRING": place}
    assert command("import", file, "/below", variables=variables).status == 0
    assert zk.get_children("/below") == ["shop"]


@pytest.mark.usefixtures("imported")
def test_a_node_that_the_file_lacks_is_reported_and_stays(command, place, zk, file):
    outcome = command("import", place, "changed.txt")
    reported = "python -m zc.zk import: extra path not trimmed: /shop/queue\n"
    assert outcome == (0, "", reported)
    assert sorted(zk.get_children("/shop")) == ["mailer", "providers", "queue"]
    assert command("import", "-q", place, "changed.txt") == (0, "", "")


@pytest.mark.usefixtures("imported")
def test_a_dry_run_prints_the_plan_and_changes_nothing(command, place, zk, file):
    plan = (
        "/shop threads change from 8 to 9\nextra path not trimmed: /shop/queue\nadd /shop/mailer\n"
    )
    for option in "-d", "--dry-run":
        assert command("import", option, place, "changed.txt") == (0, plan, "")
    assert zk.export_tree() == TREE


@pytest.mark.usefixtures("imported")
def test_a_verbose_dry_run_tells_all_about_new_nodes(command, place, zk, file):
    outcome = command("import", "-d", "-v", "-t", place, "changed.txt")
    assert outcome.output == (
        "/shop threads change from 8 to 9\n"
        "would delete /shop/queue.\n"
        "add /shop/mailer\n"
        "/shop/mailer add property retries = 3\n"
    )
    assert zk.export_tree() == TREE


@pytest.mark.usefixtures("imported")
def test_a_dry_run_can_tell_by_its_status_whether_there_is_anything_to_do(command, place, file):
    assert command("import", "-d", "--exit-code", place, "changed.txt").status == 3
    assert command("import", "-d", "--exit-code", place, file).status == 0
    extra = "/shop : web\n  threads = 8\n  /providers\n"
    assert command("import", "-d", "--exit-code", place, given=extra).status == 0


@pytest.mark.usefixtures("imported")
def test_trimming_without_a_terminal_needs_to_be_confirmed_beforehand(command, place, zk, file):
    outcome = command("import", "-t", place, "changed.txt")
    assert outcome == (
        2,
        "",
        "python -m zc.zk import: this deletes 1 node: --dry-run shows it, --yes deletes it\n",
    )
    assert zk.export_tree() == TREE
    assert command("import", "--trim", "--yes", place, "changed.txt") == (0, "", "")
    assert sorted(zk.get_children("/shop")) == ["mailer", "providers"]


@pytest.mark.usefixtures("imported")
def test_trimming_where_there_is_nothing_to_trim_needs_no_confirmation(command, place, zk, file):
    zk.delete("/shop/queue")
    assert command("import", "-t", place, "changed.txt") == (0, "", "")
    assert zk.properties("/shop")["threads"] == 9


@pytest.mark.usefixtures("imported")
def test_ephemeral_nodes_are_never_trimmed(command, place, zk):
    zk.register_server("/shop/providers", "1.2.3.4:80")
    outcome = command("import", "-t", "-y", place, given="/shop\n")
    assert outcome.status == 0
    assert outcome.messages.splitlines() == [
        "python -m zc.zk import: Not deleting /shop/providers/1.2.3.4:80 because it's ephemeral.",
        "python -m zc.zk import: /shop/providers not deleted due to ephemeral descendent.",
    ]
    assert zk.get_children("/shop") == ["providers"]


@pytest.mark.parametrize(
    ("options", "acl"),
    [
        ([], zc.zk.OPEN_ACL_UNSAFE),
        (["-p", "r"], zc.zk.READ_ACL_UNSAFE),
        (["-p", "1"], zc.zk.READ_ACL_UNSAFE),
        (["--permission", "31"], zc.zk.OPEN_ACL_UNSAFE),
        (["--acl", "world:anyone:cdrwa"], zc.zk.OPEN_ACL_UNSAFE),
        (
            ["--acl", "world:anyone:r,digest:bob:2Ts0DKbRZZCYXE5m5dDcQFm1Crg=:cdrwa"],
            [
                zc.zk.world_permission(),
                {
                    "scheme": "digest",
                    "id": "bob:x",  # only bob is told more
                    "perms": zookeeper.PERM_ALL,
                },
            ],
        ),
    ],
)
def test_access_to_new_nodes(command, place, zk, options, acl):
    assert command("import", *options, place, given="/new\n") == (0, "", "")
    assert zk.get_acl("/new")[1] == acl


def test_credentials_come_from_a_file_or_the_environment(command, place, zk, tmp_path):
    (tmp_path / "alice.txt").write_text("# who I am\n\ndigest:alice:secret\n")
    own = ["--acl", "auth::cdrwa"]
    assert command("import", *own, "--credentials", "alice.txt", place, given="/a\n").status == 0
    below = [*own, place, "-", "/a"]
    in_file = {"ZC_ZK_CREDENTIALS_FILE": "alice.txt"}
    assert command("import", *below, given="/b\n", variables=in_file).status == 0
    itself = {"ZC_ZK_CREDENTIAL": "digest:alice:secret"}
    assert command("import", *below, given="/c\n", variables=itself).status == 0
    assert command("export", place, variables=itself).output == "/a\n  /b\n  /c\n"
    zk.add_auth("digest", "alice:secret")
    assert zk.get_acl("/a")[1][0]["id"].startswith("alice:")


@pytest.mark.parametrize("format", ["json", "yaml"])
def test_other_formats(command, place, zk, imported, tmp_path, format):
    before = zk.export_tree()
    command("export", place, "-o", f"tree.{format}")
    zk.delete_recursive("/shop")
    assert command("import", place, f"tree.{format}") == (0, "", "")
    assert zk.export_tree() == before
    written = (tmp_path / f"tree.{format}").read_text()
    dry = command("import", "-d", "--exit-code", place, "--format", format, given=written)
    assert dry == (0, "", "")


def test_importing_again_writes_nothing(command, place, zk, file):
    command("import", place, file)
    before = [(node.path, node.stat) for node in zk.read_tree("/shop")]
    command("import", place, file)
    assert [(node.path, node.stat) for node in zk.read_tree("/shop")] == before
