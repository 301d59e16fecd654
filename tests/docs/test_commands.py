"""The commands of the pages show what they say."""

from __future__ import annotations

import importlib
import os
import re
import sys
from pathlib import Path

import pytest

from tests.docs import transcripts
from tests.docs.pages import NAMED, PAGES, PROJECT
from tests.ports import free_ports
from zc.zk.cli.arguments import Parser
from zc.zk.cli.commands import COMMANDS

# The pages have the page of the tree here, and servers of their own.
PAGE_PORT, SERVER_PORT, SECURED_PORT = "8080", "2182", "2281"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder where the reader is: like a checkout."""
    (tmp_path / "examples").symlink_to(PROJECT / "examples")
    return tmp_path


WITH_SESSIONS = [name for name, text in PAGES.items() if list(transcripts.commands(text))]


def test_the_pages_with_sessions_are_known() -> None:
    assert {"docs/howto/commands.txt", "docs/howto/secured.txt"} < set(WITH_SESSIONS)


@pytest.mark.parametrize("name", WITH_SESSIONS)
def test_the_commands_of_a_page(name: str, connection_string: str, root: str, folder: Path) -> None:
    pytest.importorskip("yaml")
    page, server, secured = map(str, free_ports(3))
    variables = {
        "PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]]),
        "HOME": str(folder),
    }
    names = {
        NAMED: connection_string + root,
        PAGE_PORT: page,
        SERVER_PORT: server,
        f":{SECURED_PORT}": f":{secured}",
        f"--port {SECURED_PORT}": f"--port {secured}",
    }
    report = transcripts.run(PAGES[name], folder, variables, names)
    assert not report, report


DETAILS = PAGES["docs/reference/commands.txt"]
ENTRIES = dict(re.findall(r"^``(?:zookeeper_|zk )(\w+) (.*\n(?:    .*\n)+)", DETAILS, re.MULTILINE))
SECURITY = {
    "--tls", "--no-tls", "--tls-ca", "--tls-certificate", "--tls-key", "--tls-key-password-file",
    "--tls-server-hostname", "--tls-minimum-version", "--tls-check-hostname",
    "--no-tls-check-hostname", "--tls-verify", "--no-tls-verify", "--sasl", "--no-sasl",
    "--sasl-credentials-file", "--sasl-service", "--sasl-principal", "--sasl-keytab", "--sasl-host",
}  # fmt: skip
COMMON = {
    "--format", "-o", "--output", "--timeout", "--credentials", "--debug", "--version",
    "-h", "--help", *SECURITY,
}  # fmt: skip


def test_the_reference_has_every_command() -> None:
    assert set(ENTRIES) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_reference_has_every_option_and_no_others(name: str) -> None:
    module = importlib.import_module(f"zc.zk.cli.{COMMANDS[name].module}")
    parser = Parser(name, module.USAGE, "", module)
    module.add_arguments(parser)
    parser.add_general_arguments()
    options = {option for action in parser._actions for option in action.option_strings}
    documented = set(re.findall(r"(?<!\w)--?[A-Za-z][a-z-]*", ENTRIES[name]))
    assert documented - COMMON == options - COMMON


@pytest.mark.parametrize("option", sorted(COMMON))
def test_the_reference_has_the_common_options(option: str) -> None:
    assert re.search(rf"``[^`\n]*{option}\b", DETAILS, re.MULTILINE)
