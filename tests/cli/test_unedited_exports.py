"""An import of an export that nobody has edited changes nothing; an edit changes what it says."""

from __future__ import annotations

import json

import pytest

import zc.zk
from tests.cli.test_in_process import SERVER, call
from tests.pure.test_foreign_json import SHAPES
from zc.zk import scripts
from zc.zk.testing import setUp, tearDown

DATA = [
    *SHAPES.values(), "", None, " \n", "one line",
    "many\nlines\n  of text\n", "\\n\r\n'''\n\"\"\"\n",
    "\udcff\x00\n\n\n", "x\x1b\u2028\n\n\n ", '{"a": 1, "a": 2}', '{"a": NaN}', '{"a": 1e999}',
    '{"base64": "x"}', '{"text": "a\\nb\\nc", "n": 1}', '{"a"', "[1, 2]",
]  # fmt: skip


class Test:
    """A test, as `setUp` takes one."""


@pytest.fixture
def zk():
    test = Test()
    setUp(test, "")
    with zc.zk.ZooKeeper(SERVER) as client:
        client.create("/n", "")
        for number, data in enumerate(DATA):
            client.create(f"/n/{number}", data)
        yield client
    tearDown(test)


@pytest.mark.parametrize("format", ["text", "json", "yaml"])
def test_nothing_is_changed_without_an_edit(zk, format, tmp_path):
    file = str(tmp_path / "tree")
    assert call(scripts.export, SERVER, "--format", format, "-o", file) == (None, "", "")
    arguments = ("--format", format, SERVER, file)
    assert call(scripts.import_, "-d", "-t", "--exit-code", *arguments) == (
        None,
        "",
        "",
    )
    assert call(scripts.import_, "-t", "-y", *arguments) == (None, "", "")
    for number, data in enumerate(DATA):
        found, stat = zk.get(f"/n/{number}")
        assert (found, stat["version"]) == (data, 0)


def test_an_edit_in_a_file_leaves_the_rest_of_the_data(zk, tmp_path):
    names = list(SHAPES)
    jackson, noggit = (f"/n/{names.index(name)}" for name in ("Jackson indented", "noggit"))
    file = tmp_path / "tree.json"
    assert call(scripts.export, SERVER, "-o", str(file)) == (None, "", "")
    tree = json.loads(file.read_text())
    tree[jackson]["b"] = 9
    tree[noggit]["coll"]["shards"]["s1"]["n"] = 9
    file.write_text(json.dumps(tree))
    assert call(scripts.import_, SERVER, str(file)) == (None, "", "")
    for path, name in ((jackson, "Jackson indented"), (noggit, "noggit")):
        was = SHAPES[name]
        assert zk.get(path)[0] == was.replace('"b" : 8', '"b" : 9').replace('"n":8', '"n":9')
