"""Moving a model into governance: what it brings along must not claim what nobody signed."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction
from pytest_django import Settings

from apps.core.actor import Actor
from apps.core.errors import Blocked, Invalid
from apps.registry import services
from apps.registry.models import Governance, RegisteredModel
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada() -> Actor:
    """May choose sandbox, and contribute."""
    return factories.person("ada", "administrator", "contributor")


def govern(ada: Actor, model: RegisteredModel) -> RegisteredModel:
    return services.change_governance(
        ada, model, governance=Governance.GOVERNED, reason="it goes live"
    )


@pytest.mark.parametrize("on", ["model", "version"])
def test_a_sandbox_model_does_not_bring_a_governed_tag_along(on: str, ada: Actor) -> None:
    """An approval claimed in the sandbox would be read as one of a governed model."""
    model = factories.model(ada, "toy", governance="sandbox")
    version = factories.version(ada, model)
    if on == "model":
        services.set_model_tag(ada, model, key="Approved", value="yes")
    else:
        services.set_version_tag(ada, version, key="countersign.verdict", value="approved")
    with pytest.raises(Blocked, match="tag"):
        govern(ada, model)
    with pytest.raises(DatabaseError, match="governed tag"), transaction.atomic():
        RegisteredModel.objects.filter(pk=model.pk).update(governance="governed")
    if on == "model":
        services.delete_model_tag(ada, model, key="Approved")
    else:
        services.delete_version_tag(ada, version, key="countersign.verdict")
    assert govern(ada, model).is_governed


def test_a_sandbox_model_does_not_bring_a_held_target_along(ada: Actor) -> None:
    model = factories.model(ada, "toy", governance="sandbox")
    services.set_alias(ada, factories.version(ada, model), alias="champion")
    with pytest.raises(Blocked, match="@champion"):
        govern(ada, model)


def test_choosing_governance_takes_no_right_where_sandbox_is_the_default(
    settings: Settings,
) -> None:
    settings.DEFAULT_GOVERNANCE = "sandbox"
    ana = factories.person("ana", "contributor")
    assert factories.model(ana, "strict", governance="governed").is_governed
    assert not factories.model(ana, "loose").is_governed


@pytest.mark.parametrize(
    "tags", [{"../up": "x"}, {"": "x"}, {"ok": "nul \x00"}, {"ok": "x" * 100_001}]
)
def test_tags_given_with_a_new_model_obey_the_rules_of_tags_set_later(
    tags: dict[str, str], ada: Actor
) -> None:
    with pytest.raises(Invalid):
        factories.model(ada, "odd", tags=tags)
    assert not RegisteredModel.objects.filter(name="odd").exists()
