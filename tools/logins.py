"""The demo's logins as a table for the terminal. Standard library only."""

from __future__ import annotations

import json
from pathlib import Path


def table(demo: Path) -> str:
    """One line a role; what the story wrote into demo.json, nothing else."""
    facts = json.loads(demo.read_text(encoding="utf-8"))
    users: dict[str, dict[str, str]] = facts.get("users", {})
    lines = [f"{'role':<15}{'username':<15}password"]
    lines += [
        f"{role:<15}{user.get('username', ''):<15}{user.get('password', '')}"
        for role, user in users.items()
    ]
    return "\n".join([*lines, f"(tokens and versions: {demo})"])
