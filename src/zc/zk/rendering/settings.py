"""The templates to be rendered, from a file in TOML; errors name the file, template and key."""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

from zc.zk.rendering.faults import SettingsError
from zc.zk.spans import MIN_SECONDS, seconds_of

# A device may have no end.
MAX_BYTES = 1 << 20

# A command line for the shell, or a program with its arguments.
HookCommand = str | tuple[str, ...]


class TemplateSettings(NamedTuple):
    """A template, the file that is made of it, and what is done then; None is the default."""

    source: str
    output: str
    check: HookCommand | None = None
    exec: HookCommand | None = None
    exec_timeout: float | None = None
    retries: int | None = None
    debounce: float | None = None
    debounce_max: float | None = None
    interval: float | None = None
    hold: float | None = None
    variables: Mapping[str, object] = {}


class Settings(NamedTuple):
    """The servers, None if they are told elsewhere, and the templates."""

    connection: str | None
    templates: Sequence[TemplateSettings]


def read(file: str) -> Settings:
    """Read a file of settings. Raises SettingsError."""
    try:
        with open(file, "rb") as opened:
            content = opened.read(MAX_BYTES + 1).decode()
    except OSError as fault:
        raise SettingsError(f"{file}: {fault.strerror}") from fault
    except UnicodeDecodeError as fault:
        raise SettingsError(f"{file}: not UTF-8: {fault}") from fault
    if len(content) > MAX_BYTES:
        raise SettingsError(f"{file}: more than {MAX_BYTES} bytes are no settings")
    return parse(content, file)


def parse(content: str, file: str) -> Settings:
    """Return the settings in a text. Relative paths are relative to the folder of `file`."""
    try:
        members = _loads(content)
    except ValueError as fault:
        raise SettingsError(f"{file}: {fault}") from fault
    entries = members.pop("template", None)
    if not isinstance(entries, list) or not entries:
        raise SettingsError(f"{file}: there is no [[template]]")
    connection = members.pop("connection", None)
    if connection is not None:
        connection = _text(f"{file}: connection", connection)
    general = _read_members(file, members, {**_GENERAL, "connection": _text, "template": _text})
    templates = []
    for number, entry in enumerate(entries, 1):
        where = f"{file}: template {number}"
        if not isinstance(entry, dict):
            raise SettingsError(f"{where}: not a table, [[template]]")
        templates.append(_template(where, file, general, entry))
    _check_outputs(file, templates)
    return Settings(connection, templates)


def _template(
    where: str, file: str, general: Mapping[str, Any], entry: Mapping[str, Any]
) -> TemplateSettings:
    own = _read_members(where, entry, _OF_ONE)
    for key in ("source", "output"):
        if key not in own:
            raise SettingsError(f"{where}: {key} is missing")
        own[key] = os.path.join(os.path.dirname(file) or os.curdir, own[key])
    variables = {**general.get("variables", {}), **own.get("variables", {})}
    found = TemplateSettings(**{**general, **own, "variables": variables})
    if (
        found.debounce is not None
        and found.debounce_max is not None
        and found.debounce_max < found.debounce
    ):
        raise SettingsError(f"{where}: debounce-max: it is less than debounce")
    return found


def _check_outputs(file: str, templates: Sequence[TemplateSettings]) -> None:
    read = {
        os.path.realpath(template.source): f"the source of template {number}"
        for number, template in enumerate(templates, 1)
    }
    read[os.path.realpath(file)] = "this file"
    known: dict[str, int] = {}
    for number, template in enumerate(templates, 1):
        place = os.path.realpath(template.output)
        if place in read:
            raise SettingsError(f"{file}: template {number}: output: it is {read[place]}")
        former = known.setdefault(place, number)
        if former != number:
            raise SettingsError(
                f"{file}: template {number}: output: it is that of template {former}"
            )


def _read_members(
    where: str, members: Mapping[str, Any], readers: Mapping[str, Callable[[str, Any], Any]]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in members.items():
        if key not in readers:
            close = get_close_matches(key, readers, 1)
            hint = f" (did you mean {close[0]}?)" if close else f", but: {', '.join(readers)}"
            raise SettingsError(f"{where}: {key}: there is no such key{hint}")
        found[key.replace("-", "_")] = readers[key](f"{where}: {key}", value)
    return found


def _text(where: str, value: object) -> str:
    if not isinstance(value, str):
        raise SettingsError(f"{where}: not a text, in quotes")
    if not value or "\0" in value:
        raise SettingsError(f"{where}: the text is empty, or has a null character")
    return value


def _command(where: str, value: object) -> HookCommand:
    if isinstance(value, list) and value:
        return tuple(_text(where, word) for word in value)
    if isinstance(value, str):
        return _text(where, value)
    raise SettingsError(f"{where}: neither a command line nor a list of words")


def _pause(where: str, value: object) -> float:
    return _span(where, value, least=0.0)


def _span(where: str, value: object, *, least: float = MIN_SECONDS) -> float:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise SettingsError(f"{where}: not a time, such as '90s'")
    try:
        return seconds_of(str(value), least=least)
    except ValueError as fault:
        raise SettingsError(f"{where}: {fault}") from None


def _number(where: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise SettingsError(f"{where}: not a number from 0 on")
    return value


def _variables(where: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SettingsError(f"{where}: not a table")
    return value


_GENERAL: dict[str, Callable[[str, Any], Any]] = {
    "check": _command,
    "exec": _command,
    "exec-timeout": _span,
    "retries": _number,
    "debounce": _pause,
    "debounce-max": _pause,
    "interval": _pause,
    "hold": _pause,
    "variables": _variables,
}
_OF_ONE = {"source": _text, "output": _text, **_GENERAL}


def _loads(content: str) -> dict[str, Any]:
    # Python 3.10 has none of its own.
    name = "tomllib" if sys.version_info >= (3, 11) else "tomli"
    try:
        toml = importlib.import_module(name)
    except ImportError as missing:
        raise SettingsError(f"settings take {name}: pip install 'zc.zk[render]'") from missing
    members: dict[str, Any] = toml.loads(content)
    return members
