"""The page that asks what a bundle should hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.registry.models import ModelVersion, RegisteredModel
from apps.web import addresses, cells, words
from apps.web.parts import Column, Crumb, Notice, PageHeader, Row, Table

_LEAD = "Every record, document, key and proof in one archive, with the programs that verify it without this site."


@dataclass(frozen=True, slots=True)
class BundlePage:
    """What it is about, and the act. `notice` instead of the form where there is nothing to put in."""

    header: PageHeader
    table: Table | None
    notice: Notice | None
    button: str


def of_version(version: ModelVersion) -> BundlePage:
    """For one version."""
    name = version.model.name
    crumbs = [
        Crumb(name, addresses.model(name)),
        Crumb(f"v{version.number}", addresses.version(name, version.number, "documents/")),
    ]
    header = PageHeader(f"Bundle of {name} v{version.number}", lead=_LEAD, crumbs=crumbs)
    return BundlePage(header, None, None, "Download the bundle")


def of_model(model: RegisteredModel, versions: Sequence[ModelVersion]) -> BundlePage:
    """For the approved versions of a model, each in a folder of its own."""
    crumbs = [Crumb("Models", addresses.models()), Crumb(model.name, addresses.model(model.name))]
    header = PageHeader(
        f"Bundle of the approved versions of {model.name}", lead=_LEAD, crumbs=crumbs
    )
    if not versions:
        nothing = Notice("No version of this model was ever approved.", title="Nothing to put in")
        return BundlePage(header, None, nothing, "")
    table = Table(
        caption=f"Approved versions ({len(versions)})",
        columns=[Column("Version"), Column("Size of its files", numeric=True)],
        rows=[_row(model, version) for version in versions],
    )
    return BundlePage(header, table, None, "Download the bundle")


def of_engagement(title: str, url: str, versions: Sequence[ModelVersion]) -> BundlePage:
    """For the versions in the scope of an audit engagement."""
    header = PageHeader(f"Bundle of {title}", lead=_LEAD, crumbs=[Crumb(title, url)])
    table = Table(
        caption=f"Versions in scope ({len(versions)})",
        columns=[Column("Version"), Column("Size of its files", numeric=True)],
        rows=[_row(version.model, version, str(version)) for version in versions],
    )
    return BundlePage(header, table, None, "Download the bundle")


def _row(model: RegisteredModel, version: ModelVersion, label: str = "") -> Row:
    url = addresses.version(model.name, version.number, "documents/")
    size = words.size(version.total_size)
    return Row([cells.link(label or f"v{version.number}", url), cells.number(size)])
