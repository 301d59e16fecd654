"""A Kerberos KDC for tests: Debian's krb5kdc, on loopback, with a realm of its own in a folder.

    with kdc() as realm:
        realm.add("zookeeper/localhost", "app")
        monkeypatch.setenv("KRB5_CONFIG", realm.config)
        SASL.gssapi(principal="app", keytab=realm.keytab("app"))
        realm.pause()

It can be stopped, paused, and have a clock that is off (`skew`). It ends as all servers of the
tests do (`tests/daemons.py`). Keys are random, and nothing but the folder is touched.
"""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from tests.daemons import Daemon
from tests.deadlines import scaled, wait_until
from tests.ports import LOOPBACK, free_ports

REALM = "ZK.EXAMPLE.COM"

# Debian has these where only root looks.
PROGRAMS = ("krb5kdc", "kdb5_util", "kadmin.local", "kinit")
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"

# The library that shifts a process's clock, and reads by how much from a file.
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)

START_SECONDS = 15
COMMAND_SECONDS = 30
PORT_ATTEMPTS = 5

# Clients look names up in no DNS, and take the names of servers as they are given; a test may say
# otherwise. Java does not know all of these.
LIBRARY_SETTINGS: Mapping[str, object] = {
    "default_realm": REALM,
    "dns_lookup_realm": "false",
    "dns_lookup_kdc": "false",
    "dns_canonicalize_hostname": "false",
    "rdns": "false",
    "udp_preference_limit": 1,
    "forwardable": "false",
    # Java's, in milliseconds.
    "kdc_timeout": 5000,
}


class KdcFailed(Exception):
    """A KDC that could not be started; the message ends with its log."""


class PortTaken(KdcFailed):
    """A free port was taken between its choice and the KDC's start."""


def missing() -> str:
    """Return what is not installed, '' if nothing is."""
    programs = [name for name in PROGRAMS if not shutil.which(name, path=PATH)]
    return ", ".join(programs + ([] if FAKETIME else ["faketime"]))


class Kdc(Daemon):
    """One KDC with a realm. `kdc` makes it."""

    def __init__(self, folder: Path, port: int, settings: Mapping[str, object]) -> None:
        super().__init__(folder / "kdc.log")
        self.folder = folder
        self.port = port
        self.config = folder / "krb5.conf"
        self._clock = folder / "clock"
        self._settings = {**LIBRARY_SETTINGS, **settings}
        self._write_configurations()
        self.skew(0)
        self.run("kdb5_util", "create", "-s", "-r", REALM, "-P", "of no matter")

    def __repr__(self) -> str:
        return f"<Kdc of {REALM} on port {self.port} in {self.folder}>"

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which a program finds this KDC, and not the machine's."""
        return {"KRB5_CONFIG": str(self.config), "KRB5_KDC_PROFILE": str(self.folder / "kdc.conf")}

    def start(self) -> None:
        """Start the KDC and wait until it answers."""
        program = shutil.which("krb5kdc", path=PATH)
        assert program is not None, "krb5kdc is not installed"
        clock = {
            "LD_PRELOAD": str(FAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(self._clock),
            "FAKETIME_NO_CACHE": "1",
            # Timeouts of its own are none of the clock's business.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        self.spawn([program, "-n", "-r", REALM], {**self.environment, **clock})
        wait_until(
            lambda: self._answers() or self._has_failed(),
            lambda: f"{self} answers.\n{self.log_tail()}",
            START_SECONDS,
        )

    def skew(self, seconds: int) -> None:
        """Set the KDC's clock ahead, or back; at once, also while it runs."""
        self._clock.write_text(f"{seconds:+d}s\n")

    def configure(self, **settings: object) -> None:
        """Change the clients' settings (libdefaults); libraries read them each time."""
        self._settings |= settings
        self._write_configurations()

    def add(self, *principals: str, **limits: str) -> None:
        """Add principals with random keys; limits as kadmin has them: maxlife="10s"."""
        options = " ".join(f'-{name} "{value}"' for name, value in limits.items())
        for principal in principals:
            self.administer(f"addprinc -randkey {options} {principal}")

    def keytab(self, *principals: str, name: str = "") -> Path:
        """Return a file with the principals' keys, which nobody else can read."""
        path = self.folder / f"{name or principals[0].replace('/', '-')}.keytab"
        path.unlink(missing_ok=True)
        for principal in principals:
            self.administer(f"ktadd -norandkey -k {path} {principal}")
        return path

    def kinit(self, principal: str, *options: str) -> Path:
        """Return a file with a ticket, as a user has it who has typed a password."""
        cache = self.folder / f"{principal.replace('/', '-')}.ccache"
        keytab = self.keytab(principal, name="kinit")
        self.run("kinit", "-c", str(cache), "-k", "-t", str(keytab), *options, principal)
        return cache

    def administer(self, command: str) -> str:
        """Have kadmin.local do a command, whose answer is returned."""
        return self.run("kadmin.local", "-r", REALM, "-q", command)

    def run(self, program: str, *arguments: str) -> str:
        """Run one of Kerberos's programs with this realm, and return its output."""
        command = [shutil.which(program, path=PATH) or program, *arguments]
        done = subprocess.run(
            command,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=scaled(COMMAND_SECONDS),
            check=False,
        )
        # kadmin.local has status 0 in any case.
        if done.returncode or (program == "kadmin.local" and "while" in done.stderr):
            raise KdcFailed(f"{' '.join(command)}: {done.stderr or done.stdout}")
        return done.stdout

    def _answers(self) -> bool:
        # Whatever listens on its port may be another.
        return "commencing operation" in self.log.read_text()

    def _has_failed(self) -> bool:
        """Return False while it may start; raise the reason when not."""
        if self.pid is None:
            tail = self.log_tail()
            raise (PortTaken if "Address already in use" in tail else KdcFailed)(tail)
        return False

    def _write_configurations(self) -> None:
        where = f"{LOOPBACK}:{self.port}"
        libdefaults = "".join(f"  {key} = {value}\n" for key, value in self._settings.items())
        text = f"""
[libdefaults]
{libdefaults}
[realms]
  {REALM} = {{
    kdc = {where}
  }}
[domain_realm]
  localhost = {REALM}
  .example.com = {REALM}
"""
        # Others may be reading it: it is replaced as a whole.
        new = self.config.with_suffix(".new")
        new.write_text(text)
        new.replace(self.config)
        (self.folder / "kdc.conf").write_text(f"""
[kdcdefaults]
  kdc_listen = {where}
  kdc_tcp_listen = {where}
[realms]
  {REALM} = {{
    database_name = {self.folder}/principal
    key_stash_file = {self.folder}/stash
    acl_file = {self.folder}/kadm5.acl
    max_life = 1h
    max_renewable_life = 1d
    supported_enctypes = aes256-cts-hmac-sha1-96:normal aes128-cts-hmac-sha1-96:normal
  }}
[logging]
  kdc = STDERR
""")


@contextmanager
def kdc(**settings: object) -> Iterator[Kdc]:
    """Run a KDC of its own, answering. `settings` are lines of krb5.conf's libdefaults."""
    for attempt in range(1, PORT_ATTEMPTS + 1):
        with ExitStack() as undo:
            folder = Path(tempfile.mkdtemp(prefix="kerberos-"))
            undo.callback(_remove, folder, os.getpid())
            atexit.register(undo.close)
            undo.callback(atexit.unregister, undo.close)
            realm = Kdc(folder, _free_port(), settings)
            undo.callback(realm.kill)
            try:
                realm.start()
            except PortTaken:
                if attempt == PORT_ATTEMPTS:
                    raise
                continue
            yield realm
            return


def _free_port() -> int:
    """Return a port that is free for TCP and for UDP: a KDC has both."""
    for port in free_ports(20):
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise OSError("no port is free for UDP")


def _remove(folder: Path, owner: int) -> None:
    """Remove a folder, but not in a forked child, whose parent still needs it."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
