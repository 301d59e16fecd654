"""The extension module ``zookeeper._client``; everything else about the package is in pyproject.toml."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from pathlib import Path

from Cython.Build import build_ext as cython_build_ext
from setuptools import Extension, setup

PACKAGE = Path("src/zookeeper")
CORE = PACKAGE / "core"

# Functions of the C client, and of libc as the C client calls it, that the core puts itself in
# front of: NAME becomes __wrap_NAME, and the original stays reachable as __real_NAME.
WRAPPED = [
    "serialize_RequestHeader",
    "serialize_GetDataRequest",
    "deserialize_ReplyHeader",
    "deserialize_GetDataResponse",
    "activateWatcher",
    "collect_keys",
    "lock_watchers",
    "serialize_SetWatches",
    "socket",
    "pipe",
]

# Warnings are errors for our own C and for whoever works on it: not for Cython's output, and not
# for those who only install the package with a compiler that warns about more than ours does.
STRICT = ["-Wextra", "-Werror"] if os.environ.get("ZOOKEEPER_WERROR") else ["-Wextra"]


def multiarch() -> str:
    """The name of Debian's library folder for this machine, such as x86_64-linux-gnu."""
    if name := sysconfig.get_config_var("MULTIARCH"):
        return str(name)
    asked = subprocess.run(["gcc", "-print-multiarch"], capture_output=True, text=True, check=False)
    return asked.stdout.strip()


def c_client() -> tuple[str, str]:
    """The static library of the C client and the folder of its headers, or the end of the build."""
    library = os.environ.get("ZOOKEEPER_STATIC_LIB")
    candidates = [Path(library)] if library else [
        folder / "libzookeeper_mt.a"
        for folder in (Path("/usr/lib") / multiarch(), Path("/usr/lib64"), Path("/usr/local/lib"))
    ]
    include = os.environ.get("ZOOKEEPER_INCLUDE_DIR")
    includes = [Path(include)] if include else [
        Path("/usr/include/zookeeper"), Path("/usr/local/include/zookeeper")
    ]
    for what, tried, variable in (
        ("libzookeeper_mt.a", candidates, "ZOOKEEPER_STATIC_LIB"),
        ("zookeeper.h", [folder / "zookeeper.h" for folder in includes], "ZOOKEEPER_INCLUDE_DIR"),
    ):
        if not any(path.is_file() for path in tried):
            raise SystemExit(
                f"The ZooKeeper C client's {what} is not here: looked for "
                f"{', '.join(map(str, tried))}. Run `apt-get install libzookeeper-mt-dev` "
                f"or set {variable}."
            )
    return (
        next(str(path) for path in candidates if path.is_file()),
        next(str(folder) for folder in includes if (folder / "zookeeper.h").is_file()),
    )


class build_ext(cython_build_ext):
    """Compiles only the files that changed, and our own C more strictly than Cython's output."""

    def initialize_options(self) -> None:
        super().initialize_options()
        self.cython_c_in_temp = True

    def build_extensions(self) -> None:
        compile_file = self.compiler._compile
        headers = max(
            path.stat().st_mtime for path in [Path(__file__), *PACKAGE.rglob("*.h")]
        )

        def compile_changed(obj, src, ext, cc_args, extra_postargs, pp_opts):  # type: ignore
            built = Path(obj)
            if not self.force and built.exists():
                if built.stat().st_mtime > max(headers, Path(src).stat().st_mtime):
                    return
            if CORE in Path(src).parents:
                extra_postargs = [*extra_postargs, *STRICT]
            compile_file(obj, src, ext, cc_args, extra_postargs, pp_opts)

        self.compiler._compile = compile_changed
        super().build_extensions()


library, include_dir = c_client()

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
        )
    ],
)
