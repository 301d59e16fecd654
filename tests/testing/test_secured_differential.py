"""Our server treats clients with certificates and users of SASL as a real one does."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from tests import saslservers
from tests.certificates import Authority, Issued, server_settings
from tests.ports import LOOPBACK, free_ports
from tests.servers import standalone
from tests.testing import protocol
from tests.testing.twins import AUTH_XID, Client, Side
from tests.wireframes import Op
from zc.zk.testing import Server, ServerTLS
from zookeeper.constants import PERM_ALL, PERM_READ
from zookeeper.sasl_digest import DigestExchange

USERS = {"app": "secret", "höß": "pässwört", "東京": "日本", "super": "s", "quote": '"x\\,y"'}

OPEN = protocol.acl([(PERM_ALL, "world", "anyone")])
MINE = protocol.acl([(PERM_ALL, "auth", "")])


class Pair(NamedTuple):
    """The ports of a real server and of ours, which clients do the same with."""

    real: int
    own: int
    contexts: Callable[[Issued | None], ssl.SSLContext | None]

    def compare(self, talk: Callable[[Client], Any], issued: Issued | None = None) -> Any:
        """Have a client of each server talk; return what both of them see."""
        seen = []
        for port in (self.real, self.own):
            client = Client(Side(port, self.contexts(issued)))
            try:
                seen.append(talk(client))
            finally:
                client.hang_up()
        real, own = seen
        assert own == real, f"ours {own}\nreal {real}"
        return own


def client_context(authority: Authority, issued: Issued | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.file))
    # Later ones tell a client that it is refused when it reads, and not at the handshake.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    if issued is not None:
        context.load_cert_chain(issued.certificate, issued.key)
    return context


def secured_pair(authority: Authority, client_auth: str) -> Iterator[Pair]:
    """Run servers that speak TLS, and know users of SASL."""
    issued = authority.issue("server", "localhost", LOOPBACK)
    (port,) = free_ports(1)
    jaas = saslservers.Jaas(authority.folder, saslservers.digest_login(USERS))
    settings = {
        **saslservers.SETTINGS,
        **server_settings(authority, issued, port, client_auth),
        "secureClientPortAddress": LOOPBACK,
    }
    tls = ServerTLS(
        certificate=issued.certificate, key=issued.key, ca=authority.file, client_auth=client_auth
    )
    own = Server(tls=tls, sasl=USERS, limits=(200, 300_000))
    own.engine.zxid = 0
    with standalone(settings=settings, java_options=jaas.java_options), own:
        yield Pair(port, own.port, lambda issued: client_context(authority, issued))


@pytest.fixture(scope="module")
def pair(own_servers_only: None, authority: Authority) -> Iterator[Pair]:
    """Yield servers that take clients with and without certificates."""
    yield from secured_pair(authority, "want")


@pytest.fixture(scope="module")
def strict_pair(own_servers_only: None, authority: Authority) -> Iterator[Pair]:
    """Yield servers that need a certificate of their clients."""
    yield from secured_pair(authority, "need")


@pytest.fixture(scope="module")
def closed_pair(own_servers_only: None, authority: Authority) -> Iterator[Pair]:
    """Yield servers without TLS that hang up on clients that do not log in."""
    jaas = saslservers.Jaas(authority.folder, saslservers.digest_login(USERS))
    settings = {**saslservers.SETTINGS, **saslservers.REQUIRED}
    own = Server(sasl=USERS, require_auth=["sasl"], limits=(200, 300_000))
    own.engine.zxid = 0
    with standalone(settings=settings, java_options=jaas.java_options) as real, own:
        yield Pair(real.port, own.port, lambda issued: None)


@pytest.fixture(scope="module")
def plain_pair(own_servers_only: None) -> Iterator[Pair]:
    """Yield servers that know nothing of any of this."""
    own = Server(limits=(200, 300_000))
    own.engine.zxid = 0
    with standalone() as real, own:
        yield Pair(real.port, own.port, lambda issued: None)


# Certificates

ASN1 = {
    "bmp": _ASN1Type.BMPString,
    "t61": _ASN1Type.T61String,
    "ia5": _ASN1Type.IA5String,
    "printable": _ASN1Type.PrintableString,
    "universal": _ASN1Type.UniversalString,
}


def named(*attributes: tuple[str, str] | tuple[str, str, str]) -> x509.Name:
    """Make a name of attributes: kind, value, and maybe the type of the value."""
    return x509.Name([attribute(*each) for each in attributes])


def attribute(kind: str, value: str, type: str | None = None) -> x509.NameAttribute[str]:
    return x509.NameAttribute(
        getattr(NameOID, kind), value, _type=ASN1[type] if type else None, _validate=False
    )


SUBJECTS = {
    "plain": named(("COMMON_NAME", "alice")),
    "order": named(
        ("COUNTRY_NAME", "DE"),
        ("STATE_OR_PROVINCE_NAME", "Hessen"),
        ("LOCALITY_NAME", "Kassel"),
        ("STREET_ADDRESS", "Am Ring 1"),
        ("ORGANIZATION_NAME", "Example AG"),
        ("ORGANIZATIONAL_UNIT_NAME", "IT"),
        ("ORGANIZATIONAL_UNIT_NAME", "Ops"),
        ("COMMON_NAME", "alice"),
    ),
    "domain": named(
        ("DOMAIN_COMPONENT", "com"), ("DOMAIN_COMPONENT", "example"), ("USER_ID", "al")
    ),
    "numbers": named(
        ("EMAIL_ADDRESS", "alice@example.com"),
        ("SERIAL_NUMBER", "4711"),
        ("TITLE", "Dr. " + 200 * "x"),
        ("GIVEN_NAME", "Älice"),
        ("COMMON_NAME", "alice"),
    ),
    "special": named(("COMMON_NAME", 'a,b+c"d\\e<f>g;h=i#j'), ("ORGANIZATION_NAME", "#1, Ltd.")),
    "blanks": named(("COMMON_NAME", "  a  b \r "), ("ORGANIZATION_NAME", " ")),
    "unicode": named(("COMMON_NAME", "Jürgen 東京 \U0001f600"), ("ORGANIZATION_NAME", "ÀÉÎ")),
    "controls": named(("COMMON_NAME", "a\0b\tc\nd\x7f")),
    "types": named(
        ("COMMON_NAME", "wide", "bmp"),
        ("ORGANIZATION_NAME", "old", "t61"),
        ("LOCALITY_NAME", "mail", "ia5"),
        ("ORGANIZATIONAL_UNIT_NAME", "plain", "printable"),
        ("STATE_OR_PROVINCE_NAME", "huge", "universal"),
    ),
    "several": x509.Name(
        [
            x509.RelativeDistinguishedName([attribute("ORGANIZATION_NAME", "Example")]),
            x509.RelativeDistinguishedName(
                [
                    attribute("USER_ID", "al"),
                    attribute("COMMON_NAME", "alice"),
                    attribute("EMAIL_ADDRESS", "a@example.com"),
                ]
            ),
        ]
    ),
}


def issue(authority: Authority, subject: x509.Name, not_after: datetime | None = None) -> Issued:
    """Issue a client's certificate with any name."""
    now = datetime.now(timezone.utc)
    key = ec.generate_private_key(ec.SECP256R1())
    ca = x509.load_pem_x509_certificate(authority.file.read_bytes())
    ca_key = serialization.load_pem_private_key(authority._ca.private_key_pem.bytes(), None)
    assert isinstance(ca_key, ec.EllipticCurvePrivateKey)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(ca.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(not_after or now + timedelta(days=2))
        .sign(ca_key, hashes.SHA256())
    )
    files = Issued(*(authority.folder / f"subject-{part}.pem" for part in Issued._fields))
    files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


def create(path: str, acl: bytes = OPEN) -> bytes:
    return protocol.text(path) + protocol.buffer(b"data") + acl + protocol.number(0)


def text_set(path: str) -> bytes:
    return protocol.text(path) + protocol.buffer(b"more") + protocol.number(-1)


def read(path: str) -> bytes:
    return protocol.text(path) + protocol.boolean(False)


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_certificate_proves_the_same_name_as_to_a_real_server(
    pair: Pair, authority: Authority, name: str
) -> None:
    def talk(client: Client) -> Any:
        return [
            client.connect(anew=True),
            client.ask(Op.WHO_AM_I, b""),
            client.ask(Op.CREATE, create(f"/{name}", MINE)),
            client.ask(Op.GET_ACL, protocol.text(f"/{name}")),
            client.ask(Op.GET_DATA, read(f"/{name}")),
            client.ask(Op.AUTH, protocol.number(0) + protocol.text("x509") + protocol.buffer(b"")),
            client.ask(Op.CLOSE_SESSION, b""),
        ]

    seen = pair.compare(talk, issue(authority, SUBJECTS[name]))
    assert [answer[0][2] for answer in seen[1:]] == [0] * 6
    assert "x509" in dict(seen[1][0][3])


def test_a_client_without_a_certificate_has_no_name(pair: Pair) -> None:
    alice = protocol.acl([(PERM_ALL, "x509", "CN=alice"), (PERM_READ, "ip", "127.0.0.1")])

    def talk(client: Client) -> Any:
        return [
            client.connect(anew=True),
            client.ask(Op.WHO_AM_I, b""),
            client.ask(Op.CREATE, create("/alice", alice)),
            client.ask(Op.GET_DATA, read("/alice")),
            client.ask(Op.SET_DATA, text_set("/alice")),
            client.ask(Op.CREATE, create("/alice/below")),
            client.ask(Op.CREATE, create("/mine", MINE)),
            client.ask(Op.AUTH, protocol.number(0) + protocol.text("x509") + protocol.buffer(b"")),
        ]

    seen = pair.compare(talk)
    assert [answer[0][2] for answer in seen[2:]] == [0, 0, -102, -102, -114, -115]


IDS = [
    "", " ", "CN=a", "cn=a", "CN = a", "a", "CN", "CN=", "=a", "CN=a,", ",CN=a", "CN=a,,O=b",
    "CN=a,O=b", "CN=a, O=b", "CN=a;O=b", "CN=a+OU=b", "CN=a+", "CN=a=b", "CN=a\\,b", "CN=a\\x",
    "CN=a\\4a", 'CN="a,b"', 'CN="a', 'CN="a"b', 'CN="a" ', 'CN="a\\"b"', "CN=#0c0161", "CN=#0c016",
    "CN=#xy", "CN=#", "CN= #", "CN=a#", "FOO=a", "1.2.3=a", "1.2.3=#0c0161", "OID.1.2.3=#0c0161",
    "9.2.3=#0c0161",
    "1=#0c0161", "E=a", "EMAILADDRESS=a@b", "UID=a", "DC=com", "S=x", "T=x", "CN=a<b", "CN=a b ",
    "CN=ä東", "CN=a\\",
    "C=DEUTSCHLAND", "C=é", "1.2.x=a", "CN=a\nO=b", "STREET=x",
]  # fmt: skip

PRINCIPALS = [
    "", "app", "app/host", "app@REALM", "app/host@REALM", "a@b@c", "a/b/c@R", "@", "/@", "a/b/c",
    "app@", "ä", "a b@c d", "a\n@b",
]  # fmt: skip


@pytest.mark.parametrize(("scheme", "ids"), [("x509", IDS), ("sasl", PRINCIPALS)])
def test_an_acl_takes_the_same_ids_as_on_a_real_server(
    pair: Pair, scheme: str, ids: list[str]
) -> None:
    def talk(client: Client) -> Any:
        client.connect(anew=True)
        return [
            (id, client.ask(Op.CREATE, create(f"/{scheme}{number}", acl))[0][2])
            for number, id in enumerate([*ids, None])
            for acl in [protocol.acl([(PERM_READ, scheme, id)])]
        ]

    codes = [code for _, code in pair.compare(talk)]
    assert {0, -114} <= set(codes)


@pytest.mark.parametrize("scheme", ["x509", "sasl"])
def test_a_plain_server_knows_neither_scheme(plain_pair: Pair, scheme: str) -> None:
    def talk(client: Client) -> Any:
        client.connect(anew=True)
        acls = [protocol.acl([(PERM_READ, scheme, id)]) for id in ("CN=a", None)]
        proof = protocol.number(0) + protocol.text(scheme) + protocol.buffer(b"")
        return [
            *(client.ask(Op.CREATE, create(f"/{scheme}", acl)) for acl in acls),
            client.ask(Op.SASL, protocol.buffer(b"")),
            client.ask(Op.SASL, protocol.buffer(b"whatever")),
            client.ask(Op.AUTH, proof, AUTH_XID),
        ]

    seen = plain_pair.compare(talk)
    assert [answer[0][2] for answer in seen] == [-114, -114, 0, 0, -115]


def test_a_client_that_needs_a_certificate_and_has_none_is_turned_away(
    strict_pair: Pair, authority: Authority
) -> None:
    def talk(client: Client) -> Any:
        try:
            return client.connect(anew=True)
        except (ssl.SSLError, ConnectionError):
            return "no handshake"

    strangers = Authority(authority.folder, "strangers")
    past = datetime.now(timezone.utc) - timedelta(days=1)
    alice = SUBJECTS["plain"]
    assert strict_pair.compare(talk) == "no handshake"
    assert strict_pair.compare(talk, issue(strangers, alice)) == "no handshake"
    assert strict_pair.compare(talk, issue(authority, alice, past)) == "no handshake"
    assert strict_pair.compare(talk, issue(authority, alice)) == (0, 300_000, 1, 16, False)


# SASL


def log_in(client: Client, user: str, password: str) -> list[Any]:
    """Return the codes of the answers, and whether the server proves that it knows it."""
    exchange = DigestExchange(user, password)
    codes: list[Any] = []
    challenge: bytes | None = b""
    while challenge is not None and (token := exchange.step(challenge)) is not None:
        answers = client.ask(Op.SASL, protocol.buffer(token))
        codes.append([answer if answer == "hung up" else answer[1:3] for answer in answers])
        challenge = answers[0][3]
    return [*codes, exchange.complete]


@pytest.mark.parametrize("user", USERS)
def test_a_user_who_logs_in_has_a_name_for_acls(pair: Pair, user: str) -> None:
    path = f"/user{list(USERS).index(user)}"

    def talk(client: Client) -> Any:
        return [
            client.connect(anew=True),
            log_in(client, user, USERS[user]),
            client.ask(Op.WHO_AM_I, b""),
            client.ask(Op.CREATE, create(path, MINE)),
            client.ask(Op.GET_ACL, protocol.text(path)),
            client.ask(Op.GET_DATA, read("/user0")),
            client.connect(anew=False),
            client.ask(Op.GET_DATA, read(path)),
            client.ask(Op.CLOSE_SESSION, b""),
        ]

    seen = pair.compare(talk)
    assert seen[1] == [[(0, 0)], [(0, 0)], True]
    # The super user is let in by any entry of the scheme; a new connection has to log in again.
    assert seen[5][0][2] == (0 if user in ("app", "super") else -102)
    assert seen[7][0][2] == -102


# A real server (3.8.0) takes the password of the user before for one whom it does not know.
WRONG = [("app", "wrong"), ("nobody", "other"), ("app", ""), ("höß", "x")]


@pytest.mark.parametrize(("user", "password"), WRONG)
def test_a_wrong_password_ends_the_connection(pair: Pair, user: str, password: str) -> None:
    def talk(client: Client) -> Any:
        client.connect(anew=True)
        return log_in(client, user, password)

    assert pair.compare(talk) == [[(0, 0)], [(0, -115), "hung up"], False]


@pytest.mark.parametrize(("user", "password"), WRONG)
def test_a_wrong_password_where_a_login_is_required(
    closed_pair: Pair, user: str, password: str
) -> None:
    def talk(client: Client) -> Any:
        client.connect(anew=True)
        return log_in(client, user, password)

    assert closed_pair.compare(talk) == [[(0, 0)], [(0, -124), "hung up"], False]


def spoilt(token: bytes, spoil: str) -> bytes | None:
    """Return what a client says in the place of its answer."""
    nonce = token.partition(b'nonce="')[2].partition(b'"')[0]
    changes = {
        "nothing": b"",
        "garbage": b"\x80\xff=,,,",
        "twice": token + b',username="app"',
        "no user": token.replace(b"username=", b"name="),
        "realm": token.replace(b'realm="zk-sasl-md5"', b'realm="other"'),
        "no realm": token.replace(b'realm="zk-sasl-md5",', b""),
        "nonce": token.replace(nonce, nonce[::-1]),
        "count": token.replace(b"nc=00000001", b"nc=00000002"),
        "qop": token.replace(b"qop=auth", b"qop=auth-int"),
        "service": token.replace(b"zookeeper/", b"ldap/"),
        "host": token.replace(b'zk-sasl-md5",response', b'elsewhere",response'),
        "no proof": token.replace(b"response=", b"proof="),
        "proof": token.replace(b"response=", b"response=0"),
        "charset": token.replace(b"charset=utf-8", b"charset=utf-7"),
        "no charset": token.replace(b"charset=utf-8,", b""),
        "no qop": token.replace(b",qop=auth", b""),
        "no count": token.replace(b"nc=00000001,", b""),
        "unknown": token + b",more=1",
        "blanks": token.replace(b",", b" , "),
    }
    return changes[spoil] if spoil != "null" else None


@pytest.mark.parametrize(
    "spoil",
    [
        "nothing", "garbage", "twice", "no user", "realm", "no realm", "nonce", "count", "qop",
        "service", "host", "no proof", "proof", "charset", "no charset", "no qop", "no count",
        "unknown", "blanks", "null",
    ],
)  # fmt: skip
def test_an_answer_that_is_spoilt_is_taken_as_by_a_real_server(pair: Pair, spoil: str) -> None:
    def talk(client: Client) -> Any:
        client.connect(anew=True)
        exchange = DigestExchange("app", "secret")
        challenge = client.ask(Op.SASL, protocol.buffer(exchange.step(b"")))[0][3]
        token = exchange.step(challenge)
        assert token is not None
        answers = client.ask(Op.SASL, protocol.buffer(spoilt(token, spoil)))
        return [answer if answer == "hung up" else answer[1:3] for answer in answers]

    pair.compare(talk)


@pytest.mark.parametrize("again", [b"", b"more"])
def test_a_login_that_is_over_cannot_go_on(pair: Pair, again: bytes) -> None:
    def talk(client: Client) -> Any:
        client.connect(anew=True)
        return [log_in(client, "app", "secret"), client.ask(Op.SASL, protocol.buffer(again))]

    assert pair.compare(talk)[1] == [(3, 0, -115, None), "hung up"]


def test_the_first_token_is_not_looked_at(pair: Pair) -> None:
    def talk(client: Client) -> Any:
        client.connect(anew=True)
        ((xid, zxid, code, challenge),) = client.ask(Op.SASL, protocol.buffer(b'username="app"'))
        return xid, zxid, code, re.sub(rb'nonce="[^"]+"', b"", challenge)

    assert pair.compare(talk)[:3] == (1, 0, 0)


@pytest.mark.parametrize("op", [Op.PING, Op.EXISTS, Op.WHO_AM_I, Op.CLOSE_SESSION, Op.AUTH])
def test_a_stranger_is_told_that_the_server_requires_a_login(closed_pair: Pair, op: Op) -> None:
    bodies = {
        Op.EXISTS: read("/"),
        Op.AUTH: protocol.number(0) + protocol.text("digest") + protocol.buffer(b"a:b"),
    }

    def talk(client: Client) -> Any:
        client.connect(anew=True)
        return [client.ask(op, bodies.get(op, b"")), client.is_connected]

    answers, is_connected = closed_pair.compare(talk)
    assert answers[0][1:3] == (0, 0 if op == Op.AUTH else -124)
    assert is_connected == (op == Op.AUTH)


def test_a_session_goes_on_for_a_client_that_logs_in_again(closed_pair: Pair) -> None:
    def talk(client: Client) -> Any:
        return [
            client.connect(anew=True),
            client.ask(Op.EXISTS, read("/")),
            client.connect(anew=False),
            log_in(client, "app", "secret"),
            client.ask(Op.GET_CHILDREN, read("/")),
            client.ask(Op.CLOSE_SESSION, b""),
        ]

    seen = closed_pair.compare(talk)
    assert (seen[1][-1], seen[4][0][2]) == ("hung up", 0)
