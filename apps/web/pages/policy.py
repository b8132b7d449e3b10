"""One policy in words, with its versions."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from apps.accounts import policy as rights
from apps.core.actor import Actor
from apps.reviews import in_force
from apps.reviews.models import PolicyVersion
from apps.reviews.policies import files
from apps.reviews.policies.document import parse
from apps.reviews.reads import policies as policy_list
from apps.web import cells, status
from apps.web.pages import policy_words
from apps.web.pages.policy_document import Words, in_words
from apps.web.parts import Action, Chip, Column, Crumb, PageHeader, Row, Table


@dataclass(frozen=True, slots=True)
class PolicyPage:
    header: PageHeader
    words: Words
    versions: Table
    yaml: str


def page(actor: Actor, key: str) -> PolicyPage:
    """One policy: the version in force, or the newest one when none is."""
    active = in_force.of_key(key)
    row = active or policy_list.versions(key).first() or policy_list.get_version(key, 0)
    return _of(actor, row, active, _policy_actions(actor, row, active))


def version_page(actor: Actor, key: str, number: int) -> PolicyPage:
    """One version, in force or not; NotFound."""
    row = policy_list.get_version(key, number)
    active = in_force.of_key(key)
    return _of(actor, row, active, _version_actions(actor, row, active))


def _of(
    actor: Actor, row: PolicyVersion, active: PolicyVersion | None, actions: list[Action]
) -> PolicyPage:
    document = parse(row.document)
    crumbs = [policy_words.CRUMB, Crumb(document.title, reverse("web:policy", args=[row.key]))]
    return PolicyPage(
        header=PageHeader(
            document.title,
            ref=str(row),
            chips=[_state(row, active)],
            lead=document.summary,
            digest=row.digest,
            actions=actions,
            crumbs=[*crumbs, Crumb(str(row))],
        ),
        words=in_words(document),
        versions=_versions(row.key, active),
        yaml=files.dump(document),
    )


def _state(row: PolicyVersion, active: PolicyVersion | None) -> Chip:
    return status.chip("policy", "in_force" if row == active else "not_in_force")


def _yaml(row: PolicyVersion) -> Action:
    url = reverse("web:policy-yaml", args=[row.key, row.number])
    return Action("YAML", url, icon="download", download=True)


def _policy_actions(actor: Actor, row: PolicyVersion, active: PolicyVersion | None) -> list[Action]:
    if not rights.can(actor, "policy.edit"):
        return [_yaml(row)]
    url = f"{reverse('web:policy-propose')}?from={row.key}"
    retire = Action("Retire", reverse("web:policy-retire", args=[row.key]), "danger")
    return [Action("Propose a change", url, "primary"), *([retire] if active else []), _yaml(row)]


def _version_actions(
    actor: Actor, row: PolicyVersion, active: PolicyVersion | None
) -> list[Action]:
    """Going back is another signed change: a new version with the old content."""
    if row == active or not rights.can(actor, "policy.edit"):
        return [_yaml(row)]
    url = f"{reverse('web:policy-propose')}?from={row.key}&number={row.number}&as=preview"
    return [Action(f"Propose version {row.number} again", url, "primary", icon="undo"), _yaml(row)]


def _versions(key: str, active: PolicyVersion | None) -> Table:
    rows = [
        Row(
            [
                cells.link(str(row), reverse("web:policy-version", args=[key, row.number])),
                cells.chip(_state(row, active)),
                cells.when(row.created_at),
                cells.digest(row.digest),
                cells.acts(_yaml(row)),
            ]
        )
        for row in policy_list.versions(key)[:50]
    ]
    columns = [Column("Version"), Column("State"), Column("Written"), Column("Digest"), Column("File", hidden_label=True)]  # fmt: skip
    return Table("Versions", columns, rows)
