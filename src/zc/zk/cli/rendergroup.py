"""Templates that share a command: rendered when something changes, and then the command is run.

A group has a thread of its own, so that a command that hangs holds up no other one. Within a group
one thing is done after the other.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import unified_diff
from typing import NamedTuple

from zc.zk.cli import hook
from zc.zk.cli.arguments import FILE_VARIABLE, FILES_VARIABLE
from zc.zk.cli.failures import Failure
from zc.zk.cli.renderedfile import RenderedFile
from zc.zk.cli.runplan import RunPlan, Timing
from zc.zk.errors import Error
from zc.zk.rendering.guards import Guard
from zc.zk.rendering.settings import HookCommand
from zc.zk.rendering.sources import Sources
from zc.zk.rendering.template import Template
from zc.zk.spans import in_words

# Something that waits for others is told to look again after so long, should news get lost.
LOOK_SECONDS = 60.0


class Hooks(NamedTuple):
    """The command of a group, for how long it may run, and when things are done."""

    command: HookCommand | None
    limit: float
    timing: Timing


class Target:
    """A template, the file that is made of it, and what has to accept that."""

    def __init__(
        self, template: Template, file: RenderedFile, guard: Guard, check: HookCommand | None
    ) -> None:
        self.template = template
        self.file = file
        self.guard = guard
        self.check = check
        self.told = ""


class Group:
    """Templates with the same command. `tell` writes a line for the user.

    `has_begun` is set when all have been rendered, or found to be impossible to render so far.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        hooks: Hooks,
        variables: Mapping[str, str],
        tell: Callable[[str], object],
    ) -> None:
        self.has_begun = threading.Event()
        self._targets = targets
        self._hooks = hooks
        self._variables = variables
        self._tell = tell
        self._news = threading.Condition()
        self._is_over = False
        self._rendering = RunPlan(hooks.timing._replace(retries=None))
        self._command = RunPlan(Timing(0.0, 0.0, hooks.timing.retries))

    # For other threads

    def note_change(self) -> None:
        """Note that something has changed which a template has asked for."""
        with self._news:
            self._rendering.note_change(time.monotonic())
            self._news.notify_all()

    def end(self) -> None:
        """Have `follow` end, and the command that it runs."""
        with self._news:
            self._is_over = True
            self._news.notify_all()

    # For its own thread

    def changes(self, sources: Sources) -> Iterator[str]:
        """Yield the lines of the differences that rendering would make, without a check."""
        for target in self._targets:
            content = target.template.render(sources).content
            former = target.file.content() or b""
            old, new = (each.decode("utf-8", "replace") for each in (former, content))
            path = target.file.path
            yield from unified_diff(
                old.splitlines(), new.splitlines(), path, f"{path} (new)", lineterm=""
            )

    def follow(self, sources: Sources) -> None:
        """Render, and run the command, until the end."""
        self._begin()
        self._render(sources)
        self.has_begun.set()
        while self._wait():
            if self._is_due(self._rendering):
                self._render(sources)
            if self._is_due(self._command):
                self._run_command()

    def once(self, sources: Sources) -> bool:
        """Render, and run the command if it is owed; say whether all went well."""
        self._begin()
        rendered = self._render(sources)
        attempts = 1 + (self._hooks.timing.retries or 0)
        while self._command.has_changes or self._command.is_failing:
            attempts -= 1
            if self._run_command(is_last=not attempts):
                return rendered
            left = self._command.seconds_left(time.monotonic())
            if not attempts or left is None:
                return False
            time.sleep(left)
        return rendered

    def _begin(self) -> None:
        """Owe the command that a former process owed."""
        if self._hooks.command is not None and any(each.file.is_owed for each in self._targets):
            self._command.note_change(time.monotonic())

    def _wait(self) -> bool:
        """Wait until something is due; say whether to go on."""
        with self._news:
            while not self._is_over:
                now = time.monotonic()
                plans = self._rendering, self._command
                waits = [each for plan in plans if (each := plan.seconds_left(now)) is not None]
                if waits and min(waits) <= 0:
                    return True
                self._news.wait(min([LOOK_SECONDS, *waits]))
        return False

    def _is_due(self, plan: RunPlan) -> bool:
        with self._news:
            return plan.seconds_left(time.monotonic()) == 0.0

    def _render(self, sources: Sources) -> bool:
        """Render all templates; say whether all files are as they should be."""
        with self._news:
            self._rendering.begin(time.monotonic())
        sources.begin()
        failed = False
        again: list[float] = []
        for target in self._targets:
            try:
                again += self._render_one(target, sources)
            except (Error, Failure) as fault:
                failed = True
                self._tell_once(target, f"{fault}; {_left(target)}")
        with self._news:
            now = time.monotonic()
            if failed:
                self._rendering.note_failure(now)
            else:
                self._rendering.note_success()
            if again:
                self._rendering.note_due(now + min(again))
        if not failed:
            sources.drop_unused()
        return not (failed or again)

    def _render_one(self, target: Target, sources: Sources) -> list[float]:
        """Render a template; return for how long the text is held back, if it is."""
        _, counts, content = target.template.render(sources, lambda: self._is_over)
        if target.template.is_made_of(target.file.path):
            raise Failure(f"{target.file.path}: the template is there, or one that it includes")
        held = target.guard.held(counts, time.monotonic())
        if held is not None:
            self._tell_once(target, f"{held.reason}: {target.file.path} stays as it is for now")
            return [held.seconds]
        owes = self._hooks.command is not None
        check = None if target.check is None else self._check_of(target.check)
        new = target.file.update(content, check, owes=owes)
        target.guard.accept(counts)
        self._tell_once(target, "")
        if new is not None:
            kept = "" if new.keeps_owner else ", and has another owner or group than before"
            self._tell(f"{target.file.path} is written{kept}")
            if owes:
                self._command.note_change(time.monotonic())
        return []

    def _check_of(self, command: HookCommand) -> Callable[[str], str]:
        def check(path: str) -> str:
            return hook.run(
                hook.with_path(command, path),
                {**self._variables, FILE_VARIABLE: path},
                limit=self._hooks.limit,
                is_over=lambda: self._is_over,
            )

        return check

    def _run_command(self, *, is_last: bool = False) -> bool:
        command = self._hooks.command
        assert command is not None
        self._command.begin(time.monotonic())
        owed = [target.file for target in self._targets if target.file.is_owed]
        variables = {**self._variables, FILES_VARIABLE: "\n".join(file.path for file in owed)}
        fault = hook.run(command, variables, limit=self._hooks.limit, is_over=lambda: self._is_over)
        if not fault:
            for file in owed:
                try:
                    file.note_done()
                except Failure as failed:
                    self._tell(f"{failed}: the command is run again by the next zk render")
            self._command.note_success()
            return True
        pause = self._command.note_failure(time.monotonic())
        if not self._is_over:
            then = f"again in {in_words(pause)}" if pause is not None else "given up until a change"
            if is_last:
                then = "the next zk render runs it again"
            self._tell(f"{hook.shown(command)}: {fault}; {then}")
        return False

    def _tell_once(self, target: Target, text: str) -> None:
        """Tell of trouble with a template, unless it is the same as before."""
        if text and text != target.told and not self._is_over:
            self._tell(text)
        target.told = text


def _left(target: Target) -> str:
    # It may be what the fault is about, and cannot be read then.
    if os.path.lexists(target.file.path):
        return f"{target.file.path} stays as it is"
    return f"there is no {target.file.path} yet"
