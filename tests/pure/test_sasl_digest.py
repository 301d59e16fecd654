"""DIGEST-MD5, by the examples of RFC 2831 and with challenges that are none."""

from __future__ import annotations

import hashlib
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

import zookeeper
from zookeeper.sasl_digest import (
    MAX_CHALLENGE,
    URI,
    DigestExchange,
    DigestMD5,
    directives,
    proof,
    quoted,
    secret_of,
)

pytestmark = pytest.mark.quick

CHALLENGE = b'realm="zk-sasl-md5",nonce="QUJD",charset=utf-8,algorithm=md5-sess'


@pytest.mark.parametrize(
    ("uri", "nonce", "cnonce", "of_client", "of_server"),
    [
        (
            b"imap/elwood.innosoft.com", b"OA6MG9tEQGm2hh", b"OA6MHXh6VqTrRk",
            b"d388dad90d4bbd760a152321f2143af7", b"ea40f60335c427b5527b84dbabcdfffd",
        ),
        (
            b"acap/elwood.innosoft.com", b"OA9BSXrbuRhWay", b"OA9BSuZWMSpW8m",
            b"6084c6db3fede7352c551284490fd0fc", b"2f0b3d7c3c2e486600ef710726aa2eae",
        ),
    ],
    ids=["IMAP", "ACAP"],
)  # fmt: skip
def test_proofs_are_those_of_the_rfcs_examples(uri, nonce, cnonce, of_client, of_server) -> None:
    secret = secret_of("chris", "elwood.innosoft.com", "secret")
    assert proof(secret, nonce, cnonce, uri) == of_client
    assert proof(secret, nonce, cnonce, uri, of_server=True) == of_server


def test_a_null_character_is_refused_at_once() -> None:
    for user, password, what in (("a\0b", "secret", "user"), ("alice", "sec\0ret", "password")):
        with pytest.raises(ValueError, match=f"{what} must not hold a null character") as caught:
            DigestMD5(user, password)
        assert "ret" not in str(caught.value).replace("character", "")


def test_names_are_hashed_narrow_where_they_can_be() -> None:
    assert secret_of("J\xfcrgen", "r", "\xdf") == hashlib.md5(b"J\xfcrgen:r:\xdf").digest()
    expected = hashlib.md5("\u0141ukasz:r:\xfc".encode()[:-2] + b"\xfc").digest()
    assert secret_of("\u0141ukasz", "r", "\xfc") == expected


def begun(password: str = "secret") -> DigestExchange:
    exchange = DigestExchange("chris", password, b"cnonce")
    assert exchange.step(b"") == b""
    return exchange


def test_an_exchange_asks_answers_and_checks_the_server() -> None:
    exchange = begun()
    answer = exchange.step(CHALLENGE)
    assert answer is not None
    told = directives(answer)
    secret = secret_of("chris", "zk-sasl-md5", "secret")
    assert told == {
        "charset": [b"utf-8"],
        "username": [b"chris"],
        "realm": [b"zk-sasl-md5"],
        "nonce": [b"QUJD"],
        "nc": [b"00000001"],
        "cnonce": [b"cnonce"],
        "digest-uri": [URI],
        "response": [proof(secret, b"QUJD", b"cnonce", URI)],
        "qop": [b"auth"],
    }
    assert not exchange.complete
    rspauth = proof(secret, b"QUJD", b"cnonce", URI, of_server=True)
    assert exchange.step(b"rspauth=" + rspauth) is None
    assert exchange.complete
    with pytest.raises(zookeeper.SASLError, match="after the end"):
        exchange.step(b"")


def test_a_server_that_does_not_know_the_password_is_refused() -> None:
    exchange = begun()
    exchange.step(CHALLENGE)
    secret = secret_of("chris", "zk-sasl-md5", "guessed")
    rspauth = proof(secret, b"QUJD", b"cnonce", URI, of_server=True)
    with pytest.raises(zookeeper.SASLError, match="does not prove that it knows the password"):
        exchange.step(b"rspauth=" + rspauth)
    assert not exchange.complete


def test_the_clients_own_proof_is_not_taken_for_the_servers() -> None:
    exchange = begun()
    answer = directives(exchange.step(CHALLENGE) or b"")
    with pytest.raises(zookeeper.SASLError, match="does not prove"):
        exchange.step(b"rspauth=" + answer["response"][0])


@pytest.mark.parametrize("last", [b"", b"rspauth=", b'rspauth=""', b"response=ab", b"rspauth"])
def test_a_server_that_proves_nothing_is_refused(last: bytes) -> None:
    exchange = begun()
    exchange.step(CHALLENGE)
    with pytest.raises(zookeeper.SASLError):
        exchange.step(last)
    assert not exchange.complete


@pytest.mark.parametrize(
    ("challenge", "words"),
    [
        (b"", "nonce is missing"),
        (b'nonce="",algorithm=md5-sess', "has no nonce"),
        (b'nonce="a",nonce="a",algorithm=md5-sess', "nonce comes twice"),
        (b'nonce="a",algorithm=md5-sess,algorithm=md5-sess', "algorithm comes twice"),
        (b'nonce="a"', "another algorithm"),
        (b'nonce="a",algorithm=md5', "another algorithm"),
        (b'nonce="a",algorithm=md5-sess,charset=latin-1', "another character set"),
        (b'nonce="a",algorithm=md5-sess,qop="auth-int,auth-conf"', "integrity or encryption"),
        (b'realm="\xff",charset=utf-8,nonce="a",algorithm=md5-sess', "cannot be written in utf-8"),
        (b"\x60\x82\x02\x9b\x06\x09", "no part of a message"),
        (b'nonce="a', "no part of a message"),
        (b'nonce="a\\', "no part of a message"),
        (b'nonce="a" algorithm=md5-sess', "no part of a message"),
        (b'nonce="a\x00b",algorithm=md5-sess', "no part of a message"),
        (b"=a", "no part of a message"),
        (b"nonce", "no part of a message"),
        (b'nonce="' + b"a" * MAX_CHALLENGE + b'"', "bytes are too many"),
    ],
)
def test_a_challenge_that_cannot_be_answered_says_why(challenge: bytes, words: str) -> None:
    with pytest.raises(zookeeper.SASLError, match=words):
        begun().step(challenge)


@pytest.mark.parametrize(
    "challenge",
    [
        CHALLENGE,
        b'nonce=QUJD,algorithm="MD5-SESS"',
        b' , ,\tnonce = "QUJD" ,\r\n algorithm=md5-sess, ',
        b'nonce="Q\\UJD",algorithm=md5-sess,qop="auth-int, auth",maxbuf=65536,stale=true',
        b'nonce="QUJD",algorithm=md5-sess,realm="one",realm="two",cipher="des,3des",of-mine="x"',
    ],
)
def test_the_forms_that_the_rfc_allows_are_answered(challenge: bytes) -> None:
    assert directives(begun().step(challenge) or b"")["nonce"] == [b"QUJD"]


def test_without_a_realm_none_is_sent() -> None:
    answer = directives(begun().step(b"nonce=QUJD,algorithm=md5-sess") or b"")
    assert "realm" not in answer
    assert "charset" not in answer


def test_a_name_that_a_narrow_server_cannot_read_is_told() -> None:
    exchange = begun("\u0142")
    with pytest.raises(zookeeper.SASLError, match="cannot be written in iso-8859-1"):
        exchange.step(b"nonce=QUJD,algorithm=md5-sess")


PUNCTUATION = st.lists(st.sampled_from([b'"', b"\\", b",", b"=", b"a", b" ", b"\x00"]))


@given(st.binary(max_size=300) | PUNCTUATION.map(lambda parts: b"nonce=" + b"".join(parts) * 9))
def test_any_bytes_are_a_message_or_an_error(message: bytes) -> None:
    try:
        found = directives(message)
    except zookeeper.SASLError:
        return
    assert all(isinstance(value, bytes) for values in found.values() for value in values)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])))
def test_a_quoted_value_is_read_as_it_was(value: str) -> None:
    assert directives(b"name=" + quoted(value.encode())) == {"name": [value.encode()]}


def test_nonces_of_the_client_are_never_the_same() -> None:
    mechanism = DigestMD5("chris", "secret")
    answers = {
        directives(exchange.step(CHALLENGE) or b"")["cnonce"][0]
        for exchange in (mechanism.begin("host") for _ in range(100))
        if exchange.step(b"") == b""
    }
    assert len(answers) == 100
    assert min(map(len, answers)) >= 32


def test_the_password_is_not_shown() -> None:
    mechanism = zookeeper.SASL.digest_md5("chris", "hunter2")
    assert repr(mechanism) == "SASL.digest_md5('chris', ...)"
    exchange = DigestExchange("chris", "hunter2")
    exchange.step(b"")
    assert "hunter2" not in f"{mechanism} {exchange!r} {exchange.step(CHALLENGE)!r}"


@pytest.mark.parametrize(
    ("user", "password", "kind", "words"),
    [
        ("", "secret", ValueError, "user is empty"),
        (b"chris", "secret", TypeError, "user must be str, not bytes"),
        ("chris", None, TypeError, "password must be str, not NoneType"),
        ("chris", "hunter2\udc80", ValueError, "password cannot be written in UTF-8"),
    ],
)
def test_bad_credentials_are_refused_and_not_shown(user, password, kind, words) -> None:
    with pytest.raises(kind, match=words) as caught:
        zookeeper.SASL.digest_md5(user, password)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_sasl_error_is_an_authentication_that_failed() -> None:
    fault = zookeeper.SASLError("no ticket")
    assert isinstance(fault, zookeeper.AuthFailedException)
    assert fault.code == zookeeper.AUTHFAILED
    assert not fault.may_have_happened
    assert str(pickle.loads(pickle.dumps(fault))) == "no ticket"
