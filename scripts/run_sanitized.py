"""Run tests of compiled code under sanitizers, which look for bad memory.

Usage: run_sanitized.py [--build | --text] [pytest argument ...]

The code is the binding, or with --text `zc.zk._speedups`, the small extension that reads and writes
plain tree text. Both are built with the sanitizers in a folder of their own, which comes before the
normal build on the path of the tests; --build does that and no more. Every process that these start
reports into a file; one report of bad memory access or undefined behaviour fails the run, and so
does a leak whose memory was allocated on behalf of one of the two. Leaks of the interpreter and of
other modules are not ours.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "sanitized"
PACKAGES = BUILD / "lib"
REPORTS = BUILD / "reports"
FAULTS = BUILD / "faults"

SANITIZE = "-fsanitize=address,undefined"
COMPILE = f"{SANITIZE} -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g"
# The shared libubsan, next to a preloaded libasan, does not write its reports into files.
LINK = f"{SANITIZE} -static-libubsan"
EXTENSIONS = f"{PACKAGES}/"

# The sanitizer looks at the end of a process, whose other threads may be ending just then, and
# stumbles over the memory of one once in a long while.
GAVE_UP = "LeakSanitizer has encountered a fatal error"

SHARED_OPTIONS: dict[str, object] = {
    "abort_on_error": 1,
    # %m, the module, tells our frames from others; without it a frame with a known source line has
    # only that.
    "stack_trace_format": '"    #%n %p in %f %S %m"',
}
ADDRESS_OPTIONS: dict[str, object] = {
    **SHARED_OPTIONS,
    "detect_leaks": 1,
    # The tests ask for more than there is, and get a MemoryError, as everywhere else.
    "allocator_may_return_null": 1,
    # Leaks that are not ours must not turn a passed run into a failed one.
    "exitcode": 0,
    # The interpreter keeps no frame pointers. Unwinding without them is slow, and the only way to
    # find our function above the interpreter's in the stack of a leaked Python object. Few frames
    # suffice: the allocation happens near to it.
    "fast_unwind_on_malloc": 0,
    "malloc_context_size": 8,
}
UNDEFINED_OPTIONS = {**SHARED_OPTIONS, "print_stacktrace": 1}


def main(arguments: list[str]) -> int:
    build()
    if arguments == ["--build"]:
        return 0
    environment = sanitized_environment()
    find_planted_leak(environment)
    tests = "tests/binding"
    if arguments[:1] == ["--text"]:
        # It gets its memory from Python only, and its tests make millions of small objects.
        tests = "tests/pure"
        environment["ASAN_OPTIONS"] += ":fast_unwind_on_malloc=1"
        del arguments[0]
    shutil.rmtree(REPORTS)
    REPORTS.mkdir()
    settings = ["-o", f"testpaths={tests}", "-o", "faulthandler_timeout=1200"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *settings, *arguments],
        cwd=ROOT,
        env=environment,
        check=False,
    )
    reports = [report.read_text(errors="replace") for report in sorted(REPORTS.iterdir())]
    faults = [fault for report in reports for fault in faults_in(report)]
    FAULTS.write_text("\n\n".join(faults))
    print(*faults, f"Sanitizers: {len(faults)} faults.", sep="\n\n")
    if unfinished := sum(GAVE_UP in report for report in reports):
        print(f"In {unfinished} processes LeakSanitizer failed: leaks are not known of these.")
    return 1 if faults or run.returncode else 0


def build() -> None:
    folders: list[str | Path] = ["--build-base", BUILD, "--build-lib", PACKAGES]
    subprocess.run(
        [sys.executable, "setup.py", "--quiet", "build", *folders],
        cwd=ROOT,
        env={**os.environ, "CFLAGS": COMPILE, "LDFLAGS": LINK},
        check=True,
    )
    shutil.rmtree(REPORTS, ignore_errors=True)
    REPORTS.mkdir()


def sanitized_environment(reports: Path = REPORTS) -> dict[str, str]:
    """Return the environment for a Python that begins with the sanitizers.

    Its processes report into files in the folder `reports`.
    """
    runtime = subprocess.run(
        [os.environ.get("CC", "gcc"), "-print-file-name=libasan.so"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    log = {"log_path": reports / "report"}
    return {
        **os.environ,
        "LD_PRELOAD": runtime,
        "ASAN_OPTIONS": options({**log, **ADDRESS_OPTIONS}),
        "UBSAN_OPTIONS": options({**log, **UNDEFINED_OPTIONS}),
        # Python's own allocator would hide its objects from the sanitizers.
        "PYTHONMALLOC": "malloc",
        "PYTHONPATH": str(PACKAGES),
        # The C code is the same with any server, and Python is slow enough here.
        "ZK_TEST_TARGETS": "real",
        "ZK_TEST_TIMEOUT_SCALE": os.environ.get("ZK_TEST_TIMEOUT_SCALE", "5"),
    }


def options(settings: dict[str, object]) -> str:
    return ":".join(f"{name}={value}" for name, value in settings.items())


def find_planted_leak(environment: dict[str, str]) -> None:
    """Make sure that leaks are found at all, unlike where ptrace is forbidden."""
    plant = (
        "import ctypes, zc.zk._speedups._text, zookeeper._client\n"
        "for extension in (zc.zk._speedups._text, zookeeper._client):\n"
        f"    assert extension.__file__.startswith({EXTENSIONS!r}), extension\n"
        "ctypes.CDLL(None).malloc(4321)\n"
    )
    subprocess.run([sys.executable, "-c", plant], env=environment, check=True, cwd=ROOT)
    if not any("4321 byte(s)" in report.read_text() for report in REPORTS.iterdir()):
        raise SystemExit("LeakSanitizer did not find a leak that was made for it to find.")


def faults_in(text: str) -> list[str]:
    """Return the parts of a process's report that an extension has caused."""
    if GAVE_UP in text and "ERROR: AddressSanitizer" not in text and "runtime error" not in text:
        return []
    if "LeakSanitizer: detected memory leaks" not in text:
        return [text]
    if "False leaks are possible" in text:
        # A forked child does not get all the memory that the threads of its parent knew of.
        return []
    leaks = [part for part in text.split("\n\n") if " leak of " in part.partition("\n")[0]]
    return [leak for leak in leaks if EXTENSIONS in leak]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
