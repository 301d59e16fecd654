"""Property names cannot command a terminal or imitate a command's lines."""

from __future__ import annotations

import json

import pytest

from tests.deadlines import scaled

NAME = "x\x1b[8m\nwould delete /everything.\u202e"
ESCAPED = "x\\x1b[8m\\nwould delete /everything.\\u202e"


@pytest.fixture
def files(tmp_path):
    (tmp_path / "old.json").write_text('{"/n": {}}')
    (tmp_path / "new.json").write_text(
        json.dumps({"/n": {NAME: 1, f"{NAME} ->": f"/{NAME}", f"{NAME} =>": f"/{NAME} {NAME}"}})
    )


def is_clean(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))


@pytest.mark.usefixtures("files")
def test_differences(command):
    outcome = command("diff", "old.json", "new.json")
    assert outcome.status == 0
    assert is_clean(outcome.output)
    lines = outcome.output.splitlines()
    assert len(lines) == 3
    assert lines[0] == f"/n add property {ESCAPED} = 1"
    assert lines[1] == f"/n add link {ESCAPED} -> /{ESCAPED}"


@pytest.mark.usefixtures("files")
def test_plans(command, place, zk, capsys):
    zk.create("/n", "")
    outcome = command("import", "-d", place, "new.json")
    assert len(outcome.output.splitlines()) == 3
    assert is_clean(outcome.output)
    assert command("import", place, "new.json").status == 0
    plan = zk.plan_import("/n\n")
    print(plan)
    assert str(plan).splitlines()[0] == f"/n remove property {ESCAPED} = 1"
    zk.import_tree("/n\n", dry_run=True)
    zk.print_tree("/n")
    assert is_clean(capsys.readouterr().out)


@pytest.mark.usefixtures("files")
def test_following_prints_no_raw_names(start, command, place, zk):
    assert command("import", place, "new.json").status == 0
    process = start("watch", "-p", "--no-time", place, "/n")
    lines = [process.stdout.readline().decode() for _ in range(3)]
    assert lines[0] == f"/n add property {ESCAPED} = 1\n"
    assert all(map(is_clean, lines))
    process.terminate()
    process.wait(scaled(30))


def test_debug_logs_print_no_raw_names(command, place, zk):
    zk.create("/n", '{"\x1b[8m\n')
    zk.set("/n", '{"x": "\x1b[8m\n}')
    outcome = command("set_property", "--debug", place, "/n", "y=1")
    assert "\x1b" not in outcome.messages
    assert "bad JSON" in outcome.messages
