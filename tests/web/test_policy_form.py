"""The form of a policy: it gives back every document unchanged, says beside each control what is wrong, and needs no JavaScript."""

from __future__ import annotations

import io
import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.accounts.models import User
from apps.core.errors import Invalid
from apps.reviews.models import PolicyChange
from apps.reviews.policies import builtin, compare, files
from apps.reviews.policies.document import PolicyDocument, parse, plain
from apps.web.policy_form import draft as drafts
from apps.web.policy_form.draft import Draft, NotInForm
from apps.web.policy_form.layout import ENTRIES, ROWS, SECTIONS
from tests.reviews.test_policy_documents import policies, policy
from tests.support.people import PASSWORD
from tests.web.browsing import browser, nothing_written

URL = "/policies/propose/"
KINDS = ("performance", "fairness", "regression_gaps", "bias_audit", "proxy", "drift")
EVERYTHING = policy(
    summary="All of it.\nIn two lines.",
    source={"jurisdiction": "US", "citation": "SR 26-2", "pack": "x", "pack_version": 3, "effective_from": "2026-04-17"},
    applies_to={"tiers": [1, 3], "teams": ["risk-lab"], "tags": {"gxp": ["yes", "Yes, partly"], "open": []}},
    governs__environments=["eu"],
    gates__checks={
        "performance": {"f1": {"min": "0.5"}, "log_loss": {"max": "1e-1"}, "min_n": 40, "max_excluded_share": "0.1"},
        "fairness": {"features": ["sex", ["sex", "race"]], "demographic_parity_ratio": {"min": "0.8"}, "min_coverage": "0.9"},
        "regression_gaps": {"features": ["sex", ["sex", "race"]], "mae_ratio": {"min": "0.8"}, "min_coverage": "0.9"},
        "bias_audit": {"features": ["sex"], "impact_ratio": {"min": "0.80"}, "alpha": "0.01", "min_n": 50},
        "proxy": {"columns": ["age"], "attributes": ["sex"], "cramers_v": {"max": "0.30"}, "min_n": 50},
        "drift": {"columns": ["age"], "ks": {"max": "0.2"}, "alpha": "0.01"},
    },
    gates__accept_inconclusive={"bias_audit": "small groups", "proxy": "few rows", "drift": "few rows, by design"},
    gates__against_incumbent={"max_loss": {"f1": "0.01"}, "same_data": False},
    gates__max_age_days={"results": 30, "data": 60},
    gates__clean_commit=True,
    gates__impact_assessment={"tiers": [1, 2], "max_age_days": 90},
    gates__card_complete=False,
    gates__card_templates=["eu-annex-iv/1", "mrm"],
    gates__conditions=[{"key": "big", "title": "Large enough", "expression": "data.evaluation.rows >= 100"}],
    steps=[
        {"key": "a", "title": "First", "role": "validator", "count": 1},
        {"key": "b", "title": "Second", "role": "risk", "count": 2, "after": ["a"], "exclude_owner": True},
        {"key": "c", "title": "Third", "role": "legal", "count": 1, "after": ["a", "b"], "deadline_days": 9,
         "remind_days": 4, "escalate_to": ["owner", "risk"]},
    ],
    review_days=20,
    rereview_on=[],
    promote="on_request",
    freeze_windows=[{"title": "Year end", "first": "2026-12-20", "last": "2027-01-03"}],
    emergency={"roles": ["on_call", "risk"], "review_within_days": 4},
    findings={"residual_risk_roles": ["risk"]},
    waivers={"roles": ["risk", "legal"], "max_days": 30},
)  # fmt: skip


def back(document: PolicyDocument) -> PolicyDocument:
    """Through the form, as a browser would send it: encoded and decoded."""
    sent = QueryDict(drafts.of_document(document).given.urlencode())
    return Draft(sent).document().model_copy(update={"number": document.number})


@pytest.mark.parametrize(
    "document", [*files.packs(), parse(builtin.standard()), EVERYTHING], ids=lambda each: each.key
)
def test_each_ready_made_policy_and_one_with_everything_come_back_unchanged(
    document: PolicyDocument,
) -> None:
    assert plain(back(document)) == plain(document)


_words = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=9
)
_sentence = st.lists(_words, min_size=1, max_size=3).map(" ".join)


@settings(max_examples=150)
@given(
    policies,
    _sentence,
    _sentence,
    st.lists(_words.map(str.lower), max_size=3),
    st.dictionaries(_words, st.lists(_words, max_size=2), max_size=2),
)
def test_any_document_comes_back_unchanged(
    document: PolicyDocument, title: str, why: str, aliases: list[str], tags: dict[str, Any]
) -> None:
    data = plain(document) | {"title": title, "applies_to": {"tags": tags}}
    data["governs"] = data["governs"] | {"aliases": aliases}
    data["gates"] = data["gates"] | {"accept_inconclusive": {"drift": why}}
    limits = data["gates"]["checks"].get("fairness", {})
    if not limits.get("features", True):
        del limits["features"]  # empty is the same as left out, and the form knows one blank only
    whole = parse(data)
    returned = back(whole)
    assert plain(returned) == plain(whole)
    assert compare.redline(whole, returned) == []


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"governs__stages": ["two\nlines"]}, "governs.stages"),
        ({"governs__aliases": [" spaced "]}, "governs.aliases"),
        ({"applies_to__tags": {"a": [""]}}, "applies_to.tags.0.values"),
        ({"gates__checks__fairness__features": ["a + b"]}, "gates.checks.fairness.features"),
    ],
)
def test_what_the_form_could_not_give_back_is_not_shown_in_it(
    changes: dict[str, Any], path: str
) -> None:
    with pytest.raises(NotInForm) as raised:
        drafts.of_document(policy(**changes))
    assert raised.value.paths == [path]


def test_every_key_of_the_schema_has_its_control() -> None:
    elsewhere = {
        "number", "gates.against_incumbent.max_loss",
        *(f"gates.checks.{kind}" for kind in KINDS),
    }  # fmt: skip
    shown = {*ENTRIES, *ROWS} | {
        f"{path}.{e.path}" for path, rows in ROWS.items() for e in rows.entries
    }
    assert sorted(set(_keys(PolicyDocument.model_json_schema())) - shown - elsewhere) == []
    assert len({part.path for section in SECTIONS for part in section.parts}) == len(ENTRIES) + len(
        ROWS
    )


def _keys(schema: dict[str, Any]) -> list[str]:
    def walk(told: dict[str, Any], path: str) -> list[str]:
        for option in told.get("anyOf", [told]):
            if "$ref" in option:
                part = schema["$defs"][option["$ref"].rsplit("/", 1)[1]]
                return [
                    key
                    for name, inner in part["properties"].items()
                    for key in walk(inner, f"{path}.{name}")
                ]
            if option.get("type") == "array" and "$ref" in option.get("items", {}):
                return walk(option["items"], path)
        named = path in {"gates.checks", "gates.accept_inconclusive"}
        return [f"{path}.{kind}" for kind in KINDS] if named else [path]

    return [key for name, told in schema["properties"].items() for key in walk(told, name)]


def problems(query: str) -> dict[str, str]:
    with pytest.raises(Invalid) as raised:
        Draft(QueryDict(query)).document()
    return dict(raised.value.fields)


@pytest.mark.parametrize(
    ("query", "name", "said"),
    [
        ("", "title", "needed"),
        ("", "rows.steps", "at least 1"),
        ("", "rows.limits", "demand no check"),
        ("approval_days=soon", "approval_days", "whole number"),
        ("approval_days=0", "approval_days", "1 or more"),
        ("rows.limits=4&limits.4.metric=drift.psi&limits.4.bound=min&limits.4.number=0.2", "gates.checks.drift.columns", "limited from above"),
        ("rows.limits=4&limits.4.metric=drift.psi&limits.4.bound=max&limits.4.number=a", "limits.4.number", "not a decimal"),
        ("rows.limits=4&limits.4.metric=drift.psi&limits.4.bound=max", "limits.4.number", "Give a number"),
        ("rows.limits=4&limits.4.bound=max&limits.4.number=1", "limits.4.metric", "Choose"),
        ("rows.limits=1&rows.limits=2&limits.1.metric=drift.ks&limits.1.number=1&limits.2.metric=drift.ks&limits.2.number=1", "limits.2.metric", "twice"),
        ("rows.losses=7&losses.7.metric=f1&losses.7.loss=-1", "losses.7.loss", "0 or more"),
        ("rows.steps=5&steps.5.title=Board&steps.5.count=x", "steps.5.count", "whole number"),
        ("rows.steps=5&steps.5.title=Board&steps.5.role=king&steps.5.count=1", "steps.5.role", "expected"),
        ("rows.gates.conditions=2&gates.conditions.2.title=X&gates.conditions.2.expression=foo", "gates.conditions.2.expression", "unknown name"),
        ("rows.freeze_windows=0&freeze_windows.0.title=X&freeze_windows.0.first=2027-01-02&freeze_windows.0.last=2027-01-01", "freeze_windows.0.title", "before"),
        ("rows.freeze_windows=0&freeze_windows.0.title=X&freeze_windows.0.first=never&freeze_windows.0.last=2027-01-01", "freeze_windows.0.first", "a day"),
        ("emergency.review_within_days=3", "emergency.roles", "at least 1"),
        ("applies_to.tiers=9", "applies_to.tiers", "expected"),
        ("applies_to.teams=Not A Slug", "applies_to.teams", "small letters"),
        ("rows.applies_to.tags=0&applies_to.tags.0.values=x", "applies_to.tags.0.tag", "Name the tag"),
        ("title=%00", "title", "could not be read"),
        ("title=%FF", "title", "could not be read"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_of_the_control_that_it_is_about(
    query: str, name: str, said: str
) -> None:
    found = problems(query)
    assert said.lower() in found.get(name, "").lower(), found


def filled(document: PolicyDocument = EVERYTHING) -> Draft:
    return drafts.of_document(document)


def test_a_removed_step_is_named_by_no_other_and_the_rest_stays() -> None:
    document = filled().without_row("steps", "0").document()
    assert [(step.key, step.after) for step in document.steps] == [("b", ()), ("c", ("b",))]


def test_a_step_moved_up_does_not_wait_for_the_one_it_passed() -> None:
    document = filled().moved_up("steps", "2").document()
    assert [(step.key, step.after) for step in document.steps] == [("a", ()), ("c", ("a",)), ("b", ("a",))]  # fmt: skip


def test_an_added_row_that_stays_empty_asks_for_nothing() -> None:
    draft = filled()
    for path in ROWS:
        draft, number = draft.with_row(path)
        assert number not in filled().rows(path)
    assert plain(draft.document()) == plain(EVERYTHING.model_copy(update={"number": 1}))


def test_short_names_follow_from_titles_and_are_never_the_same() -> None:
    draft, one = filled().with_row("steps")
    draft, two = draft.with_row("steps")
    given_ = draft.given.copy()
    for row in (one, two):
        given_.update(
            {
                f"steps.{row}.title": "Second Look",
                f"steps.{row}.role": "legal",
                f"steps.{row}.count": "1",
            }
        )
    given_["key"] = ""
    document = Draft(given_).document()
    assert [step.key for step in document.steps][-2:] == ["second-look", "second-look-2"]
    assert document.key == "standard-approval-for-production"


# --- through the pages -------------------------------------------------------------------------


class _Controls(HTMLParser):
    """What a browser would send of the form of the page, but for buttons."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, str]] = []
        self.open: tuple[str, str] | None = None
        self.select = ""
        self.chosen: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {key: value or "" for key, value in attrs}
        name = told.get("name", "")
        if tag == "input" and name and told.get("type") != "file":
            tick = told.get("type") in {"checkbox", "radio"}
            if not tick or "checked" in told:
                self.sent.append((name, told.get("value", "on" if tick else "")))
        elif tag == "textarea":
            self.open = (name, "")
        elif tag == "select":
            self.select, self.chosen = name, None
        elif tag == "option" and self.select and (self.chosen is None or "selected" in told):
            self.chosen = told.get("value", "")

    def handle_data(self, data: str) -> None:
        if self.open is not None:
            self.open = (self.open[0], self.open[1] + data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self.open is not None:
            name, text = self.open
            self.sent.append((name, text.removeprefix("\n").removeprefix("\r\n")))
            self.open = None
        elif tag == "select":
            self.sent.append((self.select, self.chosen or ""))
            self.select = ""


def controls(html: str) -> dict[str, list[str]]:
    form = re.search(r'<form class="policy-form".*?</form>', html, re.DOTALL)
    form = form or re.search(
        r'<form class="form" method="post" action="/policies/propose/".*?</form>', html, re.DOTALL
    )
    assert form, html
    parser = _Controls()
    parser.feed(form[0])
    found: dict[str, list[str]] = {}
    for name, value in parser.sent:
        found.setdefault(name, []).append(value)
    return found


def press(client: Client, html: str, do: str, status: int = 200, **typed: Any) -> str:
    """Press a button of the form as it stands on the page, with something else typed first."""
    answer = client.post(URL, controls(html) | typed | {"do": do})
    assert answer.status_code == status
    return answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_somebody_proposes_a_policy_without_javascript_and_without_yaml(ada: User) -> None:
    client = browser(ada)
    html = client.get(f"{URL}?pack=light").content.decode()
    html = press(client, html, "add:steps")
    typed = {"steps.1.title": "The board agrees", "steps.1.role": "risk", "steps.1.count": ""}
    html = press(client, html, "preview", 422, title="Light, for us", key="", **typed)
    assert "How many people: This is needed." in html
    assert "Light, for us" in html
    html = press(client, html, "yaml", **{"steps.1.count": "2"})
    assert "the-board-agrees" in html
    html = press(client, html, "form")
    html = press(client, html, "preview", **{"steps.1.after": "0"})
    assert "2 of risk" in html
    assert "A new policy" in html
    with nothing_written():
        press(client, html, "propose", 422)
    answer = client.post(URL, controls(html) | {"do": "propose", "reason": "small models"})
    assert answer.status_code == 302
    made = PolicyChange.objects.get()
    assert made.version is not None
    assert made.key == "light-for-us"
    assert made.version.document["steps"][1]["after"] == ["validation"]


@pytest.mark.django_db(transaction=True)
def test_nothing_is_lost_between_the_two_views_of_a_draft_that_is_not_valid_yet(ada: User) -> None:
    client = browser(ada)
    html = client.get(URL).content.decode()
    html = press(client, html, "yaml", title="", **{"limits.0.number": "0.9"})
    assert "title:" not in controls(html)["text"][0].replace("title: ", "")[:30]
    html = press(client, html, "form")
    assert controls(html)["limits.0.number"] == ["0.9"]
    assert controls(html)["title"] == [""]
    strange = controls(press(client, html, "yaml"))["text"][0] + "surprise: 1\n"
    html = client.post(URL, {"do": "form", "text": strange}).content.decode()
    assert "surprise" in unescape(controls(html)["text"][0])
    assert "no such key" in html


@pytest.mark.django_db(transaction=True)
def test_the_preview_says_what_it_loosens_what_stands_in_the_way_and_whom_it_reaches(
    ada: User,
) -> None:
    client = browser(ada)
    html = client.get(f"{URL}?from=standard").content.decode()
    html = press(client, html, "preview", approval_days="900")
    assert "It takes 2 signatures" in html
    assert "an approval lives 900 instead of 90 days" in html
    assert "An approval lives so many days" in html
    html = press(client, html, "form")
    assert controls(html)["approval_days"] == ["900"]
    same = press(client, client.get(f"{URL}?from=standard").content.decode(), "preview")
    assert "asks for the same" in same
    assert 'value="propose"' not in same
    changed = controls(client.get(URL).content.decode())
    changed["rows.limits"] = ["0"]
    changed |= {
        "limits.0.metric": ["performance.roc_auc"],
        "limits.0.bound": ["max"],
        "key": ["other"],
    }
    told = client.post(URL, changed | {"do": "preview"}).content.decode()
    assert "With Standard approval for production (standard v1)" in told


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        (files.dump(EVERYTHING).encode(), 200, "Year end"),
        (b"title: X\nsteps: [", 422, "Line"),
        (b"title: X\n\xff", 422, "Line 2: it is not text in UTF-8."),
        (b"x: " + b"y" * 900_000, 422, "a policy is far smaller"),
        (b"title: X\ngoverns: 3\n", 422, "Line 2, governs"),
    ],
)
def test_a_file_is_imported_or_refused_with_line_and_reason(
    ada: User, content: bytes, status: int, said: str
) -> None:
    client = browser(ada)
    draft = controls(client.get(URL).content.decode()) | {"title": ["Mine"], "do": ["import"]}
    file = SimpleUploadedFile("policy.yaml", io.BytesIO(content).read(), "text/yaml")
    with nothing_written():
        answer = client.post(URL, draft | {"file": file})
    assert answer.status_code == status
    assert said in unescape(answer.content.decode())


@pytest.mark.django_db(transaction=True)
def test_an_old_version_is_proposed_again_as_a_new_one(ada: User) -> None:
    client = browser(ada)
    shown = client.get("/policies/of/standard/1/").content.decode()
    assert "again" not in shown
    assert client.get("/policies/of/standard/7/").status_code == 404
    assert client.get(f"{URL}?from=standard&number=7").status_code == 404
    assert client.get(f"{URL}?from=standard&number=x").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_newer_ready_made_policy_is_named_and_shows_what_it_changes_and_for_whom(
    ada: User, vera: User, ana: User
) -> None:
    ready = next(each for each in files.packs() if each.key == "light")
    assert ready.source is not None
    older = ready.model_copy(
        update={"approval_days": 30, "source": ready.source.model_copy(update={"pack_version": 1})}
    )
    client = browser(ada)
    client.post(URL, {"text": files.dump(older), "reason": "the first edition"})
    change = PolicyChange.objects.get()
    given_ = {"approves": "yes", "comment": "read", "password": PASSWORD, "digest": change.digest}
    assert browser(vera).post(f"/policies/changes/{change.pk}/sign/", given_).status_code == 302
    html = client.get("/policies/").content.decode()
    assert (
        f"Version {ready.source.pack_version} is newer than version 1, which is in force here"
        in html
    )
    shown = client.get(f"{URL}?pack=light&as=preview").content.decode()
    assert "An approval lives so many days" in shown
    assert "Stay covered, by the new rules" in shown
    assert f"pack {ready.source.pack}, version {ready.source.pack_version}" in shown
