"""Settings for TLS and SASL come from variables, and options come before these."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import pytest

from zc.zk import SASL, TLS
from zc.zk.cli import connect, serversecurity
from zookeeper.environment import credential_in, sasl_arguments, tls_arguments

pytestmark = pytest.mark.quick


def variables(prefix: str, **settings: str) -> dict[str, str]:
    return {f"{prefix}_{name}" if name != "SWITCH" else prefix: v for name, v in settings.items()}


def tls_variables(**settings: str) -> dict[str, str]:
    return variables("ZC_ZK_TLS", **settings)


def sasl_variables(**settings: str) -> dict[str, str]:
    return variables("ZC_ZK_SASL", **settings)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.touch(0o600)
    return file


@pytest.mark.parametrize(
    ("environ", "given", "arguments"),
    [
        ({}, {}, None),
        ({"PATH": "/bin", "ZC_ZK_CONNECTION_STRING": "h:1"}, {}, None),
        ({"ZC_ZK_CREDENTIALS_FILE": "f", "ZC_ZK_CREDENTIAL": "digest:a:b"}, {}, None),
        # Kubernetes sets such variables for a service that is called zc-zk.
        ({"ZC_ZK_PORT": "tcp://10.0.0.1:2181", "ZC_ZK_SERVICE_HOST": "10.0.0.1"}, {}, None),
        ({"ZC_ZK_TLSCA": "", "ZC_ZK_HOME": "/opt"}, {}, None),
        (tls_variables(SWITCH="1"), {}, {}),
        (tls_variables(SWITCH="yes"), {}, {}),
        (tls_variables(SWITCH="off"), {}, None),
        (tls_variables(SWITCH=""), {}, None),
        (tls_variables(CA="a", SWITCH=""), {}, {"ca": "a"}),
        (tls_variables(CA="a", SWITCH="0"), {}, None),
        (tls_variables(CA=""), {}, None),
        (
            tls_variables(
                CA="a", CERTIFICATE="c", KEY="k", KEY_PASSWORD="p", SERVER_HOSTNAME="h",
                MINIMUM_VERSION="1.3", CHECK_HOSTNAME="0", VERIFY="False",
            ),
            {},
            {
                "ca": "a", "certificate": "c", "key": "k", "key_password": b"p",
                "server_hostname": "h", "minimum_version": "1.3", "check_hostname": False,
                "verify": False,
            },
        ),
        # Options come first.
        (tls_variables(SWITCH="1", CA="a"), {"tls": False}, None),
        (tls_variables(SWITCH="0", CA="a"), {"tls": True}, {"ca": "a"}),
        (tls_variables(SWITCH="0", CA="a"), {"verify": False}, {"ca": "a", "verify": False}),
        (
            tls_variables(CA="a", VERIFY="0"),
            {"ca": "b", "verify": True},
            {"ca": "b", "verify": True},
        ),
        # A key belongs to its certificate.
        (tls_variables(CERTIFICATE="c", KEY="k"), {"certificate": "d"}, {"certificate": "d"}),
        (
            tls_variables(CERTIFICATE="c", KEY="k"),
            {"key": "l"},
            {"certificate": "c", "key": "l"},
        ),
    ],
)  # fmt: skip
def test_arguments_for_tls(
    environ: dict[str, str], given: dict[str, Any], arguments: dict[str, Any] | None
) -> None:
    assert tls_arguments(environ, given) == arguments


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        (tls_variables(SWITCH="maybe"), "ZC_ZK_TLS: neither 1 nor 0: 'maybe'"),
        (tls_variables(VERIFY="2"), "ZC_ZK_TLS_VERIFY: neither 1 nor 0: '2'"),
        (tls_variables(CERT="c"), "ZC_ZK_TLS_CERT: there is no such setting, but: ZC_ZK_TLS_CA,"),
        (tls_variables(ca="c"), "ZC_ZK_TLS_ca: there is no such setting"),
        ({"ZC_ZK_TLSCA": "c"}, "ZC_ZK_TLSCA: there is no such setting, but: ZC_ZK_CONNECTION_STR"),
        ({"ZC_ZK_tls_ca": "c"}, "ZC_ZK_tls_ca: there is no such setting"),
        ({"zc_zk_tls": "1"}, "zc_zk_tls: there is no such setting"),
        ({"ZC_ZK_TSL": "1"}, "ZC_ZK_TSL: there is no such setting"),
        ({"ZC_ZK_SSL_CA": "c"}, "ZC_ZK_SSL_CA: there is no such setting"),
        ({"ZC_ZK_SASLE": "gssapi"}, "ZC_ZK_SASLE: there is no such setting"),
        ({"ZC_ZK_CREDENTIALS": "f"}, "ZC_ZK_CREDENTIALS: there is no such setting"),
        ({"ZC_ZK_CREDENTIAL_FILE": "f"}, "ZC_ZK_CREDENTIAL_FILE: there is no such setting"),
        ({"ZC_ZK_CONNECTION": "h:1"}, "ZC_ZK_CONNECTION: there is no such setting"),
        (tls_variables(KEY_PASSWORD="p", KEY_PASSWORD_FILE="f"), "ZC_ZK_TLS_KEY_PASSWORD and ZC_"),
        (tls_variables(KEY_PASSWORD_FILE="/none"), "/none: it cannot be read: No such file or"),
        (tls_variables(KEY_PASSWORD_FILE="/"), "/: it cannot be read: Is a directory"),
        (tls_variables(KEY_PASSWORD_FILE="/dev/zero"), "/dev/zero: more than 65536 bytes are no"),
        (tls_variables(KEY="k"), "ZC_ZK_TLS: a key is of no use without its certificate"),
        (tls_variables(MINIMUM_VERSION="1.1"), "ZC_ZK_TLS: minimum_version is '1.2' or '1.3', not"),
    ],
)
def test_a_bad_variable_of_tls_is_named(environ: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(words)}"):
        TLS.from_environment(environ)


def test_the_settings_of_an_environment_are_an_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZC_ZK_TLS_CA", "/etc/ca.pem")
    assert repr(TLS.from_environment()) == "TLS(ca='/etc/ca.pem')"
    monkeypatch.setenv("ZC_ZK_TLS", "0")
    assert TLS.from_environment() is None
    monkeypatch.setenv("ZC_ZK_SASL", "digest-md5")
    monkeypatch.setenv("ZC_ZK_SASL_CREDENTIAL", "alice:hidden")
    mechanism = SASL.from_environment()
    assert mechanism is not None
    assert mechanism.name == "DIGEST-MD5"
    assert "hidden" not in repr(mechanism)
    monkeypatch.setenv("ZC_ZK_SASL", "none")
    assert SASL.from_environment() is None


@pytest.mark.parametrize(
    ("content", "password"),
    [(b"p\n", b"p"), (b"p", b"p"), (b" p:q \r\n", b" p:q "), (b"\xff", b"\xff"), (b"#p", b"#p")],
)
def test_the_password_of_a_key_is_a_line_of_a_file(
    secret: Path, content: bytes, password: bytes
) -> None:
    secret.write_bytes(content)
    environ = tls_variables(CERTIFICATE="c", KEY_PASSWORD="former")
    given = {"key_password_file": str(secret)}
    assert tls_arguments(environ, given) == {"certificate": "c", "key_password": password}


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "there is no password"), (b"\n", "there is no password"), (b"p\nq\n", "a single line")],
)
def test_a_file_that_has_no_password_is_named(secret: Path, content: bytes, words: str) -> None:
    secret.write_bytes(content)
    with pytest.raises(ValueError, match=words) as caught:
        tls_arguments(tls_variables(KEY_PASSWORD_FILE=str(secret)))
    assert str(caught.value).startswith(f"{secret}: ")


def test_a_file_that_all_can_read_is_warned_of(
    secret: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret.write_text("alice:hidden\n")
    environ = sasl_variables(SWITCH="digest-md5", CREDENTIALS_FILE=str(secret))
    with caplog.at_level(logging.WARNING):
        sasl_arguments(environ)
        assert caplog.messages == []
        secret.chmod(0o644)
        sasl_arguments(environ)
    assert caplog.messages == [f"{secret}: everybody on this machine can read what is in it"]


@pytest.mark.parametrize(
    ("environ", "given", "chosen"),
    [
        ({}, {}, None),
        (sasl_variables(SWITCH=""), {}, None),
        (sasl_variables(SWITCH="none", CREDENTIAL="a:b"), {}, None),
        (sasl_variables(SWITCH="gssapi"), {"sasl": "none"}, None),
        (sasl_variables(SWITCH="GSSAPI"), {}, ("gssapi", {})),
        (
            sasl_variables(SWITCH="gssapi", SERVICE="zk", PRINCIPAL="a@R", KEYTAB="f", HOST="h"),
            {"principal": "b@R"},
            ("gssapi", {"service": "zk", "principal": "b@R", "keytab": "f", "host": "h"}),
        ),
        (
            sasl_variables(SWITCH="gssapi", CREDENTIAL="a:b:c"),
            {"sasl": "digest-md5"},
            ("digest-md5", {"user": "a", "password": "b:c"}),
        ),
        (
            sasl_variables(SWITCH="digest-md5", CREDENTIAL="a:b", PRINCIPAL="p"),
            {},
            ("digest-md5", {"user": "a", "password": "b"}),
        ),
    ],
)
def test_arguments_for_sasl(
    environ: dict[str, str], given: dict[str, Any], chosen: tuple[str, dict[str, Any]] | None
) -> None:
    assert sasl_arguments(environ, given) == chosen


def test_a_file_of_credentials_comes_before_a_variable(secret: Path) -> None:
    secret.write_text("\ufeff# who I am\n\nbob:p q\u2028:r \n", encoding="utf-8")
    environ = sasl_variables(SWITCH="digest-md5", CREDENTIAL="alice:x")
    chosen = sasl_arguments(environ, {"credentials_file": secret})
    assert chosen == ("digest-md5", {"user": "bob", "password": "p q\u2028:r "})


@pytest.mark.parametrize(
    ("content", "user", "password"),
    [
        ("shop:secret", "shop", "secret"),
        ("\ufeffshop:secret\r\n", "shop", "secret"),
        ("# of the shop\n\n  \r\nshop:secret \n", "shop", "secret "),
        (" shop:\tsecret\n", " shop", "\tsecret"),
        ("shop:a\u2028b\x0bc\x85d:e\r\r\n", "shop", "a\u2028b\x0bc\x85d:e\r"),
        ("shop:#secret\n", "shop", "#secret"),
    ],
)
def test_a_file_says_the_same_to_a_client_and_to_a_server(
    secret: Path, caplog: pytest.LogCaptureFixture, content: str, user: str, password: str
) -> None:
    secret.write_text(content, encoding="utf-8", newline="")
    assert credential_in(secret) == (user, password)
    assert serversecurity.users(str(secret)) == {user: password}
    has_blanks = (user, password) != (user.strip(), password.strip())
    told = f"{secret}: line {content.count(chr(10)) or 1} begins or ends with a blank, which counts"
    assert caplog.messages.count(told) == (2 if has_blanks else 0)
    assert not any(password.strip() in line.removeprefix(str(secret)) for line in caplog.messages)
    secret.write_text(content.replace("shop:", "digest:shop:", 1), encoding="utf-8", newline="")
    if user == "shop":
        assert connect.credentials(str(secret)) == [("digest", f"{user}:{password}")]


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        (sasl_variables(SWITCH="plain"), "ZC_ZK_SASL: 'plain' is none of digest-md5, gssapi, none"),
        (sasl_variables(CREDENTIAL="a:hidden"), "there are settings for SASL, and no mechanism"),
        (sasl_variables(SWITCH="digest-md5"), "digest-md5 needs a user and a password, in ZC_ZK_"),
        (sasl_variables(PASSWORD="hidden"), "ZC_ZK_SASL_PASSWORD: there is no such setting, but:"),
        *(
            (
                sasl_variables(SWITCH="digest-md5", CREDENTIAL=bad),
                "ZC_ZK_SASL_CREDENTIAL: not of the form USER:PASSWORD",
            )
            for bad in ("hidden", "hidden:", ":hidden")
        ),
        (
            sasl_variables(SWITCH="digest-md5", CREDENTIAL="a:hidden", CREDENTIALS_FILE="f"),
            "ZC_ZK_SASL_CREDENTIAL and ZC_ZK_SASL_CREDENTIALS_FILE are set",
        ),
        (
            sasl_variables(SWITCH="digest-md5", CREDENTIALS_FILE="/none"),
            "/none: it cannot be read: No such file or directory",
        ),
    ],
)
def test_a_bad_variable_of_sasl_is_named_and_no_secret(environ: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(words)}") as caught:
        SASL.from_environment(environ)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "0 lines are there, and one"),
        (b"a:hidden\nb:hidden\n", "2 lines are there, and one"),
        (b"hidden\n", "not of the form USER:PASSWORD"),
        (b"a:hidden\xff\n", "it is not UTF-8 text"),
    ],
)
def test_a_file_that_has_no_credential_is_named(secret: Path, content: bytes, words: str) -> None:
    secret.write_bytes(content)
    told = re.escape(f"{secret}: {words}")
    with pytest.raises(ValueError, match=f"^{told}") as caught:
        sasl_arguments({}, {"sasl": "digest-md5", "credentials_file": str(secret)})
    assert "hidden" not in str(caught.value)
