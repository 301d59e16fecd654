"""The extension modules; pyproject.toml has the rest of the package."""

from __future__ import annotations

import os
import re
import shutil
import sys
import sysconfig
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from Cython.Build import build_ext as cython_build_ext
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel as setuptools_bdist_wheel

# An index looks at this for whoever installs from it; a file or a repository does not.
if sys.version_info < (3, 10):  # noqa: UP036
    raise SystemExit(f"zc.zk needs Python 3.10 or later, and this is {sys.version.split()[0]}")
if sys.platform != "linux":
    raise SystemExit(f"zc.zk needs Linux, and this is {sys.platform}")

# A builder of wheels runs this file without its folder on the path.
sys.path.insert(0, str(Path(__file__).resolve().parent))
from scripts.bill_of_materials import FILE, Part, bill_of_materials, defined_version, package_of
from scripts.readme import readme_for_index

PACKAGE = Path("src/zookeeper")
CORE = PACKAGE / "core"
TLS = PACKAGE / "tls"
SPEEDUPS = Path("src/zc/zk/_speedups")
C_CLIENT = "ZooKeeper's C client", "libzookeeper-mt-dev"

# Functions of the C client, and of libc as the C client calls it, that the core puts itself in
# front of: NAME becomes __wrap_NAME, and the original stays reachable as __real_NAME.
WRAPPED = [
    "get_xid",
    "serialize_RequestHeader",
    "serialize_GetDataRequest",
    "serialize_ExistsRequest",
    "serialize_GetChildren2Request",
    "create_buffer_iarchive",
    "deserialize_ReplyHeader",
    "deserialize_GetDataResponse",
    "deserialize_WatcherEvent",
    "lock_watchers",
    "serialize_SetWatches",
    "zookeeper_interest",
    "zookeeper_process",
    "process_completions",
    "process_async",
    "adaptor_send_queue",
    "pthread_create",
    "socket",
    "connect",
    "send",
    "recv",
    "pipe",
    "close",
    "getaddrinfo",
    "freeaddrinfo",
    "poll",
    "getsockopt",
    # The forms of `recv` and `poll` that compilers make to check the sizes of buffers.
    "__recv_chk",
    "__poll_chk",
]

# Of every extension. `relro` and `now` leave no table of functions writable; a missing symbol is
# found out at import, not at the first call.
COMPILED = [
    "-std=gnu11",
    "-O2",
    "-Wall",
    "-fvisibility=hidden",
    "-fstack-protector-strong",
    "-U_FORTIFY_SOURCE",
    "-D_FORTIFY_SOURCE=2",
]
EXPORTS = Path("src/exports.map")
LINKED = [
    "-Wl,-z,relro",
    "-Wl,-z,now",
    "-Wl,-z,noexecstack",
    f"-Wl,--version-script={EXPORTS}",
]

# In a wheel: no symbols for debuggers, and no name of the folder that it was built in.
COMPILED_FOR_WHEEL = ["-g0", f"-ffile-prefix-map={os.getcwd()}=."]
LINKED_FOR_WHEEL = ["-Wl,-s", "-Wl,--build-id=sha1"]

# The demonstration is over in seconds and waits for the compiler: four times as fast without -O2,
# and a third of what is left is the search for things to warn of.
# Its object files have a folder to themselves, and an extension that is linked from them is dated
# before all sources (LONG_AGO), so that any other build makes it anew.
HASTY = bool(os.environ.get("ZOOKEEPER_HASTY"))
COMPILED_HASTILY = ["-O0", "-U_FORTIFY_SOURCE", "-Wno-all"]
LONG_AGO = 1.0

# Warnings are errors for our own C and for whoever works on it: not for Cython's output, and not
# for those who only install the package with a compiler that warns about more than ours does.
STRICT = ["-Wextra", "-Werror"] if os.environ.get("ZOOKEEPER_WERROR") else ["-Wextra"]

# Symbols of the 100,000 lines that Cython writes take a compiler as long as all the rest, and
# nobody reads these lines. CFLAGS=-g asks for the symbols.
WANTS_SYMBOLS = any(re.match(r"-g(?!0)", word) for word in os.environ.get("CFLAGS", "").split())


def part_of(what: str, package: str, variable: str, *candidates: Path) -> str:
    """The path that the environment variable names, or the first candidate that exists."""
    named = os.environ.get(variable)
    tried = [Path(named)] if named else candidates
    for path in tried:
        if path.exists():
            return str(path)
    raise SystemExit(
        f"A part of {what} is missing; looked for {', '.join(map(str, tried))}. "
        f"Run `apt-get install {package}`, or set {variable} to where it is."
    )


def check_compiler() -> None:
    """End early, before Cython's minute, where nothing can be compiled."""
    words = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()
    if not any(map(shutil.which, words)):  # the first may be VARIABLE=VALUE
        raise SystemExit(f"There is no C compiler {words[0]}: run `apt-get install gcc`, or set CC")
    header = Path(sysconfig.get_path("include"), "Python.h")
    if not header.exists():
        version = f"python3.{sys.version_info.minor}"
        raise SystemExit(f"There is no {header}: run `apt-get install {version}-dev`")


class build_ext(cython_build_ext):
    """Compiles only the files that changed, and our own C more strictly than Cython's output."""

    def initialize_options(self) -> None:
        super().initialize_options()
        self.translating = threading.Lock()
        self.editable_mode = False  # setuptools sets it for an installer of the tree in place

    def run(self) -> None:
        """Build; for an installer of the tree in place, only if nobody else does it.

        An installer builds in a folder of its own, where all would be compiled once more.
        """
        if self.editable_mode:
            self.inplace = 1
            if os.environ.get("ZOOKEEPER_EXTENSIONS") == "elsewhere":
                return
        if (self.editable_mode or (HASTY and self.inplace)) and self.is_built_in_place():
            return
        self.choose_kind()
        check_compiler()
        super().run()

    def choose_kind(self) -> None:
        """Compile in place for developers and tests, and elsewhere for a wheel."""
        if self.inplace:
            # It asserts what locks guard (core/locks.h); no wheel is to get its object files.
            self.define = [*(self.define or []), ("CORE_CHECKS", "1")]
            self.build_temp += "-hasty" if HASTY else "-checked"
        elif "-fsanitize" not in os.environ.get("CFLAGS", ""):
            for extension in self.extensions:
                extension.extra_compile_args += COMPILED_FOR_WHEEL
                extension.extra_link_args += LINKED_FOR_WHEEL

    def get_ext_filename(self, fullname: str) -> str:
        """Name an extension; for another platform, as setuptools alone has it (Cython has not)."""
        name: str = super().get_ext_filename(fullname)
        suffix = os.environ.get("SETUPTOOLS_EXT_SUFFIX")
        return (
            name.removesuffix(sysconfig.get_config_var("EXT_SUFFIX")) + suffix if suffix else name
        )

    def is_built_in_place(self) -> bool:
        suffix = sysconfig.get_config_var("EXT_SUFFIX")
        names = [extension.name.replace(".", "/") for extension in self.extensions]
        built = [Path("src", f"{name}{suffix}") for name in names]
        kinds = {".c", ".h", ".pyx", ".pxd", ".pxi"}
        sources = [path for path in Path("src").rglob("*") if path.suffix in kinds]
        newest = max(path.stat().st_mtime for path in [Path(__file__), *sources])
        return all(path.exists() and path.stat().st_mtime >= newest for path in built)

    def build_extensions(self) -> None:
        # Pythons of pyenv give extensions a place to look for libraries: theirs, on this machine.
        linker = self.compiler.linker_so
        self.compiler.linker_so = [word for word in linker if not word.startswith("-Wl,-rpath,")]
        self.compiler.src_extensions = [*self.compiler.src_extensions, ".pyx"]
        hasty = HASTY and self.inplace
        compile_file, link = self.compiler._compile, self.compiler.link_shared_object
        headers = max(path.stat().st_mtime for path in [Path(__file__), *PACKAGE.rglob("*.h")])

        def compile_changed(obj, src, ext, cc_args, extra_postargs, pp_opts):  # type: ignore
            if ext == ".pyx":
                src = self.translated(src)
            built = Path(obj)
            newest = max(headers, Path(src).stat().st_mtime)
            if built.exists() and built.stat().st_mtime >= newest and not self.force:
                return
            if {CORE, TLS} & set(Path(src).parents):
                extra_postargs = [*extra_postargs, *STRICT]
            elif not WANTS_SYMBOLS:
                extra_postargs = [*extra_postargs, "-g0"]
            if hasty:
                extra_postargs = [*extra_postargs, *COMPILED_HASTILY]
            compile_file(obj, src, ".c", cc_args, extra_postargs, pp_opts)

        def compile_later(*arguments):  # type: ignore
            works.append(pool.submit(compile_changed, *arguments))

        def link_later(*arguments, **options):  # type: ignore
            files, works[:] = works[:], []
            links.append(linkers.submit(link_compiled, files, arguments, options))

        def link_compiled(files, arguments, options):  # type: ignore
            for work in files:
                work.result()
            link(*arguments, **options)

        # Everything is begun in the order of `ext_modules`, the longest first: translating and
        # compiling the first file takes as long as all the rest, which goes on beside it with
        # --parallel.
        works: list[Future[None]] = []
        links: list[Future[None]] = []
        self.compiler._compile = compile_later
        self.compiler.link_shared_object = link_later
        workers = os.cpu_count() if self.parallel is True else self.parallel
        self.parallel = None
        began = time.time()
        with (
            ThreadPoolExecutor(len(self.extensions)) as linkers,
            ThreadPoolExecutor(workers or 1) as pool,
        ):
            super().build_extensions()
            for work in links:
                work.result()
        # Made from the sources as they were then: they may have been edited while this went on.
        for made in [*Path(self.build_temp).rglob("*.[co]"), *map(Path, self.get_outputs())]:
            if made.stat().st_mtime > began:
                as_of = LONG_AGO if hasty and made.suffix == ".so" else began
                os.utime(made, (as_of, as_of))

    def build_extension(self, extension: Extension) -> None:
        """Build an extension as setuptools does: Cython's command translates it all beforehand."""
        super(cython_build_ext, self).build_extension(extension)

    def translated(self, source: str) -> str:
        """Return the path of the C of a Cython source, translated anew if that has changed."""
        (name,) = (each.name for each in self.extensions if source in each.sources)
        # One at a time: threads would only slow each other down.
        with self.translating:
            (extension,) = cythonize(
                Extension(name, [source]),
                build_dir=self.build_temp,
                force=self.force,
                quiet=self.verbose == 0,
            )
        return str(extension.sources[0])


class bdist_wheel(setuptools_bdist_wheel):
    """Puts the bill of materials into the wheel."""

    def egg2dist(self, egginfo_path: str, distinfo_path: str) -> None:
        super().egg2dist(egginfo_path, distinfo_path)
        file = Path(distinfo_path, FILE)
        file.parent.mkdir(exist_ok=True)
        distribution = self.distribution
        file.write_text(
            bill_of_materials(distribution.get_name(), distribution.get_version(), linked_parts())
        )


# Debian keeps libraries in a folder named for the machine, such as x86_64-linux-gnu.
folders = [
    Path("/usr/lib", sysconfig.get_config_var("MULTIARCH") or ""),
    Path("/usr/local/lib"),
]
library = part_of(
    *C_CLIENT, "ZOOKEEPER_STATIC_LIB", *(folder / "libzookeeper_mt.a" for folder in folders)
)
# OpenSSL is linked statically as well, so that a wheel needs libc alone. ZOOKEEPER_OPENSSL names
# the folder of another libssl.a and libcrypto.a, with their headers in a folder `include` beside
# them unless they are the system's; or it is `shared`, for the libraries of the system.
openssl: dict[str, list[str]] = {"libraries": ["ssl", "crypto"]}
carries_openssl = os.environ.get("ZOOKEEPER_OPENSSL") != "shared"
if carries_openssl:
    folder = part_of(
        "OpenSSL",
        "libssl-dev",
        "ZOOKEEPER_OPENSSL",
        *(folder for folder in folders if (folder / "libssl.a").exists()),
    )
    openssl = {"extra_objects": [f"{folder}/libssl.a", f"{folder}/libcrypto.a"]}
    openssl["include_dirs"] = [str(path) for path in [Path(folder, "include")] if path.is_dir()]

include_dir = part_of(
    *C_CLIENT,
    "ZOOKEEPER_INCLUDE_DIR",
    Path("/usr/include/zookeeper"),
    Path("/usr/local/include/zookeeper"),
)


def linked_parts() -> list[Part]:
    """List what the extensions carry."""
    header = Path(include_dir, "zookeeper_version.h")
    parts = [
        Part(
            "zookeeper-client-c",
            defined_version(header, "ZOO_VERSION"),
            "Apache-2.0 AND BSD-3-Clause",
            "https://zookeeper.apache.org/",
            "zookeeper._client",
            package_of(Path(library)),
        )
    ]
    if carries_openssl:
        parts.append(
            Part(
                "openssl",
                linked_openssl_version(openssl["extra_objects"][1]),
                "Apache-2.0",
                "https://www.openssl.org/",
                "zookeeper._tls",
                package_of(Path(openssl["extra_objects"][1])),
            )
        )
    return parts


def linked_openssl_version(library: str) -> str:
    """Return the version that a libcrypto.a tells of itself, such as 3.0.19."""
    found = re.search(rb"OpenSSL (\d+\.\d+\.\d+\w*) ", Path(library).read_bytes())
    if found is None:
        raise SystemExit(f"{library} does not tell its version")
    return found[1].decode("ascii")


setup(
    long_description=readme_for_index(Path(__file__).resolve().parent),
    long_description_content_type="text/x-rst",
    cmdclass={"build_ext": build_ext, "bdist_wheel": bdist_wheel},
    ext_modules=[
        Extension(
            "zookeeper._client",
            [str(PACKAGE / "_client.pyx"), *sorted(map(str, CORE.glob("*.c")))],
            depends=[
                "setup.py",
                str(EXPORTS),
                library,
                *sorted(map(str, [*PACKAGE.glob("*.px[id]"), *CORE.glob("*.h")])),
            ],
            include_dirs=[include_dir, str(CORE)],
            define_macros=[("THREADED", "1")],
            extra_objects=[library],
            extra_compile_args=[*COMPILED, "-pthread"],
            extra_link_args=[
                "-pthread",
                *LINKED,
                *(f"-Wl,--wrap={name}" for name in WRAPPED),
            ],
        ),
        Extension(
            "zc.zk._speedups._text",
            [str(SPEEDUPS / "_text.pyx")],
            depends=[str(EXPORTS), "setup.py", *sorted(map(str, SPEEDUPS.glob("*.pxi")))],
            extra_compile_args=[*COMPILED, "-pthread"],
            extra_link_args=["-pthread", *LINKED],
        ),
        Extension(
            "zookeeper._tls",
            [str(PACKAGE / "_tls.pyx"), *sorted(map(str, TLS.glob("*.c")))],
            depends=[str(EXPORTS), "setup.py", *sorted(map(str, TLS.glob("*.h")))],
            extra_compile_args=[*COMPILED, "-pthread"],
            # See regular.c; a libc has one of them or both. The system's OpenSSL (`shared`) goes
            # without.
            extra_link_args=["-pthread", *LINKED, "-Wl,--wrap=fopen", "-Wl,--wrap=fopen64"],
            include_dirs=[*openssl.pop("include_dirs", []), str(TLS)],
            **openssl,
        ),
    ],
)
