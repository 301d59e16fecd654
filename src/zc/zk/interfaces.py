"""Interfaces for the component architecture; needs zope.interface."""

from zope.interface import Interface


class IMonitorPlugin(Interface):  # type: ignore[misc]
    """A command of the line server, registered as a utility under its name."""

    def __call__(connection, *arguments):  # type: ignore
        """Write an answer by `connection.write(text)`. `help` tells the docstring."""
