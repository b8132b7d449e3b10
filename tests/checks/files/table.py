"""The table of docs/checks/files.md, measured: `python -m tests.checks.files.table` writes it, a test compares it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.checks.files import samples
from tests.checks.files.support import verdict

PAGE = Path(__file__).resolve().parents[3] / "docs" / "checks" / "files.md"
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"


def counts(of: Mapping[str, Callable[[], bytes]]) -> tuple[Counter[str], dict[str, str]]:
    """How many samples got which verdict, and each sample's."""
    each = {
        name: verdict(make(), samples.NAMES.get(name, "model.bin")) for name, make in of.items()
    }
    return Counter(each.values()), each


def text() -> str:
    """The whole table in Markdown."""
    harmful, each = counts(samples.HARMFUL)
    harmless, _ = counts(samples.HARMLESS)
    bad, good = len(samples.HARMFUL), len(samples.HARMLESS)
    lines = [
        "| samples | number | FAIL | INSUFFICIENT | INCONCLUSIVE | PASS |",
        "| --- | --- | --- | --- | --- | --- |",
        _line("harmful", bad, harmful),
        _line("harmless", good, harmless),
        "",
        (
            f"Found or refused (true positives) {bad - harmful['PASS']}, let through (false negatives) {harmful['PASS']}; "
            f"passed (true negatives) {harmless['PASS']}, refused without reason (false positives) {good - harmless['PASS']}."
        ),
        "",
        f"Harmful and not FAIL, because nothing here can read it or nobody knows the name: {_others(each)}.",
    ]
    return "\n".join(lines) + "\n"


def _others(each: Mapping[str, str]) -> str:
    return "; ".join(f"{name} ({said})" for name, said in each.items() if said != "FAIL")


def _line(name: str, number: int, found: Counter[str]) -> str:
    columns = (found[key] for key in ("FAIL", "INSUFFICIENT", "INCONCLUSIVE", "PASS"))
    return f"| {name} | {number} | {' | '.join(map(str, columns))} |"


def main() -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}{text()}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
