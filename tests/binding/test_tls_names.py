"""Names and addresses in certificates, those of several servers, and certificates of odd sizes."""

from __future__ import annotations

from contextlib import ExitStack
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography.x509 import DNSName, GeneralName, IPAddress

import zookeeper
from tests.certificates import Issued
from tests.deadlines import scaled, wait_until
from tests.libssl import Context
from tests.odd_certificates import Chain
from tests.ports import LOOPBACK
from tests.sessions import wait_until_connected
from tests.tlspeer import Peer, serve, tls_peer
from zookeeper import TLS

SESSION_TIMEOUT = int(scaled(6_000))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    return Chain(tmp_path_factory.mktemp("certificates"))


def general(name: str) -> GeneralName:
    """Return a host name or an address for a certificate."""
    try:
        return IPAddress(ip_address(name))
    except ValueError:
        return DNSName(name)


def peer_of(stack: ExitStack, issued: Issued) -> Peer:
    return stack.enter_context(tls_peer(serve, Context(issued.certificate, issued.key)))


def verdict(opened: list[int], hosts: str, tls: TLS) -> str:
    """Return '' if a session is connected, or the reason why not."""
    opened.append(zookeeper.init(hosts, None, SESSION_TIMEOUT, tls=tls))
    handle = opened[-1]
    wait_until(
        lambda: (
            zookeeper.state(handle) == zookeeper.CONNECTED_STATE
            or zookeeper.connection_fault(handle)
        ),
        "it is accepted or refused",
        30,
    )
    return zookeeper.connection_fault(handle) or ""


GOOD, BAD = True, False
RULES = [
    (["zk1.example.com"], "zk1.example.com", GOOD),
    (["zk1.example.com"], "ZK1.Example.COM", GOOD),
    (["ZK1.EXAMPLE.COM"], "zk1.example.com", GOOD),
    (["zk1.example.com"], "zk1.example.com.", GOOD),
    (["a.org", "10.0.0.1", "zk1.example.com"], "zk1.example.com", GOOD),
    (["zk1.example.com"], "zk1.example.co", BAD),
    (["zk1.example.com"], "example.com", BAD),
    (["example.com"], "zk1.example.com", BAD),
    ([".example.com"], "zk1.example.com", BAD),
    (["*.example.com"], "zk1.example.com", GOOD),
    (["*.example.com"], "zk1.EXAMPLE.com", GOOD),
    (["*.example.com"], "example.com", BAD),
    (["*.example.com"], "a.zk1.example.com", BAD),
    (["zk*.example.com"], "zk1.example.com", BAD),
    (["*1.example.com"], "zk1.example.com", BAD),
    (["zk1.*.com"], "zk1.example.com", BAD),
    (["*"], "localhost", BAD),
    (["*.com"], "example.com", BAD),
    (["*.*.com"], "zk1.example.com", BAD),
    (["zk1.example.com\0.evil.org"], "zk1.example.com", BAD),
    (["10.1.2.3"], "10.1.2.3", GOOD),
    (["10.1.2.3"], "10.1.2.30", BAD),
    (["::1"], "::1", GOOD),
    (["::1"], "0:0:0:0:0:0:0:1", GOOD),
    (["fe80::1"], "fe80::1%eth0", GOOD),
    (["::1"], "::2", BAD),
    (["::ffff:10.1.2.3"], "10.1.2.3", BAD),
    (["*.2.3"], "10.1.2.3", BAD),
    ([], "the common name", BAD),
]


@pytest.mark.parametrize(("names", "wanted", "is_good"), RULES)
def test_a_server_is_accepted_by_the_names_in_its_certificate_alone(
    root, opened, names, wanted, is_good
) -> None:
    issued = root.issue("rules", [general(name) for name in names], common_name=wanted)
    tls = TLS(ca=root.file, server_hostname=wanted)
    with ExitStack() as stack:
        peer = peer_of(stack, issued)
        why = verdict(opened, peer.connection_string, tls)
        zookeeper.close(opened.pop())
    if is_good:
        assert why == ""
    else:
        shown = wanted.rstrip(".")
        assert f"the certificate of {peer.connection_string} is not for {shown}" in why
        assert ("but for: none" in why) == (not names)


def test_an_address_that_a_certificate_has_as_a_host_name_does_not_count(root, opened) -> None:
    issued = root.issue("textual", [DNSName(LOOPBACK)], common_name=LOOPBACK)
    with ExitStack() as stack:
        peer = peer_of(stack, issued)
        why = verdict(opened, peer.connection_string, TLS(ca=root.file))
        assert f"is not for {LOOPBACK}, but for: {LOOPBACK}" in why
        zookeeper.close(opened.pop())


class TestSeveralServers:
    """Each server has to have the name that it has in the connection string."""

    @pytest.fixture
    def peers(self, root: Chain, stack: ExitStack) -> tuple[Peer, Peer]:
        """Return a server whose certificate is for an address, and one with a name."""
        return (
            peer_of(stack, root.issue("by address", [general(LOOPBACK)])),
            peer_of(stack, root.issue("by name", [general("localhost")])),
        )

    @pytest.fixture
    def stack(self, opened: list[int]):
        """Yield a stack that ends after the handles are closed."""
        with ExitStack() as stack:
            yield stack
            while opened:
                zookeeper.close(opened.pop())

    @pytest.mark.parametrize("order", [1, -1])
    def test_with_its_own_name_each_of_them_is_accepted(self, root, opened, peers, order) -> None:
        """Both are tried first once; the other would be taken if it were refused."""
        by_address, by_name = peers
        hosts = [f"{LOOPBACK}:{by_address.port}", f"localhost:{by_name.port}"][::order]
        zookeeper.deterministic_conn_order(True)
        try:
            assert verdict(opened, ",".join(hosts), TLS(ca=root.file)) == ""
        finally:
            zookeeper.deterministic_conn_order(False)
        first, second = peers[::order]
        assert (first.connections, second.connections) == (1, 0)

    @pytest.mark.parametrize("certified", [LOOPBACK, "localhost", "127.0.0.2"])
    @pytest.mark.parametrize("order", [1, -1])
    def test_a_server_with_two_names_may_have_either_in_its_certificate(
        self, root, opened, stack, certified, order
    ) -> None:
        peer = peer_of(stack, root.issue(certified, [general(certified)]))
        hosts = [f"{LOOPBACK}:{peer.port}", f"localhost:{peer.port}"][::order]
        why = verdict(opened, ",".join(hosts), TLS(ca=root.file))
        if certified == "127.0.0.2":
            names = ",".join(host.rpartition(":")[0] for host in hosts)
            assert why.endswith(f"is not for {names}, but for: 127.0.0.2")
        else:
            assert why == ""

    def test_the_name_of_a_server_elsewhere_is_none_of_this_one(self, root, opened, stack) -> None:
        """A name counts for the addresses and ports that it stands for."""
        peer = peer_of(stack, root.issue("localhost", [general("localhost")]))
        hosts = f"{LOOPBACK}:{peer.port},localhost:1"
        why = verdict(opened, hosts, TLS(ca=root.file))
        assert f"is not for {LOOPBACK}, but for: localhost" in why

    def test_with_the_name_of_the_other_both_are_refused(self, root, opened, peers) -> None:
        by_address, by_name = peers
        hosts = f"localhost:{by_address.port},{LOOPBACK}:{by_name.port}"
        opened.append(zookeeper.init(hosts, None, SESSION_TIMEOUT, tls=TLS(ca=root.file)))
        wait_until(lambda: by_address.connections > 1 and by_name.connections > 1, "both are tried")
        assert "is not for " in (zookeeper.connection_fault(opened[0]) or "")
        assert zookeeper.state(opened[0]) != zookeeper.CONNECTED_STATE

    def test_the_one_that_is_refused_is_left_for_the_other(self, root, opened, peers) -> None:
        by_address, by_name = peers
        hosts = f"localhost:{by_address.port},localhost:{by_name.port}"
        opened.append(zookeeper.init(hosts, None, SESSION_TIMEOUT, tls=TLS(ca=root.file)))
        wait_until_connected(zookeeper, opened[0])
        assert by_name.connections == 1
        assert zookeeper.connection_fault(opened[0]) is None


def test_a_certificate_of_thousands_of_names_is_checked_and_told_in_short(root, opened) -> None:
    names = [DNSName(f"a-rather-long-name-{n}.example.com") for n in range(2000)]
    wrong = root.issue("many", names)
    right = root.issue("many-more", [*names, general(LOOPBACK)])
    tls = TLS(ca=root.file)
    with ExitStack() as stack:
        assert verdict(opened, peer_of(stack, right).connection_string, tls) == ""
        why = verdict(opened, peer_of(stack, wrong).connection_string, tls)
        assert f"is not for {LOOPBACK}, but for: a-rather-long-name-0.example.com, " in why
        assert len(why) < 512
        while opened:
            zookeeper.close(opened.pop())


def test_a_name_of_many_characters_is_no_harm(root, opened) -> None:
    issued = root.issue("long", [DNSName("x" * 60_000), DNSName("\r\nzk: all is well")])
    with ExitStack() as stack:
        why = verdict(opened, peer_of(stack, issued).connection_string, TLS(ca=root.file))
        assert f"is not for {LOOPBACK}, but for: ??zk: all is well" in why
        zookeeper.close(opened.pop())


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (1, ""),
        (90, ""),
        (100, ""),
        (400, "excessive message size"),
    ],
)
def test_a_chain_of_certificates_is_followed_up_to_a_limit(
    tmp_path: Path, opened, length, words
) -> None:
    chain = Chain(tmp_path, length)
    issued = chain.issue("leaf", [general(LOOPBACK)])
    with ExitStack() as stack:
        why = verdict(opened, peer_of(stack, issued).connection_string, TLS(ca=chain.file))
        zookeeper.close(opened.pop())
    assert words in why
    assert bool(words) == bool(why)
