"""Names in certificates and logins meet bytes that nobody would send."""

from __future__ import annotations

import ssl

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from zc.zk.testing.engine import Client, Engine, Entry, Identity, Refusal, x509
from zc.zk.testing.engine import acl as acls
from zc.zk.testing.wire.authentication import Login
from zookeeper.constants import INVALIDACL, MARSHALLINGERROR, NOAUTH, PERM_ALL, PERM_READ
from zookeeper.errors import SASLError
from zookeeper.sasl_digest import DigestExchange

pytestmark = pytest.mark.quick

CERTIFICATE = ssl.PEM_cert_to_DER_cert(
    trustme.CA()
    .issue_cert("a.example.com", common_name="a", organization_name="O", organization_unit_name="U")
    .cert_chain_pems[0]
    .bytes()
    .decode()
)


def test_a_certificate_tells_its_subject_last_part_first() -> None:
    assert x509.subject(CERTIFICATE) == "CN=a,OU=U,O=O"


@given(st.binary(max_size=200))
def test_bytes_that_are_no_certificate_are_refused(data: bytes) -> None:
    with pytest.raises(x509.Unreadable):
        x509.subject(data)


@pytest.mark.parametrize("length", range(0, len(CERTIFICATE), 7))
def test_a_certificate_that_is_cut_off_is_refused(length: int) -> None:
    with pytest.raises(x509.Unreadable):
        x509.subject(CERTIFICATE[:length])


@given(st.integers(0, len(CERTIFICATE) - 1), st.integers(0, 255))
def test_a_spoilt_certificate_has_some_name_or_is_refused(at: int, byte: int) -> None:
    spoilt = CERTIFICATE[:at] + bytes([byte]) + CERTIFICATE[at + 1 :]
    try:
        assert isinstance(x509.subject(spoilt), str)
    except x509.Unreadable:
        pass


@given(st.text(alphabet='CN=a,;+"\\#0 \n', max_size=60))
def test_any_text_is_a_name_or_is_none(text: str) -> None:
    assert x509.is_name(text) in (True, False)


def test_a_long_name_is_read_in_the_time_of_its_length() -> None:
    assert x509.is_name(",".join(["CN=" + "a" * 100] * 5000))
    assert not x509.is_name("CN=" + " " * 300_000 + '"')
    assert not x509.is_name("=" * 300_000)


@given(st.lists(st.binary(max_size=80), min_size=1, max_size=3))
def test_tokens_that_are_none_end_a_login(tokens: list[bytes]) -> None:
    login = Login({"app": "secret"})
    login.step(b"")
    for token in tokens:
        with pytest.raises(SASLError):
            login.step(token)
    assert login.user is None


def test_a_proof_for_one_connection_is_none_for_another() -> None:
    first, second = Login({"app": "secret"}), Login({"app": "secret"})
    exchange = DigestExchange("app", "secret")
    exchange.step(b"")
    token = exchange.step(first.step(b""))
    assert token is not None
    second.step(b"")
    with pytest.raises(SASLError, match="another challenge"):
        second.step(token)
    first.step(token)
    assert (first.user, second.user) == ("app", None)


# ACLs

ME = [Identity("ip", "127.0.0.1"), Identity("x509", "CN=a"), Identity("sasl", "app")]


def test_auth_stands_for_all_that_a_client_has_proved() -> None:
    fixed = acls.fixed_up([Entry(PERM_READ, "auth", "")], ME, acls.SCHEMES | {"x509", "sasl"})
    assert fixed == (Entry(PERM_READ, "x509", "CN=a"), Entry(PERM_READ, "sasl", "app"))


@pytest.mark.parametrize(
    ("scheme", "id", "is_let_in"),
    [
        ("x509", "CN=a", True),
        ("x509", "CN=A", False),
        ("x509", "CN=a,O=b", False),
        ("sasl", "app", True),
        ("sasl", "other", False),
        ("digest", "app", False),
    ],
)
def test_an_identity_is_compared_letter_by_letter(scheme: str, id: str, is_let_in: bool) -> None:
    entries = (Entry(PERM_ALL, scheme, id),)
    if is_let_in:
        acls.check(entries, PERM_READ, ME)
    else:
        with pytest.raises(Refusal) as refused:
            acls.check(entries, PERM_READ, ME)
        assert refused.value.code == NOAUTH


def test_the_super_user_of_sasl_is_let_in_by_entries_of_sasl_alone() -> None:
    superuser = [Identity("sasl", "super")]
    acls.check((Entry(PERM_ALL, "sasl", "app"),), PERM_READ, superuser)
    with pytest.raises(Refusal):
        acls.check((Entry(PERM_ALL, "x509", "CN=a"),), PERM_READ, superuser)


@pytest.mark.parametrize("scheme", ["x509", "sasl"])
def test_a_scheme_that_a_server_lacks_is_in_no_acl(scheme: str) -> None:
    for schemes, id, code in (
        (acls.SCHEMES, "CN=a", INVALIDACL),
        (acls.SCHEMES, None, INVALIDACL),
        (acls.SCHEMES | {scheme}, None, MARSHALLINGERROR),
    ):
        with pytest.raises(Refusal) as refused:
            acls.fixed_up([Entry(PERM_READ, scheme, id)], ME, schemes)
        assert refused.value.code == code


def test_an_engine_admits_clients_with_one_of_the_required_identities() -> None:
    client = Client("127.0.0.1", lambda event, path: None)
    engine = Engine(lambda: 0, b"", schemes=["sasl", "x509"], required=["sasl", "x509"])
    assert not engine.admits(client)
    client.add_identities([Identity("x509", "CN=a")])
    client.add_identities([Identity("x509", "CN=a")])
    assert engine.admits(client)
    assert len(client.identities) == 2
