"""Lines of `zk shell`: words, paths, completions."""

from __future__ import annotations

import os
import shlex
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zc.zk.cli import runner, shellhistory
from zc.zk.cli.commands import COMMANDS
from zc.zk.cli.failures import Misuse
from zc.zk.cli.shellcompletion import MAX_SHOWN, Nodes, candidates
from zc.zk.cli.shellhistory import History
from zc.zk.cli.shellwords import (
    ELSEWHERE,
    escaped,
    is_secret,
    is_writing,
    resolved,
    typed,
    with_paths,
    words_of,
)

LINES = st.text("ab /'\"\\\t#", max_size=12)


class TestWords:
    def test_quotes_and_backslashes_are_those_of_a_shell(self):
        assert words_of("""set 'a b' "it's" c\\ d ''""") == ["set", "a b", "it's", "c d", ""]
        assert words_of("  # ls 'x") == words_of("") == []
        assert words_of("ls a#b") == ["ls", "a#b"]

    @pytest.mark.parametrize("line", ["ls 'a", 'ls "a', "ls \\"])
    def test_an_open_end_is_an_error_that_shows_the_line(self, line):
        with pytest.raises(Misuse) as fault:
            words_of(line)
        assert repr(line) in str(fault.value)

    @given(LINES)
    def test_typed_text_is_split_as_the_whole_line_is(self, line):
        found = typed(line)
        ended = line + {"\\": "x", "'": "'x", '"': '"x', "": "x"}[found.quote]
        if found.quote == "\\" and shlex_fails(ended):
            return  # within a quote
        assert [*found.before, f"{found.word}x"][:-1] == shlex.split(ended)[:-1]
        if found.quote != "\\":
            assert shlex.split(ended)[-1] == f"{found.word}x"

    @given(LINES, st.text("ab '\"\\", min_size=1, max_size=6))
    def test_escaped_text_is_that_text_in_any_quote(self, line, text):
        found = typed(line)
        if found.quote == "\\":
            return
        words = shlex.split(line + escaped(text, found.quote) + found.quote)
        assert words[-1] == found.word + text


def shlex_fails(line):
    try:
        shlex.split(line)
    except ValueError:
        return True
    return False


class TestPaths:
    @pytest.mark.parametrize(
        ("node", "word", "path"),
        [
            ("/", "a", "/a"),
            ("/a/b", "c", "/a/b/c"),
            ("/a/b", "/c", "/c"),
            ("/a/b", "..", "/a"),
            ("/a/b", "../../../..", "/"),
            ("/a/b", ".", "/a/b"),
            ("/a/b", "./-c", "/a/b/-c"),
            ("/a", "b//c/", "/a/b/c/"),
            ("/a", "/", "/"),
            ("/a", "../", "/"),
            ("/a", "10.0.0.7:80", "/a/10.0.0.7:80"),
            ("/a", "", ""),
        ],
    )
    def test_words_seen_from_a_node(self, node, word, path):
        assert resolved(node, word) == path

    @pytest.mark.parametrize(
        ("line", "words"),
        [
            ("ls", ["/n"]),
            ("ls -l x", ["/n/x"]),
            ("get --property p", ["/n"]),
            ("stat", ["/n"]),
            ("stat a ../b", ["/n/a", "/b"]),
            ("who", []),
            ("who a", ["/n/a"]),
            ("grep text", ["text", "/n"]),
            ("grep text a", ["text", "/n/a"]),
            ("grep -e text a", ["/n/a"]),
            ("grep", []),
            ("set", []),
            ("set . a", ["/n", "a"]),
            ("delete -y", []),
            ("set_property a b=1", ["/n/a", "b=1"]),
            ("acl get a", ["/n/a"]),
            ("acl set a world:anyone:r", ["/n/a", "world:anyone:r"]),
            ("quota list", []),
            ("cp a b/", ["/n/a", "/n/b/"]),
            ("cp a 10.0.0.7:80", ["/n/a", "/n/10.0.0.7:80"]),
            ("cp a other:2181 b", ["/n/a", "other:2181", "/n/b"]),
            ("mv a ..", ["/n/a", "/"]),
            ("import tree.txt", ["tree.txt", "/n"]),
            ("import tree.txt /", ["tree.txt", "/"]),
            ("word mntr", []),
            ("config", []),
            ("export", ["/n"]),
            ("lock l -- a b", ["/n/l"]),
        ],
    )
    def test_the_paths_of_commands(self, line, words):
        name, *rest = words_of(line)
        parser = parser_of(name)
        options = parser.parse_words(rest)
        given = options.words[bool(parser.first_words) :]
        assert with_paths(given, parser.nodes(options, len(given)), "/n") == words


def parser_of(name):
    return runner.parser_of(runner.command(name), name, "")


def test_every_command_of_the_shell_says_which_words_are_nodes():
    for name in set(COMMANDS) - ELSEWHERE:
        assert callable(parser_of(name).nodes)


@pytest.mark.parametrize(
    ("command", "words", "is_dry", "writes"),
    [
        ("ls", [], False, False),
        ("set", [], False, True),
        ("set", [], True, False),
        ("import", [], False, True),
        ("acl", ["get"], False, False),
        ("acl", ["set"], False, True),
        ("quota", ["list"], False, False),
        ("quota", [], False, True),
        ("delete", ["get"], False, True),
    ],
)
def test_commands_that_change_something(command, words, is_dry, writes):
    assert is_writing(command, words, is_dry=is_dry) == writes


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("ls /a", False),
        (" ls /a", True),
        ("set /db/password x", True),
        ("acl add a digest:alice:xyz:r", True),
        ("set_property a API_KEY=1", True),
    ],
)
def test_lines_that_are_not_kept(line, secret):
    assert is_secret(line) == secret


def completed(line, tree=(), node="/"):
    """Return what lines the line can become; `tree` has the paths that there are."""

    def children(path):
        begin = path.rstrip("/") + "/"
        return list({each[len(begin) :].split("/")[0] for each in tree if each.startswith(begin)})

    nodes = Nodes(children, lambda path: bool(children(path)))
    return [line + each.insertion for each in candidates(typed(line), node, parser_of, nodes)]


class TestCompletions:
    TREE = ("/shop/p10", "/shop/p2", "/it's a/b", "/x\x1b[8m\ny", "/-rf", "/\u202eleft")

    def test_commands_and_what_the_shell_adds(self):
        assert completed("set") == ["set ", "set_property "]
        assert completed("pw") == ["pwd "]
        assert completed("shel") == completed("serv") == completed("nonsense ") == []
        assert completed("help dele") == ["help delete "]
        assert completed("write ") == ["write on ", "write off "]
        assert completed("acl re") == ["acl remove "]

    def test_options_and_their_choices(self):
        assert completed("ls --rec") == ["ls --recursive "]
        assert completed("ls --format j") == ["ls --format json "]
        assert completed("export -o /", self.TREE) == []
        assert completed("ls --help /", self.TREE) == []

    def test_paths_in_natural_order(self):
        assert completed("ls sh", self.TREE) == ["ls shop/"]
        assert completed("ls -l shop/", self.TREE) == ["ls -l shop/p2", "ls -l shop/p10"]
        assert completed("ls p1", self.TREE, "/shop") == ["ls p10 "]
        assert completed("cd ../sh", self.TREE, "/shop") == ["cd ../shop/"]
        assert completed("grep text sh", self.TREE) == ["grep text shop/"]
        assert completed("cp /shop/p2 sh", self.TREE) == ["cp /shop/p2 shop/"]
        assert completed("cd / sh", self.TREE) == completed("ls \\", self.TREE) == []
        assert completed("set shop sh", self.TREE) == completed("grep sh", self.TREE) == []

    def test_names_are_typed_so_that_they_are_one_word(self):
        for line in ("ls it", "ls 'it", 'ls "it', "ls /it", "ls 'it'"):
            (found,) = completed(line, self.TREE)
            assert words_of(found + typed(found).quote)[1].strip("/") == "it's a"

    def test_hostile_names_are_never_typed(self):
        assert completed("ls x", self.TREE) == completed("ls \u202e", self.TREE) == []
        assert completed("ls ", self.TREE) == ["ls it\\'s\\ a", "ls shop"]
        assert completed("ls ./-", self.TREE) == ["ls ./-rf "]

    def test_of_very_many_the_beginning_that_all_have(self):
        tree = [f"/node-{number:06}" for number in range(100_000)]
        assert completed("ls ", tree) == ["ls node-0"]
        found = completed("ls node-0", tree)
        assert len(found) == MAX_SHOWN + 1
        assert found[-1] == "ls node-0"


class TestHistory:
    def test_it_is_kept_in_a_file_of_the_users_own(self, tmp_path, monkeypatch):
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        file = shellhistory.history_file()
        history = History(file)
        for line in ("ls /a", "set /password x", " ls", "two\nlines", "get \u20ac\udcff"):
            history.add(line)
        assert History(file).lines() == ["ls /a", "get \u20ac?"]
        assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
        assert stat.S_IMODE(os.stat(os.path.dirname(file)).st_mode) == 0o700

    def test_others_are_shut_out_of_a_file_that_was_open_to_them(self, tmp_path):
        file = tmp_path / "history"
        file.write_text("ls\n")
        file.chmod(0o644)
        assert History(str(file)).lines() == ["ls"]
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_a_long_file_is_cut(self, tmp_path, monkeypatch):
        monkeypatch.setattr(shellhistory, "MAX_BYTES", 100)
        file = tmp_path / "history"
        file.write_text("".join(f"get /{number}\n" for number in range(100)))
        lines = History(str(file)).lines()
        assert lines[-1] == "get /99"
        assert file.read_text() == "".join(f"{line}\n" for line in lines)
        assert file.stat().st_size <= 100
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_a_relative_folder_of_state_is_none(self, monkeypatch, tmp_path):
        monkeypatch.setenv("XDG_STATE_HOME", "state")
        monkeypatch.setenv("HOME", str(tmp_path))
        assert shellhistory.history_file() == f"{tmp_path}/.local/state/zc.zk/shell-history"
