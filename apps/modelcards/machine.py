"""What a program needs to know of a version beside the card's words: numbers with intervals, data sets, files, packages.

Plain data in a dossier, so that it is frozen with it. Decimals are the strings of the stored results; nothing is
computed here. What nobody recorded is empty, never guessed.
"""

from __future__ import annotations

import msgspec


class Number(msgspec.Struct, frozen=True, omit_defaults=True):
    """One measured quantity. `of` is the slice it was computed on; empty means all rows that were counted."""

    key: str
    title: str
    value: str
    low: str = ""
    high: str = ""
    n: int | None = None
    of: str = ""
    method: str = ""


class Measured(msgspec.Struct, frozen=True, omit_defaults=True):
    """The numbers of one check; `data` are the digests of the data sets it was measured on."""

    kind: str
    title: str
    measurement: str
    digest: str
    at: str
    confidence: str
    numbers: tuple[Number, ...]
    data: tuple[str, ...] = ()


class DataSet(msgspec.Struct, frozen=True, omit_defaults=True):
    """`use` is evaluation, reference or training. A training set is what the run logged: its digest is the client's own,
    which need not be a SHA-256 (`digest_is` says what it is)."""

    name: str
    use: str
    digest: str
    digest_is: str
    format: str = ""
    rows: int | None = None
    sensitive: tuple[str, ...] = ()
    source: str = ""


class File(msgspec.Struct, frozen=True):
    path: str
    size: int
    digest: str


class Package(msgspec.Struct, frozen=True, omit_defaults=True):
    """A package that one of the version's own files asks for; `version` only where exactly one was asked for."""

    name: str
    asked: str
    said_by: str
    version: str = ""
    manager: str = "pypi"


class Energy(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the run says it used, as CodeCarbon measures: kilowatt-hours, kilograms of CO2 equivalent, seconds."""

    said_by: str
    energy_kwh: str = ""
    emissions_kg: str = ""
    duration_s: str = ""
    country: str = ""
    hardware: str = ""
    tracker: str = ""


class About(msgspec.Struct, frozen=True, omit_defaults=True):
    """What tags of the version, its model or its run say, under Hugging Face's names; and what MLmodel names."""

    license: str = ""
    languages: tuple[str, ...] = ()
    base_models: tuple[str, ...] = ()
    pipeline_tag: str = ""
    library_name: str = ""
    tags: tuple[str, ...] = ()


class Machine(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything that only programs read."""

    uuid: str
    url: str
    description: str
    owner: str
    risk_tier: int
    manifest_digest: str
    run: str = ""
    files: tuple[File, ...] = ()
    datasets: tuple[DataSet, ...] = ()
    measured: tuple[Measured, ...] = ()
    packages: tuple[Package, ...] = ()
    packages_unread: tuple[str, ...] = ()
    about: About = About()
    energy: Energy | None = None
    energy_refused: str = ""
