"""Reading reviews, models, versions, gates and who may."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.notices.models import Notice
from apps.reviews import services
from apps.reviews.policies import builtin
from tests import factories
from tests.api_v1.conftest import PRODUCTION, Api, Cast, by_session, by_token
from tests.checks import flow
from tests.reviews.test_policies import activate, text
from tests.reviews.test_simulating import HELD
from tests.support.people import as_actor, hire

pytestmark = pytest.mark.django_db


def test_p11_10_a_signature_shows_printed_name_time_and_meaning(cast: Cast) -> None:
    review = cast.promote()
    told = by_token(cast.ana).get(f"reviews/{review.pk}").json()
    assert [(d["printed_name"], d["meaning"], d["void"]) for d in told["decisions"]] == [
        ("Vera Lund", "approved", False),
        ("Rui Costa", "approved", False),
    ]
    assert all(d["signed_at"].endswith("Z") for d in told["decisions"])
    assert told["status"] == "promoted"
    assert (told["signed"], told["needed"]) == (2, 2)


def test_a_review_says_who_is_asked_and_why_not_you(cast: Cast) -> None:
    review = cast.submit()
    told = by_token(cast.ana).get(f"reviews/{review.pk}").json()
    assert [[p["name"] for p in step["asked"]] for step in told["steps"]] == [
        ["Vera Lund"],
        ["Rui Costa"],
    ]
    assert "You made part of this" in told["you"]["why_not"]
    hers = by_session(cast.vera).get(f"reviews/{review.pk}").json()
    assert hers["you"]["why_not"] == ""
    assert len(hers["you"]["open_steps"]) == 1


def test_the_manifest_is_the_bytes_that_the_digest_names(cast: Cast) -> None:
    review = cast.submit()
    api = by_token(cast.ana)
    (round_,) = api.get(f"reviews/{review.pk}").json()["rounds"]
    answer = api.http.get(round_["manifest"], headers=api.headers)
    assert hashlib.sha256(answer.content).hexdigest() == round_["digest"]
    again = api.http.get(
        round_["manifest"], headers={**api.headers, "If-None-Match": answer["ETag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


def test_reviews_are_filtered_by_status_model_and_what_needs_me(cast: Cast) -> None:
    first = cast.promote()
    second = cast.submit(version=factories.version(as_actor(cast.ana), cast.model))
    other = factories.model(as_actor(cast.ana), "fraud")
    third = cast.submit(PRODUCTION, version=factories.version(as_actor(cast.ana), other))

    def listed(**query: str) -> list[int]:
        return [row["id"] for row in by_token(cast.vera).get("reviews", **query).json()["items"]]

    assert listed() == [third.pk, second.pk, first.pk]
    assert listed(status="promoted") == [first.pk]
    assert listed(model="credit") == [second.pk, first.pk]
    assert listed(model="nothing") == []
    mine = by_session(cast.vera).get("reviews", needs_me="true").json()["items"]
    assert [row["id"] for row in mine] == [third.pk, second.pk]
    # A token does not sign, so nothing needs its holder's signature through it.
    assert listed(needs_me="true") == []


def test_pages_follow_each_other_without_gap_or_double(cast: Cast) -> None:
    actor = as_actor(cast.ana)
    for name in ("apple", "banana", "cherry", "damson"):
        factories.model(actor, name)
    api, seen, cursor = by_token(cast.ana), [], ""
    while True:
        page = api.get("models", limit=2, **({"cursor": cursor} if cursor else {})).json()
        seen += [row["name"] for row in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ["apple", "banana", "cherry", "credit", "damson"]


@pytest.mark.parametrize(
    "cursor", ["nonsense", "MTI", "!", "AA==", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk="]
)
def test_a_cursor_of_nobodys_is_refused(cast: Cast, cursor: str) -> None:
    answer = by_token(cast.ana).get("reviews", cursor=cursor)
    assert (answer.status_code, answer.json()["fields"]) == (400, {"cursor": "not a cursor"})


def test_lists_take_as_many_queries_for_many_rows_as_for_one(cast: Cast) -> None:
    api, actor = by_token(cast.vera), as_actor(cast.ana)

    def counted(path: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert api.get(path).status_code == 200
        return len(seen)

    paths = ["reviews", "models", "models/credit/versions"]
    cast.submit()
    api.get("reviews")
    few = [counted(path) for path in paths]
    for number in range(12):
        version = factories.version(actor, cast.model)
        cast.submit(version=version)
        factories.model(actor, f"model-{number}")
    assert [counted(path) for path in paths] == few


def test_a_model_and_its_versions_say_who_holds_what(cast: Cast) -> None:
    cast.promote()
    api = by_token(cast.ana)
    model = api.get("models/credit").json()
    assert model["stages"] == [{"name": "Production", "version": 1}]
    assert model["aliases"] == [{"name": "champion", "version": 1}]
    assert "stage:production" in model["governed_targets"]
    version = api.get("models/credit/versions/1").json()
    assert version["governed_targets"] == ["alias:champion", "stage:production"]
    assert version["digest"] == f"sha256:{cast.version.manifest_digest}"
    assert [file["path"] for file in version["manifest"]] == ["MLmodel", "model.bin"]
    (row,) = api.get("models/credit/versions").json()["items"]
    assert (row["number"], row["stage"], row["aliases"]) == (1, "Production", ["champion"])


def test_the_gates_of_a_version_say_what_blocks_it(cast: Cast) -> None:
    api = by_token(cast.ana)
    before = api.get("models/credit/versions/1/gates").json()
    assert before["passes"] is False
    assert [node["state"] for node in before["tree"]] == ["missing"]
    cast.promote()
    assert api.get("models/credit/versions/1/gates").json()["passes"] is True


def test_who_may_leaves_out_who_made_it(cast: Cast) -> None:
    api = by_token(cast.ana)
    told = api.get("who-may", verb="review.sign.approver", model="credit", version=1).json()
    assert [person["name"] for person in told["people"]] == ["Rui Costa"]
    assert told["you_may"] is False
    told = api.get("who-may", verb="review.submit", model="credit").json()
    assert (told["you_may"], [p["name"] for p in told["people"]]) == (True, ["Ana Silva"])


def test_a_stranger_finds_nothing(cast: Cast) -> None:
    review = cast.submit()
    api = by_token(cast.otto)
    assert api.get("reviews").json() == {"items": [], "next_cursor": None}
    assert api.get("models").json() == {"items": [], "next_cursor": None}
    for path in (
        f"reviews/{review.pk}",
        f"reviews/{review.pk}/rounds/1/manifest",
        "models/credit",
        "models/credit/versions/1",
        "models/credit/versions/1/gates",
        "who-may?verb=model.read&model=credit",
        "models/nothing",
        "reviews/999999999999999999999999",
    ):
        answer = api.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path


@pytest.mark.parametrize(
    "query", ["nothing=1", "status=odd", "status=open&status=open", "limit=0", "limit=x"]
)
def test_a_query_that_is_not_understood_is_refused(cast: Cast, query: str) -> None:
    answer = by_token(cast.ana).get(f"reviews?{query}")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert list(answer.json()["fields"]) == [query.partition("=")[0]]


def test_nobody_reads_anything_without_credentials(cast: Cast) -> None:
    answer = Api().get("reviews")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert "Bearer" in answer["WWW-Authenticate"]


def test_a_receipt_proves_the_place_of_the_signature_in_the_ledger(cast: Cast) -> None:
    """Everything is computed here from the answer alone, as RFC 9162 (2.1.3.2) says."""
    review = cast.promote()
    api = by_token(cast.ana)
    (first, _) = api.get(f"reviews/{review.pk}").json()["decisions"]
    told = api.get(f"reviews/{review.pk}/decisions/{first['id']}/receipt").json()
    statement = told["statement"].encode()
    assert hashlib.sha256(statement).hexdigest() == told["decision"]["statement_digest"]
    assert json.loads(statement)["evidence_digest"] == told["decision"]["evidence_digest"]
    event = told["event"]
    body = base64.b64decode(event["body"])
    assert json.loads(body)["payload"]["statement_digest"] == told["decision"]["statement_digest"]
    leaf = hashlib.sha256(b"\x00" + body).digest()
    assert leaf.hex() == event["leaf_hash"]
    assert _root(leaf, event) == event["root_hash"]
    assert _root(hashlib.sha256(b"\x00" + body + b" ").digest(), event) != event["root_hash"]
    assert (told["counts"], told["void_reason"]) == (True, "")


def _root(leaf: bytes, event: dict[str, Any]) -> str:
    at, last, found = event["seq"] - 1, event["size"] - 1, leaf
    for step in map(bytes.fromhex, event["proof"]):
        if at % 2 or at == last:
            found = hashlib.sha256(b"\x01" + step + found).digest()
            while not at % 2 and at:
                at, last = at >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\x01" + found + step).digest()
        at, last = at >> 1, last >> 1
    return found.hex()


def test_a_receipt_of_a_void_round_says_why_it_counts_no_more(cast: Cast) -> None:
    review = cast.submit()
    decision = cast.sign(cast.vera, review)
    services.new_round(as_actor(cast.ana), review, because="newer data")
    told = by_token(cast.ana).get(f"reviews/{review.pk}/decisions/{decision.pk}/receipt").json()
    assert told["counts"] is False
    assert "newer data" in told["void_reason"]
    other = cast.submit(version=factories.version(as_actor(cast.ana), cast.model))
    asked = f"reviews/{other.pk}/decisions/{decision.pk}/receipt"
    assert by_token(cast.ana).get(asked).status_code == 404
    mine = f"reviews/{review.pk}/decisions/{decision.pk}/receipt"
    assert by_token(cast.otto).get(mine).status_code == 404


def test_the_simulation_of_a_policy_is_told_without_what_the_reader_may_not_see(cast: Cast) -> None:
    adam = as_actor(hire("adam", "Adam Novák", "administrator"))
    activate(adam, text(**HELD), as_actor(cast.vera), as_actor(cast.rui))
    flow.attach(cast.version, cast.ana)
    flow.done(cast.version, cast.ana)
    review = cast.promote()
    two = [step | {"count": 2} for step in builtin.standard()["steps"]]
    change = services.propose(adam, text=text(**HELD, steps=two), reason="four eyes are not enough")
    asked = f"policy-changes/{change.pk}/simulation"
    assert by_token(cast.ana).get(asked).status_code == 404  # not tried yet
    services.simulate(adam, change)
    told = by_token(cast.ana).get(asked).json()
    assert told["current"] is True
    assert told["reviews"] == 1
    cases = [case for kind in ("blocked", "asked") for case in told[kind]["items"]]
    assert review.key in {case["name"] for case in cases}
    assert all(case["reasons"] for case in cases)
    strangers = by_token(cast.otto).get(asked).json()
    for kind in ("blocked", "asked"):
        assert strangers[kind]["total"] == told[kind]["total"]
        assert strangers[kind]["items"] == []
        assert strangers[kind]["hidden"] == len(told[kind]["items"])


def test_having_read_a_notice_is_kept_for_the_reader_alone(cast: Cast) -> None:
    first, second = (
        Notice.objects.create(
            recipient=cast.ana,
            kind="review.void",
            event_seq=number,
            once=f"round:{number}",
            subject="review:1",
            scopes=["review:1"],
            parts={"review": "REV-1", "review_id": 1},
        )
        for number in (1, 2)
    )
    api = by_token(cast.ana)
    assert by_token(cast.vera).post(f"notices/{first.pk}/read", {}).status_code == 404
    assert api.post(f"notices/{first.pk}/read", {}).json()["read"] is True
    assert [row["id"] for row in api.get("notices?unread=true").json()["items"]] == [second.pk]
    assert api.post("notices/read", {"up_to": first.pk}).json()["items"] != []
    assert api.post("notices/read", {"up_to": second.pk}).json()["items"] == []
    assert api.post("notices/read", {"up_to": 0}).status_code == 400
