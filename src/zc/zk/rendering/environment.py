"""The environment of templates: Jinja2's sandbox, in which nothing goes on for ever.

A template is as trusted as the settings that name it, and its mistakes must not hold up other
files: so loops, calls and inclusions look at a clock, and texts and lists do not become longer by
arithmetic than a file may be.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from jinja2 import Template, nodes, pass_environment
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import TemplateRuntimeError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from zc.zk.patterns import pattern
from zc.zk.spans import in_words

# Characters of a text, and members of a list. No file that a service reads has so many.
MAX_TEXT = 64 << 20

# For a text; a tree of 200,000 nodes takes a few.
MAX_SECONDS = 60.0

# Bits of a power. Python takes hours for what `9**9**9` is, and cannot be interrupted.
_MAX_BITS = 100_000

# A width, or a precision, of so many digits makes a text that is too long.
_WIDE = pattern(r"%[^a-zA-Z%]*(?:[0-9]{7}|\*)")

# Methods of text whose first argument is the length of what they return.
_TO_WIDTH = frozenset({"center", "ljust", "rjust", "zfill", "expandtabs"})

_LOOP = "in time"


class Expired(TemplateRuntimeError):
    """The time is over in which a text has to be made."""


class Interrupted(TemplateRuntimeError):
    """Nobody wants the text any more."""


class _Generator(CodeGenerator):
    """Has each loop go by the clock."""

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:
        for loop in list(node.find_all(nodes.For)):
            checked = nodes.Filter(loop.iter, _LOOP, [], [], None, None, lineno=loop.lineno)
            loop.iter = checked.set_environment(self.environment)
        super().visit_Template(node, frame)


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """An environment for one template, and those that it includes, in one thread at a time."""

    code_generator_class = _Generator
    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.filters[_LOOP] = _in_time
        self._until = float("inf")
        self._is_over: Callable[[], bool] = lambda: False

    def begin(self, is_over: Callable[[], bool]) -> None:
        """Begin a text, which has to be made before MAX_SECONDS are over, or `is_over` is true."""
        self._until = time.monotonic() + MAX_SECONDS
        self._is_over = is_over

    def look(self) -> None:
        """Raise Expired, or Interrupted, if it is time."""
        if self._is_over():
            raise Interrupted("it is ended, as this process ends")
        if time.monotonic() > self._until:
            raise Expired(f"it takes longer than {in_words(MAX_SECONDS)}, and is given up")

    def get_template(self, *args: Any, **words: Any) -> Template:
        self.look()
        return super().get_template(*args, **words)

    # Jinja2 passes the words of the call along, which may have any names but these.
    def call(
        __self,
        __context: Context,
        __obj: Any,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        __self.look()
        if args and getattr(__obj, "__name__", None) in _TO_WIDTH:
            _check_length(args[0])
        return super().call(__context, __obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "*":
            _check_product(left, right)
            _check_product(right, left)
        elif operator == "+" and hasattr(left, "__len__") and hasattr(right, "__len__"):
            _check_length(len(left) + len(right))
        elif operator == "**" and isinstance(left, int) and isinstance(right, int):
            if left.bit_length() * right > _MAX_BITS:
                raise TemplateRuntimeError("the number is too large")
        elif operator == "%" and isinstance(left, str) and _WIDE.search(left):
            raise TemplateRuntimeError("a width, or a precision, is too large")
        return super().call_binop(context, operator, left, right)


class _InTime:
    """The members that a loop goes through, with a look at the clock before each turn."""

    def __init__(self, environment: BoundedEnvironment, members: Iterable[Any]) -> None:
        self._environment = environment
        self._members = members

    def __len__(self) -> int:
        return len(self._members)  # type: ignore[arg-type]  # if it has a length, as Jinja2 asks

    def __iter__(self) -> Iterator[Any]:
        for each in self._members:
            self._environment.look()
            yield each


@pass_environment
def _in_time(environment: BoundedEnvironment, members: Iterable[Any]) -> _InTime:
    return _InTime(environment, members)


def _check_product(sequence: Any, count: Any) -> None:
    if isinstance(count, int) and hasattr(sequence, "__len__"):
        _check_length(len(sequence) * count)


def _check_length(length: Any) -> None:
    if isinstance(length, int) and length > MAX_TEXT:
        raise TemplateRuntimeError(f"it has more than {MAX_TEXT} characters, or members")
