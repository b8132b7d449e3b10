"""Writing a card with others: drafts that are nobody's evidence, merges that lose no word, clashes that ask."""

from __future__ import annotations

import threading

import pytest
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st

from apps.accounts.models import User
from apps.audits.selectors import head
from apps.core.errors import Conflict, DomainError, Forbidden, Invalid
from apps.modelcards import layouts, merging, selectors, services
from apps.modelcards.models import CardDraft, CardRevision
from apps.modelcards.services import Edited
from apps.registry.models import ModelVersion
from tests import factories
from tests.support.people import as_actor

pytestmark = pytest.mark.django_db(transaction=True)
_cards = st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["", "x", "y", "z"]))


@pytest.fixture
def version(ana: User) -> ModelVersion:
    actor = as_actor(ana)
    return factories.version(actor, factories.model(actor))


@given(was=_cards, mine=_cards, theirs=_cards)
def test_a_merge_drops_nobodys_change(was, mine, theirs) -> None:
    merged = merging.merge(was, mine, theirs)
    for key in {*was, *mine, *theirs}:
        old, own, other = was.get(key, ""), mine.get(key, ""), theirs.get(key, "")
        clash = merged.clashes.get(key)
        if own != old and other != old and own != other:
            assert clash == merging.Clash(old, own, other)
        else:
            assert clash is None
            assert merged.texts[key] == (own if own != old else other)


@given(was=_cards, mine=_cards, theirs=_cards, pick=st.sampled_from(["mine", "theirs"]))
def test_a_pick_settles_a_clash_and_nothing_else(was, mine, theirs, pick) -> None:
    asked = merging.merge(was, mine, theirs)
    settled = merging.merge(was, mine, theirs, dict.fromkeys("abcd", pick))
    assert not settled.clashes
    for key, text in settled.texts.items():
        clash = asked.clashes.get(key)
        assert text == (getattr(clash, pick) if clash else asked.texts[key])


def test_a_draft_is_kept_for_its_writer_and_is_no_revision_and_no_event(version, ana, omar) -> None:
    before = head().size
    services.save_draft(as_actor(ana), version, {"summary": "half a"}, base=0, template="")
    services.save_draft(as_actor(ana), version, {"summary": "half a sentence"}, base=0, template="")
    assert CardDraft.objects.get().texts == {"summary": "half a sentence"}
    assert selectors.draft_of(version, omar.pk) is None
    assert selectors.editing_now(version, omar.pk, CardDraft.objects.get().saved_at) == [str(ana)]
    assert selectors.editing_now(version, ana.pk, CardDraft.objects.get().saved_at) == []
    assert (head().size, CardRevision.objects.count()) == (before, 0)
    services.discard_draft(as_actor(ana), version)
    assert not CardDraft.objects.exists()


def test_a_save_forgets_the_draft_of_whoever_saved(version, ana, omar) -> None:
    for user in (ana, omar):
        services.save_draft(as_actor(user), version, {"summary": "x"}, base=0, template="")
    services.save_edited(as_actor(ana), version, Edited({"summary": "x"}, 0))
    assert [draft.user for draft in CardDraft.objects.all()] == [omar]


@pytest.mark.parametrize(
    "texts",
    [
        {"summary": "a\x00b"},
        {"summary": "half \ud83d"},
        {"summary": "\u202e"},
        {"Not A Key": "x"},
        {"summary": "x" * 240_001},
        {f"b{i}": "x" * 1000 for i in range(300)},
    ],
)
def test_a_draft_that_could_not_be_kept_is_refused_and_the_old_one_stays(version, ana, texts) -> None:  # fmt: skip
    services.save_draft(as_actor(ana), version, {"summary": "before"}, base=0, template="")
    with pytest.raises(Invalid):
        services.save_draft(as_actor(ana), version, texts, base=0, template="")
    assert CardDraft.objects.get().texts == {"summary": "before"}


@pytest.mark.parametrize("who", ["vera", "otto"])
def test_whoever_may_not_write_keeps_no_draft(version, request, who) -> None:
    actor = as_actor(request.getfixturevalue(who))
    with pytest.raises(Forbidden):
        services.save_draft(actor, version, {"summary": "x"}, base=0, template="")
    with pytest.raises(Forbidden):
        services.save_edited(actor, version, Edited({"summary": "x"}, 0))
    assert not CardDraft.objects.exists()


def test_changes_of_different_blocks_are_put_together(version, ana, omar) -> None:
    services.save_card(as_actor(ana), version, {"summary": "a", "ethics": "b"}, 0)
    services.save_card(as_actor(omar), version, {"summary": "a", "ethics": "his"}, 1)
    outcome = services.save_edited(as_actor(ana), version, Edited({"summary": "hers", "ethics": "b"}, 1))  # fmt: skip
    assert outcome.saved is not None
    assert outcome.saved.texts == {"summary": "hers", "ethics": "his"}
    assert outcome.merged.taken == ("ethics",)
    card = selectors.card(version)
    assert (card.block("ethics").prose.author, card.block("summary").prose.author) == (str(omar), str(ana))  # fmt: skip


def test_the_same_block_changed_by_both_asks_and_saves_nothing(version, ana, omar) -> None:
    services.save_card(as_actor(ana), version, {"summary": "a", "ethics": "b"}, 0)
    services.save_card(as_actor(omar), version, {"summary": "his", "ethics": "his too"}, 1)
    hers = {"summary": "hers", "ethics": "b"}
    outcome = services.save_edited(as_actor(ana), version, Edited(hers, 1))
    assert outcome.saved is None
    assert outcome.merged.clashes == {"summary": merging.Clash("a", "hers", "his")}
    assert outcome.merged.texts["ethics"] == "his too"
    assert CardRevision.objects.count() == 2
    again = services.save_edited(as_actor(ana), version, Edited(outcome.merged.texts, 1, read=2))
    assert again.saved is None  # not picked is not decided
    done = services.save_edited(as_actor(ana), version, Edited(outcome.merged.texts, 1, read=2, picks={"summary": "theirs"}))  # fmt: skip
    assert done.saved == CardRevision.objects.get(number=2)  # theirs is what is there
    hers_again = services.save_edited(as_actor(ana), version, Edited(hers, 1, read=2, picks={"summary": "mine"}))  # fmt: skip
    assert hers_again.saved.texts == {"summary": "hers", "ethics": "his too"}


def test_a_third_save_after_the_pick_is_merged_too(version, ana, omar) -> None:
    services.save_card(as_actor(ana), version, {"summary": "a"}, 0)
    services.save_card(as_actor(omar), version, {"summary": "his"}, 1)
    services.save_card(as_actor(omar), version, {"summary": "his later", "ethics": "new"}, 2)
    edited = Edited({"summary": "hers"}, 1, read=2, picks={"summary": "mine"})
    outcome = services.save_edited(as_actor(ana), version, edited)
    assert outcome.saved is None
    assert outcome.merged.clashes == {"summary": merging.Clash("his", "hers", "his later")}
    assert (outcome.base, outcome.read) == (2, 3)


def test_a_base_from_the_future_is_refused_as_before(version, ana) -> None:
    with pytest.raises(Conflict, match="You edited revision 7, the newest is 0"):
        services.save_edited(as_actor(ana), version, Edited({"summary": "x"}, 7))


def test_two_at_once_on_different_blocks_both_arrive(version, ana, omar) -> None:
    services.save_card(as_actor(ana), version, {"summary": "a", "ethics": "b"}, 0)
    start, failed = threading.Barrier(2), []

    def save(user: User, key: str) -> None:
        try:
            start.wait()
            texts = {"summary": "a", "ethics": "b"} | {key: f"by {user}"}
            services.save_edited(as_actor(user), version, Edited(texts, 1))
        except DomainError as error:
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=save, args=pair) for pair in ((ana, "summary"), (omar, "ethics"))]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failed == []
    latest = selectors.latest_revision(version)
    assert latest.texts == {"summary": f"by {ana}", "ethics": f"by {omar}"}


def test_what_somebody_wrote_while_another_moved_the_card_has_a_place(version, ana, omar, vera) -> None:  # fmt: skip
    services.save_card(as_actor(ana), version, {"summary": "a"}, 0)
    services.choose_template(as_actor(vera), version.model, key="light", reason="tier")
    services.save_card(as_actor(omar), version, {"summary": "a"}, 1, template="light/1")
    outcome = services.save_edited(as_actor(ana), version, Edited({"summary": "a", "monitoring_plan": "hers"}, 1))  # fmt: skip
    assert outcome.saved is not None
    assert outcome.saved.texts["monitoring_plan"] == "hers"
    assert outcome.saved.content["kept"]["monitoring_plan"]["section"] == "caveats"
    section = selectors.outline(
        selectors.get_revision(version, 2), layouts.get("light/1"), ["monitoring_plan", "of_nobody"]
    )[-1]
    assert {"monitoring_plan", "of_nobody"} <= {block.key for block in section.blocks}
