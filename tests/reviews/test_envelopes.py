"""The site's envelope around each decision: about these files, by this key, made with it or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.db import DatabaseError, transaction

from apps.audits import keys
from apps.audits.selectors import replay
from apps.core import dsse
from apps.core.errors import Blocked, Tampered
from apps.reviews import envelopes
from apps.reviews.models import Decision, DecisionEnvelope
from tests.reviews.conftest import Cast
from tests.reviews.test_forgery import differences, is_whole
from tests.reviews.test_signing import sign
from tests.support.triggers import triggers_off

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_names_the_files_and_what_was_decided_and_nobody_by_name(cast: Cast) -> None:
    decision = sign(cast.vera, cast.submit())
    said = envelopes.verified(decision.envelope, keys.public_keys())
    files = {entry["path"]: entry["digest"] for entry in cast.version.manifest}
    assert {each["name"]: each["digest"]["sha256"] for each in said["subject"]} == {
        **{f"files/{path}": digest for path, digest in files.items()},
        "evidence-manifest.json": decision.evidence_digest,
    }
    predicate = said["predicate"]
    assert (said["predicateType"], predicate["outcome"]) == (envelopes.PREDICATE, "approve")
    assert predicate["statement"] == decision.statement_digest
    text = json.dumps(said)
    assert decision.signer_name not in text
    assert decision.comment not in text
    told = list(replay("reviews.decision.recorded"))[-1].payload
    assert told["envelope"] == decision.envelope.digest
    is_whole()


def test_a_site_without_its_key_decides_nothing(cast: Cast, settings, tmp_path: Path) -> None:
    review = cast.submit()
    settings.VAR, settings.KEYS_MADE_WHEN_NEEDED = tmp_path, False
    with pytest.raises(Blocked, match="no ledger key"):
        sign(cast.vera, review)
    assert not Decision.objects.exists()


def test_a_retired_key_decides_nothing(cast: Cast) -> None:
    review = cast.submit()
    key = keys.ledger_key(cast.vera)
    keys.retire(cast.vera, key.key_id, reason="lost")
    with pytest.raises(Blocked, match="retired"):
        sign(cast.vera, review)
    assert not Decision.objects.exists()


def test_it_never_changes(cast: Cast) -> None:
    sign(cast.vera, cast.submit())
    with pytest.raises(DatabaseError), transaction.atomic():
        DecisionEnvelope.objects.update(digest="0" * 64)
    with pytest.raises(DatabaseError), transaction.atomic():
        DecisionEnvelope.objects.all().delete()


def test_one_of_another_decision_or_key_is_refused_and_named(cast: Cast) -> None:
    review = cast.submit()
    first, second = sign(cast.vera, review), sign(cast.rui, review)
    known = keys.public_keys()
    moved = DecisionEnvelope(
        decision=first, data=second.envelope.data, key_id=first.envelope.key_id
    )
    with pytest.raises(Tampered, match="something else"):
        envelopes.verified(moved, known)
    with pytest.raises(Tampered, match="no key"):
        envelopes.verified(first.envelope, {})
    with triggers_off("reviews_decisionenvelope"):
        DecisionEnvelope.objects.filter(decision=first).update(data=second.envelope.data)
        DecisionEnvelope.objects.filter(decision=second).delete()
    told = differences()
    assert f"decision {first.pk}: its envelope is not the one in the ledger" in told
    assert f"decision {second.pk}: its envelope is gone" in told


def test_a_forged_envelope_with_its_digest_is_found_by_its_signature(cast: Cast) -> None:
    """Whoever changes the row and cannot change the event is found by the digest; a foreign key by the signature."""
    decision = sign(cast.vera, cast.submit())
    payload = json.loads(dsse.opened(bytes(decision.envelope.data), keys.public_keys())[0])
    assert payload["predicate"]["outcome"] == "approve"
    found = json.loads(bytes(decision.envelope.data))
    found["signatures"][0]["sig"] = "A" * 86 + "=="
    forged = DecisionEnvelope(
        decision=decision, data=json.dumps(found).encode(), key_id=decision.envelope.key_id
    )
    with pytest.raises(Tampered, match="does not verify"):
        envelopes.verified(forged, keys.public_keys())
