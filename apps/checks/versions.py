"""With what a measurement was made: the digest of the code that counts and judges, and the libraries."""

from __future__ import annotations

import functools
import hashlib
import platform
from importlib.metadata import version

from django.conf import settings

from apps.checks import kinds
from apps.checks.engine import engines


@functools.cache
def code_version(key: str) -> str:
    """SHA-256 over the sources that produce a result of this kind: nobody has to remember to raise a version."""
    kind = kinds.get(key)
    digest = hashlib.sha256()
    for pattern in kind.sources:
        for path in sorted(kind.home.glob(pattern)):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(kind.home).as_posix()}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def engine_of(key: str) -> str:
    """Where the data of a kind are counted: CHECKS_ENGINE, or in the worker."""
    return str(settings.CHECKS_ENGINE) if kinds.get(key).on_engine else engines.LOCAL


def libraries(key: str) -> dict[str, str]:
    """The installed versions of everything that takes part in a result of this kind; of an engine elsewhere its kind too.

    Raises Invalid where CHECKS_ENGINE cannot be used.
    """
    return {**installed(key), **engines.libraries(engine_of(key))}


@functools.cache
def installed(key: str) -> dict[str, str]:
    """The installed versions of Python and of the libraries of a kind."""
    found = {name: version(name) for name in kinds.get(key).libraries}
    return {"python": platform.python_version(), **found}
