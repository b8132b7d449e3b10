"""Personal data in the evaluation data: names of columns, and values that recognisers of libraries know."""

from __future__ import annotations

import msgspec

from apps.checks import figures, hints
from apps.checks.engine import pii as engine
from apps.checks.kinds import choosing
from apps.checks.kinds.base import Divided, Kind, Task
from apps.checks.kinds.numbers import HOME
from apps.checks.library import pii
from apps.checks.library.pii import ColumnScan, Params, PiiResult, PiiStatistics, assess
from apps.checks.library.recognisers import IDENTITY, TITLES
from apps.checks.limits import PiiLimits
from apps.checks.numbers import grouped, listed
from apps.core.errors import Invalid
from apps.core.parts import Bar, Cell, Chart, Column, Fact, Facts, Part, Table, Text

_MOST_SHOWN = 100
_MOST_VALUES = 5_000_000


def units(task: Task, _params: Params) -> int:
    """How many columns are read."""
    return len(engine.read_columns(task.data[0]))


def count(task: Task, params: Params, places: range) -> PiiStatistics:
    """Read the columns at these places. No value that was read is part of what is returned."""
    return engine.scan(task.data[0], task.workshop, params, places)


def checked(params: Params) -> Params:
    """Countries in small letters and in order, each once. Raises Invalid for one that is not known, and for numbers out of range."""
    countries = tuple(sorted({each.strip().lower() for each in params.countries}))
    unknown = [each for each in countries if each not in IDENTITY]
    if unknown:
        reason = f"{listed(unknown)} not known; expected some of {', '.join(IDENTITY)}"
        raise Invalid(f"countries: {reason}.", fields={"countries": reason})
    if not 1 <= params.most_values <= _MOST_VALUES:
        reason = f"expected a whole number from 1 to {_MOST_VALUES}"
        raise Invalid(f"most_values: {reason}.", fields={"most_values": reason})
    if not 0 <= params.seed < 2**63:
        reason = "expected a whole number that is not negative"
        raise Invalid(f"seed: {reason}.", fields={"seed": reason})
    return msgspec.structs.replace(params, countries=countries)


def parts(result: PiiResult) -> tuple[Part, ...]:
    """The sentence, what was looked for and read, and the columns, those with findings first."""
    return (Text(pii.sentence(result)), _whole(result), _chart(result), _table(result))


def _chart(result: PiiResult) -> Chart:
    bars = tuple(
        Bar(each.name, str(found.rows), series=TITLES[found.kind])
        for each in result.columns
        for found in each.found
    )
    why = "nothing was recognised in the columns that were read."
    return Chart("Recognised, by column", "rows", bars, empty=why)


def _whole(result: PiiResult) -> Facts:
    sampled = [each for each in result.columns if each.sampled]
    reading = "all rows of these columns"
    if sampled:
        reading = f"all rows; of {listed([each.name for each in sampled])} a sample of values (seed {result.seed})"
    facts = [
        ("Looked for", pii.looked_for(result)),
        ("Read", reading),
        ("Names of columns that speak of personal data", listed([f"{each.column} ({each.kind})" for each in result.named]) or "none"),
        ("Looked at by name only", listed(list(result.by_name_only)) or "none"),
        ("Cannot be recognised", "names of people, postal addresses, dates of birth, numbers of other countries"),
    ]  # fmt: skip
    return Facts(tuple(Fact(label, Cell(value)) for label, value in facts))


def _table(result: PiiResult) -> Table:
    ordered = sorted(result.columns, key=lambda each: not each.found)
    left = f" Shown are {_MOST_SHOWN} of {grouped(len(ordered))}." if len(ordered) > _MOST_SHOWN else ""  # fmt: skip
    return Table(
        "Columns read for personal data",
        (
            Column("Column"),
            Column("Rows with a value", numeric=True),
            Column("Different values that could hold some", numeric=True),
            Column("Of these read", numeric=True),
            Column("Recognised, in rows"),
        ),
        tuple(_row(each) for each in ordered[:_MOST_SHOWN]),
        "Counts only: what was recognised is neither kept nor shown. Check digits let one number in ten pass by chance."
        + left,
    )


def _row(column: ColumnScan) -> tuple[Cell, ...]:
    found = [f"{TITLES[each.kind]} {grouped(each.rows)}" for each in column.found]
    return (
        Cell(column.name),
        Cell(grouped(column.present)),
        Cell(grouped(column.possible)),
        Cell(grouped(column.read), tone="warn" if column.sampled else ""),
        Cell(", ".join(found) or "none", tone="warn" if found else ""),
    )


DIVIDED = Divided(PiiStatistics, units, count, engine.join, pii.measure)
KIND = Kind(
    key="pii",
    title="Personal data",
    params=Params,
    result=PiiResult,
    limits=PiiLimits,
    run=DIVIDED.run,
    divided=DIVIDED,
    assess=assess,
    checked=checked,
    parts=parts,
    figures=figures.of_pii,
    hints=hints.PII,
    choices=choosing.PII,
    home=HOME,
    sources=(
        "engine/pii.py",
        "engine/source.py",
        "library/exactly.py",
        "library/pii.py",
        "library/recognisers.py",
    ),
    libraries=("django", "duckdb", "msgspec", "phonenumbers", "python-stdnum"),
)
