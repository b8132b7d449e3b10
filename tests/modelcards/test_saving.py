"""Saving a card: revisions that stay, editors who do not overwrite each other, a gate that is not fooled."""

from __future__ import annotations

import json
import threading

import pytest
from django.db import DatabaseError, connection, connections

from apps.accounts.models import User
from apps.audits.selectors import events, replay
from apps.core import canonical
from apps.core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Tampered
from apps.experiments import selectors as experiments
from apps.experiments.ingest import Pair
from apps.experiments.selectors import run_digest
from apps.experiments.services.inputs import DatasetClaim, InputClaim, log_inputs
from apps.modelcards import gates, reconcile, schema, selectors, services
from apps.modelcards.card import as_data
from apps.modelcards.models import CardRevision
from apps.registry import services as registry
from apps.registry.models import ModelVersion
from tests import factories
from tests.experiments import makers
from tests.support.people import as_actor
from tests.support.triggers import triggers_off

pytestmark = pytest.mark.django_db(transaction=True)

FULL = dict.fromkeys(schema.REQUIRED_BY_DEFAULT, "An answer.")
TERMS = {"checks": {}, "card_complete": True}


@pytest.fixture
def version(ana: User) -> ModelVersion:
    actor = as_actor(ana)
    return factories.version(actor, factories.model(actor))


def test_a_save_is_a_revision_with_its_bytes_digest_author_and_event(version, ana):
    saved = services.save_card(as_actor(ana), version, {"summary": "It predicts."}, 0)
    document = json.loads(bytes(saved.document))
    assert saved.number == 1
    assert saved.digest == canonical.digest(bytes(saved.document))
    assert document["version"] == str(version.uuid)
    assert document["blocks"]["summary"]["text"] == "It predicts."
    assert document["blocks"]["summary"]["author"] == str(ana.uuid)
    (event,) = events(scopes=[f"version:{version.pk}"], types=["modelcards.card.saved"])
    assert event.payload["digest"] == saved.digest
    assert event.payload["changed"] == ["summary"]
    assert "It predicts" not in event.body.decode()


def test_a_block_keeps_the_author_who_gave_it_its_wording(version, ana, omar):
    services.save_card(as_actor(ana), version, {"summary": "Hers.", "ethics": "Old."}, 0)
    services.save_card(as_actor(omar), version, {"summary": "Hers.", "ethics": "His."}, 1)
    card = selectors.card(version)
    assert card.block("summary").prose.author == str(ana)
    assert card.block("ethics").prose.author == str(omar)
    assert selectors.card_authors(version) == {ana.pk, omar.pk}


def test_the_second_of_two_editors_is_told_and_nothing_is_lost(version, ana, omar):
    services.save_card(as_actor(ana), version, {"summary": "First."}, 0)
    services.save_card(as_actor(omar), version, {"summary": "Second."}, 1)
    with pytest.raises(Conflict, match="saved revision 2 while you were editing revision 1"):
        services.save_card(as_actor(ana), version, {"summary": "Third."}, 1)
    assert [r.texts["summary"] for r in selectors.revisions_of(version)] == ["Second.", "First."]


def test_a_base_from_the_future_is_refused(version, ana):
    with pytest.raises(Conflict, match="You edited revision 7, the newest is 0"):
        services.save_card(as_actor(ana), version, {"summary": "x"}, 7)
    assert not CardRevision.objects.exists()


def test_saving_what_is_already_there_makes_no_revision_and_no_event(version, ana):
    first = services.save_card(as_actor(ana), version, {"summary": "Same."}, 0)
    again = services.save_card(as_actor(ana), version, {"summary": "Same. \r\n"}, 1)
    assert again == first
    assert len(list(replay("modelcards.card.saved"))) == 1


def test_a_first_card_without_a_word_is_refused(version, ana):
    with pytest.raises(Invalid, match="still empty"):
        services.save_card(as_actor(ana), version, {"summary": "  "}, 0)


def test_a_block_left_out_is_emptied_and_the_older_revision_keeps_it(version, ana):
    services.save_card(as_actor(ana), version, {"summary": "a", "ethics": "b"}, 0)
    services.save_card(as_actor(ana), version, {"summary": "a"}, 1)
    assert selectors.card(version).texts() == {"summary": "a"}
    assert selectors.get_revision(version, 1).texts == {"summary": "a", "ethics": "b"}
    (change,) = selectors.compare(*reversed(selectors.revisions_of(version)))
    assert (change.key, change.state) == ("ethics", "removed")


@pytest.mark.parametrize("who", ["vera", "rui", "aud", "ada", "otto"])
def test_only_those_with_the_right_save(version, request, who):
    user = request.getfixturevalue(who)
    with pytest.raises(Forbidden):
        services.save_card(as_actor(user), version, {"summary": "x"}, 0)
    assert not CardRevision.objects.exists()


def test_bad_content_writes_nothing(version, ana):
    with pytest.raises(Invalid) as caught:
        services.save_card(as_actor(ana), version, {"summary": "fine", "identity": "typed"}, 0)
    assert set(caught.value.fields) == {"identity"}
    assert not CardRevision.objects.exists()
    assert list(replay("modelcards.card.saved")) == []


def test_a_deleted_version_takes_no_card(version, ana):
    registry.delete_version(as_actor(ana), version)
    with pytest.raises(NotFound):
        services.save_card(as_actor(ana), version, {"summary": "x"}, 0)


@pytest.mark.parametrize("trial", range(5))
def test_of_two_saves_at_the_same_moment_one_wins_and_one_is_told(version, ana, omar, trial):
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def save(user: User) -> None:
        try:
            start.wait()
            services.save_card(as_actor(user), version, {"summary": f"by {user}"}, 0)
            outcomes.append("saved")
        except DomainError as error:
            outcomes.append(type(error).__name__)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=save, args=(user,)) for user in (ana, omar)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["Conflict", "saved"]
    assert CardRevision.objects.get().number == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE modelcards_cardrevision SET digest = repeat('0', 64)",
        "DELETE FROM modelcards_cardrevision",
        "TRUNCATE modelcards_cardrevision CASCADE",
    ],
)
def test_a_revision_cannot_be_changed_or_removed_in_the_database(version, ana, statement):
    services.save_card(as_actor(ana), version, {"summary": "x"}, 0)
    with pytest.raises(DatabaseError, match="append-only"), connection.cursor() as cursor:
        cursor.execute(statement)
    assert CardRevision.objects.count() == 1


def tamper(sql: str, *values: object) -> None:
    """As somebody who owns the database: triggers off, edit, triggers on."""
    with triggers_off("modelcards_cardrevision"), connection.cursor() as cursor:
        cursor.execute(sql, values)


def test_edited_bytes_are_found_by_the_ledger_the_reader_and_the_gate(version, ana):
    services.save_card(as_actor(ana), version, FULL, 0)
    assert list(reconcile.differences()) == []
    assert gates.card_complete(version, [], TERMS).passes
    tamper(
        "UPDATE modelcards_cardrevision SET document = convert_to(replace(convert_from(document, 'UTF8'), 'answer', 'excuse'), 'UTF8')"
    )
    assert "expected digest" in next(iter(reconcile.differences())).message
    assert gates.card_complete(version, [], TERMS).state == "fail"
    with pytest.raises(Tampered):
        selectors.card(version)


def test_a_row_with_digest_and_bytes_exchanged_together_contradicts_the_ledger(version, ana):
    services.save_card(as_actor(ana), version, FULL, 0)
    row = CardRevision.objects.get()
    document = json.loads(bytes(row.document))
    document["blocks"]["summary"]["text"] = "Another story."
    data = canonical.dumps(document)
    tamper(
        "UPDATE modelcards_cardrevision SET document = %s, digest = %s, content = %s",
        data,
        canonical.digest(data),
        data.decode(),
    )
    (difference,) = reconcile.differences()
    assert "digest is" in difference.message


def test_a_row_added_or_removed_by_hand_contradicts_the_ledger(version, ana):
    services.save_card(as_actor(ana), version, FULL, 0)
    row = CardRevision.objects.get()
    row.pk, row.number = None, 2
    row.save()
    assert "has no event" in next(d.message for d in reconcile.differences())
    tamper("DELETE FROM modelcards_cardrevision WHERE number = 1")
    messages = [d.message for d in reconcile.differences()]
    assert "card revision 1 is in the ledger and not in the table" in messages


def test_bytes_copied_from_another_version_do_not_fit(version, ana):
    other = factories.version(as_actor(ana), version.model)
    saved = services.save_card(as_actor(ana), other, FULL, 0)
    CardRevision.objects.create(
        version=version,
        number=1,
        content=saved.content,
        document=bytes(saved.document),
        digest=saved.digest,
        author=ana,
        created_at=saved.created_at,
    )
    assert gates.card_complete(version, [], TERMS).state == "fail"


def test_the_gate_names_what_is_missing_and_passes_when_nothing_is(version, ana):
    first = gates.card_complete(version, [], TERMS)
    assert (first.state, first.act_label) == ("missing", "Fill in the card")
    assert first.act_url.endswith("/card/edit/")
    services.save_card(as_actor(ana), version, FULL | {"ethics": ""}, 0)
    second = gates.card_complete(version, [], TERMS)
    assert "1 of " in second.fact
    assert "Risks, harms and mitigations" in second.fact
    assert [gap.key for gap in selectors.gaps(version)] == ["ethics"]
    services.save_card(as_actor(ana), version, FULL, 1)
    assert gates.card_complete(version, [], TERMS).passes
    assert selectors.gaps(version) == ()


def test_the_card_shows_the_record_and_reads_it_in_a_constant_number_of_queries(
    version, ana, django_assert_max_num_queries
):
    services.save_card(as_actor(ana), version, FULL, 0)
    fresh = ModelVersion.objects.select_related("model").get(pk=version.pk)
    with django_assert_max_num_queries(30):
        card = selectors.card(fresh)
    assert card.block("files").computed.parts[0].rows[0][2].text == version.manifest[0]["digest"]
    assert "not measured" in card.block("fairness").computed.parts[0].reason
    assert card.block("run").is_missing


def test_a_run_fills_its_blocks_with_what_it_logged(ana: User) -> None:
    actor = as_actor(ana)
    run = makers.run(
        actor,
        makers.experiment(actor),
        name="lively-run",
        start=10**17,
        metrics={"auc": 0.871, "loss": float("nan")},
        params={"depth": "7"},
        tags={"team": "risk"},
    )
    claim = DatasetClaim("acs_2015", "d1", "local", "file:///data.csv")
    used = [InputClaim(claim, [Pair("mlflow.data.context", "training")])]
    log_inputs(actor, run_id=run.run_id, datasets=used)
    version = factories.version(actor, factories.model(actor), run=makers.ended(actor, run))
    card = as_data(selectors.card(version))
    blocks = {block["key"]: block for section in card["sections"] for block in section["blocks"]}
    said = json.dumps(blocks["run"]["computed"])
    for logged in ("lively-run", "depth", "0.871", "NaN", "risk", "ms after 1970", "Finished"):
        assert logged in said, logged
    (table,) = blocks["training_inputs"]["computed"]["parts"]
    texts = [cell["text"] for cell in table["rows"][0]]
    assert texts == ["acs_2015", "training", "local file:///data.csv", "d1"]
    (source,) = blocks["run"]["computed"]["sources"]
    assert source["digest"] == run_digest(experiments.get_run(run.run_id))
