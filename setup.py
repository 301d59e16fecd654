"""The extension modules; pyproject.toml has the rest of the package."""

from __future__ import annotations

import os
import sysconfig
import time
from pathlib import Path

from Cython.Build import build_ext as cython_build_ext
from setuptools import Extension, setup

PACKAGE = Path("src/zookeeper")
CORE = PACKAGE / "core"
TLS = PACKAGE / "tls"
SPEEDUPS = Path("src/zc/zk/_speedups")
C_CLIENT = "ZooKeeper's C client", "libzookeeper-mt-dev"

# Functions of the C client, and of libc as the C client calls it, that the core puts itself in
# front of: NAME becomes __wrap_NAME, and the original stays reachable as __real_NAME.
WRAPPED = [
    "serialize_RequestHeader",
    "serialize_GetDataRequest",
    "serialize_ExistsRequest",
    "serialize_GetChildren2Request",
    "deserialize_ReplyHeader",
    "deserialize_GetDataResponse",
    "deserialize_WatcherEvent",
    "lock_watchers",
    "serialize_SetWatches",
    "zookeeper_interest",
    "zookeeper_process",
    "process_completions",
    "process_async",
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
]

# Warnings are errors for our own C and for whoever works on it: not for Cython's output, and not
# for those who only install the package with a compiler that warns about more than ours does.
STRICT = ["-Wextra", "-Werror"] if os.environ.get("ZOOKEEPER_WERROR") else ["-Wextra"]


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


class build_ext(cython_build_ext):
    """Compiles only the files that changed, and our own C more strictly than Cython's output."""

    def initialize_options(self) -> None:
        super().initialize_options()
        self.cython_c_in_temp = True

    def finalize_options(self) -> None:
        super().finalize_options()
        if self.inplace:
            # The build that developers and tests use asserts what locks guard (core/locks.h); its
            # object files must not get into a wheel.
            self.define = [*(self.define or []), ("CORE_CHECKS", "1")]
            self.build_temp += "-checked"

    def build_extensions(self) -> None:
        compile_file = self.compiler._compile
        headers = max(path.stat().st_mtime for path in [Path(__file__), *PACKAGE.rglob("*.h")])

        def compile_changed(obj, src, ext, cc_args, extra_postargs, pp_opts):  # type: ignore
            built = Path(obj)
            newest = max(headers, Path(src).stat().st_mtime)
            if built.exists() and built.stat().st_mtime >= newest and not self.force:
                return
            if {CORE, TLS} & set(Path(src).parents):
                extra_postargs = [*extra_postargs, *STRICT]
            compile_file(obj, src, ext, cc_args, extra_postargs, pp_opts)

        self.compiler._compile = compile_changed
        began = time.time()
        super().build_extensions()
        # Made from the sources as they were then: they may have been edited while this went on.
        for made in [*Path(self.build_temp).rglob("*.[co]"), *map(Path, self.get_outputs())]:
            if made.stat().st_mtime > began:
                os.utime(made, (began, began))


# Debian keeps libraries in a folder named for the machine, such as x86_64-linux-gnu.
folders = [
    Path("/usr/lib", sysconfig.get_config_var("MULTIARCH") or ""),
    Path("/usr/local/lib"),
]
library = part_of(
    *C_CLIENT, "ZOOKEEPER_STATIC_LIB", *(folder / "libzookeeper_mt.a" for folder in folders)
)
# OpenSSL is linked statically as well, so that a wheel needs libc alone. ZOOKEEPER_OPENSSL names
# the folder of another libssl.a and libcrypto.a, or is `shared`, for the libraries of the system.
openssl: dict[str, list[str]] = {"libraries": ["ssl", "crypto"]}
if os.environ.get("ZOOKEEPER_OPENSSL") != "shared":
    folder = part_of(
        "OpenSSL",
        "libssl-dev",
        "ZOOKEEPER_OPENSSL",
        *(folder for folder in folders if (folder / "libssl.a").exists()),
    )
    openssl = {"extra_objects": [f"{folder}/libssl.a", f"{folder}/libcrypto.a"]}

include_dir = part_of(
    *C_CLIENT,
    "ZOOKEEPER_INCLUDE_DIR",
    Path("/usr/include/zookeeper"),
    Path("/usr/local/include/zookeeper"),
)

setup(
    cmdclass={"build_ext": build_ext},
    ext_modules=[
        Extension(
            "zookeeper._client",
            [str(PACKAGE / "_client.pyx"), *sorted(map(str, CORE.glob("*.c")))],
            depends=[
                "setup.py",
                library,
                *sorted(map(str, [*PACKAGE.glob("*.px[id]"), *CORE.glob("*.h")])),
            ],
            include_dirs=[include_dir, str(CORE)],
            define_macros=[("THREADED", "1")],
            extra_objects=[library],
            extra_compile_args=["-std=gnu11", "-O2", "-Wall", "-fvisibility=hidden", "-pthread"],
            extra_link_args=[
                "-pthread",
                # What the static library defines stays private: another copy of the C client in
                # the same process, in another extension, is none of our business.
                "-Wl,--exclude-libs,ALL",
                # A symbol that is missing is found out at import, not at the first call.
                "-Wl,-z,now",
                *(f"-Wl,--wrap={name}" for name in WRAPPED),
            ],
        ),
        Extension(
            "zookeeper._tls",
            [str(PACKAGE / "_tls.pyx"), *sorted(map(str, TLS.glob("*.c")))],
            depends=["setup.py", *sorted(map(str, TLS.glob("*.h")))],
            include_dirs=[str(TLS)],
            extra_compile_args=["-std=gnu11", "-O2", "-Wall", "-fvisibility=hidden", "-pthread"],
            extra_link_args=["-pthread", "-Wl,--exclude-libs,ALL", "-Wl,-z,now"],
            **openssl,
        ),
        Extension(
            "zc.zk._speedups._text",
            [str(SPEEDUPS / "_text.pyx")],
            depends=["setup.py", *sorted(map(str, SPEEDUPS.glob("*.pxi")))],
            extra_compile_args=["-std=gnu11", "-O2", "-Wall", "-fvisibility=hidden"],
        ),
    ],
)
