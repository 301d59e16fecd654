"""`zk render`: files that follow nodes, on good days and bad ones."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from contextlib import closing

import pytest

import zc.zk
from tests.cli.inprocess import call, the_line
from tests.cli.test_lock_command import is_alive
from tests.deadlines import scaled, wait_until
from tests.library.bad_days import expire
from zc.zk.cli.renderedfile import RenderedFile
from zc.zk.cli.runplan import Timing

pytest.importorskip("jinja2")
from zc.zk.cli.rendergroup import Group, Hooks, Target
from zc.zk.rendering.guards import Guard
from zc.zk.rendering.sources import Sources
from zc.zk.rendering.template import Template

TEMPLATE = """\
{% for p in providers('/svc/providers') %}
server {{ p }}
{% endfor %}
"""

# A line a run: what is in the files.
NOTE = "cat $ZC_ZK_FILES >> runs; echo --- >> runs"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.j2").write_text(TEMPLATE)
    return tmp_path


@pytest.fixture
def service(zk):
    """Return a function that registers a server."""
    zk.import_tree("/svc\n  /providers\n")
    return lambda name: zk.register("/svc/providers", name)


@pytest.fixture
def render(start, place, folder):
    """Return a function that starts the command for `out`."""

    def render(*words, to=place):
        quick = ["--debounce", "10ms", "--interval", "0"]
        return start("render", "t.j2", "-o", "out", *quick, *words, to)

    return render


def once(place, *words, template="t.j2"):
    return call("render", "--once", template, "-o", "out", *words, place)


def content(file):
    return file.read_text() if file.exists() else None


def wait_for(file, text):
    wait_until(lambda: content(file) == text, lambda: f"{text!r}, not {content(file)!r}", 20)


class TestOnce:
    def test_a_text_is_printed_or_written(self, folder, place, service):
        service("h:1")
        assert call("render", "--once", "t.j2", place).output == "server h:1\n"
        outcome = once(place)
        assert (outcome.status, outcome.output) == (0, "")
        assert outcome.messages == "python -m zc.zk render: out is written\n"
        assert content(folder / "out") == "server h:1\n"
        assert once(place).messages == ""

    def test_a_file_with_the_same_text_is_left_alone(self, folder, place, service):
        service("h:1")
        once(place)
        before = (folder / "out").stat()
        told = "--exec", "touch run", "--check", "touch run"
        assert once(place, *told).status == 0
        # To read it changes the time of access.
        there = (folder / "out").stat()
        assert (there.st_ino, there.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
        assert not (folder / "run").exists()

    def test_a_file_keeps_its_mode_and_its_link(self, folder, place, service):
        service("h:1")
        (folder / "real").write_text("old")
        (folder / "real").chmod(0o640)
        (folder / "out").symlink_to("real")
        assert once(place).status == 0
        assert (folder / "out").is_symlink()
        assert content(folder / "real") == "server h:1\n"
        assert stat.S_IMODE((folder / "real").stat().st_mode) == 0o640

    @pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
    def test_a_file_keeps_its_owner_and_group(self, folder, place, service):
        service("h:1")
        (folder / "out").write_text("old")
        os.chown(folder / "out", 12345, 54321)
        assert once(place).messages == "python -m zc.zk render: out is written\n"
        there = (folder / "out").stat()
        assert (there.st_uid, there.st_gid) == (12345, 54321)

    def test_the_check_decides(self, folder, place, service):
        service("h:1")
        words = ["--check", "cp %s seen; test ${ZC_ZK_FILE##*.} = conf; exit 3", "--exec", "false"]
        (folder / "x.conf").write_text("old")
        outcome = call("render", "--once", "t.j2", "-o", "x.conf", *words, place)
        assert outcome.status == 1
        assert "x.conf: the new file is not accepted: its status is 3; x.conf stays as it is" in (
            outcome.messages
        )
        assert content(folder / "seen") == "server h:1\n"
        assert content(folder / "x.conf") == "old"
        assert sorted(os.listdir(folder)) == ["seen", "t.j2", "x.conf"]

    @pytest.mark.parametrize(
        "check", ["echo more >> %s", "rm %s", "rm %s; ln -s precious %s", "cp %s x; mv x %s"]
    )
    def test_a_check_that_changes_the_new_file_is_a_refusal(self, folder, place, service, check):
        service("h:1")
        (folder / "precious").write_text("precious")
        (folder / "out").write_text("old")
        outcome = once(place, "--check", check)
        assert outcome.status == 1
        assert "out: the new file is not accepted: the check changed it; out stays as it is" in (
            outcome.messages
        )
        assert (content(folder / "out"), content(folder / "precious")) == ("old", "precious")
        assert sorted(os.listdir(folder)) == ["out", "precious", "t.j2"]

    def test_a_text_that_is_no_utf_8_is_told_wherever_it_goes(self, folder, place, zk):
        (folder / "t.j2").write_text("a\n{{ '\\ud800' }}")
        told = "t.j2: UTF-8 cannot hold '\\ud800', in line 2 of the text"
        assert told in the_line(call("render", "--once", "t.j2", place), 1)
        assert told in once(place).messages

    def test_standard_output_is_no_file_that_can_be_replaced(self, folder, start, place, service):
        service("h:1")
        (folder / "log").write_text("before\n")
        for name in ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"):
            words = [sys.executable, "-m", "zc.zk", "render", "--once", "t.j2", "-o", name, place]
            with open(folder / "log", "ab") as log:
                ended = subprocess.run(words, stdout=log, stderr=subprocess.PIPE, text=True)
            assert ended.returncode == 1
            assert f"{name}: it is no file that can be replaced" in ended.stderr
        assert content(folder / "log") == "before\n"

    def test_a_command_that_failed_is_owed_until_it_succeeds(self, folder, place, service):
        service("h:1")
        failed = once(place, "--exec", "exit 5")
        assert failed.status == 1
        assert "'exit 5': its status is 5; the next zk render runs it again" in failed.messages
        assert content(folder / "out") == "server h:1\n"
        assert once(place, "--exec", NOTE).status == 0
        assert content(folder / "runs") == "server h:1\n---\n"
        assert once(place, "--exec", NOTE).status == 0
        assert content(folder / "runs") == "server h:1\n---\n"
        assert sorted(os.listdir(folder)) == ["out", "runs", "t.j2"]

    def test_a_command_that_failed_may_be_tried_again(self, folder, place, service):
        service("h:1")
        flaky = "test -e there || { touch there; exit 1; }"
        tried_again = once(place, "--exec", flaky, "--retries", "1")
        assert tried_again.status == 0
        assert "its status is 1; again in 1 second" in tried_again.messages

    def test_an_attempt_that_is_the_last_promises_no_other(self, folder, place, service):
        service("h:1")
        failed = once(place, "--exec", "exit 5", "--retries", "1")
        told = [line.rpartition("; ")[2] for line in failed.messages.splitlines()[1:]]
        assert failed.status == 1
        assert told == ["again in 1 second", "the next zk render runs it again"]

    def test_a_template_that_it_includes_is_not_overwritten(self, folder, place, zk):
        (folder / "t.j2").write_text("{% include 'part.j2' %}")
        (folder / "part.j2").write_text("{{ 6 * 7 }}")
        outcome = call("render", "--once", "t.j2", "-o", "part.j2", place)
        assert "part.j2: the template is there, or one that it includes; " in the_line(outcome, 1)
        assert content(folder / "part.j2") == "{{ 6 * 7 }}"

    def test_differences_are_printed_by_a_dry_run(self, folder, place, service):
        service("h:1")
        (folder / "out").write_text("server h:0\n")
        outcome = call("render", "-d", "t.j2", "-o", "out", "--exec", "touch x", place)
        assert (outcome.status, outcome.messages) == (0, "")
        lines = ["--- out", "+++ out (new)", "@@ -1 +1 @@", "-server h:0", "+server h:1"]
        assert outcome.output.splitlines() == lines
        assert sorted(os.listdir(folder)) == ["out", "t.j2"]

    @pytest.mark.parametrize("call_that_fails", ["fsync", "replace", "fchmod"])
    def test_a_disk_that_is_full_leaves_the_file_and_nothing_else(
        self, folder, place, service, monkeypatch, call_that_fails
    ):
        service("h:1")
        (folder / "out").write_text("old")

        def fail(*_):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, call_that_fails, fail)
        outcome = once(place)
        told = "out: No space left on device; out stays as it is\n"
        assert (outcome.status, outcome.messages) == (1, f"python -m zc.zk render: {told}")
        assert content(folder / "out") == "old"
        assert sorted(os.listdir(folder)) == ["out", "t.j2"]

    @pytest.mark.parametrize(
        ("template", "told"),
        [
            ("{{ tree('/nowhere') }}", "t.j2:1: no node: /nowhere; there is no out yet"),
            ("\n{{ children('/nowhere') }}", "t.j2:2: no node: /nowhere; there is no out yet"),
            ("{{ properties('/svc').x }}", "t.j2:1: /svc has no property 'x'; there is no out yet"),
            (TEMPLATE, "t.j2:1: 0 providers at /svc/providers, and 1 needed; there is no out yet"),
            ("{{ '\\ud800' }}", "t.j2: UTF-8 cannot hold '\\ud800', in line 1 of the text; there"),
            ("{% x %}", "t.j2:1: Encountered unknown tag 'x'."),
        ],
    )
    def test_faults_are_told_and_nothing_is_written(self, folder, place, service, template, told):
        (folder / "t.j2").write_text(template)
        outcome = once(place)
        assert outcome.status == 1
        assert outcome.messages.startswith(f"python -m zc.zk render: {told}")
        assert os.listdir(folder) == ["t.j2"]

    def test_links_are_followed_and_properties_shown(self, folder, place, zk):
        zk.import_tree(
            "/svc\n  db => /db url\n  main -> /db\n  /p10\n  /p2\n    x = 1\n"
            "/db\n  url = 'pg://'\n  n = 5\n"
        )
        (folder / "t.j2").write_text(
            "{{ properties('/svc').db }} {{ properties('/svc/main').n }}"
            " {{ tree('/svc').properties.db }} {{ tree('/svc').links.main.properties.n }}"
            " {{ tree('/svc').children|join(',') }} {{ tree('/svc/main')['n']|default('-') }}"
            " {{ tree('/svc', depth=1)['p2'].properties.x }} {{ exists('/db') }} {{ size }}"
        )
        assert once(place, "--set", "size=3").status == 0
        assert content(folder / "out") == "pg:// 5 pg:// 5 /svc/p2,/svc/p10 - 1 True 3"

    def test_no_permission_is_told(self, folder, place, zk):
        zk.create("/secret", "", [{"perms": 16, "scheme": "world", "id": "anyone"}])
        (folder / "t.j2").write_text("{{ properties('/secret').x }}")
        assert "t.j2:1: not authenticated: /secret" in once(place).messages

    def test_names_that_are_no_addresses_are_passed_over(self, folder, place, service):
        for name in ("h:1", "{evil};:80", "nothing"):
            service(name)
        outcome = once(place)
        assert content(folder / "out") == "server h:1\n"
        assert (
            "/svc/providers: passed over, as it is no address to call: 'nothing', '{evil};:80'"
            in (outcome.messages)
        )


class TestFollowing:
    def test_a_file_follows_its_providers(self, folder, render, service):
        first = service("h:10")
        process = render("--exec", NOTE)
        wait_for(folder / "out", "server h:10\n")
        service("h:9")
        wait_for(folder / "out", "server h:9\nserver h:10\n")
        first.unregister()
        wait_for(folder / "out", "server h:9\n")
        wait_until(lambda: not list(folder.glob(".*")), "the last command has succeeded")
        process.terminate()
        assert process.wait(scaled(30)) == 143
        runs = content(folder / "runs")
        assert runs == "server h:10\n---\nserver h:9\nserver h:10\n---\nserver h:9\n---\n"

    @pytest.mark.parametrize(
        "template",
        [
            "{{ properties('/later').x }}",
            "{{ tree('/later').properties.x }}",
            "{% if exists('/later') %}{{ tree('/')['later'].properties.x }}{% endif %}",
            "{% for name in children('/') if name == 'later' %}"
            "{{ properties('/' ~ name).x }}{% endfor %}",
        ],
        ids=["properties", "tree", "exists", "children"],
    )
    def test_a_node_that_comes_later_and_again_is_waited_for(self, folder, render, zk, template):
        (folder / "t.j2").write_text(template)
        process = render()
        zk.create("/later", '{"x": 1}')
        wait_for(folder / "out", "1")
        zk.set("/later", '{"x": 2}')
        wait_for(folder / "out", "2")
        zk.delete("/later")
        zk.create("/later", '{"x": 3}')
        wait_for(folder / "out", "3")
        process.terminate()
        told = process.communicate()[1].decode().splitlines()
        assert all(
            line.endswith(("out is written", "stays as it is", "there is no out yet"))
            for line in told
        ), told

    def test_a_file_stays_when_the_node_goes_and_when_all_providers_go(
        self, folder, render, service, zk
    ):
        one = service("h:1")
        process = render()
        wait_for(folder / "out", "server h:1\n")
        assert process.stderr.readline().endswith(b"out is written\n")
        one.unregister()
        told = process.stderr.readline().decode()
        assert "0 providers at /svc/providers, and 1 needed; out stays as it is" in told
        zk.delete("/svc/providers")
        assert b"no node: /svc/providers; out stays as it is" in process.stderr.readline()
        assert content(folder / "out") == "server h:1\n"
        zk.create("/svc/providers", "")
        zk.register("/svc/providers", "h:2")
        wait_for(folder / "out", "server h:2\n")

    def test_a_list_that_loses_most_at_once_is_held_back(self, folder, render, service):
        services = [service(f"h:{port}") for port in range(1, 6)]
        process = render("--hold", "1s", "--debounce", "100ms")
        wait_until(lambda: (content(folder / "out") or "").count("h:") == 5, "five are told")
        assert process.stderr.readline()
        for each in services[:3]:
            each.unregister()
        told = process.stderr.readline().decode()
        assert "there are suddenly" in told
        assert "of 5 at /svc/providers: out stays as it is for now" in told
        wait_for(folder / "out", "server h:4\nserver h:5\n")

    def test_a_connection_that_is_lost_and_a_session_change_nothing(
        self, folder, render, zk, proxy, root, service
    ):
        service("h:1")
        process = render(to=proxy.connection_string + root)
        wait_for(folder / "out", "server h:1\n")
        assert process.stderr.readline().endswith(b"out is written\n")
        proxy.refuse()
        proxy.cut()
        assert process.stderr.readline().endswith(b"the connection is lost\n")
        service("h:2")
        proxy.allow()
        assert process.stderr.readline().endswith(b"connected again\n")
        wait_for(folder / "out", "server h:1\nserver h:2\n")

    @pytest.mark.parametrize("owner", ["the renderer", "the servers"])
    def test_a_session_that_expires_leaves_the_file_and_is_followed_on(
        self, folder, place, connection_string, zk, owner
    ):
        told: list[str] = []
        template = Template("t.j2")
        target = Target(template, RenderedFile("out"), Guard(30.0), None)
        hooks = Hooks(None, 60.0, Timing(0.01, 1.0))
        group = Group([target], hooks, {}, told.append)
        zk.import_tree("/svc\n  /providers\n")
        with zc.zk.ZooKeeper(place) as other, closing(Sources(zk, group.note_change)) as sources:
            one = other.register("/svc/providers", "h:1")
            thread = threading.Thread(target=group.follow, args=(sources,))
            thread.start()
            try:
                wait_for(folder / "out", "server h:1\n")
                expire(zk if owner == "the renderer" else other, connection_string)
                wait_until(lambda: one.state.name == "REGISTERED", "it is registered", 30)
                other.register("/svc/providers", "h:2")
                wait_for(folder / "out", "server h:1\nserver h:2\n")
            finally:
                group.end()
                thread.join(scaled(30))
        # Whenever it was written there was a server in it.
        assert [text for text in told if "is written" in text] == ["out is written"] * 2

    def test_a_command_is_run_again_until_it_succeeds(self, folder, render, service):
        service("h:1")
        process = render("--exec", "test -e ready && touch run")
        assert process.stderr.readline().endswith(b"out is written\n")
        assert b"its status is 1; again in 1 second" in process.stderr.readline()
        (folder / "ready").touch()
        wait_until((folder / "run").exists, "it succeeds", 20)

    def test_a_command_that_hangs_holds_up_no_other_file(self, folder, start, place, zk):
        zk.import_tree("/a\n  x = 1\n")
        (folder / "t.j2").write_text("{{ properties('/a').x }}\n")
        entries = [
            f"[[template]]\nsource = 't.j2'\noutput = '{name}'\nexec = {command}\n"
            for name, command in [
                ("one", "'sleep 1000'"),
                ("two", "['cp', 'two', 'copied']"),
                ("three", "['cp', 'two', 'copied']"),
            ]
        ]
        general = "debounce = '10ms'\ninterval = 0\n"
        (folder / "r.toml").write_text(general + "".join(entries))
        process = start("render", "--config", "r.toml", place)
        wait_for(folder / "copied", "1\n")
        zk.set("/a", '{"x": 2}')
        wait_for(folder / "copied", "2\n")
        assert content(folder / "one") == "1\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(scaled(30)) == 143

    def test_a_file_that_cannot_be_replaced_holds_up_no_other_one(self, folder, start, place, zk):
        zk.import_tree("/a\n  x = 1\n")
        (folder / "t.j2").write_text("{{ properties('/a').x }}\n")
        entries = [f"[[template]]\nsource = 't.j2'\noutput = '{name}'\n" for name in ("one", "two")]
        (folder / "r.toml").write_text("debounce = '10ms'\ninterval = 0\n" + "".join(entries))
        process = start("render", "--config", "r.toml", place)
        wait_for(folder / "one", "1\n")
        (folder / "one").unlink()
        (folder / "one").mkdir()
        zk.set("/a", '{"x": 2}')
        wait_for(folder / "two", "2\n")
        zk.set("/a", '{"x": 3}')
        wait_for(folder / "two", "3\n")
        (folder / "one").rmdir()
        wait_for(folder / "one", "3\n")
        assert process.poll() is None

    def test_a_file_that_cannot_be_made_at_the_start_holds_up_no_other_one(
        self, folder, start, place, zk
    ):
        zk.import_tree("/a\n  x = 1\n")
        (folder / "t.j2").write_text("{{ properties('/a').x }}\n")
        entries = [f"[[template]]\nsource = 't.j2'\noutput = '{name}'\n" for name in ("no/x", "y")]
        (folder / "r.toml").write_text("debounce = '10ms'\ninterval = 0\n" + "".join(entries))
        process = start("render", "--config", "r.toml", place)
        wait_for(folder / "y", "1\n")
        (folder / "no").mkdir()
        wait_for(folder / "no" / "x", "1\n")
        assert process.poll() is None

    def test_an_endless_template_holds_up_no_other_one_and_no_end(self, folder, start, place, zk):
        zk.import_tree("/a\n  x = 1\n")
        loop = "{% for i in range(9999) %}"
        (folder / "endless.j2").write_text(f"{loop * 4}{'{% endfor %}' * 4}")
        (folder / "t.j2").write_text("{{ properties('/a').x }}\n")
        entries = [
            f"[[template]]\nsource = '{name}.j2'\noutput = '{name}'\n" for name in ("endless", "t")
        ]
        (folder / "r.toml").write_text("debounce = '10ms'\ninterval = 0\n" + "".join(entries))
        process = start("render", "--config", "r.toml", place)
        wait_for(folder / "t", "1\n")
        zk.set("/a", '{"x": 2}')
        wait_for(folder / "t", "2\n")
        process.send_signal(signal.SIGTERM)
        # Less than a template may take.
        assert process.wait(scaled(20)) == 143
        assert not (folder / "endless").exists()

    def test_messages_that_nobody_reads_end_nothing(self, folder, render, service):
        service("h:1")
        process = render("--exec", "touch run; exit 1")
        assert process.stderr.readline().endswith(b"out is written\n")
        process.stderr.close()
        service("h:2")
        wait_for(folder / "out", "server h:1\nserver h:2\n")
        (folder / "run").unlink(missing_ok=True)
        wait_until((folder / "run").exists, "the command is run again", 20)
        assert process.poll() is None

    def test_a_note_that_cannot_be_removed_is_told_and_ends_nothing(
        self, folder, start, place, service
    ):
        service("h:1")
        note = ".out.zk-render-owed"
        words = ["-o", "out", "--debounce", "0", "--interval", "0"]
        command = f"test -d {note} || {{ rm {note}; mkdir {note}; }}"
        process = start("render", *words, "--exec", command, "t.j2", place)
        assert process.stderr.readline().endswith(b"out is written\n")
        told = process.stderr.readline()
        assert b"the command is run again by the next zk render" in told
        (folder / note).rmdir()
        service("h:2")
        wait_for(folder / "out", "server h:1\nserver h:2\n")
        assert process.poll() is None

    def test_a_command_that_two_files_share_is_run_once_for_both(self, folder, start, place, zk):
        zk.import_tree("/a\n  x = 1\n")
        (folder / "t.j2").write_text("{{ properties('/a').x }}\n")
        one = f"[[template]]\nsource = 't.j2'\nexec = '''{NOTE}'''\noutput = "
        (folder / "r.toml").write_text(f"{one}'one'\n{one}'two'\n")
        start("render", "--config", "r.toml", place)
        wait_until(lambda: "---" in (content(folder / "runs") or ""), "it is run", 20)
        assert content(folder / "runs") == "1\n1\n---\n"

    def test_systemd_is_told_when_files_have_been_made(
        self, folder, start, place, service, environment
    ):
        service("h:1")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.bind(str(folder / "notify"))
            systemd.settimeout(scaled(30))
            variables = {**environment, "NOTIFY_SOCKET": str(folder / "notify")}
            start("render", "t.j2", "-o", "out", place, env=variables)
            assert systemd.recv(100) == b"READY=1"
            assert content(folder / "out") == "server h:1\n"


class TestKilled:
    def test_kill_9_at_any_time_leaves_a_whole_file(self, folder, render, zk):
        """Its text is long, and says at both ends which one it is."""
        zk.create("/a", "0")
        (folder / "t.j2").write_text(
            "{% set n = tree('/a').data %}{{ n }}\n{{ 'x' * 3000000 }}\n{{ n }}\n"
        )
        known: set[str] = set()
        number = 0
        for round_ in range(8):
            process = render("--exec", "true", "--debounce", "0")
            # The moment differs: after the first file, or in the middle of one of the next.
            for _ in range(round_ + 1):
                number += 1
                zk.set("/a", str(number))
                wait_until(lambda: (content(folder / "out") or "")[:1], "there is a file", 30)
            process.kill()
            process.wait()
            first, _, last = content(folder / "out").rstrip("\n").split("\n")
            assert first == last
            known.add(first)
        assert once_more(folder, zk, number) == str(number)
        leftover = sorted(set(os.listdir(folder)) - {"out", "t.j2"})
        assert leftover == []

    def test_a_command_owed_by_one_that_was_killed_is_run_by_the_next(
        self, folder, render, service
    ):
        service("h:1")
        process = render("--exec", "echo $$ > pid; sleep 1000")
        wait_until(lambda: content(folder / "pid"), "the command runs", 20)
        process.kill()
        process.wait()
        pid = int(content(folder / "pid"))
        wait_until(lambda: not is_alive(pid), "the command has ended, too")
        assert content(folder / "out") == "server h:1\n"
        render("--exec", NOTE)
        wait_for(folder / "runs", "server h:1\n---\n")

    def test_leftovers_of_others_that_still_write_are_left_alone(self, folder, place, service):
        from zc.zk.cli.replacing import replacement

        service("h:1")
        (folder / ".zc.zk-out-dead").write_text("half")
        (folder / ".zc.zk-other-dead").write_text("half")
        with replacement(str(folder / "out")) as new:
            assert once(place).status == 0
            assert os.path.exists(new.name)
            assert sorted(os.listdir(folder)) == sorted(
                [os.path.basename(new.name), ".zc.zk-other-dead", "out", "t.j2"]
            )


def once_more(folder, zk, number):
    connection = zk.connection_string
    words = [sys.executable, "-m", "zc.zk", "render", "--once", "t.j2", "-o", "out"]
    ended = subprocess.run([*words, "--exec", "true", connection], capture_output=True, text=True)
    assert ended.returncode == 0, ended
    return content(folder / "out").split("\n")[0]


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["h:1"], 2, "which template? TEMPLATE is missing; --help tells more"),
        (["t.j2", "h:1"], 2, "where to? -o FILE is missing, or --once for standard output"),
        (["t.j2", "u.j2", "-o", "x", "h:1"], 2, "too many arguments, from 'u.j2'; --help tells"),
        (["--config", "r", "t.j2", "h:1"], 2, "too many arguments, from 't.j2'; --help tells"),
        (["--config", "r", "-o", "x", "h:1"], 2, "--config, and --output, which is for a single"),
        (["--config", "gone", "h:1"], 1, "gone: No such file or directory"),
        (["gone.j2", "-o", "x", "h:1"], 1, "gone.j2: there is no template 'gone.j2'"),
        (["t.j2", "-o", "no/x", "h:1"], 1, "no/x: No such file or directory"),
        (["t.j2", "-o", "x", "--check", " ", "h:1"], 2, "argument --check: the command line is"),
        (["t.j2", "-o", "x", "--exec", "", "h:1"], 2, "argument --exec: the command line is"),
        (["t.j2", "-o", "./t.j2", "h:1"], 2, "-o ./t.j2: it is the template"),
        (["--config", "/dev/zero", "h:1"], 1, "/dev/zero: more than 1048576 bytes are no settings"),
        (["t.j2", "-o", "", "--once", "h:1"], 2, "-o FILE: the name is empty"),
        (
            ["t.j2", "-o", "x", "--set", "tree=1", "h:1"],
            1,
            "t.j2: no variable can be named tree: it is a function",
        ),
        (["t.j2", "-o", "x", "--hold", "0sx", "h:1"], 2, "argument --hold: not a time"),
        (["gone.j2", "-o", "x", "--hold", "0s", "h:1"], 1, "gone.j2: there is no template"),
        (["gone.j2", "-o", "x", "--interval", "0ms", "h:1"], 1, "gone.j2: there is no template"),
        (
            ["gone.j2", "-o", "x", "--exec-timeout", "0s", "h:1"],
            2,
            "argument --exec-timeout: not a time",
        ),
        (["t.j2", "-o", ".", "h:1"], 1, ".: it is no file that can be replaced"),
        (["t.j2", "-o", "x", "--set", "a", "h:1"], 2, "argument --set: not of the form NAME=TEXT"),
        (["t.j2", "-o", "x", "--hold", "x", "h:1"], 2, "argument --hold: not a time"),
    ],
)
def test_mistakes_are_told_before_anything_is_done(folder, words, status, told):
    line = the_line(call("render", *words), status)
    assert line.startswith(told), line


def test_the_connection_may_be_in_the_settings(folder, place, zk):
    (folder / "t.j2").write_text("{{ tree('/').path }}")
    text = f"connection = '{place}'\n[[template]]\nsource = 't.j2'\noutput = 'x'\n"
    (folder / "r.toml").write_text(text)
    assert call("render", "--once", "--config", "r.toml").status == 0
    assert content(folder / "x") == "/"


def test_the_error_tells_what_to_install_without_jinja(folder, place):
    program = (
        "import sys; sys.modules['jinja2'] = None\n"
        "from zc.zk.scripts import render; sys.exit(render())"
    )
    words = [sys.executable, "-c", program, "--once", "t.j2", place]
    ended = subprocess.run(words, capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr == "zookeeper_render: templates take Jinja2: pip install 'zc.zk[render]'\n"


def test_json_in_a_template_escapes_what_would_break_a_line(folder, place, zk):
    zk.create("/a", json.dumps({"x": "a\nb"}))
    (folder / "t.j2").write_text("{{ properties('/a')|json }}")
    assert once(place).status == 0
    assert json.loads(content(folder / "out")) == {"x": "a\nb"}
