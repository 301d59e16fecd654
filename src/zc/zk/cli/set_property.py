"""`zookeeper_set_property`: set properties of a node, and take others away."""

from __future__ import annotations

import re
import shlex
from argparse import Namespace
from typing import Any

from zc.zk import codec
from zc.zk.cli import connect
from zc.zk.cli.arguments import Parser, connection_and_rest, node_path
from zc.zk.cli.failures import Failure, Misuse
from zc.zk.cli.output import print_line, tell
from zc.zk.errors import TreeSyntaxError
from zc.zk.links import as_told, stored_name
from zc.zk.tree.changes import SetData
from zc.zk.tree.parse import parse_tree

USAGE = "[-d] [-r NAME]... [options] [CONNECTION] PATH [NAME=LITERAL...]"
DETAILS = """\
CONNECTION is HOST:PORT, or several with commas in between. PATH is the node, which must exist;
symbolic links are followed. The other arguments are lines as in a tree file: a property
(NAME=LITERAL), a symbolic link (NAME->PATH) or a property link ('NAME=>PATH PROPERTY'). Literals
are Python's, so strings have quotes, which the shell must not see. --remove takes away the property
NAME, or the link 'NAME ->' or 'NAME =>'. Other properties of the node stay as they are. All is
written at once.

Data that are text, but no JSON object, become the property string_value, which is told; data that
are not even text are an error."""
EXAMPLES = """\
zookeeper.example.com:2181 /fooservice threads=4
zookeeper.example.com:2181 /fooservice "favorite_color='blue'" 'main->/databases/main'
-r threads zookeeper.example.com:2181 /fooservice"""


def add_arguments(parser: Parser) -> None:
    parser.add_words()
    parser.add_argument(
        "-r", "--remove", action="append", default=[], metavar="NAME",
        help="take this property away; may be repeated",
    )  # fmt: skip
    parser.add_dry_run_argument("print what would be changed, and change nothing")
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    connection, words = connection_and_rest(options, len(options.words))
    if len(words) < (1 if options.remove else 2):
        raise Misuse("a path and at least one NAME=LITERAL are needed; --help tells more")
    path, changes = node_path(words[0]), _properties(words[1:])
    removed = list(map(stored_name, options.remove))
    for name in removed:
        if name in changes:
            raise Misuse(f"{name!r} is to be set and to be removed")

    wrapped = False

    def change(now: dict[str, Any]) -> dict[str, Any]:
        nonlocal wrapped
        if _may_be_of_bytes(now) and not _is_text(zk.get(properties.real_path)[0] or ""):
            raise Failure(_NO_TEXT.format(path))
        before = dict(now)
        for name in removed:
            if name not in now:
                raise Failure(f"there is no property {name!r} at {path}")
            del now[name]
        wanted = {**now, **changes}
        wrapped = _becomes_a_property(before, wanted)
        return wanted

    with connect.client(options, connection) as zk:
        properties = zk.properties(path, watch=False)
        if options.dry_run:
            now = properties.data
            try:
                data = codec.encode(change(dict(now)))
            except ValueError as fault:
                raise Failure(str(fault)) from fault
            version = properties.meta_data["version"]
            would = SetData(properties.real_path, codec.as_read(now), data, version)
            if would.old != would.new:
                for line in would.lines():
                    print_line(line)
            if wrapped:
                tell(options.name, _WRAPPED.format(path, "would become"))
            return 0
        try:
            properties.rewrite(change)
        except ValueError as fault:
            # Of a bad property link the last argument is the cause, which names it.
            *link, reason = fault.args
            raise Failure(f"bad property link: {reason}" if link else str(reason)) from fault
    if wrapped:
        tell(options.name, _WRAPPED.format(path, "have become"))
    return 0


_WRAPPED = f"{{}}: its data, which are no JSON object, {{}} the property {codec.STRING_VALUE}"


_NO_TEXT = (
    "{}: its data are not UTF-8 text, and cannot have properties:"
    " `zk set` replaces them, and `zk edit --raw` changes them"
)

# A byte that is no UTF-8, as it stands in text, and as an escape in JSON.
_BYTE = re.compile(r"[\udc80-\udcff]|\\udc[89a-f]")


def _may_be_of_bytes(properties: dict[str, Any]) -> bool:
    """Say whether properties can be those of data that are no text, of which JSON makes others."""
    return _BYTE.search(codec.as_read(properties)) is not None


def _is_text(data: str) -> bool:
    try:
        data.encode()
    except UnicodeEncodeError:
        return False
    return True


def _becomes_a_property(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Say whether data that are the whole of a node's text are a part of JSON afterwards."""
    text = before.get(codec.STRING_VALUE)
    was_whole = len(before) == 1 and isinstance(text, str)
    return was_whole and len(after) > 1 and after.get(codec.STRING_VALUE) == text


def _properties(words: list[str]) -> dict[str, Any]:
    """Return the properties that the arguments describe. Raise Misuse."""
    found: dict[str, Any] = {}
    for word in map(as_told, words):
        if "\n" in word or word.lstrip()[:1] in ("/", "#", "=", ""):
            raise Misuse(f"not of the form NAME=LITERAL: {word!r}")
        try:
            tree = parse_tree(f"/node\n  {word}\n")
        except TreeSyntaxError as fault:
            raise Misuse(f"{fault.reason}: {word!r}{_hint(word)}") from fault
        for name, value in tree.children["node"].properties.items():
            if name in found:
                raise Misuse(f"{name!r} is given twice")
            found[name] = value
    return found


# Words for Python's constants, in JSON, YAML and by people.
_CONSTANTS = {
    **dict.fromkeys(("true", "yes", "on"), "True"),
    **dict.fromkeys(("false", "no", "off"), "False"),
    **dict.fromkeys(("none", "null", "nil"), "None"),
}


def _hint(word: str) -> str:
    """Return a hint for a string that lost its quotes, perhaps to the shell."""
    name, equals, value = word.partition("=")
    if not equals or not re.fullmatch(r"[\w./:@ -]+", value):
        return ""
    literal = f"{name}={value!r}"
    quoted = f'"{literal}"' if re.fullmatch(r"[\w./:@ =\'-]+", literal) else shlex.quote(literal)
    constant = _CONSTANTS.get(value.strip().lower())
    meant = f"; if it is {constant}: {name}={constant}" if constant else ""
    return f"{meant}; if it is a string: {quoted}"
