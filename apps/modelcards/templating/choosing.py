"""Which of several templates is meant for a model. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from apps.modelcards.templating.document import CardTemplate


def best(
    templates: Iterable[CardTemplate], tier: int, tags: Mapping[str, frozenset[str]]
) -> CardTemplate | None:
    """The one that names most about the model: more tags before fewer, a tier before none, then by key.

    `tags` are the model's, keys in lower case. None where no template is meant for it.
    """
    fitting = [each for each in templates if each.applies_to.to(tier, tags)]
    return min(fitting, key=_rank, default=None)


def _rank(template: CardTemplate) -> tuple[int, int, str]:
    applies = template.applies_to
    return -len(applies.tags), -bool(applies.tiers), template.key
