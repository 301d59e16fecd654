"""Entries of ACLs are as servers make and compare them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from tests.certificates import Authority
from zc.zk import digest_acl, sasl_acl, subjects, x509_acl
from zc.zk.acl import permissions

pytestmark = pytest.mark.quick

# The day on which certificates of the tests begin, which nobody looks at.
DAY = datetime(2026, 1, 1, tzinfo=timezone.utc)
KEY = ec.generate_private_key(ec.SECP256R1())


def certificate(subject: x509.Name) -> bytes:
    """Return a certificate in PEM form."""
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    made = (
        x509.CertificateBuilder(issuer, subject, KEY.public_key(), 7)
        .not_valid_before(DAY)
        .not_valid_after(DAY + timedelta(days=1))
        .sign(KEY, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def name(*parts: Any) -> x509.Name:
    """Return a subject of pairs (type, value), or of such pairs in sets."""
    return x509.Name(
        [
            x509.RelativeDistinguishedName(
                [x509.NameAttribute(*pair) for pair in (part if isinstance(part, set) else [part])]
            )
            for part in parts
        ]
    )


def test_permissions_are_a_number_or_letters() -> None:
    assert [permissions(each) for each in (1, 31, "1", "31", "r", "cdrwa", "ar")] == [
        1, 31, 1, 31, 1, 31, 17,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "bad",
    [0, 32, -1, "0", "32", "", "rr", "x", "R", "r ", "\u0661", "9" * 5000, "00000003199", "9" * 10],
)
def test_a_permission_that_there_is_not_is_refused(bad: int | str) -> None:
    with pytest.raises(ValueError, match="not permissions, some of cdrwa or 1 to 31"):
        permissions(bad)


@pytest.mark.parametrize("bad", [None, 1.0, b"r", [], True])
def test_permissions_of_another_type_are_refused(bad: Any) -> None:
    with pytest.raises(TypeError, match=f"permissions are int or str, not {type(bad).__name__}"):
        permissions(bad)


@pytest.mark.parametrize("bad", [None, 1, 12345, 2**31, True, [1, 2], b"u"])
def test_names_and_passwords_of_another_type_are_refused(bad: Any) -> None:
    told = f"must be str, not {type(bad).__name__}"
    with pytest.raises(TypeError, match=f"user {told}"):
        digest_acl(bad, "p")
    with pytest.raises(TypeError, match=f"principal {told}"):
        sasl_acl(bad)
    if bad is not None:
        with pytest.raises(TypeError, match=f"subject {told}"):
            x509_acl(bad)
    if bad != b"u":
        with pytest.raises(TypeError, match=f"password {told}"):
            digest_acl("u", bad)


@pytest.mark.parametrize("bad", ["a\0b", "\ud800"])
def test_text_that_no_id_can_hold_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match=r"user (must not|cannot)"):
        digest_acl(bad, "p")
    with pytest.raises(ValueError, match=r"principal (must not|cannot)"):
        sasl_acl(bad)
    with pytest.raises(ValueError, match=r"subject (must not|cannot)"):
        x509_acl(bad)


def test_a_password_that_is_refused_is_not_shown() -> None:
    with pytest.raises(ValueError, match=r"password cannot be written in UTF-8$") as caught:
        digest_acl("u", "secret\ud800")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_digest_is_what_the_servers_compute() -> None:
    # As `DigestAuthenticationProvider bob:bob` of the servers prints it.
    assert digest_acl("super", "test", "cdrwa") == {
        "perms": 31,
        "scheme": "digest",
        "id": "super:D/InIHSb7yEEbrWz8b9l71RjZJU=",
    }
    assert digest_acl("a", "b:c") == digest_acl("a", b"b:c", 31)


@pytest.mark.parametrize(
    ("user", "password", "words"),
    [("", "p", "a name without a colon: ''"), ("a:b", "p", "colon: 'a:b'"), ("a", "", "is empty")],
)
def test_a_user_that_cannot_be_is_refused(user: str, password: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        digest_acl(user, password)


@pytest.mark.parametrize("good", ["alice", "alice@R", "zk/host@R", "a/b", "a/b/c", "alice@"])
def test_a_principal_is_the_id(good: str) -> None:
    assert sasl_acl(good, "r") == {"perms": 1, "scheme": "sasl", "id": good}


@pytest.mark.parametrize("bad", ["", "@R", "a@b@c", "a/b/c@R", "a@b/c"])
def test_a_principal_that_cannot_be_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="no user, and no principal"):
        sasl_acl(bad)


SUBJECTS = {
    "CN=app,O=Shop": name((NameOID.ORGANIZATION_NAME, "Shop"), (NameOID.COMMON_NAME, "app")),
    "UID=u,DC=d,STREET=s,ST=t,OU=v,L=l,C=DE": name(
        (NameOID.COUNTRY_NAME, "DE"),
        (NameOID.LOCALITY_NAME, "l"),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, "v"),
        (NameOID.STATE_OR_PROVINCE_NAME, "t"),
        (NameOID.STREET_ADDRESS, "s"),
        (NameOID.DOMAIN_COMPONENT, "d"),
        (NameOID.USER_ID, "u"),
    ),
    "1.2.840.113549.1.9.1=#160361406f,2.5.4.5=#130137": name(
        (NameOID.SERIAL_NUMBER, "7"), (NameOID.EMAIL_ADDRESS, "a@o")
    ),
    "CN=a+OU=b": name({(NameOID.ORGANIZATIONAL_UNIT_NAME, "b"), (NameOID.COMMON_NAME, "a")}),
    r"CN=gr\,\=\+\<\>\#\;\"\\x": name((NameOID.COMMON_NAME, 'gr,=+<>#;"\\x')),
    r"CN=\ \ a b\ ": name((NameOID.COMMON_NAME, "  a b ")),
    r"CN=\ \ ": name((NameOID.COMMON_NAME, "  ")),
    "CN=größe\N{EURO SIGN}": name((NameOID.COMMON_NAME, "größe\N{EURO SIGN}")),
    "CN=a/b:c@d": name((NameOID.COMMON_NAME, "a/b:c@d")),
    "CN=ia5": name((NameOID.COMMON_NAME, "ia5", _ASN1Type.IA5String)),
    "CN=t61": name((NameOID.COMMON_NAME, "t61", _ASN1Type.T61String)),
}


@pytest.mark.parametrize("expected", SUBJECTS)
def test_a_subject_is_as_servers_write_it(expected: str, tmp_path: Path) -> None:
    file = tmp_path / "client.pem"
    file.write_bytes(b"Subject: me\n" + certificate(SUBJECTS[expected]))
    assert x509_acl(certificate=file, perms="r") == {"perms": 1, "scheme": "x509", "id": expected}
    assert x509_acl(expected)["id"] == expected


def test_the_first_certificate_of_a_chain_has_the_subject(tmp_path: Path) -> None:
    issued = Authority(tmp_path, "shop").issue("app")
    entry = x509_acl(certificate=issued.certificate)
    assert entry["id"].startswith("CN=app,")
    assert x509_acl(certificate=issued.both) == entry


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CN=app, O=Shop", "CN=app,O=Shop"),
        (" cn = app ; o = Shop ", "CN=app,O=Shop"),
        ("2.5.4.3=app,OID.2.5.4.10=Shop", "CN=app,O=Shop"),
        ('O="Sue, Grabbit"', r"O=Sue\, Grabbit"),
        (r"CN=L\75\C4\8Di\C4\87", "CN=Lučić"),
        (r"CN=a\ ", r"CN=a\ "),
        (r"CN=a\\ ", r"CN=a\\"),
        ("CN=#0C0161", "CN=a"),
        ("CN=#0201FF", "CN=#0201ff"),
        ("1.2.3=#0C0161", "1.2.3=#0c0161"),
        ("CN=a + OU=b", "CN=a+OU=b"),
        ("CN=a=b", r"CN=a\=b"),
    ],
)
def test_a_subject_in_another_form_is_brought_into_that_of_servers(
    text: str, expected: str
) -> None:
    assert subjects.as_servers_write(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no subject"),
        ("app", "no subject"),
        ("/O=Shop/CN=app", "no subject"),
        ("CN=app,,O=Shop", "no subject"),
        ("CN=app,", "no subject"),
        ("CN=", "a part has no value"),
        ("E=a@b", "E is none of CN, C, L"),
        ("EMAILADDRESS=a@b,CN=x", "EMAILADDRESS is none of"),
        ("1.2.3=a", r"1.2.3 is none of"),
        ("1.2.3=#0c02", "behind a # is no value"),
        ("1.2.3=#0c0161ff", "behind a # is no value"),
        ("CN=#xx", "behind a # is no value"),
        ("CN=#", "behind a # is no value"),
        ("CN=a\\", "ends with a backslash"),
        ("CN=\\ff", "not UTF-8"),
        ('CN=a"b', "a quote is in the middle"),
    ],
)
def test_a_text_that_is_no_subject_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        x509_acl(text)


@given(st.text(min_size=1).filter(lambda text: text.isprintable() and "\r" not in text))
def test_any_text_is_escaped_so_that_it_is_read_again(text: str) -> None:
    written = subjects._escaped(text)
    assert subjects.as_servers_write(f"CN={written},O=x") == f"CN={written},O=x"


@given(st.text(st.sampled_from('CN=ab,+;"\\ #0fé\0'), max_size=30))
def test_any_text_is_a_subject_or_an_error_and_stays_as_it_is_written(text: str) -> None:
    try:
        written = subjects.as_servers_write(text)
    except ValueError:
        return
    assert subjects.as_servers_write(written) == written


WHOLE = certificate(SUBJECTS["CN=app,O=Shop"])


@given(st.data())
def test_a_spoilt_certificate_is_read_or_an_error(data: st.DataObject) -> None:
    from base64 import b64decode, b64encode

    der = bytearray(b64decode(b"".join(WHOLE.split(b"\n")[1:-2])))
    for _ in range(data.draw(st.integers(1, 3))):
        der[data.draw(st.integers(0, 150))] = data.draw(st.integers(0, 255))
    del der[data.draw(st.integers(0, len(der))) :]
    pem = b"-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n" % b64encode(der)
    try:
        assert "=" in subjects.of_certificate(pem)
    except ValueError:
        pass  # and no other error


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: b"", "there is no certificate in PEM form"),
        (lambda: WHOLE.replace(b"CERTIFICATE", b"PRIVATE KEY"), "there is no certificate"),
        (lambda: WHOLE.replace(b"\n", b"", 3)[:-200] + b"\n-----END", "cannot be read"),
        (lambda: certificate(name()), "has no subject"),
        (
            lambda: certificate(name((NameOID.COMMON_NAME, "a", _ASN1Type.BMPString))),
            "CN is in an old kind of characters",
        ),
    ],
)
def test_a_file_without_a_usable_subject_is_named(
    tmp_path: Path, make: Callable[[], bytes], words: str
) -> None:
    file = tmp_path / "client.pem"
    file.write_bytes(make())
    with pytest.raises(ValueError, match=words) as caught:
        x509_acl(certificate=file)
    assert str(caught.value).startswith(f"{file}: ")


def test_text_that_looks_like_a_certificate_is_read_in_linear_time() -> None:
    """With 1,000 times the length of what takes seconds in a quadratic search."""
    begin = b"-----BEGIN CERTIFICATE-----"
    for text in (begin + b"\n" * 16_000_000, (begin + b"\n") * 500_000, begin * 500_000):
        with pytest.raises(ValueError, match="there is no certificate in PEM form"):
            subjects.of_certificate(text)
    with pytest.raises(ValueError, match="cannot be read"):
        subjects.of_certificate(begin + b"\n" * 1000 + b"-----END CERTIFICATE-----")


def test_a_certificate_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none\.pem: the certificate cannot be read: No such"):
        x509_acl(certificate=tmp_path / "none.pem")
    for both in ({}, {"subject": "CN=a", "certificate": "b"}):
        with pytest.raises(ValueError, match="either a subject is needed or a certificate"):
            x509_acl(**both)
