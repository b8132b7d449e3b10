"""What decides which policies count for a model: its risk tier, its team and its scope tags.

Which policies there are is no business of the registry. Whether a change lets one go is asked of
settings.STANDING_RULE (apps.reviews); an empty setting is an exception, never 'nothing is let go'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from apps.registry.materiality import NONE_DEMANDED, effective, risk_tier
from apps.registry.models import ModelTag, ModelVersion, RegisteredModel


@dataclass(frozen=True, slots=True)
class Standing:
    """`team` is a team's key or ""; `tags` are pairs of key and value, sorted; `demanded` is the tier that the impact
    assessment demands at least."""

    exposure: str
    purpose_class: str
    team: str
    tags: tuple[tuple[str, str], ...]
    demanded: int = NONE_DEMANDED

    @property
    def risk_tier(self) -> int:
        return effective(risk_tier(self.exposure, self.purpose_class), self.demanded)

    def with_tag(self, key: str, value: str | None) -> Standing:
        """The standing with this tag set or, with None, removed."""
        others = {k: v for k, v in self.tags if k != key}
        return replace(
            self, tags=tuple(sorted((others if value is None else {**others, key: value}).items()))
        )

    def plain(self) -> dict[str, Any]:
        """As data, for what is signed. A demand is named where there is one."""
        demand = {"demanded_tier": self.demanded} if self.demanded < NONE_DEMANDED else {}
        return {
            **demand,
            "risk_tier": self.risk_tier,
            "exposure": str(self.exposure),
            "purpose_class": str(self.purpose_class),
            "team": self.team,
            "tags": dict(self.tags),
        }


Rule = Callable[[Standing, Standing], list[str]]


def of(model: RegisteredModel, tags: Iterable[tuple[str, str]] | None = None) -> Standing:
    """How the model stands now, with all its tags."""
    if tags is None:
        tags = ModelTag.objects.filter(model=model).values_list("key", "value")
    team = model.team.key if model.team is not None else ""
    return Standing(
        model.exposure, model.purpose_class, team, tuple(sorted(tags)), model.demanded_tier
    )


def let_go(model: RegisteredModel, before: Standing, after: Standing) -> list[str]:
    """What the change loosens, a sentence each; [] if it takes no signature.

    While no version was ever registered, nothing is loosened: what is declared then is what the model begins with.
    """
    if before == after or not ModelVersion.objects.filter(model=model).exists():
        return []
    rule: Rule = import_string(settings.STANDING_RULE)
    return rule(before, after)


def after_settings(before: Standing, changes: Mapping[str, Any], team: str) -> Standing:
    """The standing when these settings are saved."""
    return replace(
        before,
        exposure=changes.get("exposure", before.exposure),
        purpose_class=changes.get("purpose_class", before.purpose_class),
        team=team,
    )
