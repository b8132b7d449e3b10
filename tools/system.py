"""System packages: what is missing, in one sentence, and installed by apt when we may. Standard library only.

`python -m tools.system site|tests` ends with 0 when everything is there (installing it as root), else with one
sentence naming what to install.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.osproc import Refusal


def _library(*names: str) -> Callable[[], bool]:
    def loads() -> bool:
        try:
            for name in names:
                ctypes.CDLL(name)
        except OSError:
            return False
        return True

    return loads


def _program(*names: str) -> Callable[[], bool]:
    return lambda: all(shutil.which(name) for name in names)


def _font(pattern: str) -> Callable[[], bool]:
    return lambda: any(Path("/usr/share/fonts").rglob(pattern))


@dataclass(frozen=True)
class Need:
    """One thing the operating system must bring, and Debian's packages that bring it."""

    name: str
    packages: tuple[str, ...]
    present: Callable[[], bool]


SITE = (
    Need(
        "Pango",
        ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"),
        _library("libpango-1.0.so.0", "libpangoft2-1.0.so.0", "libharfbuzz-subset.so.0"),
    ),
    Need("the DejaVu fonts", ("fonts-dejavu-core",), _font("DejaVuSans.ttf")),
    Need("the Noto fonts", ("fonts-noto-core",), _font("NotoSans-Regular.*")),
    Need("the Noto fixed-width font", ("fonts-noto-mono",), _font("NotoSansMono-Regular.*")),
)
TESTS = (
    *SITE,
    # A site without it prints documents in Latin, Arabic, Hebrew, ... and says which characters it lacks.
    Need("the CJK fonts", ("fonts-noto-cjk",), _font("NotoSansCJK-Regular.*")),
    Need("Chromium", ("chromium",), _program("chromium")),
    Need("Redis", ("redis-server",), _program("redis-server")),  # a queue that can be taken away
    Need("OpenSSL", ("openssl",), _program("openssl")),  # a time stamp authority
    # A validator of PDF/A, which a package from PyPI brings; Java 11 dropped JAXB.
    Need("Java", ("default-jre-headless",), _program("java")),
    Need("JAXB", ("libjaxb-java",), lambda: Path("/usr/share/java/jaxb-runtime.jar").exists()),
    Need("the Poppler tools", ("poppler-utils",), _program("pdftotext", "pdfdetach", "pdftoppm")),
)
GROUPS = {"site": SITE, "tests": TESTS}


def missing(group: str) -> list[Need]:
    """What is not there."""
    return [need for need in GROUPS[group] if not need.present()]


def require(group: str) -> None:
    """Raise Refusal with one sentence when something is missing; installs nothing."""
    absent = missing(group)
    if absent:
        raise Refusal(sentence(absent))


def sentence(absent: list[Need]) -> str:
    """What is missing and the command that brings it."""
    names = " and ".join(need.name for need in absent)
    packages = " ".join(package for need in absent for package in need.packages)
    return f"Missing on this system: {names}; install with: sudo apt-get install {packages}"


def provide(group: str) -> None:
    """Install what is missing where we may (root and apt); raises Refusal otherwise or when that fails."""
    absent = missing(group)
    if not absent:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Refusal(sentence(absent))
    packages = [package for need in absent for package in need.packages]
    sys.stdout.write(f"Installing system packages: {' '.join(packages)} ...\n")
    sys.stdout.flush()
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "-qq", "update"],
        ["apt-get", "-qq", "install", "-y", "--no-install-recommends", *packages],
    ):
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise Refusal(f"{sentence(absent)} (apt-get failed: {reason})")
    require(group)


def main() -> int:
    """Provide the named group."""
    try:
        provide(sys.argv[1])
    except Refusal as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
