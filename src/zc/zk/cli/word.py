"""`zk word`: the answers of servers to a four-letter word."""

from __future__ import annotations

import re
from argparse import Namespace

from zc.zk.cli import connect, nodewords
from zc.zk.cli.arguments import Parser, connection_and_rest
from zc.zk.cli.failures import Misuse
from zc.zk.cli.output import print_json, print_line, tell
from zc.zk.ensemble import words
from zc.zk.ensemble.asking import ask_each
from zc.zk.ensemble.words import Address, Answer

USAGE = "[--timeout SECONDS] [options] [CONNECTION] WORD"
DETAILS = """\
CONNECTION is HOST:PORT, or several with commas in between: each of them is asked, and its answer
printed as it is, line by line; behind its name where there are several. WORD is ruok, srvr, mntr,
cons, dump, conf, envi, wchs or another one that the servers know; which of them they answer is
their setting 4lw.commands.whitelist, by itself srvr alone. On a secure port it goes by TLS. Exit
status 1 if a server does not answer."""
EXAMPLES = """\
zookeeper.example.com:2181 ruok
zk1.example.com:2181,zk2.example.com:2181 mntr"""


def add_arguments(parser: Parser) -> None:
    parser.add_words(first=words.KNOWN, nodes=nodewords.none)
    parser.add_report_argument()
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    connection, given = connection_and_rest(options, 1)
    if not given or re.fullmatch("[a-z]{4}", given[0]) is None:
        raise Misuse("WORD is four letters, such as mntr; --help tells more")
    (word,) = given
    tls = connect.tls(options)

    def ask(server: str, address: Address, deadline: float) -> Answer:
        return words.ask(address, word, tls, deadline)

    asked = ask_each(connect.servers(connection), ask, options.timeout)
    for each in asked:
        if each.answer is None:
            tell(options.name, f"{each.server}: {each.fault}")
        elif options.format == "json":
            print_json({"server": each.server, "answer": each.answer.text})
        else:
            if len(asked) > 1:
                print_line(f"{each.server}:")
            for line in each.answer.text.rstrip("\n").split("\n"):
                print_line(line.replace("\t", "    "))
    return 1 if any(each.answer is None for each in asked) else 0
