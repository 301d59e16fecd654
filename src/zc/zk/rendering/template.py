"""Templates of Jinja2, sandboxed; their errors name file and line."""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
import json
import math
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, NoReturn

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateNotFound,
    TemplateSyntaxError,
    Undefined,
    pass_environment,
)
from jinja2.exceptions import TemplateRuntimeError
from jinja2.filters import FILTERS

from zc.zk.naturalorder import natural_key
from zc.zk.rendering.environment import MAX_TEXT, BoundedEnvironment
from zc.zk.rendering.faults import RenderError, TooFew
from zc.zk.rendering.source import Source
from zc.zk.rendering.values import Given, Link, Node, Properties, Provider, identifier
from zookeeper.errors import ZooKeeperException

# Methods of `Given`.
_FUNCTIONS = ("tree", "children", "properties", "providers", "exists")

_WRITABLE = (str, int, float, Node, Link, Provider, Undefined)


class Rendered(NamedTuple):
    """A text, how many providers and children there were, by path, and the text as UTF-8."""

    text: str
    counts: dict[str, int]
    content: bytes


class Template:
    """A template in a file, which is read once. Others that it includes are in the same folder.

    Raises RenderError if it cannot be read, or makes no sense.
    """

    def __init__(self, file: str, variables: Mapping[str, object] | None = None) -> None:
        self.file = file
        for name in _FUNCTIONS:
            if name in (variables or {}):
                raise RenderError(f"{file}: no variable can be named {name}: it is a function")
        folder, name = os.path.split(file)
        self._folder = folder or os.curdir
        environment = BoundedEnvironment(
            loader=FileSystemLoader(self._folder),
            undefined=_Lacking,
            finalize=_written,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            auto_reload=False,
        )
        environment.filters.update(_FILTERS)
        environment.globals.update(variables or {})
        environment.policies["json.dumps_function"] = _dumps  # for |tojson
        self._environment = environment
        try:
            self._template = environment.get_template(name)
        except Exception as fault:
            self._fail(fault)

    def is_made_of(self, file: str) -> bool:
        """Say whether this template, or one that it has included so far, is in that file."""
        place = os.path.realpath(file)
        return any(
            each.filename is not None and os.path.realpath(each.filename) == place
            for each in (self._environment.cache or {}).values()
        )

    def render(self, source: Source, is_over: Callable[[], bool] = lambda: False) -> Rendered:
        """Return the text, unless `is_over`. Raises RenderError, whose cause says what is wrong."""
        given = Given(source)
        functions = {name: getattr(given, name) for name in _FUNCTIONS}
        pieces: list[str] = []
        length = 0
        self._environment.begin(is_over)
        try:
            for piece in self._template.generate(functions):
                pieces.append(piece)
                length += len(piece)
                if length > MAX_TEXT:
                    raise TemplateRuntimeError(f"the text has more than {MAX_TEXT} characters")
        except Exception as fault:
            self._fail(fault)
        text = "".join(pieces)
        return Rendered(text, given.counts, self._encoded(text))

    def _encoded(self, text: str) -> bytes:
        try:
            # Bytes of nodes that are no UTF-8 are surrogates, and become these bytes again.
            return text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as fault:
            line = text.count("\n", 0, fault.start) + 1
            raise RenderError(
                f"{self.file}: UTF-8 cannot hold {text[fault.start]!r}, in line {line} of the text"
            ) from fault

    def _fail(self, fault: Exception) -> NoReturn:
        where = self.file
        if isinstance(fault, UnicodeDecodeError):
            # Of a template, in which nothing else is decoded.
            number = fault.object.count(b"\n", 0, fault.start) + 1
            raise RenderError(f"{where}: it is no UTF-8, in line {number} of a file") from fault
        if isinstance(fault, TemplateSyntaxError):
            where = f"{fault.filename or self.file}:{fault.lineno}"
        elif (line := self._place(fault)) is not None:
            where = line
        raise RenderError(f"{where}: {_description(fault)}") from fault

    def _place(self, fault: Exception) -> str | None:
        """Return file and line of the innermost template that an exception has passed."""
        place = None
        at = fault.__traceback__
        while at is not None:
            file = at.tb_frame.f_code.co_filename
            if os.path.dirname(file) == self._folder or file == self.file:
                place = f"{file}:{at.tb_lineno}"
            at = at.tb_next
        return place


class _Lacking(StrictUndefined):
    """A thing that is not there: to write it is an error, which tells of nodes, not of Python."""

    @property
    def _undefined_message(self) -> str:
        above = self._undefined_obj
        if self._undefined_hint:
            return super()._undefined_message
        if isinstance(above, Properties):
            return f"{above} has no property {self._undefined_name!r}"
        if isinstance(above, Node):
            return f"{above.path} has neither a child nor an attribute {self._undefined_name!r}"
        return super()._undefined_message


def _description(fault: Exception) -> str:
    if isinstance(fault, TemplateNotFound):
        return f"there is no template {fault.name!r}"
    if isinstance(fault, OSError):
        return fault.strerror or str(fault)
    if isinstance(fault, RecursionError):
        return "templates include, or macros call, each other in a circle"
    told = str(fault) or type(fault).__name__
    is_plain = isinstance(fault, (RenderError, TooFew, ZooKeeperException))
    is_ours = type(fault).__module__.split(".")[0] in ("jinja2", "zc")
    return told if is_plain or is_ours else f"{type(fault).__name__}: {told}"


def _written(value: object) -> object:
    """Return a value that is to be written. Raises TemplateRuntimeError if it makes no text."""
    if value is None:
        raise TemplateRuntimeError("the value is null: |default('...', true) is for such")
    if not isinstance(value, _WRITABLE):
        if callable(value):
            raise TemplateRuntimeError("a function, not a value: x['name'] is the property")
        kind = type(value).__name__
        raise TemplateRuntimeError(f"{kind} makes no text: |json, |toyaml or |join does")
    return value


def _plain(value: object) -> object:
    """Return an object of ours as what JSON can hold."""
    if isinstance(value, Properties):
        return value._plain()
    if isinstance(value, (Node, Link, Provider)):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, (str, int, float)) or value is None:
        return value
    raise TemplateRuntimeError(f"JSON cannot hold it: {type(value).__name__}")


def _json(value: object, indent: int | None = None) -> str:
    return _dumps(value, indent=indent, sort_keys=True)


def _dumps(value: object, **words: Any) -> str:
    return json.dumps(_plain(value), **words)


def _yaml(value: object) -> str:
    try:
        import yaml
    except ImportError as missing:
        raise TemplateRuntimeError("toyaml takes PyYAML: pip install 'zc.zk[tools]'") from missing
    text: str = yaml.safe_dump(_plain(value), default_flow_style=False, sort_keys=True)
    return text


@pass_environment
def _natural(
    environment: Environment, values: Iterable[Any], attribute: str | None = None
) -> list[Any]:
    """Sort texts, or objects by a text of theirs, such that p2 comes before p10."""

    def key(value: Any) -> Any:
        # By the environment, which knows what a template may look at.
        return natural_key(
            str(value if attribute is None else environment.getattr(value, attribute))
        )

    return sorted(values, key=key)


def _int(value: object, *args: Any, **words: Any) -> object:
    """Return what Jinja2's own filter does, and the default for infinity, too, as JSON may have."""
    if isinstance(value, float) and math.isinf(value):
        value = ""
    return FILTERS["int"](value, *args, **words)


_FILTERS: dict[str, Callable[..., object]] = {
    "int": _int,
    "json": _json,
    "toyaml": _yaml,
    "natural": _natural,
    "identifier": identifier,
}
