"""The three kinds of thing a role can be granted on, and the django-guardian rows that hold the grants.

The rows are django-guardian's direct-foreign-key permission models; what its shortcuts do with caches, backends and
Django's model permissions is not used, because each is another way to a right.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Final, Protocol

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model

from apps.accounts.models import ROLE_PREFIX, User


class Rooted(Protocol):
    """Anything rights can be asked about: it names the team, experiment or model they are granted on."""

    def policy_root(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of root: its word in ids, the verb to see it, the verb to say who may use it."""

    word: str
    read: str
    manage: str


KINDS: Final[dict[str, Kind]] = {
    "accounts.team": Kind("team", "model.read", "people.manage"),
    "experiments.experiment": Kind("experiment", "experiment.read", "experiment.manage"),
    "registry.registeredmodel": Kind("model", "model.read", "model.manage"),
}


def kind_of(model: type[Model]) -> Kind:
    """What kind of root the model is. KeyError for any other model: no rights hang on it."""
    return KINDS[model._meta.label_lower]


def root_id(root: Model) -> str:
    """The id of a root in events and messages: "team:1", "experiment:4", "model:3"."""
    return f"{kind_of(type(root)).word}:{root.pk}"


@functools.cache
def role_models(root: type[Model]) -> tuple[Any, Any]:
    """The models that hold people's and groups' roles on that kind of root."""
    return _related(root, "user"), _related(root, "group")


def add_role(role: str, holder: User | Group, root: Model) -> bool:
    """Write the role on the root; False if it was held. Checks no right and records nothing: services do."""
    return bool(_rows(holder, root).get_or_create(**_row(role, holder, root))[1])


def remove_role(role: str, holder: User | Group, root: Model) -> bool:
    """Take the role on the root away; False if it was not held. Checks no right and records nothing."""
    return bool(_rows(holder, root).filter(**_row(role, holder, root)).delete()[0])


def _related(root: type[Model], holder: str) -> Any:
    wanted = {holder, "permission", "content_object"}
    for relation in root._meta.related_objects:
        related: Any = relation.related_model
        if wanted <= {field.name for field in related._meta.fields}:
            return related
    raise LookupError(f"{root.__name__} has no rows of {holder} roles")


def _rows(holder: User | Group, root: Model) -> Any:
    user_rows, group_rows = role_models(type(root))
    return user_rows.objects if isinstance(holder, User) else group_rows.objects


def _row(role: str, holder: User | Group, root: Model) -> dict[str, Any]:
    kind = ContentType.objects.get_for_model(type(root))
    permission = Permission.objects.get(content_type=kind, codename=ROLE_PREFIX + role)
    who = "user" if isinstance(holder, User) else "group"
    return {who: holder, "permission": permission, "content_object": root}
