"""Energy and carbon of a run, as CodeCarbon leaves them: its emissions.csv, or metrics, parameters and tags under its names.

CodeCarbon writes energy in kilowatt-hours, emissions in kilograms of CO2 equivalent, durations in seconds (its
documentation, "Output"). Units are never guessed: a name that says another unit is not read. Pure: bytes in, facts out.
Refuses (Invalid, in words) a file that is not such a table or says numbers that cannot be: negative, infinite, beyond all
reason. Not checked: whether the estimate is right; CodeCarbon's estimates are estimates.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from apps.core.errors import Invalid
from apps.core.parts import Cell, Fact, Facts, Missing, Part
from apps.modelcards.machine import Energy

FILE: Final = "emissions.csv"
MAX_BYTES: Final = 1_000_000
MAX_ROWS: Final = 10_000
_MAX_CELL: Final = 200
_MOST = Decimal(10) ** 12  # more than the world uses in a year, in any of the units
_ROW: Final = ("energy_consumed", "emissions", "duration")
_UNITS: Final = {"energy_consumed": "kWh", "emissions": "kg", "duration": "s"}


def from_csv(data: bytes, path: str) -> Energy:
    """The sum over the last row of each tracked run: a tracker that flushes writes one row per flush, each the total so far.

    Raises Invalid for what is no table of CodeCarbon's.
    """
    rows = _rows(data, path)
    last = {(row.get("run_id") or "", row.get("project_name") or ""): row for row in rows}
    kept = list(last.values())
    sums = {name: _sum(kept, name, path) for name in _ROW}
    return Energy(
        said_by=path if len(kept) == 1 else f"{path}, {len(kept)} tracked runs added up",
        energy_kwh=sums["energy_consumed"],
        emissions_kg=sums["emissions"],
        duration_s=sums["duration"],
        country=_said(kept, "country_name") or _said(kept, "country_iso_code"),
        hardware=", ".join(
            dict.fromkeys(
                text for name in ("cpu_model", "gpu_model") if (text := _said(kept, name))
            )
        ),
        tracker=f"CodeCarbon {_said(kept, 'codecarbon_version')}".strip(),
    )


def from_run(facts: Mapping[str, Any]) -> Energy | None:
    """From metrics, else parameters, else tags of the run, by CodeCarbon's names; None where there is no such name.

    Raises Invalid for a number that cannot be.
    """
    metrics = {name: str(each["value"]) for name, each in dict(facts.get("metrics") or {}).items()}
    places = (("metrics", metrics), ("parameters", facts.get("params")), ("tags", facts.get("tags")))  # fmt: skip
    for place, values in places:
        said = {name: str(values[name]) for name in _ROW if values and name in values}
        if "energy_consumed" in said or "emissions" in said:
            numbers = {name: _number(text, name, place) for name, text in said.items()}
            return Energy(
                said_by=f"the run's {place}",
                energy_kwh=_plain(numbers.get("energy_consumed")),
                emissions_kg=_plain(numbers.get("emissions")),
                duration_s=_plain(numbers.get("duration")),
            )
    return None


def parts(energy: Energy | None, refused: str) -> list[Part]:
    """For the card's block about the run: labelled values with their units, or why there are none; nothing without either."""
    if refused:
        return [Missing(refused)]
    if energy is None:
        return []
    rows = (
        ("Energy of the run", energy.energy_kwh, "kWh"),
        ("Carbon of the run", energy.emissions_kg, "kg CO₂ equivalent"),
        ("Tracked for", energy.duration_s, "s"),
        ("Where", energy.country, ""),
        ("Hardware", energy.hardware, ""),
        ("Energy said by", f"{energy.said_by} {_in(energy.tracker)}".strip(), ""),
    )
    facts = tuple(Fact(label, Cell(f"{value} {unit}".strip())) for label, value, unit in rows if value)  # fmt: skip
    return [Facts(facts)]


def _in(tracker: str) -> str:
    return f"({tracker})" if tracker else ""


def _rows(data: bytes, path: str) -> list[dict[str, str]]:
    if len(data) > MAX_BYTES:
        raise Invalid(f"{path} has {len(data):,} bytes; at most {MAX_BYTES:,} are read.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(f"{path} is not text in UTF-8.") from None
    if "\0" in text:
        raise Invalid(f"{path} is not text: it holds a NUL.")
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        _check_head(reader.fieldnames or (), path)
        rows: list[dict[str, str]] = []
        for row in reader:
            if len(rows) == MAX_ROWS:
                raise Invalid(f"{path} has more than {MAX_ROWS:,} rows.")
            rows.append(_checked(row, path, len(rows) + 2))
    except csv.Error as error:
        raise Invalid(f"{path} is not a table of comma-separated values: {error}.") from None
    if not rows:
        raise Invalid(f"{path} has no row.")
    return rows


def _check_head(names: Sequence[str], path: str) -> None:
    if "emissions" not in names and "energy_consumed" not in names:
        raise Invalid(f"{path} has no column emissions or energy_consumed: CodeCarbon did not write it.")  # fmt: skip
    if len(set(names)) != len(names):
        raise Invalid(f"{path} names a column twice.")


def _checked(row: dict[Any, Any], path: str, line: int) -> dict[str, str]:
    """As many cells as columns. DictReader keeps what is too much under None and fills what lacks with None."""
    if None in row or None in row.values():
        raise Invalid(f"Row {line} of {path} has another number of cells than its head.")
    return row


def _sum(rows: Sequence[Mapping[str, str]], name: str, path: str) -> str:
    said = [row[name] for row in rows if row.get(name, "").strip()]
    if not said:
        return ""
    return _plain(sum((_number(text, name, path) for text in said), Decimal(0)))


def _number(text: str, name: str, place: str) -> Decimal:
    try:
        number = Decimal(text.strip()) if len(text) <= _MAX_CELL else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number < 0 or number > _MOST:
        raise Invalid(
            f"{place} says {text[:40]!r} {_UNITS[name]} for {name}: that is no amount there can be."
        )
    return number


def _plain(number: Decimal | None) -> str:
    """Without exponent and trailing zeros, at most twelve digits after the point."""
    if number is None:
        return ""
    text = f"{number:.12f}"
    return text.rstrip("0").rstrip(".")


def _said(rows: Sequence[Mapping[str, str]], name: str) -> str:
    texts = dict.fromkeys(" ".join(row.get(name, "").split())[:_MAX_CELL] for row in rows)
    return ", ".join(text for text in list(texts)[:3] if text)
