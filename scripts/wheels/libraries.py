"""The static libraries of a target: the C client of ZooKeeper, and OpenSSL."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from scripts.bill_of_materials import defined_version
from scripts.wheels.running import BuildError, plain_environment, run
from scripts.wheels.targets import Target
from scripts.wheels.zig import HARDENED, Tools

# The program in Debian's libzookeeper-java that writes the C of ZooKeeper's messages.
JUTE = Path("/usr/share/java/zookeeper-jute.jar")

# What the C client's configure finds out about Linux, with any libc, in the form it is kept in.
CONFIGURATION = "".join(
    f"#define HAVE_{name} 1\n"
    for name in (
        "ARPA_INET_H",
        "FCNTL_H",
        "GETCWD",
        "GETHOSTNAME",
        "GETLOGIN",
        "GETPWUID_R",
        "GETUID",
        "NETDB_H",
        "NETINET_IN_H",
        "POLL",
        "STDLIB_H",
        "STRING_H",
        "SYS_SOCKET_H",
        "SYS_TIME_H",
        "SYS_UTSNAME_H",
        "UNISTD_H",
    )
)

# Its assertions stay, as in Debian's build: zig leaves them out otherwise.
CLIENT_FLAGS = [
    "-DTHREADED",
    "-D_GNU_SOURCE",
    "-UNDEBUG",
    "-pthread",
    "-I.",
    "-Iinclude",
    "-Igenerated",
]

CLIENT_SOURCES = [
    "src/zookeeper.c",
    "src/recordio.c",
    "src/zk_log.c",
    "src/zk_hashtable.c",
    "src/addrvec.c",
    "src/mt_adaptor.c",
    "src/hashtable/hashtable.c",
    "src/hashtable/hashtable_itr.c",
    "generated/zookeeper.jute.c",
]

# Servers and clients of TLS are all that is needed of it. Its settings are where most systems have
# them: a system that forbids old versions of TLS forbids them to us.
OPENSSL_OPTIONS = [
    "--prefix=/usr",
    "--openssldir=/etc/ssl",
    *(
        f"no-{feature}"
        for feature in (
            "shared",
            "module",
            "dso",
            "engine",
            "legacy",
            "tests",
            "async",
            "comp",
            "dtls",
            "ssl3",
            "srp",
            "cms",
            "cmp",
            "ts",
            "ct",
            "md4",
            "mdc2",
            "idea",
            "seed",
            "bf",
            "cast",
            "gost",
        )
    ),
]


class Libraries(NamedTuple):
    """Where the libraries of a target and their headers are."""

    client: Path
    client_headers: Path
    # A folder with libssl.a, libcrypto.a and include/.
    openssl: Path


def build_libraries(
    target: Target, tools: Tools, client: Path, openssl: Path, work: Path
) -> Libraries:
    """Build the libraries out of archives of their sources, unless that is done."""
    libraries = Libraries(
        work / "client/libzookeeper_mt.a", work / "client/include", work / "openssl"
    )
    _once(
        work / "client",
        [
            tools.version,
            target.triple,
            client,
            CONFIGURATION,
            *CLIENT_SOURCES,
            *HARDENED,
            *CLIENT_FLAGS,
        ],
        lambda folder: _build_client(tools, client, folder),
    )
    _once(
        work / "openssl",
        [tools.version, target.triple, openssl, *OPENSSL_OPTIONS, *HARDENED],
        lambda folder: _build_openssl(target, tools, openssl, folder),
    )
    return libraries


def _once(folder: Path, made_of: Sequence[str | Path], build: Callable[[Path], None]) -> None:
    """Build in a folder unless it holds what the same things made before."""
    digest = hashlib.sha256()
    for part in made_of:
        digest.update(part.read_bytes() if isinstance(part, Path) else part.encode())
        digest.update(b"\0")
    stamp = folder / "built-of"
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    build(folder)
    stamp.write_text(digest.hexdigest())


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack an archive of one folder; return the folder."""
    folder.mkdir(parents=True)
    run("tar", "--extract", "--no-same-owner", "--file", archive, "--directory", folder)
    (unpacked,) = (path for path in folder.iterdir() if path.is_dir())
    return unpacked


def _build_client(tools: Tools, archive: Path, folder: Path) -> None:
    if not JUTE.exists():
        raise BuildError(f"{JUTE} is missing: run make servers, which installs libzookeeper-java")
    release = unpack(archive, folder / "source")
    source = release / "zookeeper-client/zookeeper-client-c"
    generated = source / "generated"
    generated.mkdir()
    description = release / "zookeeper-jute/src/main/resources/zookeeper.jute"
    run(
        "java",
        "-cp",
        JUTE,
        "org.apache.jute.compiler.generated.Rcc",
        "-l",
        "c",
        description,
        cwd=generated,
    )
    version = defined_version(source / "include/zookeeper_version.h", "ZOO_VERSION")
    package = f'#define PACKAGE_STRING "zookeeper C client {version}"\n'
    (source / "config.h").write_text(CONFIGURATION + package)
    headers = folder / "include"
    shutil.copytree(source / "include", headers)
    shutil.copy(generated / "zookeeper.jute.h", headers)
    flags = [*HARDENED, *CLIENT_FLAGS]

    def compile_file(name: str) -> str:
        built = Path(name).stem + ".o"
        run(tools.compiler, *flags, "-c", name, "-o", built, cwd=source)
        return built

    with ThreadPoolExecutor(os.cpu_count()) as workers:
        objects = list(workers.map(compile_file, CLIENT_SOURCES))
    run(tools.archiver, "rcs", folder / "libzookeeper_mt.a", *objects, cwd=source)


def _build_openssl(target: Target, tools: Tools, archive: Path, folder: Path) -> None:
    source = unpack(archive, folder / "source")
    # It writes the name of its compiler down, and the time.
    environment = plain_environment(
        {
            "PATH": f"{tools.folder}:{os.environ['PATH']}",
            "CC": "cc",
            "AR": "ar",
            "RANLIB": "ranlib",
            "SOURCE_DATE_EPOCH": "0",
        }
    )
    configured = ["perl", "Configure", target.openssl, *OPENSSL_OPTIONS, *HARDENED]
    run(*configured, cwd=source, environment=environment)
    jobs = f"-j{os.cpu_count()}"
    for wanted in (["build_generated"], ["libssl.a", "libcrypto.a"]):
        run("make", jobs, *wanted, cwd=source, environment=environment)
    for name in ("libssl.a", "libcrypto.a"):
        shutil.copy(source / name, folder)
    shutil.copytree(source / "include", folder / "include")
    shutil.rmtree(source)
