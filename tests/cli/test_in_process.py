"""Commands are called as functions, with replaced standard streams."""

from __future__ import annotations

import codecs
import contextlib
import doctest
import io
import subprocess
import sys

import pytest

import zc.zk
from tests.deadlines import scaled
from zc.zk import scripts
from zc.zk.testing import setUp, tearDown

TREE = "/shop\n  name = 'größe'\n  threads = 8\n  /queue\n"
SERVER = "zookeeper.example.com:2181"


class Test:
    """A test, as `setUp` takes one."""


class OnlyWrites:
    """The least that a stream can be."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        assert isinstance(text, str)
        self.text += text


def call(function, *arguments, given=None, output=None):
    """Return what a command returns, prints and says.

    `given` stands for standard input.
    """
    output = io.StringIO() if output is None else output
    stdin = sys.stdin
    with (
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(io.StringIO()) as messages,
    ):
        try:
            sys.stdin = io.StringIO(given) if isinstance(given, str) else given
            status = function(list(arguments))
        finally:
            sys.stdin = stdin
    text = output.getvalue() if isinstance(output, io.StringIO) else None
    return status, text, messages.getvalue()


@pytest.fixture
def zk():
    test = Test()
    setUp(test, TREE)
    with zc.zk.ZooKeeper(SERVER) as client:
        yield client
    tearDown(test)


@pytest.mark.usefixtures("zk")
class TestOutput:
    def test_text(self):
        assert call(scripts.export, SERVER, "/shop") == (None, TREE, "")

    @pytest.mark.parametrize("format", ["json", "yaml"])
    def test_other_formats(self, format, tmp_path):
        file = tmp_path / "tree"
        assert call(scripts.export, SERVER, "--format", format, "-o", str(file)) == (None, "", "")
        assert call(scripts.export, SERVER, "--format", format) == (None, file.read_text(), "")

    def test_an_output_that_can_only_write_will_do(self):
        stream = OnlyWrites()
        assert call(scripts.export, SERVER, "/shop", output=stream)[0] is None
        assert stream.text == TREE

    def test_a_stream_of_bytes(self):
        stream = io.BytesIO()
        assert call(scripts.export, SERVER, "/shop", output=stream)[0] is None
        assert stream.getvalue() == TREE.encode()

    @pytest.mark.parametrize(
        "over", [lambda below: io.TextIOWrapper(below, "ascii"), codecs.getwriter("utf-8")]
    )
    def test_a_stream_of_text_over_one_of_bytes(self, over):
        below = io.BytesIO()
        stream = over(below)
        print("before", file=stream)
        assert call(scripts.export, SERVER, "/shop", output=stream)[0] is None
        assert below.getvalue() == f"before\n{TREE}".encode()

    def test_an_output_that_pytest_captures_will_do(self, capsys):
        assert scripts.export([SERVER, "/shop"]) is None
        assert capsys.readouterr() == (TREE, "")

    def test_a_picture_that_is_no_text(self, monkeypatch):
        monkeypatch.setattr("zc.zk.graphvis.picture", lambda source, format: b"\x89PNG")
        status, text, messages = call(scripts.graph, SERVER, "--format", "png")
        assert (status, text) == (2, "")
        assert "standard output takes text only, and this is none: -o FILE" in messages

    def test_help(self):
        status, text, messages = call(scripts.export, "--help")
        assert (status, messages) == (None, "")
        assert text.startswith("usage: zookeeper_export ")
        for function, program in (scripts.main, "python -m zc.zk"), (scripts.zk, "zk"):
            status, text, messages = call(function, "--help")
            assert (status, messages) == (None, "")
            assert text.startswith(f"usage: {program} COMMAND")
            status, text, messages = call(function, "export", "--help")
            assert (status, messages) == (None, "")
            assert text.startswith(f"usage: {program} export ")

    def test_no_output_at_all(self, monkeypatch, capsys):
        monkeypatch.setattr(sys, "stdout", None)
        assert scripts.export([SERVER]) == 1
        assert capsys.readouterr().err == "zookeeper_export: standard output is closed\n"


class TestInput:
    @pytest.mark.parametrize(
        "stream",
        [
            lambda text: io.StringIO(text),
            lambda text: io.StringIO("\ufeff" + text),
            lambda text: io.BytesIO(text.encode()),
            lambda text: io.TextIOWrapper(io.BytesIO(text.encode()), "ascii"),
            lambda text: codecs.getreader("utf-8")(io.BytesIO(text.encode())),
        ],
    )
    def test_import(self, zk, stream):
        given = stream("/shop\n  name = 'größer'\n  /queue\n")
        assert call(scripts.import_, SERVER, given=given) == (None, "", "")
        assert zk.get_properties("/shop") == {"name": "größer"}

    def test_dry_run(self, zk):
        assert call(scripts.import_, "-d", SERVER, given="/new\n") == (None, "add /new\n", "")
        assert not zk.exists("/new")

    @pytest.mark.parametrize("function", [scripts.validate, scripts.validate_])
    def test_validate(self, function):
        assert call(function, given="/a\n") == (None, "", "")
        status, text, messages = call(function, given="a\n")
        assert (status, text) == (1, "")
        assert messages.startswith("zookeeper_validate: standard input: line 1: ")

    def test_input_that_cannot_be_read(self):
        class Broken(io.StringIO):
            def read(self, size=-1):
                raise OSError("no more")

        told = "zookeeper_validate: standard input: no more\n"
        assert call(scripts.validate, given=Broken()) == (1, "", told)
        told = "zookeeper_validate: standard input is closed\n"
        assert call(scripts.validate, given=None) == (1, "", told)

    def test_nobody_is_asked_where_nobody_can_answer(self, zk):
        status, text, messages = call(scripts.delete, SERVER, "/shop", given="yes\n")
        assert (status, text) == (2, "")
        assert "--yes deletes them" in messages
        assert zk.exists("/shop")


class TestResults:
    def test_success_is_none_and_all_else_is_a_status(self, zk):
        assert call(scripts.set_property, SERVER, "/shop", "threads=9")[0] is None
        assert zk.get_properties("/shop")["threads"] == 9
        assert call(scripts.diff, SERVER, SERVER)[0] is None
        assert call(scripts.diff, "--exit-code", f"{SERVER}/shop", SERVER)[0] == 3
        assert call(scripts.delete, "-y", SERVER, "/shop/queue")[0] is None
        assert call(scripts.delete, "-y", SERVER, "/shop/queue")[0] == 1
        assert call(scripts.export)[0] == 2
        assert call(scripts.main, "nonsense")[0] == 2

    def test_a_doctest_shows_what_is_printed_and_nothing_else(self):
        example = doctest.DocTestParser().get_doctest(
            """
            >>> from zc.zk.scripts import export, import_
            >>> export(['zookeeper.example.com:2181', '/fooservice'])
            /fooservice
              database = '/databases/foomain'
              favorite_color = 'red'
              threads = 1
              /providers
            >>> import io, sys
            >>> stdin, sys.stdin = sys.stdin, io.StringIO('/fooservice\\n  threads = 2\\n')
            >>> import_(['-d', 'zookeeper.example.com:2181'])
            /fooservice remove property database = '/databases/foomain'
            /fooservice remove property favorite_color = 'red'
            /fooservice threads change from 1 to 2
            extra path not trimmed: /fooservice/providers
            >>> sys.stdin = stdin
            """,
            {},
            "example",
            None,
            0,
        )
        setUp(example)
        try:
            told: list[str] = []
            result = doctest.DocTestRunner().run(example, out=told.append, clear_globs=False)
            assert result.failed == 0, "".join(told)
        finally:
            tearDown(example)


class TestNoRoom:
    @pytest.mark.parametrize("arguments", [["export", "--help"], ["--help"]])
    @pytest.mark.parametrize("unbuffered", ["", "1"])
    def test_help_that_cannot_be_written_is_a_failure(self, environment, arguments, unbuffered):
        with open("/dev/full", "w") as full:
            ended = subprocess.run(
                [sys.executable, "-m", "zc.zk", *arguments],
                stdout=full,
                stderr=subprocess.PIPE,
                env={**environment, "PYTHONUNBUFFERED": unbuffered},
                text=True,
                timeout=120,
                check=False,
            )
        name = " ".join(["python -m zc.zk", *arguments[:-1]])
        assert ended.stderr == f"{name}: standard output: No space left on device\n"
        assert ended.returncode == 1


def test_a_call_with_arguments_leaves_the_programs_garbage_collector_alone(tmp_path):
    file = tmp_path / "tree.txt"
    file.write_text("/a\n")
    program = f"""if True:
        import gc
        from zc.zk.scripts import validate
        # Python 3.12 has some objects frozen from the start.
        before = gc.get_threshold(), gc.get_freeze_count()
        assert validate([{str(file)!r}]) is None
        print((gc.get_threshold(), gc.get_freeze_count()) == before)
        """
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=scaled(60)
    )
    assert said.stdout == "True\n", said.stderr


def test_a_command_of_its_own_process_freezes_what_is_there_at_its_end(tmp_path):
    file = tmp_path / "tree.txt"
    file.write_text("/a\n")
    program = """if True:
        import atexit, gc
        atexit.register(lambda: print(gc.get_freeze_count() > 10_000))
        from zc.zk.scripts import validate
        assert validate() is None
        """
    command = [sys.executable, "-c", program, str(file)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=scaled(60))
    assert said.stdout == "True\n", said.stderr


def test_an_export_does_without_the_modules_that_few_trees_need():
    few = ["queue", "zc.zk.tree.layout", "zc.zk.tree.template", "zc.zk.tree.model"]
    program = f"""if True:
        import sys
        from zc.zk.cli import export, runner
        print([name for name in {few} if name in sys.modules])
        """
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=scaled(60)
    )
    assert said.stdout == "[]\n", said.stderr
