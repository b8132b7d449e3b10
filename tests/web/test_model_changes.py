"""A lower tier is proposed in the settings, signed on a page of its own, and nowhere else."""

from __future__ import annotations

import pytest

from apps.accounts.models import User
from apps.registry.models import RegisteredModel
from apps.reviews.models import ModelChange
from tests import factories
from tests.support.people import PASSWORD, as_actor
from tests.web.browsing import browser

pytestmark = pytest.mark.django_db


def settings(ana: User, **changes: str) -> dict[str, str]:
    return {
        "owner": str(ana.pk),
        "team": "",
        "purpose": "who may leave",
        "exposure": "low",
        "purpose_class": "informational",
        "description": "",
        "reason": "",
        **changes,
    }


def test_lowering_the_tier_asks_for_a_reason_then_for_a_signature(ana: User, vera: User) -> None:
    factories.version(as_actor(ana), factories.model(as_actor(ana), "churn"))
    client = browser(ana)
    answer = client.post("/models/churn/settings/", settings(ana))
    assert answer.status_code == 422
    assert "This takes a signature: the risk tier falls from 1 to 3" in answer.content.decode()
    answer = client.post("/models/churn/settings/", settings(ana, reason="ten people use it"))
    change = ModelChange.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/model-changes/{change.pk}/")
    assert "is proposed" in client.get("/models/churn/").content.decode()
    page = client.get(f"/model-changes/{change.pk}/").content.decode()
    assert "You proposed it, so somebody else must sign it." in page
    assert "Vera Lund" in page
    signer = browser(vera)
    assert f"CHG-{change.pk} churn" in signer.get("/").content.decode()
    form = {"approves": "yes", "comment": "I know who uses it", "digest": change.digest}
    wrong = signer.post(f"/model-changes/{change.pk}/sign/", {**form, "password": "not hers"})
    assert wrong.status_code == 422
    assert RegisteredModel.objects.get().risk_tier == 1
    done = signer.post(f"/model-changes/{change.pk}/sign/", {**form, "password": PASSWORD})
    assert done.status_code == 302, done.content
    assert RegisteredModel.objects.get().risk_tier == 3
    assert RegisteredModel.objects.get().purpose == "who may leave"
    page = client.get(f"/model-changes/{change.pk}/").content.decode()
    assert "Applied" in page
    assert "I know who uses it" in page


def test_a_raise_is_saved_at_once(ana: User) -> None:
    model = factories.model(as_actor(ana), "churn")
    client = browser(ana)
    assert client.post("/models/churn/settings/", settings(ana)).status_code == 302
    factories.version(as_actor(ana), model)
    answer = client.post("/models/churn/settings/", settings(ana, exposure="high", purpose_class="decision"))  # fmt: skip
    assert (answer.status_code, answer["Location"]) == (302, "/models/churn/")
    assert RegisteredModel.objects.get().risk_tier == 1
    assert not ModelChange.objects.exists()
