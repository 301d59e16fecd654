"""The arguments of the commands, and what they have in common."""

from __future__ import annotations

import argparse
import os
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from zc.zk.cli import nodewords, security
from zc.zk.cli.commands import versions
from zc.zk.cli.failures import Misuse
from zc.zk.cli.output import STANDARD, write_text
from zc.zk.links import as_told
from zc.zk.patterns import pattern

if TYPE_CHECKING:
    from typing import Protocol

    class Texts(Protocol):
        """The texts about a command that --help shows."""

        DETAILS: str
        EXAMPLES: str


CONNECTION_VARIABLE = "ZC_ZK_CONNECTION_STRING"
CREDENTIALS_VARIABLE = "ZC_ZK_CREDENTIALS_FILE"
CREDENTIAL_VARIABLE = "ZC_ZK_CREDENTIAL"
# Set by `zk lock` for the command that it runs.
FENCING_VARIABLE = "ZC_ZK_FENCING_NUMBER"
# Set by `zk watch` and `zk render` for the commands that they run.
CHANGES_VARIABLE, PATHS_VARIABLE = "ZC_ZK_CHANGES", "ZC_ZK_PATHS"
FILE_VARIABLE, FILES_VARIABLE = "ZC_ZK_FILE", "ZC_ZK_FILES"
VARIABLES = (
    CONNECTION_VARIABLE, CREDENTIALS_VARIABLE, CREDENTIAL_VARIABLE, FENCING_VARIABLE,
    CHANGES_VARIABLE, PATHS_VARIABLE, FILE_VARIABLE, FILES_VARIABLE,
)  # fmt: skip

FORMATS = ("text", "json", "yaml")
_EXTENSIONS = {".json": "json", ".yaml": "yaml", ".yml": "yaml"}

DEFAULT_TIMEOUT_SECONDS = 10.0

# A file can be told from this by its lack of a port, or by writing ./ in front of it.
_CONNECTION = pattern(r"[^/\s]*:[0-9]+(?:/.*)?")

_ENVIRONMENT = f"""
environment:
  {CONNECTION_VARIABLE}  the connection to use when none is given
  {CREDENTIALS_VARIABLE}   a file with credentials, as for --credentials
  {CREDENTIAL_VARIABLE}         a credential, such as digest:alice:secret
{security.ENVIRONMENT}"""

_EXIT_STATUS = """
exit status: 0 success, 1 error, 2 wrong usage, 3 differences found (with --exit-code),
4 nodes left out
"""


class _HelpFormatter(argparse.HelpFormatter):
    """Fills paragraphs to the terminal's width, and leaves indented lines alone."""

    def __init__(self, prog: str) -> None:
        # One is made for each argument. Not knowing the width it would import shutil, and so the
        # modules for compressed files, which takes longer than all our own.
        super().__init__(prog, width=_terminal_width() - 2)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        paragraphs = text.split("\n\n")
        return "\n\n".join(
            paragraph
            if "\n  " in paragraph
            else super(_HelpFormatter, self)._fill_text(paragraph, width, indent)
            for paragraph in paragraphs
        )


def _terminal_width() -> int:
    """Return the width in characters, as `shutil.get_terminal_size` has it."""
    try:
        return int(os.environ["COLUMNS"])
    except (KeyError, ValueError):
        pass
    try:
        return os.get_terminal_size(1).columns
    except OSError:
        return 80


class _ShowVersion(argparse.Action):
    """Writes the versions, found out only now, and ends the command."""

    def __call__(self, parser: ArgumentParser, *_: object) -> NoReturn:
        write_text(STANDARD, [versions(parser.prog)])
        parser.exit()


class Parser(ArgumentParser):
    """Reads the arguments of a command.

    `name` is the command's, `usage` its arguments as --help shows them.
    """

    command_mark: str | None = None
    first_words: Sequence[str] = ()

    def __init__(self, name: str, usage: str, summary: str, texts: Texts) -> None:
        examples = "".join(f"  {name} {line}\n" for line in texts.EXAMPLES.splitlines())
        super().__init__(
            prog=name,
            usage=f"{name} {usage}",
            description=f"{summary}\n\n{texts.DETAILS}",
            epilog=f"examples:\n{examples}{_EXIT_STATUS}",
            formatter_class=_HelpFormatter,
            # An abbreviation that works today may mean two things tomorrow.
            allow_abbrev=False,
        )

    def print_help(self, file: object = None) -> None:
        """Write the help. Raise Failure if that fails, unlike argparse."""
        write_text(STANDARD, [self.format_help()])

    def error(self, message: str) -> NoReturn:
        raise Misuse(f"{message}; --help tells more")

    def parse_words(self, arguments: Sequence[str]) -> Namespace:
        """Parse arguments.

        Those behind `--` are words, whatever they begin with. A command line that they end with,
        for a command that runs one, is in `behind`; None without one.
        """
        own, behind = split_at(self.command_mark or "--", arguments)
        options = self.parse_intermixed_args(own)
        if self.command_mark is not None:
            options.behind = behind
        elif behind is not None and "words" in options:
            options.words = [*(options.words or ()), *behind]
        elif behind is not None:
            options = self.parse_intermixed_args(arguments)
        return options

    def add_command_words(self, mark: str) -> None:
        """Take what stands behind `mark` for the words of a command, as `behind`."""
        self.command_mark = mark

    def add_words(
        self, first: Sequence[str] = (), nodes: nodewords.Places = nodewords.first_given
    ) -> None:
        """Take any number of arguments that are no options, as `words`.

        Which is which cannot be told from their places, as the first of them may be left out; but
        for a command that begins with one of `first`, which says what to do. Of those behind it and
        the connection `nodes` tells which are paths of nodes.
        """
        self.first_words, self.nodes = first, nodes
        self.add_argument("words", nargs="*", help=argparse.SUPPRESS)

    def add_server_arguments(self) -> None:
        """Add arguments that say how to talk to a server."""
        self.epilog = f"{self.epilog}{_ENVIRONMENT}"
        group = self.add_argument_group("connection")
        group.add_argument(
            "--timeout",
            type=seconds,
            default=DEFAULT_TIMEOUT_SECONDS,
            metavar="SECONDS",
            help="give up when there is no answer for so long (default: %(default)g)",
        )
        group.add_argument(
            "--credentials",
            metavar="FILE",
            default=os.environ.get(CREDENTIALS_VARIABLE) or None,
            help="authenticate with the lines of this file, each SCHEME:CREDENTIAL, such as"
            " digest:alice:secret",
        )
        security.add_security_arguments(self)

    def add_format_argument(self, what: str) -> None:
        """Add the argument for the format of trees."""
        self.add_argument(
            "--format",
            choices=FORMATS,
            help=f"the format of the {what} (default: by the extension of its name, .json, .yaml"
            " or .yml, and else text)",
        )

    def add_report_argument(self) -> None:
        """Add the argument for the format of what is printed, line by line."""
        self.add_argument(
            "--format",
            choices=("text", "json"),
            default="text",
            help="the format of what is printed: text, or json, an object a line (default: text)",
        )

    def add_data_argument(self, what: str) -> None:
        """Add the argument for data that are no word of the command line."""
        self.add_argument(
            "-f",
            "--file",
            metavar="FILE",
            help=f"take the {what} from this file, byte for byte; - is standard input",
        )

    def add_output_argument(self) -> None:
        self.add_argument(
            "-o",
            "--output",
            metavar="FILE",
            default="-",
            help="write to this file, which is replaced only when all went well",
        )

    def add_skip_argument(self) -> None:
        self.add_argument(
            "--skip-unreadable",
            action="store_true",
            help="leave out nodes that may not be read, and all below them; say so and end with 4",
        )

    def add_strict_argument(self, what: str) -> None:
        self.add_argument("--strict", action="store_true", help=what)

    def add_dry_run_argument(self, what: str) -> None:
        self.add_argument("-d", "--dry-run", action="store_true", help=what)

    def add_yes_argument(self, what: str = "delete without asking for confirmation") -> None:
        self.add_argument("-y", "--yes", action="store_true", help=what)

    def add_general_arguments(self) -> None:
        self.add_argument(
            "--debug", action="store_true", help="show what is logged, and where errors come from"
        )
        if "--version" not in self._option_string_actions:  # it may be a node's
            self.add_argument(
                "--version",
                action=_ShowVersion,
                nargs=0,
                help="show the version, and the C client's",
            )


def connection_and_rest(options: Namespace, most: int) -> tuple[str, list[str]]:
    """Split words into connection string and rest, of at most `most` words.

    Raises Misuse when there is no connection string, be it in the environment, or too many words.
    """
    words: list[str] = list(options.words)
    connection = os.environ.get(CONNECTION_VARIABLE)
    if words and is_connection(words[0]):
        connection = as_told(words.pop(0))
    elif not connection:
        given = f"{words[0]!r} is no HOST:PORT" if words else "no connection given"
        raise Misuse(f"{given}, and {CONNECTION_VARIABLE} is not set; --help tells more")
    if len(words) > most:
        raise Misuse(f"too many arguments, from {words[most]!r}; --help tells more")
    return connection, words


def split_at(mark: str, arguments: Sequence[str]) -> tuple[list[str], list[str] | None]:
    """Return the arguments in front of a mark, and those behind it; None without one."""
    words = list(arguments)
    if mark not in words:
        return words, None
    at = words.index(mark)
    return words[:at], words[at + 1 :]


def is_connection(word: str) -> bool:
    """Return whether an argument is a connection string, HOST:PORT/ROOT."""
    return _CONNECTION.fullmatch(word) is not None


def format_of(file: str, format: str | None) -> str:
    """Return the format asked for, or else the one of a file's extension."""
    return format or _EXTENSIONS.get(os.path.splitext(file)[1].lower(), "text")


def node_path(word: str) -> str:
    """Return an argument that is the path of a node. Raise Misuse for others."""
    word = as_told(word)
    if not word.startswith("/"):
        raise Misuse(f"not the path of a node, which begins with a slash: {word!r}")
    return word.rstrip("/") or "/"


def seconds(text: str) -> float:
    """Return an argument that is a number of seconds."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    # The C client has the milliseconds in an int.
    if not 0 < number <= 1_000_000:
        raise ArgumentTypeError(f"not a number of seconds: {text!r}")
    return number
