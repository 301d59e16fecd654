"""Errors of rendering: what is wrong, and in which file and line."""

from __future__ import annotations

from zc.zk.errors import Error


class RenderError(Error):
    """A template cannot be rendered; the text is a line that names the file."""


class BadArgument(Error):
    """A function of templates cannot do anything with what it was given."""


class TooFew(Error):
    """There are fewer providers, or children, than a template needs."""

    def __init__(self, path: str, count: int, least: int, what: str) -> None:
        super().__init__(path, count, least, what)

    def __str__(self) -> str:
        path, count, least, what = self.args
        return f"{count} {what} at {path}, and {least} needed"


class Unsafe(Error):
    """A value could end a line of the file that it is written to, and begin another one."""


class SettingsError(Error):
    """A file of settings cannot be used; the text names the file and the key."""
