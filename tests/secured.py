"""Servers that accept nothing but TLS with client certificates, and sessions that reach them.

The target *tls* of the tests. All its servers and clients have the keys of the run (`keys`), which
are made when they are first asked for:

    with by_default():
        with standalone() as server:       # its only port is a secure one
            zookeeper.init(server.connection_string)    # goes by TLS

Ports that speak TLS are noted as files, so that each process of the run knows them.
`zookeeper.init` is wrapped, here and in the programs that tests start
(`tests/startup/sitecustomize.py`): a session to such a port has the client's keys unless the caller
says otherwise. It cannot go another way by mistake, as the servers have no other port.
"""

from __future__ import annotations

import atexit
import functools
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.ports import LOOPBACK

if TYPE_CHECKING:
    import ssl

    from tests.certificates import Authority, Issued
    from zookeeper import TLS

# The folder of the keys, for the programs that tests start.
VARIABLE = "ZK_TEST_KEYS"
STARTUP = Path(__file__).parent / "startup"

# By folder; there is one in a run.
_known: dict[str, Keys] = {}
# Those that this process has made.
_made: Keys | None = None

# Whether servers are secured that do not say so themselves.
_is_default = os.environ.get("ZK_TEST_SERVER") == "tls"


class Keys:
    """The keys of servers and clients that trust one authority, in the files of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = folder / "authority.pem"
        # No server of these keys trusts it. It has issued the keys of the `stranger`.
        self.other_authority = folder / "others.pem"
        self._ports = folder / "ports"
        self._issuer: Authority | None = None  # in the process that has made them
        self._tls: TLS | None = None

    @classmethod
    def make(cls, folder: Path) -> Keys:
        """Make authorities in a folder, and keys of a server, a client and a stranger."""
        from tests.certificates import Authority  # slow

        authority = Authority(folder)
        authority.issue("server", "localhost", LOOPBACK)
        authority.issue("client")
        Authority(folder, "others").issue("stranger")
        made = cls(folder)
        made._issuer = authority
        made._ports.mkdir()
        return made

    def issue(self, name: str) -> Issued:
        """Issue the keys of another client."""
        assert self._issuer is not None, "the authority's own key is in no file"
        return self._issuer.issue(name)

    def renew_server(self) -> None:
        """Have servers that start from here on show another certificate."""
        assert self._issuer is not None, "the authority's own key is in no file"
        for file in self._issuer.issue("next", "localhost", LOOPBACK):
            os.replace(file, file.with_name(file.name.replace("next", "server")))

    def certificate(self, whose: str) -> Path:
        """Return the file of the certificate of the `server`, the `client` or the `stranger`."""
        return self.folder / f"{whose}-certificate.pem"

    def key(self, whose: str) -> Path:
        """Return the file of the key."""
        return self.folder / f"{whose}-key.pem"

    def tls(self) -> TLS:
        """Return the settings of clients, the same ones for all of a process."""
        import zookeeper

        if self._tls is None:
            self._tls = zookeeper.TLS(
                ca=self.authority, certificate=self.certificate("client"), key=self.key("client")
            )
        return self._tls

    def settings(self, port: int) -> Mapping[str, object]:
        """Return the lines of zoo.cfg of a server with no port but this one."""
        from tests.certificates import secure_port

        both = self.folder / "server-both.pem"
        return {
            **secure_port(self.authority, both, port),
            "secureClientPortAddress": LOOPBACK,
        }

    def for_kazoo(self) -> dict[str, Any]:
        """Return the arguments that make a client of kazoo go by TLS."""
        return {
            "use_ssl": True,
            "ca": str(self.authority),
            "certfile": str(self.certificate("client")),
            "keyfile": str(self.key("client")),
        }

    def context(self, whose: str) -> ssl.SSLContext:
        """Return what Python's own `ssl` wants for an end of a connection."""
        import ssl  # a Python may be without it: scripts/wheels/places.py

        is_server = whose == "server"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if is_server else ssl.PROTOCOL_TLS_CLIENT)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(self.authority)
        context.load_cert_chain(self.certificate(whose), self.key(whose))
        return context

    def as_client(self, connection: socket.socket) -> ssl.SSLSocket:
        """Return a connection by TLS over one to a server."""
        return self.context("client").wrap_socket(connection, server_hostname=LOOPBACK)

    def note(self, port: int) -> None:
        """Have sessions to a port on this machine go by TLS, until it is forgotten."""
        (self._ports / str(port)).write_text(str(os.getpid()))

    def forget(self, port: int) -> None:
        """Take the port for one without TLS again, but not in a forked child."""
        noted = self._ports / str(port)
        if noted.exists() and noted.read_text() == str(os.getpid()):
            noted.unlink()

    def reach(self, hosts: object) -> bool:
        """Return whether a connection string has a port that was noted."""
        ports = re.findall(r":(\d+)", hosts) if isinstance(hosts, str) else ()
        return any((self._ports / port).exists() for port in ports)


def known() -> Keys | None:
    """Return the keys of the run, if they are there."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        return None
    return _known.setdefault(folder, Keys(Path(folder)))


def keys() -> Keys:
    """Return the keys of the run; make them at first, and have sessions use them."""
    global _made
    found = known()
    if found is not None:
        return found
    if _made is None:
        folder = Path(tempfile.mkdtemp(prefix="zookeeper-keys-"))
        atexit.register(_remove, folder, os.getpid())
        _made = _known[str(folder)] = Keys.make(folder)
        import zookeeper

        go_by_tls(zookeeper)
    os.environ[VARIABLE] = str(_made.folder)
    path = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(STARTUP), path]))
    return _made


def keys_by_default() -> Keys | None:
    """Return the keys of servers that do not say whether they are secured."""
    return keys() if _is_default else None


def keys_of(address: str) -> Keys | None:
    """Return the keys for a server at `host:port`; None if it speaks no TLS."""
    found = known()
    return found if found is not None and found.reach(address) else None


@contextmanager
def by_default() -> Iterator[None]:
    """Secure all servers that are started in the `with` block, unless they say otherwise.

    Programs that are started in it go by TLS to these, and those that are started later do not.
    """
    global _is_default
    former, _is_default = _is_default, True
    variables = {name: os.environ.get(name) for name in (VARIABLE, "PYTHONPATH")}
    if _made is not None:
        keys()
    try:
        yield
    finally:
        _is_default = former
        for name, value in variables.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def go_by_tls(binding: Any) -> None:
    """Have all sessions to ports that are noted go by TLS."""
    init = binding.init

    @functools.wraps(init)
    def init_by_tls(*arguments: object, **options: object) -> object:
        hosts = arguments[0] if arguments else options.get("hosts")
        found = known()
        if "tls" not in options and found is not None and found.reach(hosts):
            options["tls"] = found.tls()
        return init(*arguments, **options)

    binding.init = init_by_tls


def _remove(folder: Path, owner: int) -> None:
    """Remove a folder, but not in a forked child, whose parent still needs it."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
