"""Card templates: pinned versions, what a bad one is told, which one a card follows, and moving without losing a word."""

from __future__ import annotations

import json
import threading

import pytest
from django.db import DatabaseError, connection, connections

from apps.accounts.models import User
from apps.audits.selectors import replay
from apps.core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Tampered
from apps.modelcards import gates, layouts, reconcile, schema, selectors, services
from apps.modelcards.models import CardRevision, CardTemplateVersion
from apps.modelcards.templating import document
from apps.modelcards.templating.blocks import KNOWN
from apps.modelcards.templating.shipped_templates import FIRST, shipped
from apps.registry.models import ModelTag, ModelVersion
from tests import factories
from tests.support.people import as_actor
from tests.support.triggers import triggers_off

FLOOR = """\
key: ours
title: Our card
sections:
  model_details:
    - {key: summary, required: true}
    - {key: house_note, title: Note of the house, help: What the house wants., required: true}
  intended_use:
    - {key: primary_uses, required: true}
    - {key: out_of_scope, required: true}
  ethical_considerations:
    - {key: ethics, required: true}
  caveats:
    - {key: limitations, required: true}
"""
TERMS = {"checks": {}, "card_complete": True}
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def version(ana: User) -> ModelVersion:
    actor = as_actor(ana)
    return factories.version(actor, factories.model(actor))


def answers(template: document.CardTemplate) -> dict[str, str]:
    return dict.fromkeys(template.required, "An answer.")


def test_every_shipped_version_is_what_it_was_pinned_as() -> None:
    names = set(shipped())
    assert names >= {"standard/1", "standard/2", "light/1", "eu-annex-iv/1", "mrm/1", "ll144/1"}
    for template in shipped().values():
        assert set(document.FLOOR) <= set(template.required)
        assert document.read(template.document) == template


def test_a_shipped_file_that_was_edited_is_refused(tmp_path, monkeypatch) -> None:
    from apps.modelcards.templating import shipped_templates

    for path in shipped_templates.FOLDER.iterdir():
        text = path.read_text(encoding="utf-8")
        if path.name == "mrm-1.yaml":
            text = text.replace("title: Model risk management", "title: Model risk")
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(shipped_templates, "FOLDER", tmp_path)
    with pytest.raises(Tampered, match="mrm/1"):
        shipped_templates.shipped.__wrapped__()


@pytest.mark.parametrize("template", [t for t in shipped().values() if t != FIRST], ids=str)
def test_no_template_hides_a_computed_block(template: document.CardTemplate) -> None:
    computed = {key for key, known in KNOWN.items() if known.block.kind == "computed"}
    assert computed <= set(template.blocks)
    bare = document.load(FLOOR, 1, KNOWN)
    assert computed <= set(bare.blocks)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("title: Our card", "titel: Our card", "unknown field `titel`"),
        ("key: ours", "key: ours\nkey: twice", "stands there twice"),
        ("- {key: ethics, required: true}", "- {key: ethics, required: true}\n    - {key: ethics}", "twice"),
        ("- {key: limitations, required: true}", "- {key: limitations}", "every template requires it"),
        ("- {key: summary, required: true}", "- {key: summary, required: true}\n    - {key: identity, required: true}", "it is computed"),
        ("caveats:", "caveat:", "no such section"),
        ("    - {key: ethics, required: true}", "    - {key: ethics, required: true}\n    - {key: training_gaps}", "belongs to training_data"),
        ("title: Note of the house, help: What the house wants.", "title: Note", "needs a title and a help"),
        ("key: house_note", "key: House", "expected a plain name"),
        ("title: Our card", "title: \"pay \\u202e001\"", "one line of text"),
        ("title: Our card", "title: [x]", "Expected `str`"),
        ("title: Our card", "title: &a Our\nabout: *a", "aliases"),
        ("sections:", "applies_to: {tiers: [4]}\nsections:", "<= 3"),
        (FLOOR, "- just\n- a list", "expected keys"),
        (FLOOR, "key: [", "Line"),
        ("title: Our card", "title: half \ud83d", "special characters"),
    ],
)  # fmt: skip
def test_a_bad_template_is_told_what_is_wrong(vera, old: str, new: str, says: str) -> None:
    with pytest.raises(Invalid) as caught:
        services.define_template(as_actor(vera), FLOOR.replace(old, new, 1), after=0)
    assert says in str(caught.value)
    assert not CardTemplateVersion.objects.exists()


def test_two_thousand_blocks_are_too_many_and_a_huge_text_is_not_read(vera) -> None:
    many = "".join(f"\n    - {{key: b{i}, title: T, help: H}}" for i in range(2000))
    with pytest.raises(Invalid, match=r"2,0\d\d blocks; a template may have 150"):
        services.define_template(as_actor(vera), FLOOR.replace("  caveats:", f"  caveats:{many}"), after=0)  # fmt: skip
    with pytest.raises(Invalid, match="at most 200,000 characters"):
        services.define_template(as_actor(vera), FLOOR + "#" * 200_000, after=0)


def test_each_change_is_a_version_and_the_same_again_is_none(vera) -> None:
    actor = as_actor(vera)
    first = services.define_template(actor, FLOOR, after=0)
    assert services.define_template(actor, FLOOR + "# a comment\n", after=1) == first
    second = services.define_template(actor, FLOOR.replace("Our card", "Our better card"), after=1)
    assert (second.number, layouts.newest()["ours"].title) == (2, "Our better card")
    assert layouts.get("ours/1").title == "Our card"
    events = [event.payload for event in replay("modelcards.template.defined")]
    assert [(e["number"], e["digest"]) for e in events] == [(1, first.digest), (2, second.digest)]
    assert list(reconcile.differences()) == []


def test_what_somebody_defined_meanwhile_is_not_overwritten(vera) -> None:
    services.define_template(as_actor(vera), FLOOR, after=0)
    with pytest.raises(Conflict, match="has version 1; you started from none"):
        services.define_template(as_actor(vera), FLOOR.replace("Our", "My"), after=0)


def test_of_two_definitions_at_once_one_is_told(vera) -> None:
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def define(title: str) -> None:
        try:
            start.wait()
            services.define_template(as_actor(vera), FLOOR.replace("Our", title), after=0)
            outcomes.append("defined")
        except DomainError as error:
            outcomes.append(type(error).__name__)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=define, args=(title,)) for title in ("A", "B")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["Conflict", "defined"]


@pytest.mark.parametrize("who", ["ana", "omar", "ada", "aud", "otto"])
def test_whoever_writes_cards_does_not_say_what_they_must_answer(version, request, who) -> None:
    actor = as_actor(request.getfixturevalue(who))
    with pytest.raises(Forbidden):
        services.define_template(actor, FLOOR, after=0)
    with pytest.raises(Forbidden):
        services.choose_template(actor, version.model, key="light", reason="less work")
    assert not CardTemplateVersion.objects.exists()


def test_a_shipped_key_is_not_taken(vera) -> None:
    with pytest.raises(Invalid, match="ships; take another key"):
        services.define_template(
            as_actor(vera), FLOOR.replace("key: ours", "key: standard"), after=0
        )


@pytest.mark.parametrize("statement", ["UPDATE {} SET digest = ''", "DELETE FROM {}", "TRUNCATE {} CASCADE"])  # fmt: skip
def test_a_version_cannot_be_changed_or_removed_in_the_database(vera, statement) -> None:
    services.define_template(as_actor(vera), FLOOR, after=0)
    with pytest.raises(DatabaseError, match="append-only"), connection.cursor() as cursor:
        cursor.execute(statement.format("modelcards_cardtemplateversion"))


def test_a_template_edited_by_hand_fails_the_gate_and_the_record(version, ana, vera) -> None:
    services.define_template(as_actor(vera), FLOOR, after=0)
    services.choose_template(as_actor(vera), version.model, key="ours", reason="the house asks")
    services.save_card(as_actor(ana), version, answers(layouts.get("ours/1")), 0)
    assert gates.card_complete(version, [], TERMS).passes
    with triggers_off("modelcards_cardtemplateversion"), connection.cursor() as cursor:
        cursor.execute("UPDATE modelcards_cardtemplateversion SET digest = repeat('0', 64)")
    assert gates.card_complete(version, [], TERMS).state == "fail"
    assert "not as the ledger tells it" in next(iter(reconcile.differences())).message


def test_a_new_card_follows_tier_and_tags(version, ana) -> None:
    assert layouts.given(version.model).name == "standard/2"
    ModelTag.objects.create(model=version.model, key="EU-AI-Act", value="high-risk")
    assert layouts.given(version.model).name == "eu-annex-iv/1"
    saved = services.save_card(as_actor(ana), version, {"summary": "x", "training_gaps": "y"}, 0)
    content = json.loads(bytes(saved.document))
    named = layouts.get("eu-annex-iv/1").reference()
    assert (content["schema"], content["template"]) == ("countersign.card/2", named)
    gate = gates.card_complete(version, [], TERMS)
    assert "36 of 38 required blocks missing" in gate.fact
    version.model.risk_tier = 3
    version.model.tags.all().delete()
    assert layouts.given(version.model).name == "light/1"
    assert selectors.card(version).template == "eu-annex-iv/1"


def test_a_revision_of_the_first_schema_renders_and_counts_as_before(version, ana) -> None:
    content = {
        "schema": "countersign.card/1",
        "version": str(version.uuid),
        "number": 1,
        "blocks": {
            key: {"text": "Old words.", "author": str(ana.uuid), "at": "2026-03-02T14:05:11+00:00"}
            for key in schema.REQUIRED_BY_DEFAULT
        },
    }
    from apps.core import canonical, clock

    data = canonical.dumps(content)
    CardRevision.objects.create(
        version=version, number=1, content=content, document=data,
        digest=canonical.digest(data), author=ana, created_at=clock.now(),
    )  # fmt: skip
    card = selectors.card(version)
    assert (card.schema, card.template) == ("countersign.card/1", "standard/1")
    assert [b.key for b in card.blocks] == list(FIRST.blocks)
    assert gates.card_complete(version, [], TERMS).passes
    next_ = services.save_card(as_actor(ana), version, {**card.texts(), "summary": "New."}, 1)
    assert next_.content["template"]["key"] == "standard"
    assert next_.content["template"]["number"] == 1


def test_moving_to_another_template_keeps_every_word_and_shows_what_is_newly_asked(version, ana, vera) -> None:  # fmt: skip
    texts = answers(layouts.get("standard/2")) | {"monitoring_plan": "Weekly, by *Omar*."}
    services.save_card(as_actor(ana), version, texts, 0)
    services.define_template(as_actor(vera), FLOOR, after=0)
    services.choose_template(as_actor(vera), version.model, key="ours", reason="the house asks")
    gate = gates.card_complete(version, [], TERMS)
    assert "A choice for this model asks for the card template ours" in gate.fact
    moved = services.save_card(as_actor(ana), version, texts, 1, template="ours/1")
    assert moved.texts == texts
    card = selectors.card(version)
    kept = card.block("monitoring_plan")
    assert (kept.kept, kept.prose.text) == (True, "Weekly, by *Omar*.")
    assert [gap.key for gap in card.gaps] == ["house_note"]
    after = services.save_card(as_actor(ana), version, {**texts, "house_note": "Noted.", "oversight": ""}, 2)  # fmt: skip
    assert "oversight" not in after.texts
    assert "monitoring_plan" in after.texts
    assert gates.card_complete(version, [], TERMS).passes


def test_a_writer_moves_only_to_what_the_model_is_given(version, ana) -> None:
    with pytest.raises(Invalid, match="can not move to the template light/1"):
        services.save_card(as_actor(ana), version, {"summary": "x"}, 0, template="light/1")
    with pytest.raises(Invalid, match="can not move"):
        services.save_card(as_actor(ana), version, {"summary": "x"}, 0, template="standard/1")
    assert not CardRevision.objects.exists()


def test_a_choice_needs_a_reason_a_template_and_a_change(version, vera) -> None:
    actor, model = as_actor(vera), version.model
    with pytest.raises(Invalid, match="needs a reason"):
        services.choose_template(actor, model, key="mrm", reason=" ")
    with pytest.raises(Invalid, match="no such card template"):
        services.choose_template(actor, model, key="nothing", reason="why")
    assert services.choose_template(actor, model, key="mrm", reason="why") is not None
    assert services.choose_template(actor, model, key="mrm", reason="again") is None
    assert services.choose_template(actor, model, key="", reason="no longer") is not None
    assert [e.payload["key"] for e in replay("modelcards.template.chosen")] == ["mrm", ""]
    assert list(reconcile.differences()) == []


def test_a_policy_that_names_a_template_is_met_by_that_or_a_newer_version(version, ana) -> None:
    services.save_card(as_actor(ana), version, answers(layouts.get("standard/2")), 0)
    for name, passes in (("standard", True), ("standard/1", True), ("standard/3", False), ("mrm", False)):  # fmt: skip
        gate = gates.card_complete(version, [], {**TERMS, "card_templates": [name]})
        assert gate.passes == passes, name
    assert "does not follow the template mrm" in gate.reason


def test_a_name_that_is_no_template_is_not_found() -> None:
    for name in ("standard/99", "nothing/1", "", "standard", "a/b/c"):
        with pytest.raises(NotFound):
            layouts.get(name)
