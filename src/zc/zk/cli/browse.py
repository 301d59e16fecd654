"""`zookeeper_browse`: the tree as a web page, live."""

from __future__ import annotations

import webbrowser
from argparse import ArgumentTypeError, Namespace

from zc.zk.browse import Site
from zc.zk.browse.hostnames import checked, is_loopback
from zc.zk.browse.site import DEFAULT_LIMIT, DEFAULT_PORT, LOOPBACK
from zc.zk.browse.token import Token
from zc.zk.cli import connect, nodewords
from zc.zk.cli.arguments import Parser, connection_and_rest
from zc.zk.cli.failures import Failure
from zc.zk.cli.listening import host, port
from zc.zk.cli.output import print_line, tell

USAGE = "[--open] [--port PORT] [options] [CONNECTION]"
DETAILS = """\
CONNECTION is HOST:PORT, or several with commas in between; with a /PATH behind it the page shows
what is below that node. The address of the page is printed, and the page is there until you
interrupt the command. Nothing can be changed there.

All who can reach the address see what you may see in ZooKeeper. By default these are all who work
on this machine, and nobody else. With --host it can be reached from others: --token-file then lets
those read who have the token, a line of 16 characters or more. It crosses the network as the page
does: in the clear, unless a proxy in front of it speaks TLS."""
EXAMPLES = """\
--open zookeeper.example.com:2181
--port 0 zookeeper.example.com:2181/fooservice
--host 0.0.0.0 --token-file page.token zookeeper.example.com:2181"""


def add_arguments(parser: Parser) -> None:
    parser.add_words(nodes=nodewords.none)
    parser.add_argument("--open", action="store_true", help="open the page in your web browser")
    parser.add_argument(
        "--port",
        type=port,
        default=DEFAULT_PORT,
        help="the page's port, 0 for any that is free (default: %(default)s)",
    )
    parser.add_argument(
        "--host",
        type=host,
        default=LOOPBACK,
        help="the page's host; any but the default lets other machines in (default: %(default)s)",
    )
    parser.add_argument(
        "--token-file",
        metavar="FILE",
        help="ask readers for the token in this file: the password that their browser asks for",
    )
    parser.add_argument(
        "--allow-host",
        type=_host_name,
        action="append",
        default=[],
        metavar="NAME",
        help="also answer to this name, as of a proxy in front of it; may be repeated",
    )
    parser.add_argument(
        "--limit",
        type=_limit,
        default=DEFAULT_LIMIT,
        metavar="NODES",
        help="show no more nodes than this (default: %(default)s)",
    )
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    connection, _ = connection_and_rest(options, 0)
    token = _token(options.token_file)
    with connect.client(options, connection) as zk:
        try:
            site = Site(zk, options.host, options.port, options.limit, options.allow_host, token)
        except OSError as fault:
            host = f"[{options.host}]" if ":" in options.host else options.host
            raise Failure(f"{host}:{options.port}: {fault.strerror}") from fault
        with site:
            print_line(site.url)
            tell(options.name, f"shows {connection} there until it is interrupted")
            if token is None and not is_loopback(options.host):
                tell(options.name, "all who reach it can read it; --token-file has it ask them")
            if options.open:
                webbrowser.open(site.url)
            site.serve_forever()
    return 0


def _token(file: str | None) -> str | None:
    if file is None:
        return None
    from zookeeper.secretfiles import password_in

    try:
        token = password_in(file).decode("latin-1")
        Token(token)
    except ValueError as fault:
        text = str(fault)
        raise Failure(text if text.startswith(file) else f"{file}: {text}") from fault
    return token


def _host_name(text: str) -> str:
    try:
        return checked(text)
    except ValueError as fault:
        raise ArgumentTypeError(str(fault)) from fault


def _limit(text: str) -> int:
    if text.isdecimal() and int(text[:12]) > 0:
        return int(text)
    raise ArgumentTypeError(f"not a number of nodes: {text!r}")
