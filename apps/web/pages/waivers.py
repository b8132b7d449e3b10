"""Waivers as rows, and the forms that sign and revoke one."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import quote

from django.urls import reverse

from apps.core.actor import Actor
from apps.registry.models import ModelVersion
from apps.reviews import roles
from apps.reviews.models import Waiver
from apps.reviews.reads import waivers
from apps.web import addresses, cells, status, words
from apps.web.parts import Action, Column, Empty, Row, SignBox, Table

why_not = waivers.why_not


def _url(version: ModelVersion) -> str:
    return addresses.version(version.model.name, version.number, "findings/")


def waive(version: ModelVersion) -> Action:
    """The act of somebody who may."""
    url = addresses.version(version.model.name, version.number, "waivers/new/")
    return Action("Waive a requirement…", url, "", "sign", dialog=True)


def table(version: ModelVersion, verbs: Collection[str]) -> Table:
    """Every waiver of the version, newest first."""
    may = roles.among(waivers.allowed_by(version).roles, verbs)
    rows = [_row(row, may=may) for row in waivers.waivers_of(version)]
    names = ("Requirement", "State", "Why", "Signed by", "Until")
    columns = [*(Column(name) for name in names), Column("Acts", hidden_label=True)]
    empty = Empty(
        "nothing-yet",
        "Nothing is waived",
        "Every requirement of the policy counts. One that is put aside by signature stands here until it expires.",
    )
    return Table("Waivers", columns, rows, empty)


def _row(row: Waiver, *, may: bool) -> Row:
    standing = waivers.standing(row)
    acts = []
    if may and standing.state == "in_force":
        url = reverse("web:waiver-revoke", args=[row.pk])
        acts.append(Action("Revoke…", url, "", "undo", dialog=True))
    note = f"revoked: {standing.reason}" if standing.reason else ""
    return Row(
        [
            cells.text(waivers.REQUIREMENTS.get(row.requirement, row.requirement)),
            cells.chip(status.chip("waiver", standing.state), note=note),
            cells.text(row.reason),
            cells.person(f"{row.signer_name}, {row.role}"),
            cells.text(words.utc(row.expires_at)),
            cells.acts(*acts),
        ],
        id=f"waiver-{row.pk}",
    )


def grant_box(actor: Actor, version: ModelVersion) -> SignBox:
    """What is about to be signed."""
    name, number = quote(version.model.name, safe=""), version.number
    return SignBox(
        title=f"Waive a requirement of {version}",
        statement=f"You sign that {version} need not meet the requirement you choose, until the day you choose. "
        "Then it counts again, by itself. Nothing else is put aside.",
        digest=version.manifest_digest,
        as_whom=f"{actor.label}, {roles.named(waivers.allowed_by(version).roles)}",
        submit_label="Sign the waiver",
        action_url=f"/models/{name}/{number}/waivers/new/",
        cancel_url=_url(version),
        digest_label="Files",
        stays="It stays in the record; it can be revoked, with a reason.",
    )


def revoke_box(actor: Actor, row: Waiver) -> SignBox:
    """What is about to end."""
    requirement = waivers.REQUIREMENTS.get(row.requirement, row.requirement)
    return SignBox(
        title=f"Revoke the waiver of {row.version}",
        statement=f"{requirement} counts again for {row.version}, at once.",
        digest=row.statement_digest,
        as_whom=f"{actor.label}, {roles.named(waivers.allowed_by(row.version).roles)}",
        submit_label="Revoke",
        action_url=reverse("web:waiver-revoke", args=[row.pk]),
        cancel_url=_url(row.version),
        danger=True,
        digest_label="Statement",
        stays="The reason and your name stay in the record.",
    )
