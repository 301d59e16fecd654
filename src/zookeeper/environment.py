"""Settings of secured sessions in environment variables, for programs that ask for them.

Nothing here is called unless a program does so, by `TLS.from_environment` or
`SASL.from_environment`, or a command. Variables are named after the arguments: `ZC_ZK_TLS_CA` is
`ca`. An empty one counts as none. A misspelled one is an error: to go on without it could be to go
on without a protection.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import Any, Final

from zookeeper.regularfiles import StrPath
from zookeeper.secretfiles import credential_lines, password_in, secret_in

PREFIX: Final = "ZC_ZK"
TLS_PREFIX: Final = "ZC_ZK_TLS"
SASL_PREFIX: Final = "ZC_ZK_SASL"

DIGEST_MD5: Final = "digest-md5"
GSSAPI: Final = "gssapi"
NO_MECHANISM: Final = "none"

_TLS_TEXTS = (
    "ca", "certificate", "key", "key_password", "key_password_file", "server_hostname",
    "minimum_version",
)  # fmt: skip
_TLS_SWITCHES = ("check_hostname", "verify")
_GSSAPI_NAMES = ("service", "principal", "keytab", "host")
_SASL_NAMES = ("credential", "credentials_file", *_GSSAPI_NAMES)

# The others, which commands and clients know, and the first words of all that secure something.
CONNECTION_VARIABLE: Final = "ZC_ZK_CONNECTION_STRING"
CREDENTIALS_VARIABLE: Final = "ZC_ZK_CREDENTIALS_FILE"
CREDENTIAL_VARIABLE: Final = "ZC_ZK_CREDENTIAL"
_PLAIN = (CONNECTION_VARIABLE, CREDENTIALS_VARIABLE, CREDENTIAL_VARIABLE)
_STEMS = ("TLS", "SASL", "CREDENTIAL", "CONNECTION")

# How like a known word another one has to be to be taken for it, by `difflib`. Words that others
# use behind our prefix are not: Kubernetes sets ZC_ZK_PORT for a service called `zc-zk`.
MIN_LIKENESS = 0.6

_SWITCHES = {
    "1": True, "yes": True, "true": True, "on": True,
    "0": False, "no": False, "false": False, "off": False,
}  # fmt: skip


def tls_arguments(
    environ: Mapping[str, str], given: Mapping[str, Any] | None = None
) -> dict[str, Any] | None:
    """Return the arguments for `TLS`, or None where there is to be none.

    `given` has what comes before the variables: `tls`, True or False, and arguments of `TLS` by
    name, with `key_password_file` for the password. Raises ValueError, which names the variable or
    the file.
    """
    given = given or {}
    found: dict[str, Any] = _variables(environ, TLS_PREFIX, (*_TLS_TEXTS, *_TLS_SWITCHES))
    for name in _TLS_SWITCHES:
        if name in found:
            found[name] = _switch(f"{TLS_PREFIX}_{name.upper()}", found[name])
    if not _is_wanted(environ, given, found):
        return None
    if "certificate" in given:
        found.pop("key", None)  # it belongs to another certificate
    if "key_password_file" in given:
        found.pop("key_password", None)
    arguments = {**found, **{name: value for name, value in given.items() if name != "tls"}}
    file = arguments.pop("key_password_file", None)
    if file is not None:
        if "key_password" in arguments:
            raise ValueError(
                f"{TLS_PREFIX}_KEY_PASSWORD and {TLS_PREFIX}_KEY_PASSWORD_FILE are set"
            )
        arguments["key_password"] = password_in(file)
    elif "key_password" in arguments:
        arguments["key_password"] = os.fsencode(arguments["key_password"])  # whatever its bytes
    return arguments


def _is_wanted(
    environ: Mapping[str, str], given: Mapping[str, Any], found: Mapping[str, Any]
) -> bool:
    """Return whether there is to be TLS. Any setting of it asks for it."""
    if "tls" in given:
        return bool(given["tls"])
    if given:
        return True
    switch = environ.get(TLS_PREFIX)
    return _switch(TLS_PREFIX, switch) if switch else bool(found)


def sasl_arguments(
    environ: Mapping[str, str], given: Mapping[str, Any] | None = None
) -> tuple[str, dict[str, Any]] | None:
    """Return a mechanism and the arguments for its constructor, or None for no SASL.

    `given` has what comes before the variables: `sasl`, the mechanism or 'none', and arguments by
    name, with `credentials_file` for user and password. Raises ValueError, which names the variable
    or the file.
    """
    given = given or {}
    found: dict[str, Any] = _variables(environ, SASL_PREFIX, _SASL_NAMES)
    mechanism = given.get("sasl") or environ.get(SASL_PREFIX, "").lower()
    if mechanism == NO_MECHANISM:
        return None
    if not mechanism:
        if not (given or found):
            return None
        raise ValueError(
            f"there are settings for SASL, and no mechanism: {SASL_PREFIX} is {DIGEST_MD5},"
            f" {GSSAPI} or {NO_MECHANISM}"
        )
    settings = {**found, **given}
    if mechanism == GSSAPI:
        return GSSAPI, {name: settings[name] for name in _GSSAPI_NAMES if name in settings}
    if mechanism != DIGEST_MD5:
        raise ValueError(
            f"{SASL_PREFIX}: {mechanism!r} is none of {DIGEST_MD5}, {GSSAPI}, {NO_MECHANISM}"
        )
    user, password = _user_and_password(given, found)
    return DIGEST_MD5, {"user": user, "password": password}


def _user_and_password(given: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[str, str]:
    file, variable = f"{SASL_PREFIX}_CREDENTIALS_FILE", f"{SASL_PREFIX}_CREDENTIAL"
    if "credentials_file" in given:
        return credential_in(given["credentials_file"])
    if "credentials_file" in found and "credential" in found:
        raise ValueError(f"{variable} and {file} are set")
    if "credentials_file" in found:
        return credential_in(found["credentials_file"])
    if "credential" in found:
        return _credential(found["credential"], variable)
    raise ValueError(f"{DIGEST_MD5} needs a user and a password, in {file} or {variable}")


def credential_in(file: StrPath) -> tuple[str, str]:
    """Return user and password of a file with one line, USER:PASSWORD; see `credential_lines`."""
    name = os.fspath(file)
    try:
        text = secret_in(file).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{name}: it is not UTF-8 text") from None  # the cause has the text
    lines = [line for _, line in credential_lines(text, name)]
    if len(lines) != 1:
        raise ValueError(f"{name}: {len(lines)} lines are there, and one, USER:PASSWORD, is to be")
    return _credential(lines[0], name)


def _credential(text: str, where: StrPath) -> tuple[str, str]:
    user, colon, password = text.partition(":")
    if not (user and colon and password):
        raise ValueError(f"{where}: not of the form USER:PASSWORD")
    return user, password


def _variables(environ: Mapping[str, str], prefix: str, names: Collection[str]) -> dict[str, Any]:
    """Return the settings below a prefix. Raises ValueError for one that there is not."""
    require_known(environ)
    variables = {name: f"{prefix}_{name.upper()}" for name in names}
    return {name: environ[each] for name, each in variables.items() if environ.get(each)}


def require_known(environ: Mapping[str, str]) -> None:
    """Raise ValueError for a variable that seems to be a misspelled one of ours."""
    names = {SASL_PREFIX: _SASL_NAMES, TLS_PREFIX: (*_TLS_TEXTS, *_TLS_SWITCHES)}
    settings = {prefix: [f"{prefix}_{name.upper()}" for name in names[prefix]] for prefix in names}
    plain = [*_PLAIN, *names]
    known = {*plain, *settings[TLS_PREFIX], *settings[SASL_PREFIX]}
    for variable in sorted(name for name in environ if name.upper().startswith(PREFIX)):
        if variable in known or not environ[variable]:
            continue
        word = variable.upper().removeprefix(PREFIX).strip("_")
        if word.startswith(_STEMS) or _is_like_ours(word.partition("_")[0]):
            told = settings.get(f"{PREFIX}_{word.partition('_')[0]}", plain)
            raise ValueError(
                f"{variable}: there is no such setting, but: {', '.join(sorted(told))}"
            )


def _is_like_ours(word: str) -> bool:
    from difflib import get_close_matches  # slow, and seldom needed

    return bool(get_close_matches(word, _STEMS, 1, MIN_LIKENESS))


def _switch(variable: str, value: str) -> bool:
    try:
        return _SWITCHES[value.strip().lower()]
    except KeyError:
        raise ValueError(f"{variable}: neither 1 nor 0: {value!r}") from None
