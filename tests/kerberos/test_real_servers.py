"""Real servers whose clients log in by Kerberos, also when servers or the KDC are gone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

import zc.zk
import zookeeper
from tests.certificates import Authority, server_settings
from tests.deadlines import scaled, wait_until
from tests.kdc import REALM, Kdc
from tests.kerberos.conftest import SERVICE
from tests.ports import LOOPBACK, free_ports
from tests.saslservers import ENFORCED, REQUIRED, SETTINGS, Jaas, kerberos_login
from tests.servers import Ensemble, Server, ensemble_of, standalone
from tests.tcpproxy import TcpProxy
from zc.zk import SASL, ZooKeeper
from zookeeper.types import AclEntry

TIMEOUT = int(scaled(10_000))

APP: list[AclEntry] = [{"perms": zookeeper.PERM_ALL, "scheme": "sasl", "id": f"app@{REALM}"}]


def java_options(realm: Kdc, folder: Path, principal: str = SERVICE) -> tuple[str, ...]:
    """Return the options of servers that have the principal's key."""
    login = kerberos_login(f"{principal}@{REALM}", realm.keytab(principal))
    options = Jaas(folder, login).java_options
    return (*options, f"-Djava.security.krb5.conf={realm.config}")


def open_(hosts: str, **arguments: object) -> ZooKeeper:
    return ZooKeeper(hosts, TIMEOUT, **arguments)  # type: ignore[arg-type]


def hosts_of(server: Server | TcpProxy) -> str:
    """Return where it is, by the name that its principal has."""
    return f"localhost:{server.connection_string.rpartition(':')[2]}"


@contextmanager
def secured(
    realm: Kdc, folder: Path, settings: Mapping[str, object] = REQUIRED
) -> Iterator[Server]:
    with standalone(
        settings={**SETTINGS, **settings}, java_options=java_options(realm, folder)
    ) as server:
        yield server


@pytest.fixture(scope="module")
def shared(
    own_servers_only: None, shared_realm: Kdc, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Yield a server that hangs up on strangers; no test stops it."""
    with secured(shared_realm, tmp_path_factory.mktemp("shared")) as server:
        yield server


class TestOneServer:
    @pytest.fixture
    def hosts(self, shared: Server, realm: Kdc) -> str:
        return hosts_of(shared)

    @pytest.fixture
    def app(self, realm: Kdc) -> zookeeper.sasl.Mechanism:
        return SASL.gssapi(principal="app", keytab=realm.keytab("app"))

    def test_a_client_is_the_principal_that_it_says(self, hosts, realm, app) -> None:
        with open_(hosts, sasl=app) as zk:
            zk.create("/of-app", "mine", APP)
            with open_(hosts, sasl=SASL.gssapi(keytab=realm.keytab("other"))) as other:
                with pytest.raises(zookeeper.NoAuthException):
                    other.get("/of-app")
            assert zk.get("/of-app")[0] == "mine"
            zk.delete("/of-app")

    def test_a_user_with_a_ticket_needs_no_keytab(self, hosts, realm, monkeypatch) -> None:
        monkeypatch.setenv("KRB5CCNAME", f"FILE:{realm.kinit('app')}")
        with open_(hosts, sasl=SASL.gssapi()) as zk:
            zk.create("/of-user", "mine", APP)
            assert zk.get("/of-user")[0] == "mine"
            zk.delete("/of-user")

    def test_a_connection_that_is_made_again_logs_in_again(self, shared, realm, app) -> None:
        with TcpProxy(shared.connection_string) as proxy:
            with open_(hosts_of(proxy), sasl=app) as zk:
                zk.create("/again", "mine", APP)
                for made in range(2, 5):
                    proxy.cut()
                    wait_until(lambda made=made: proxy.connections >= made, "it connects again")
                    assert zk.get("/again")[0] == "mine"
                zk.delete("/again")

    def test_a_registration_and_live_objects_survive_expiry(self, shared, realm, app) -> None:
        with TcpProxy(shared.connection_string) as proxy:
            with open_(hosts_of(shared), sasl=app) as other:
                other.import_tree("/expiry\n  /providers\n")
                with ZooKeeper(hosts_of(proxy), int(scaled(1_000)), sasl=app) as zk:
                    zk.register("/expiry/providers", "1.2.3.4:80", acl=APP)
                    found = zk.children("/expiry/providers")
                    owner = other.get("/expiry/providers/1.2.3.4:80")[1]["ephemeralOwner"]
                    proxy.refuse()
                    proxy.cut()
                    wait_until(
                        lambda: not other.exists("/expiry/providers/1.2.3.4:80"), "it expires", 30
                    )
                    proxy.allow()
                    wait_until(
                        lambda: other.exists("/expiry/providers/1.2.3.4:80"), "it is back", 30
                    )
                    _, stat = other.get("/expiry/providers/1.2.3.4:80")
                    assert stat["ephemeralOwner"] != owner
                    assert other.get_acl("/expiry/providers/1.2.3.4:80")[1] == APP
                    other.create("/expiry/providers/1.2.3.4:81")
                    wait_until(lambda: len(found) == 2, "the live object follows")
                other.delete_recursive("/expiry")

    def test_variables_log_programs_and_commands_in(self, hosts, realm, monkeypatch) -> None:
        monkeypatch.setenv("ZC_ZK_SASL", "gssapi")
        monkeypatch.setenv("ZC_ZK_SASL_KEYTAB", str(realm.keytab("app")))
        with open_(hosts, sasl=SASL.from_environment()) as zk:
            zk.import_tree("/by-variables\n  x = 1\n")
            run = subprocess.run(
                [sys.executable, "-m", "zc.zk", "export", hosts, "/by-variables"],
                capture_output=True, text=True, timeout=scaled(30), check=False,
            )  # fmt: skip
            assert (run.stdout, run.stderr) == ("/by-variables\n  x = 1\n", "")
            zk.delete_recursive("/by-variables")

    def test_many_clients_share_a_mechanism(self, hosts, app) -> None:
        clients = [open_(hosts, sasl=app) for _ in range(10)]
        for number, zk in enumerate(clients):
            zk.create(f"/shared-{number}", "mine", APP)
        for number, zk in enumerate(clients):
            zk.delete(f"/shared-{number}")
            zk.close()

    def test_the_binding_logs_in_too(self, hosts, app) -> None:
        handle = zookeeper.init(hosts, None, TIMEOUT, sasl=app)
        try:
            wait_until(
                lambda: zookeeper.state(handle) == zookeeper.CONNECTED_STATE, "it is connected"
            )
            zookeeper.create(handle, "/of-handle", "mine", APP)
            zookeeper.delete(handle, "/of-handle")
        finally:
            zookeeper.close(handle)

    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ({"service": "zoo"}, "the KDC does not know zoo/localhost;"),
            ({"host": "zk9.example.com"}, "the KDC does not know zookeeper/zk9.example.com;"),
            ({"principal": "nobody"}, ".keytab of nobody: "),
            ({"keytab": None}, "there is no ticket: kinit gets one"),
        ],
    )
    def test_a_fault_of_the_settings_is_told_at_once(
        self, hosts, realm, monkeypatch, settings, words
    ) -> None:
        monkeypatch.setattr(ZooKeeper, "initial_connection_wait", 2.0)
        with pytest.raises(zc.zk.FailedConnect) as caught:
            open_(hosts, sasl=SASL.gssapi(**{"keytab": realm.keytab("app"), **settings}))
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_an_address_is_a_name_too(self, shared, realm, app, monkeypatch) -> None:
        """The service has no principal of the address: host says what it is called."""
        monkeypatch.setattr(ZooKeeper, "initial_connection_wait", 2.0)
        with pytest.raises(zc.zk.FailedConnect):
            # The KDC knows such a principal, whose key these servers lack.
            open_(shared.connection_string, sasl=app)
        named = SASL.gssapi(keytab=realm.keytab("app"), host="localhost")
        with open_(shared.connection_string, sasl=named) as zk:
            assert zk.exists("/")

    def test_an_address_is_looked_up_where_the_configuration_wants_it(
        self, shared, realm, tmp_path, monkeypatch
    ) -> None:
        text = realm.config.read_text()
        config = tmp_path / "krb5.conf"
        config.write_text(
            text.replace("rdns = false", "rdns = true").replace(
                "dns_canonicalize_hostname = false", "dns_canonicalize_hostname = true"
            )
        )
        monkeypatch.setenv("KRB5_CONFIG", str(config))
        with open_(shared.connection_string, sasl=SASL.gssapi(keytab=realm.keytab("app"))) as zk:
            assert zk.exists("/")

    def test_strangers_are_hung_up_on(self, hosts, monkeypatch) -> None:
        monkeypatch.setattr(ZooKeeper, "initial_connection_wait", 2.0)
        refusals = (zc.zk.FailedConnect, zookeeper.SessionError)
        with pytest.raises(refusals), open_(hosts) as zk:
            zk.get("/")


@pytest.mark.parametrize("settings", [{}, ENFORCED, {"requireClientAuthScheme": "sasl"}])
def test_servers_that_want_it_otherwise(own_realm, tmp_path, own_servers_only, settings) -> None:
    with secured(own_realm, tmp_path, settings) as server:
        with open_(hosts_of(server), sasl=SASL.gssapi(keytab=own_realm.keytab("app"))) as zk:
            zk.create("/mine", "", APP)
            assert zk.get_acl("/mine")[1] == APP


def test_kerberos_within_tls(own_realm, tmp_path, own_servers_only) -> None:
    """The server wants a certificate of the client, too."""
    authority = Authority(tmp_path)
    issued, client = authority.issue("server", "localhost"), authority.issue("client")
    (port,) = free_ports(1)
    settings = {
        **server_settings(authority, issued, port),
        "secureClientPortAddress": LOOPBACK,
        **REQUIRED,
    }
    tls = zc.zk.TLS(ca=authority.file, certificate=client.certificate, key=client.key)
    sasl = SASL.gssapi(keytab=own_realm.keytab("app"))
    with secured(own_realm, tmp_path, settings):
        with TcpProxy(f"{LOOPBACK}:{port}", is_opaque=True) as proxy:
            with open_(hosts_of(proxy), tls=tls, sasl=sasl) as zk:
                zk.create("/mine", "secret", APP)
                # The first one may have met a server that was just beginning.
                before = proxy.connections
                proxy.cut()
                wait_until(lambda: proxy.connections > before, "it connects again")
                wait_until(lambda: works(zk), "it has a session again")
                assert zk.get("/mine")[0] == "secret"


class TestTheKdcGoes:
    """Connections need tickets, sessions do not."""

    @pytest.fixture
    def server(self, own_realm, tmp_path, own_servers_only) -> Iterator[Server]:
        with secured(own_realm, tmp_path) as server:
            yield server

    def test_a_session_lives_on_and_reconnects_with_its_ticket(self, own_realm, server) -> None:
        sasl = SASL.gssapi(keytab=own_realm.keytab("app"))
        with TcpProxy(server.connection_string) as proxy, open_(hosts_of(proxy), sasl=sasl) as zk:
            zk.import_tree("/app\n  /providers\n")
            zk.register("/app/providers", "1.2.3.4:80")
            own_realm.stop()
            before = proxy.connections
            proxy.cut()
            wait_until(lambda: proxy.connections > before, "it connects again")
            wait_until(lambda: works(zk, "/app/providers/1.2.3.4:80"), "it is still there")
            own_realm.start()

    @pytest.mark.parametrize("silently", [False, True])
    def test_an_expired_ticket_is_told_and_got_when_the_kdc_is_back(
        self, own_realm, server, silently
    ) -> None:
        """The registration is there again without anybody's doing."""
        own_realm.add("short", maxlife="5s")
        sasl = SASL.gssapi(keytab=own_realm.keytab("short"))
        with TcpProxy(server.connection_string) as proxy:
            with ZooKeeper(hosts_of(proxy), int(scaled(2_000)), sasl=sasl) as zk:
                zk.import_tree("/app\n  /providers\n")
                zk.register("/app/providers", "1.2.3.4:80")
                own_realm.pause() if silently else own_realm.stop()

                def is_in_trouble() -> bool:
                    if works(zk):
                        proxy.cut()
                    fault = zk.connection_fault()
                    # With a session timeout this short the mechanism's word may come too late.
                    return fault is not None and ("KDC" in fault or "too long" in fault)

                wait_until(is_in_trouble, "the ticket expires", 90)
                own_realm.resume() if silently else own_realm.start()
                wait_until(
                    lambda: works(zk, "/app/providers/1.2.3.4:80"), "the registration is back", 60
                )

    def test_a_server_that_comes_back_with_another_key_is_logged_in_to(
        self, own_realm, server
    ) -> None:
        """The client has a ticket for the former key, which is good for an hour."""
        with open_(hosts_of(server), sasl=SASL.gssapi(keytab=own_realm.keytab("app"))) as zk:
            zk.import_tree("/app\n")
            own_realm.administer(f"cpw -randkey {SERVICE}")
            own_realm.keytab(SERVICE)
            server.restart()
            wait_until(lambda: works(zk, "/app"), "it is logged in", 60)

    def test_tickets_are_renewed_for_connections_to_come(self, own_realm, server) -> None:
        own_realm.add("short", maxlife="4s")
        sasl = SASL.gssapi(keytab=own_realm.keytab("short"))
        with TcpProxy(server.connection_string) as proxy, open_(hosts_of(proxy), sasl=sasl) as zk:

            def is_renewed() -> bool:
                made = proxy.connections
                proxy.cut()
                wait_until(lambda: proxy.connections > made, "it connects again")
                wait_until(lambda: works(zk), "it works")
                log = own_realm.log.read_text().splitlines()
                return len([x for x in log if "AS_REQ" in x and "ISSUE" in x and "short" in x]) > 3

            wait_until(is_renewed, "three tickets have been renewed", 60)


class TestEnsemble:
    @pytest.fixture
    def servers(self, own_realm, tmp_path, own_servers_only) -> Iterator[Ensemble]:
        with ensemble_of(
            3, settings={**SETTINGS, **REQUIRED}, java_options=java_options(own_realm, tmp_path)
        ) as servers:
            yield servers

    def test_a_client_logs_in_at_the_next_server(self, own_realm, servers) -> None:
        """And at the one that comes back: nothing is lost on the way."""
        sasl = SASL.gssapi(keytab=own_realm.keytab("app"))
        hosts = ",".join(hosts_of(server) for server in servers.servers)
        with open_(hosts, sasl=sasl) as zk, open_(hosts, sasl=sasl) as other:
            zk.import_tree("/app\n  /providers\n")
            zk.register("/app/providers", "1.2.3.4:80", acl=APP)
            found = other.children("/app/providers")
            for server in servers.servers:
                server.kill()
                wait_until(lambda: list(found) == ["1.2.3.4:80"], "it is registered", 30)
                assert wait_until(lambda: works(zk), "the client works", 30)
                server.start()
                servers.wait_until_serving()
            assert other.get_acl("/app/providers/1.2.3.4:80")[1] == APP


def works(zk: ZooKeeper, path: str = "/") -> bool:
    try:
        return bool(zk.exists(path))
    except zookeeper.ZooKeeperException:
        return False
