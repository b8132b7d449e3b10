"""What other tools reported as part of what people sign for, of policies, of cards and of documents."""

from __future__ import annotations

import copy
import datetime as dt
import io

import pytest

from apps.audits.selectors import events
from apps.checks.services import recall_uploaded, upload_result
from apps.checks.uploaded import selectors as uploaded
from apps.checks.uploaded.models import UploadedResult
from apps.compliance import documents
from apps.core import canonical, clock
from apps.core.actor import Actor
from apps.core.errors import Forbidden, Tampered
from apps.modelcards import selectors as cards
from apps.registry.models import ModelVersion
from apps.reviews import evidence, rereview, selectors, services
from apps.reviews.facts import rules
from apps.reviews.models import Review, Round
from apps.reviews.policies.document import PolicyDocument
from apps.reviews.reads import viewing
from tests import factories
from tests.checks.uploaded.files import PASSING, PYTEST, results
from tests.reviews.conftest import PRODUCTION, Cast
from tests.reviews.test_policy_documents import policy
from tests.reviews.test_rules import condition, fact
from tests.reviews.test_signing import sign

pytestmark = pytest.mark.django_db(transaction=True)


def upload(
    actor: Actor, version: ModelVersion, data: bytes = PASSING, name: str = "unit-tests"
) -> UploadedResult:
    stream = io.BytesIO(data)
    return upload_result(actor, version, stream=stream, name=name, tool="pytest", file_name="j.xml")


def live(review: Review) -> Round:
    found = selectors.live_round(review)
    assert found is not None
    return found


def test_a_round_pins_what_stood_and_a_newer_one_is_newer_evidence(cast: Cast) -> None:
    upload(cast.ana, cast.version, PYTEST)
    first = upload(cast.ana, cast.version)
    review = cast.submit()
    (entry,) = evidence.read(live(review))["uploaded"]
    assert entry == {
        "result": str(first.uuid),
        "name": "unit-tests",
        "format": "junit",
        "tool": "pytest",
        "tool_version": "",
        "outcome": "passed",
        "digest": first.digest,
        "reading": first.reading_digest,
        "uploaded_by": str(factories.user_of(cast.ana).uuid),
        "before": 1,
        "wrong_before": 1,
    }
    document = selectors.document(review)
    assert evidence.newer(live(review), document) == []
    cast.version.refresh_from_db()
    assert cast.version.is_frozen
    second = upload(cast.ana, cast.version, PYTEST + b"\n")
    assert evidence.newer(live(review), document) == ["uploaded results"]
    services.new_round(cast.ana, review)
    assert evidence.read(live(review))["uploaded"][0]["result"] == str(second.uuid)
    older, newer = review.rounds.order_by("number")
    assert evidence.between(older, newer) == ["uploaded results"]


def test_whoever_uploaded_what_a_round_rests_on_does_not_decide_on_it(cast: Cast) -> None:
    upload(cast.vera, cast.version)
    review = cast.submit()
    with pytest.raises(Forbidden, match=r"You made part of what is reviewed.*uploaded results"):
        sign(cast.vera, review)
    assert evidence.authors(cast.version, 0)[factories.user_of(cast.vera).pk] == [
        "uploaded a result"
    ]
    assert not review.decisions.exists()
    # Replaced by somebody else's, it is none of hers any more.
    upload(cast.ana, cast.version, PASSING + b"\n")
    services.new_round(cast.ana, review)
    sign(cast.vera, review)
    assert review.decisions.count() == 1


def test_a_recall_ends_the_rounds_that_name_the_result(cast: Cast) -> None:
    row = upload(cast.ana, cast.version)
    other = upload(cast.ana, cast.version, PYTEST, "other")
    review = cast.submit()
    sign(cast.rui, review)
    recall_uploaded(cast.vera, row, reason="of another model")
    assert evidence.lost_items(live(review)) == [
        "the uploaded result unit-tests was recalled: of another model"
    ]
    services.void_if_lost(Actor.system("worker"), review)
    assert selectors.live_round(review) is None
    services.new_round(cast.ana, review)
    (entry,) = evidence.read(live(review))["uploaded"]
    assert entry["result"] == str(other.uuid)


def test_nobody_signs_for_a_result_that_was_recalled_before_the_worker_came(cast: Cast) -> None:
    row = upload(cast.ana, cast.version)
    review = cast.submit()
    recall_uploaded(cast.vera, row, reason="of another model")
    with pytest.raises(Exception, match="was recalled"):
        sign(cast.rui, review)
    assert not review.decisions.exists()


def test_a_recall_after_the_approval_questions_it(cast: Cast) -> None:
    row = upload(cast.ana, cast.version)
    review = cast.submit()
    sign(cast.vera, review)
    sign(cast.rui, review)
    (approval,) = rereview.approvals_of(cast.version)
    assert rereview.found(approval) == []
    recall_uploaded(cast.vera, row, reason="of another model")
    (need,) = rereview.found(approval)
    assert (need.trigger, need.item) == ("recall", f"uploaded:{row.uuid}")
    assert (
        need.reason
        == "the uploaded result unit-tests that was signed was recalled: of another model"
    )


def test_a_round_of_an_earlier_day_names_none_and_keeps_its_ticks(cast: Cast) -> None:
    review = cast.submit()
    manifest = evidence.read(live(review))
    old = copy.deepcopy(manifest)
    del old["uploaded"]
    assert evidence.results_in(old) == {}
    before = canonical.digest_of({"checks": old["checks"]})
    assert viewing.digests(old, [])[viewing.EvidenceSection.CHECKS] == before


EXPRESSION = 'uploaded["unit-tests"].outcome == "passed" && uploaded["unit-tests"].age_days <= 30'


def demanding() -> PolicyDocument:
    return policy(**condition(EXPRESSION))


def test_a_condition_demands_one_that_passed_and_is_not_old(cast: Cast) -> None:
    document = demanding()
    assert fact(cast.version, document).startswith("Our rule does not hold (could not be computed")
    upload(cast.ana, cast.version, PYTEST)
    assert fact(cast.version, document) == "Our rule does not hold."
    row = upload(cast.ana, cast.version)
    assert fact(cast.version, document) == ""
    recall_uploaded(cast.vera, row, reason="wrong")
    assert fact(cast.version, document) == "Our rule does not hold."
    old = results(ran_at="2020-01-01T00:00:00Z")
    upload_result(cast.ana, cast.version, stream=io.BytesIO(old), name="unit-tests")
    assert uploaded.standing(cast.version)[0].row.outcome == "passed"
    assert fact(cast.version, document) == "Our rule does not hold."


def test_a_policy_that_names_one_among_its_checks_is_refused() -> None:
    with pytest.raises(Exception, match="policy document is not valid"):
        policy(gates__checks={"unit-tests": {}})


def test_facts_of_a_moment_are_those_that_stood_then(cast: Cast) -> None:
    first = upload(cast.ana, cast.version)
    between = clock.now()
    failing = b'<testsuite><testcase name="a"><failure/></testcase></testsuite>'
    second = upload(cast.ana, cast.version, failing)
    recall_uploaded(cast.vera, first, reason="wrong")
    rows = uploaded.of_versions([cast.version.pk])[cast.version.pk]
    assert uploaded.as_of(rows, between) == [first]
    assert uploaded.as_of(rows, clock.now()) == [second]
    assert uploaded.as_of(rows, between - dt.timedelta(days=1)) == []
    now = rules.facts(cast.version, [PRODUCTION], demanding().terms())["uploaded"]
    assert now == {"unit-tests": {"outcome": "failed", "tool": "pytest", "age_days": 0}}


def test_the_card_says_whose_word_it_is(cast: Cast) -> None:
    assert cards.card(cast.version).block("reported").is_missing
    row = upload(cast.ana, cast.version, PYTEST)
    block = cards.card(cast.version).block("reported")
    assert block.computed is not None
    said = str(block.computed.parts)
    for words in ("Countersign measured none of this", "pytest (said by the uploader)", "by Ana", "1 failed, 1 skipped, 1 passed", "test_monotone"):  # fmt: skip
        assert words in said
    assert [source.digest for source in block.computed.sources] == [row.digest]


def test_a_document_shows_what_the_round_pinned_and_notices_another(cast: Cast) -> None:
    upload(cast.ana, cast.version)
    review = cast.submit()
    upload(cast.ana, cast.version, PYTEST)
    dossier = documents.assemble(cast.version, live(review))
    block = dossier.card.block("reported")
    assert block.computed is not None
    assert "2 passed" in str(block.computed.parts)
    assert dossier.round is not None
    assert "unit-tests of pytest: passed" in str(dossier.round.items.rows)
    round_ = live(review)
    manifest = evidence.read(round_)
    manifest["uploaded"][0]["reading"] = "0" * 64
    round_.manifest = canonical.dumps(manifest)
    round_.digest = canonical.digest(round_.manifest)
    with pytest.raises(Tampered, match="not what the evidence names"):
        documents.assemble(cast.version, round_)


def test_the_ledger_tells_of_it_under_its_version_and_model(cast: Cast) -> None:
    row = upload(cast.ana, cast.version)
    for scope in (f"uploaded:{row.pk}", f"version:{cast.version.pk}", f"model:{cast.model.pk}"):
        (event,) = events(scopes=[scope], types=["checks.uploaded.attached"])
        assert event.payload["uploaded"] == row.pk
