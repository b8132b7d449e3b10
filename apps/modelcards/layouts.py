"""Which template a card is laid out by: the one its revision names, else the one that its model is given.

A template comes from a file (shipped) or a row (the site's own); either way its bytes must have the digest by which
they are named. Raises Tampered where they do not, NotFound for a name that is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from apps.core import canonical
from apps.core.errors import NotFound, Tampered
from apps.modelcards import revisions, schema
from apps.modelcards.models import CardRevision, CardTemplateChoice, CardTemplateVersion
from apps.modelcards.templating import choosing, document, naming
from apps.modelcards.templating.document import CardTemplate
from apps.modelcards.templating.shipped_templates import FIRST, shipped, shipped_source
from apps.registry.models import ModelTag, ModelVersion, RegisteredModel

STANDARD = "standard"


def get(name: str) -> CardTemplate:
    """The template version named key/number; NotFound."""
    found = _named([name]).get(name)
    if found is None:
        raise NotFound(f"There is no card template {name[:100]!r}.")
    return found


def of(content: Mapping[str, Any]) -> CardTemplate:
    """The template that a revision's document names; the first one for a document of the first schema."""
    return of_all([content])[0]


def of_all(contents: Iterable[Mapping[str, Any]]) -> list[CardTemplate]:
    """The same for many documents, in one query."""
    references = [_reference(content) for content in contents]
    found = _named({name for name, _ in references})
    for name, digest in references:
        if name not in found:
            raise Tampered(f"A card names the template {name}, which is not there.")
        if found[name].digest != digest:
            raise Tampered(
                f"A card names the template {name} with digest {digest}, it has {found[name].digest}."
            )
    return [found[name] for name, _ in references]


def _reference(content: Mapping[str, Any]) -> tuple[str, str]:
    if content["schema"] == schema.FIRST_SCHEMA:
        return FIRST.name, FIRST.digest
    template = content["template"]
    return f"{template['key']}/{template['number']}", str(template["digest"])


def _named(names: Iterable[str]) -> dict[str, CardTemplate]:
    """Those of the names that exist; no query where all of them ship."""
    wanted = set(names)
    found = {name: each for name, each in shipped().items() if name in wanted}
    if own := wanted - found.keys():
        keys = {name.rpartition("/")[0] for name in own}
        rows = CardTemplateVersion.objects.filter(key__in=keys)
        found |= {str(row): read(row) for row in rows if str(row) in own}
    return found


def read(row: CardTemplateVersion) -> CardTemplate:
    """The template of a row; raises Tampered if its bytes are not what its digest says, or belong to another row."""
    data = bytes(row.document)
    if canonical.digest(data) != row.digest:
        raise Tampered(f"The card template {row} is not what its digest says.")
    template = document.read(data)
    if template.name != str(row):
        raise Tampered(f"The bytes of the card template {row} are those of {template.name}.")
    return template


def newest() -> dict[str, CardTemplate]:
    """The newest version of every template by its key, shipped ones first."""
    found: dict[str, CardTemplate] = {}
    for template in shipped().values():
        if template.key not in found or found[template.key].number < template.number:
            found[template.key] = template
    rows = CardTemplateVersion.objects.order_by("key", "-number").distinct("key")
    return found | {row.key: read(row) for row in rows}


def chosen_key(model: RegisteredModel) -> str:
    """The key that somebody chose for the model; "" where nobody did."""
    row = CardTemplateChoice.objects.filter(model=model).order_by("-pk").first()
    return row.key if row else ""


def given(model: RegisteredModel) -> CardTemplate:
    """The template that a new card of the model is laid out by: chosen for it, else by tier and tags, else the standard."""
    templates = newest()
    key = chosen_key(model)
    if key in templates:
        return templates[key]
    tags: dict[str, set[str]] = {}
    for tag, value in ModelTag.objects.filter(model=model).values_list("key", "value"):
        tags.setdefault(tag.lower(), set()).add(value)
    folded = {tag: frozenset(values) for tag, values in tags.items()}
    return choosing.best(templates.values(), model.risk_tier, folded) or templates[STANDARD]


def over(model: RegisteredModel, revision: CardRevision | None) -> CardTemplate:
    """What a card is laid out by now. Raises Tampered where the revision's bytes or its template are not what they were."""
    return of(revisions.verified(revision)) if revision else given(model)


def names(*contents: Mapping[str, Any]) -> naming.Names:
    """What the written blocks of these revisions are called, the first one's order first."""
    templates = of_all(contents)
    pairs = zip(templates, contents, strict=True)
    return naming.of(*((template, content.get("kept", {})) for template, content in pairs))


def open_to(model: RegisteredModel, before: Mapping[str, Any] | None) -> list[CardTemplate]:
    """What the next revision may be laid out by, its default first: the template it has (a first card: the one its
    model is given), newer versions of that one, and the one its model is given."""
    target = given(model)
    if before is None:
        return [target]
    current = of(before)
    newer = newest().get(current.key, current)
    found = {each.name: each for each in (current, newer, target) if _forward(current, each)}
    return list(found.values())


def _forward(current: CardTemplate, wanted: CardTemplate) -> bool:
    return wanted.key != current.key or wanted.number >= current.number


def source(template: CardTemplate) -> str:
    """The YAML that a version was written as; for the first one, which was not, the same spelled out."""
    if template.name in shipped():
        return shipped_source(template)
    return CardTemplateVersion.objects.get(key=template.key, number=template.number).source


def own_versions() -> list[CardTemplateVersion]:
    """Every version that this site defined, the newest first, with its author."""
    rows = CardTemplateVersion.objects.select_related("author").defer("document", "source")
    return list(rows.order_by("-pk")[:200])


def ever(version: ModelVersion) -> list[CardTemplate]:
    """Every template that a revision of this version's card named, in two queries."""
    rows = CardRevision.objects.filter(version=version)
    named = rows.values("content__schema", "content__template").distinct()
    return of_all(
        {"schema": row["content__schema"], "template": row["content__template"]} for row in named
    )
