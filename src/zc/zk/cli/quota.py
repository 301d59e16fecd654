"""`zk quota`: limits of how many nodes and bytes there are below a path."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace

from zc.zk.cli import connect
from zc.zk.cli.arguments import Parser, connection_and_rest
from zc.zk.cli.failures import Failure, Misuse
from zc.zk.cli.firstwords import first_path, take_verb
from zc.zk.cli.output import print_json, print_line, tell, telling_what_was_done
from zc.zk.operations.quotas import Quota, quotas_of
from zc.zk.operations.real import real
from zc.zk.tree.quotatext import MAX_LIMIT, NAMES

USAGE = (
    "get|set|list|delete [--count N] [--bytes N] [--hard-count N] [--hard-bytes N]\n   "
    " [--format FORMAT] [options] [CONNECTION] [PATH]"
)
DETAILS = """\
CONNECTION is HOST:PORT, or several with commas in between. get prints the quota that holds for
PATH, its own or that of a node above it; list prints all of them; set changes the limits that are
given, where none is no limit, and leaves others alone; delete takes a quota away.

Servers log a warning when there is more than --count nodes, PATH included, or --bytes of data.
They refuse what would exceed --hard-count and --hard-bytes if they are of version 3.7 or later and
set up with enforceQuota=true. No quota may be above or below another one."""
EXAMPLES = """\
list zookeeper.example.com:2181
set --count 10000 --hard-count 20000 zookeeper.example.com:2181 /fooservice
set --bytes none zookeeper.example.com:2181 /fooservice"""

KINDS = ("get", "set", "list", "delete")

_WHAT = {
    "count": "warn of more nodes than this",
    "bytes": "warn of more bytes of data than this",
    "hard-count": "refuse more nodes than this",
    "hard-bytes": "refuse more bytes of data than this",
}


def add_arguments(parser: Parser) -> None:
    parser.add_words(KINDS)
    for name in NAMES:
        parser.add_argument(f"--{name}", type=limit, metavar="N", help=f"set: {_WHAT[name]}")
    parser.add_report_argument()
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    kind = take_verb(options, KINDS)
    given = {name: getattr(options, name.replace("-", "_")) for name in NAMES}
    changes = {
        name: None if value == "none" else value
        for name, value in given.items()
        if value is not None
    }
    if bool(changes) != (kind == "set"):
        raise Misuse(f"limits, such as --count, go with set, and set needs one: {kind}")
    connection, words = connection_and_rest(options, 0 if kind == "list" else 1)
    path = "/" if kind == "list" else first_path(words)
    with connect.session(options, connection) as session, quotas_of(session) as quotas:
        if kind == "list":
            for quota in quotas.all():
                _print(options, quota)
        elif kind == "delete":
            # The node itself may have gone.
            if not quotas.delete(path):
                raise Failure(f"{path} has no quota of its own")
        elif kind == "get":
            found = quotas.around(real(session, path))
            if found is None:
                raise Failure(f"{path} has no quota")
            _print(options, found)
        else:
            try:
                made = quotas.set(real(session, path), changes)
            except ValueError as fault:
                raise Failure(str(fault)) from fault
            _warn(options, made)
            if options.format == "json":
                with telling_what_was_done(f"the quota of {made.path} was set"):
                    _print(options, made)
    return 0


def limit(text: str) -> int | str:
    """Return an argument that is a limit, or `none`."""
    if text == "none":
        return text
    if text.isdecimal() and text.isascii() and len(text) < 20 and 0 < int(text) <= MAX_LIMIT:
        return int(text)
    raise ArgumentTypeError(f"not a limit, a number from 1, or none: {text!r}")


def _print(options: Namespace, quota: Quota) -> None:
    if options.format == "json":
        print_json({"path": quota.path, "limits": dict(quota.limits), "used": dict(quota.used)})
        return
    parts = [
        f"{name} {quota.used.get(name, '?')} of {_limits(quota, name)}"
        for name in ("count", "bytes")
    ]
    print_line(f"{quota.path} {', '.join(parts)}")


def _limits(quota: Quota, name: str) -> str:
    """Return the two limits of a number in words."""
    soft, hard = quota.limits.get(name), quota.limits.get(f"hard-{name}")
    told = "any" if soft is None else str(soft)
    return told if hard is None else f"{told}, at most {hard}"


def _warn(options: Namespace, quota: Quota) -> None:
    for name, allowed in quota.limits.items():
        used = quota.used.get(name.removeprefix("hard-"))
        if used is not None and used > allowed:
            tell(options.name, f"{quota.path}: --{name} {allowed} is exceeded already: {used}")
