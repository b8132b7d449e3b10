"""docs/policies.md has the reference that follows from the schema: `python -m tests.architecture.test_policy_reference` writes it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "policies.md"


def _type(told: dict[str, Any]) -> str:
    if "$ref" in told:
        return f"`{told['$ref'].rsplit('/', 1)[1]}`"
    if "anyOf" in told:
        return " or ".join(_type(each) for each in told["anyOf"])
    if "enum" in told:
        return ", ".join(f"`{value}`" for value in told["enum"])
    if "const" in told:
        return f"`{told['const']}`"
    if told.get("type") == "array":
        return f"list of {_type(told['items'])}" if told.get("items") else "list"
    if told.get("type") == "object" and isinstance(told.get("additionalProperties"), dict):
        return f"map to {_type(told['additionalProperties'])}"
    return {"integer": "whole number", "string": "text", "boolean": "true or false", "null": "nothing"}.get(
        str(told.get("type")), str(told.get("type", "any"))
    )  # fmt: skip


def reference() -> str:
    """A table for each part of the document."""
    from apps.reviews.policies.document import PolicyDocument

    schema = PolicyDocument.model_json_schema()
    parts = {"PolicyDocument": schema} | schema["$defs"]
    lines: list[str] = []
    for name, told in parts.items():
        lines += [f"### {name}", "", " ".join(told.get("description", "").split()), ""]
        lines += ["| key | needed | holds |", "|---|---|---|"]
        needed = told.get("required", [])
        for key, field in told.get("properties", {}).items():
            lines.append(f"| `{key}` | {'yes' if key in needed else ''} | {_type(field)} |")
        lines.append("")
    return "\n".join(lines)


def variables() -> str:
    """What a condition may speak of."""
    from apps.reviews.policies.conditions import VARIABLES

    rows = [f"| `{name}` | {text} |" for name, text in VARIABLES.items()]
    return "\n".join(["| name | what it holds |", "|---|---|", *rows, ""])


def page() -> str:
    """The page as it should be."""
    text = PAGE.read_text(encoding="utf-8")
    for name, content in (("reference", reference()), ("variables", variables())):
        text = re.sub(
            rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)",
            lambda found, content=content: f"{found[1]}\n{content}\n{found[2]}",
            text,
            flags=re.DOTALL,
        )
    return text


def test_the_reference_is_what_the_schema_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    PAGE.write_text(page(), encoding="utf-8")
