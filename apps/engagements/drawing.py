"""Drawing a sample so that somebody else draws the same one by hand. Pure.

The rule: each decision of the population gets a ticket, SHA-256(seed ":" statement digest), both as text; the sample is the `n`
smallest tickets. It is sampling without replacement by pseudo-random numbers that seed and item determine, as in R. L. Rivest,
"Consistent Sampling with Replacement", arXiv:1808.10016 (2018), section 1. Every subset of size n is equally likely as far as
SHA-256 behaves like a random function and the seed was not chosen to please: it is recorded together with every other drawing.

    printf '%s' "$SEED:$DIGEST" | sha256sum
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from typing import Final

RULE: Final = "sha256-smallest-tickets/1"


def new_seed() -> str:
    """128 random bits, in hexadecimal."""
    return secrets.token_hex(16)


def ticket(seed: str, digest: str) -> str:
    """The ticket of one decision, in hexadecimal."""
    return hashlib.sha256(f"{seed}:{digest}".encode()).hexdigest()


def draw(seed: str, digests: Iterable[str], size: int) -> list[tuple[str, str]]:
    """The `size` smallest tickets with their decisions, (ticket, digest), smallest first; all of a smaller population."""
    return sorted((ticket(seed, digest), digest) for digest in set(digests))[:size]


def population_digest(digests: Iterable[str]) -> str:
    """SHA-256 of the digests in ascending order, each on a line: what was there to be drawn from."""
    lines = "".join(f"{digest}\n" for digest in sorted(set(digests)))
    return hashlib.sha256(lines.encode()).hexdigest()
