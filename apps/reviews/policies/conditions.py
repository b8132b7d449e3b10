"""Conditions of a policy in the Common Expression Language (https://cel.dev), of which a part is let in.

The language has no loops but its macros over lists; without those, which are refused here, an expression ends
after as many steps as it has words. What cannot be computed (an absent metric, a division by zero) is not true.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import cel

MAX_LENGTH: Final = 500

# What an expression may speak of, with what each holds. `docs/policies.md` prints this table.
VARIABLES: Final[dict[str, str]] = {
    "model": '`name`, `tier` (1 to 3), `team` (its key or ""), `tags` (a map)',
    "version": "`number`, `files` (how many), `size` (bytes), `tags` (a map)",
    "run": "`params` and `metrics` (maps; a parameter is text, a metric a number), `commit`, `dirty`",
    "data": "by role (`evaluation`, `reference`, `current`): `rows`, `age_days`",
    "checks": 'by check: its verdict, such as `checks.fairness == "PASS"`',
    "uploaded": "by name: what another tool reported last, its `outcome` (`passed`, `warned`, `failed`, `unjudged`, `empty`), `tool`, `age_days`",
    "targets": 'what is asked for, such as `"stage:production" in targets`',
    "today": "the day, as a timestamp",
}

_FUNCTIONS: Final = frozenset(
    {
        "size", "has", "startsWith", "endsWith", "contains", "int", "double", "string", "timestamp", "duration",
        "getFullYear", "getMonth", "getDate", "getDayOfWeek",
    }
)  # fmt: skip
_MACRO = re.compile(r"\.\s*(?:all|exists|exists_one|existsOne|map|filter|transform\w*)\s*\(")


@lru_cache(maxsize=1024)
def _program(expression: str) -> Any:
    return cel.compile(expression)


def checked(expression: str) -> str:
    """The expression, unless it cannot be read or speaks of what it may not; raises ValueError saying what."""
    if len(expression) > MAX_LENGTH:
        raise ValueError(f"an expression has at most {MAX_LENGTH} characters")
    if not expression.isprintable():
        raise ValueError("an expression is one line of printable characters")
    if _MACRO.search(expression):
        raise ValueError("macros over lists (all, exists, map, filter) are not let in")
    try:
        told = _program(expression).references()
    except Exception as error:
        first = str(error).splitlines()[0] if str(error) else "no reason given"
        raise ValueError(f"not an expression: {first[:200]}") from error
    strange = sorted(set(told["variables"]) - set(VARIABLES))
    if strange:
        raise ValueError(
            f"unknown name {', '.join(strange)}; there are {', '.join(sorted(VARIABLES))}"
        )
    wild = sorted(
        name for name in told["functions"] if name.isidentifier() and name not in _FUNCTIONS
        and not name.startswith("_")
    )  # fmt: skip
    if wild:
        raise ValueError(f"function {', '.join(wild)} is not let in")
    return expression


def holds(expression: str, facts: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether it is true of these facts, and if it could not be computed, why. Never raises.

    `facts` has the names of VARIABLES. Only the answer `true` counts: text, numbers and errors do not.
    """
    try:
        answer = _program(checked(expression)).execute(dict(facts))
    except Exception as error:  # noqa: BLE001 - whatever a library makes of odd values, it is not true
        return False, f"could not be computed: {type(error).__name__} {error}"[:200]
    if answer is True:
        return True, ""
    return False, "" if answer is False else f"gave {str(answer)[:80]!r}, not true or false"
