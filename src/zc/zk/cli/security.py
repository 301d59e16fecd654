"""Secured connections: TLS and SASL as options, and as variables of the environment.

An option comes before its variable. No option takes a secret: a file does, or a variable. A
fault in any of it is told before there is a connection.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser, BooleanOptionalAction, Namespace
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from zc.zk.cli.failures import Failure, Misuse

if TYPE_CHECKING:
    from zookeeper.sasl import Mechanism
    from zookeeper.tls import TLS

# Of variables, as in `zookeeper.environment`, which is imported when there is something to do.
PREFIX = "ZC_ZK"
MECHANISMS = ("digest-md5", "gssapi")
VERSIONS = ("1.2", "1.3")

ENVIRONMENT = """\
  ZC_ZK_TLS                1 or 0, as for --tls and --no-tls
  ZC_ZK_TLS_CA             as for --tls-ca; there is one for each option of TLS
  ZC_ZK_TLS_KEY_PASSWORD   the password of the key itself
  ZC_ZK_SASL               as for --sasl, or none
  ZC_ZK_SASL_PRINCIPAL     as for --sasl-principal; there is one for each option of SASL
  ZC_ZK_SASL_CREDENTIAL    the USER:PASSWORD for digest-md5 itself
"""

_TLS = "tls_"
_SASL = "sasl_"
_OF_DIGEST = ("credentials_file",)


def add_security_arguments(parser: ArgumentParser) -> None:
    """Add arguments that say how a connection is secured."""
    group = parser.add_argument_group(
        "TLS and SASL", "An option comes before the variable of the same name, as ZC_ZK_TLS_CA is."
    )

    def add(option: str, help: str, **kwargs: Any) -> None:
        group.add_argument(option, help=help, **kwargs)

    def add_switch(option: str, help: str) -> None:
        add(option, help, action=BooleanOptionalAction, default=None)

    add_switch("--tls", "connect by TLS, as any option of it does; or do not")
    add(
        "--tls-ca",
        "trust the authorities in this PEM file, or folder of hashed names (default: the system's)",
        metavar="FILE",
    )
    add("--tls-certificate", "show servers the certificate in this PEM file", metavar="FILE")
    add("--tls-key", "its key (default: it is in the same file)", metavar="FILE")
    add("--tls-key-password-file", "the password of the key is in this file", metavar="FILE")
    add("--tls-server-hostname", "servers' certificates have to be for this name", metavar="NAME")
    add("--tls-minimum-version", "refuse older versions (default: 1.2)", choices=VERSIONS)
    add_switch("--tls-check-hostname", "without: take any holder of a certificate for the server")
    add_switch("--tls-verify", "without: take any machine that answers for the server")
    group.add_argument(
        "--sasl",
        type=str.lower,
        choices=MECHANISMS,
        help="log in by a password, or by Kerberos, on each connection",
    )
    group.add_argument(
        "--no-sasl", dest="sasl", action="store_const", const="none", help="do not log in by SASL"
    )
    add(
        "--sasl-credentials-file",
        "a file with a line USER:PASSWORD, for digest-md5",
        metavar="FILE",
    )
    add("--sasl-service", "the servers' service, for gssapi (default: zookeeper)", metavar="NAME")
    add(
        "--sasl-principal",
        "who you are, for gssapi (default: as in the ticket, or the first in the keytab)",
        metavar="NAME",
    )
    add("--sasl-keytab", "a file with your keys, for gssapi, in place of a ticket", metavar="FILE")
    add("--sasl-host", "the host in the servers' principal, for gssapi", metavar="NAME")


def require_known_variables(plain: Collection[str]) -> None:
    """Raise Failure for a misspelled variable, without which nothing might be secured.

    `plain` are variables that are well known, and need no look.
    """
    if any(name.upper().startswith(PREFIX) and name not in plain for name in os.environ):
        from zookeeper.environment import require_known

        try:
            require_known(os.environ)
        except ValueError as fault:
            raise Failure(str(fault)) from fault


def tls(options: Namespace) -> TLS | None:
    """Return the settings for TLS, with their files read; None for no TLS. Raises Failure."""
    given = _given(options, _TLS)
    if options.tls is not None:
        if not options.tls and given:
            raise Misuse(f"--no-tls, and an option for TLS: {_option(_TLS, given)}")
        given["tls"] = options.tls
    if not (given or _is_set("ZC_ZK_TLS")):
        return None
    from zookeeper.environment import tls_arguments
    from zookeeper.tls import TLS

    try:
        arguments = tls_arguments(os.environ, given)
    except ValueError as fault:
        raise Failure(str(fault)) from fault
    if arguments is None:
        return None
    try:
        settings = TLS(**arguments)
    except ValueError as fault:
        raise Failure(f"TLS: {fault}") from fault
    try:
        settings.configuration()
    except ValueError as fault:
        raise Failure(str(fault)) from fault
    return settings


def sasl(options: Namespace) -> Mechanism | None:
    """Return the mechanism to log in by, or None. Raises Failure."""
    given = _given(options, _SASL)
    if options.sasl == "none" and given:
        raise Misuse(f"--no-sasl, and an option for SASL: {_option(_SASL, given)}")
    if options.sasl is not None:
        given["sasl"] = options.sasl
    if not (given or _is_set("ZC_ZK_SASL")):
        return None
    from zookeeper.environment import DIGEST_MD5, sasl_arguments
    from zookeeper.sasl import mechanism_of

    try:
        chosen = sasl_arguments(os.environ, given)
        for name in given:
            if chosen and name != "sasl" and (name in _OF_DIGEST) != (chosen[0] == DIGEST_MD5):
                raise Misuse(f"{_option(_SASL, [name])} is of no use for {chosen[0]}")
        return None if chosen is None else mechanism_of(*chosen)
    except (ImportError, ValueError) as fault:
        raise Failure(str(fault)) from fault


def _given(options: Namespace, prefix: str) -> dict[str, Any]:
    """Return the settings among options, without their prefix."""
    return {
        name.removeprefix(prefix): value
        for name, value in vars(options).items()
        if name.startswith(prefix) and value is not None
    }


def _option(prefix: str, given: Any) -> str:
    """Return the first of the settings, as it was typed."""
    return "--" + f"{prefix}{next(iter(given))}".replace("_", "-")


def _is_set(prefix: str) -> bool:
    return any(name.startswith(prefix) for name in os.environ)
