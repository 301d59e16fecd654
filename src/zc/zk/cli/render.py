"""`zookeeper_render`: files made of templates, that follow the nodes they are made of."""

from __future__ import annotations

import os
import socket
import threading
from argparse import ArgumentTypeError, Namespace
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from zc.zk.cli import connect, connectionnews, hook, nodewords
from zc.zk.cli.arguments import CONNECTION_VARIABLE, Parser, connection_and_rest, is_connection
from zc.zk.cli.failures import Failure, Misuse
from zc.zk.cli.hookarguments import add_hook_arguments, command_line, timing_of
from zc.zk.cli.numbers import pause
from zc.zk.cli.output import STANDARD, print_line, tell, write
from zc.zk.rendering.settings import TemplateSettings, read

if TYPE_CHECKING:
    from zc.zk.cli.renderedfile import RenderedFile
    from zc.zk.cli.rendergroup import Group, Hooks, Target
    from zc.zk.client import ZooKeeper
    from zc.zk.rendering.sources import Sources

USAGE = (
    "TEMPLATE -o FILE [--check COMMAND] [--exec COMMAND] [--once | -d] [options] [CONNECTION]\n   "
    " --config SETTINGS [--once | -d] [options] [CONNECTION]"
)
DETAILS = """\
CONNECTION is HOST:PORT, or several with commas in between. TEMPLATE is one of Jinja2's. It has the
functions tree(PATH), children(PATH), properties(PATH), providers(PATH) and exists(PATH), whose
results are live: whenever they change FILE is made anew, until you interrupt it. FILE is replaced
as a whole, and only if its text is another one.

COMMANDs are command lines for the shell. That of --check has to accept the new file, whose path it
has in the place of %s, and in ZC_ZK_FILE; if it fails, FILE stays. That of --exec is run when FILE
was replaced, one at a time. If it fails it is run again, also by another zk render. Commands end
with this one, also by kill -9.

FILE stays as it is when a node is missing or may not be read, when the template fails, when a list
of providers is empty, or has suddenly lost more than half: see --hold."""
EXAMPLES = """\
-o haproxy.cfg --check 'haproxy -c -f %s' --exec 'systemctl reload haproxy' haproxy.j2
--once -d -o /etc/haproxy/haproxy.cfg haproxy.j2 zookeeper.example.com:2181
--config /etc/zookeeper-render.toml zookeeper.example.com:2181"""

DEFAULT_HOLD_SECONDS = 30.0

# Each reload of a balancer may leave a process that serves on: a server that comes and goes all the
# time is not to fill the machine with them.
DEFAULT_INTERVAL_SECONDS = 1.0

# The threads of templates end soon; one that waits for an answer of the servers is left behind.
MAX_END_SECONDS = 30.0

LOOK_SECONDS = 0.5


def add_arguments(parser: Parser) -> None:
    parser.add_words(nodes=nodewords.none)
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="make this file; - is standard output, with --once"
    )
    parser.add_argument(
        "--config",
        metavar="SETTINGS",
        help="make the files that this file in TOML tells; its keys are named like the options",
    )
    parser.add_argument(
        "--check",
        type=command_line,
        metavar="COMMAND",
        help="replace FILE only if this command accepts the new one",
    )
    add_hook_arguments(parser, "FILE was replaced", DEFAULT_INTERVAL_SECONDS)
    parser.add_argument(
        "--hold",
        type=pause,
        metavar="TIME",
        help="when more than half of a list of providers or children is gone at once, wait for so"
        f" long whether they return (default: {DEFAULT_HOLD_SECONDS:g}s)",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        type=_variable,
        metavar="NAME=TEXT",
        help="a variable of the template; may be repeated",
    )
    parser.add_argument("--once", action="store_true", help="do it once, and end")
    parser.add_dry_run_argument("print the differences that it would make, once, and end")
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    _require_jinja()
    connection, settings = _settings(options)
    is_printed = [each.output for each in settings] == [STANDARD]
    if is_printed and not options.once:
        raise Misuse("where to? -o FILE is missing, or --once for standard output")
    from zc.zk.rendering.sources import Sources

    if is_printed:
        template = _template(settings[0])
        with connect.client(options, connection) as zk, closing(Sources(zk, _no_news)) as sources:
            content = template.render(sources).content
        write(STANDARD, [content])
        return 0
    groups = _groups(options, connection, settings)
    with connect.client(options, connection) as zk, connectionnews.told(zk, options.name):
        if not (options.dry_run or options.once):
            _follow(zk, groups)
        went_well = True
        for group in groups:
            with closing(Sources(zk, _no_news)) as sources:
                if options.dry_run:
                    for line in group.changes(sources):
                        print_line(line)
                else:
                    went_well = group.once(sources) and went_well
    return 0 if went_well else 1


def _no_news() -> None:
    """Do nothing about changes: it is over soon."""


def _require_jinja() -> None:
    try:
        import jinja2  # noqa: F401
    except ImportError as missing:
        raise Failure("templates take Jinja2: pip install 'zc.zk[render]'") from missing


def _settings(options: Namespace) -> tuple[str, Sequence[TemplateSettings]]:
    """Return the connection, and the templates. Raises Misuse, and Failure."""
    words = list(options.words)
    # It may stand at either end.
    if len(words) > 1 and is_connection(words[-1]) and not is_connection(words[0]):
        words.insert(0, words.pop())
    options.words = words
    if options.config is None:
        connection, rest = connection_and_rest(options, 1)
        if not rest:
            raise Misuse("which template? TEMPLATE is missing; --help tells more")
        if options.output == "":
            raise Misuse("-o FILE: the name is empty")
        if options.output and os.path.realpath(options.output) == os.path.realpath(rest[0]):
            raise Misuse(f"-o {options.output}: it is the template")
        one = TemplateSettings(
            rest[0],
            options.output or STANDARD,
            options.check,
            options.exec,
            options.exec_timeout,
            options.retries,
            options.debounce,
            options.debounce_max,
            options.interval,
            options.hold,
            dict(options.set),
        )
        return connection, [one]
    for name in ("output", "check", "exec"):
        if getattr(options, name) is not None:
            raise Misuse(f"--config, and --{name}, which is for a single template")
    if more := words[1:] if words and is_connection(words[0]) else words:
        raise Misuse(f"too many arguments, from {more[0]!r}; --help tells more")
    settings = read(options.config)
    if not words and settings.connection is not None:
        options.words = [settings.connection]
    connection, _ = connection_and_rest(options, 0)
    return connection, [_completed(options, each) for each in settings.templates]


def _completed(options: Namespace, one: TemplateSettings) -> TemplateSettings:
    """Return the settings of a template, with options for what they leave open."""
    left_open = {
        name: getattr(options, name)
        for name in ("exec_timeout", "retries", "debounce", "debounce_max", "interval", "hold")
        if getattr(one, name) is None
    }
    return one._replace(**left_open, variables={**one.variables, **dict(options.set)})


def _template(one: TemplateSettings) -> Any:
    from zc.zk.rendering.template import Template

    return Template(one.source, one.variables)


def _groups(
    options: Namespace, connection: str, settings: Sequence[TemplateSettings]
) -> list[Group]:
    """Return the templates, those together that share a command."""
    from zc.zk.cli.renderedfile import RenderedFile
    from zc.zk.cli.rendergroup import Group, Hooks

    files = [RenderedFile(one.output) for one in settings]
    if len(files) == 1:
        # Of several the others are made, and this one as soon as it can be.
        files[0].look()
    shared: dict[object, tuple[Hooks, list[Target]]] = {}
    for number, (one, file) in enumerate(zip(settings, files, strict=True)):
        limit = hook.DEFAULT_LIMIT_SECONDS if one.exec_timeout is None else one.exec_timeout
        interval = DEFAULT_INTERVAL_SECONDS if one.interval is None else one.interval
        timing = timing_of(one.debounce, one.debounce_max, one.retries, interval)
        hooks = Hooks(one.exec, limit, timing)
        key = hooks if one.exec is not None else number
        shared.setdefault(key, (hooks, []))[1].append(_target(one, file))
    variables: Mapping[str, str] = {CONNECTION_VARIABLE: connection}
    return [
        Group(targets, hooks, variables, partial(tell, options.name))
        for hooks, targets in shared.values()
    ]


def _target(one: TemplateSettings, file: RenderedFile) -> Target:
    from zc.zk.cli.rendergroup import Target
    from zc.zk.rendering.guards import Guard

    guard = Guard(DEFAULT_HOLD_SECONDS if one.hold is None else one.hold)
    return Target(_template(one), file, guard, one.check)


def _follow(zk: ZooKeeper, groups: Sequence[Group]) -> NoReturn:
    """Have each group follow what it is made of, until a signal comes, or one fails."""
    from zc.zk.rendering.sources import Sources

    failed = threading.Event()
    faults: list[BaseException] = []

    def follow(group: Group, sources: Sources) -> None:
        try:
            with closing(sources):
                group.follow(sources)
        except BaseException as fault:
            faults.append(fault)
            failed.set()

    threads = [
        threading.Thread(
            target=follow,
            args=(group, Sources(zk, group.note_change)),
            name="zc.zk render",
            daemon=True,
        )
        for group in groups
    ]
    try:
        for thread in threads:
            thread.start()
        for group in groups:
            while not (group.has_begun.wait(LOOK_SECONDS) or failed.is_set()):
                pass
        _notify_ready()
        failed.wait()
    finally:
        for group in groups:
            group.end()
        for thread in threads:
            if thread.ident is not None:  # a signal may come before it is started
                thread.join(MAX_END_SECONDS)
    raise faults[0]


def _notify_ready() -> None:
    """Tell systemd that others, which read the files, may start."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = f"\0{address[1:]}"
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifying:
        notifying.sendto(b"READY=1", address)


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise ArgumentTypeError(f"not of the form NAME=TEXT: {text!r}")
    return name, value
