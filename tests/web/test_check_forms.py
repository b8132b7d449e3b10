"""Running a check with settings of one's own: the form of each kind, the preview beside it, who may, what is refused."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.checks import kinds
from apps.checks.choices import Known
from apps.checks.models import Measurement
from apps.registry.models import ModelVersion
from apps.web.forms.checks import ParamsForm, initial
from tests import factories
from tests.checks.flow import attach, work
from tests.checks.support import GOOD, ROLES, parquet_bytes
from tests.support.people import as_actor
from tests.web.browsing import browser, nothing_written

pytestmark = pytest.mark.django_db

TWO = GOOD.assign(h=["x", "y", "y", "x"] * 10, p2=GOOD.y)
MEANING = {**ROLES, "sensitive": ["g", "h"]}
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def version(ana: User) -> ModelVersion:
    actor = as_actor(ana)
    found = factories.version(actor, factories.model(actor, "churn"))
    attach(found, ana, stream=parquet_bytes(TWO), mapping=MEANING)
    return found


def at(kind: str) -> str:
    return reverse("web:check-form", args=["churn", 1, kind])


def fields(kind: str, **changes: Any) -> dict[str, Any]:
    """What a browser sends of the form as it is first shown, but for these changes."""
    known = Known(dict.fromkeys(TWO, "number"), ("g", "h"), frozenset({"score"}))
    return {**initial(kinds.get(kind), known), **{f"p-{name}": value for name, value in changes.items()}}  # fmt: skip


def only(kind: str) -> Measurement:
    [row] = Measurement.objects.filter(kind=kind)
    return row


def test_the_form_runs_the_check_with_what_was_chosen(version: ModelVersion, ana: User) -> None:
    sent = fields("fairness", crossings=['["g", "h"]'], reference="g = b\nh = x", draws="20")
    answer = browser(ana).post(at("fairness"), sent)
    row = only("fairness")
    assert answer["Location"] == f"/models/churn/1/checks/{row.uuid}/"
    assert row.params["crossings"] == [["g", "h"]]
    assert row.params["reference"] == {"g": "b", "h": "x"}
    assert row.params["draws"] == 20
    work()
    assert only("fairness").status == "done"


def test_asked_again_with_the_same_settings_nothing_is_measured_twice(
    version: ModelVersion, ana: User
) -> None:
    client = browser(ana)
    client.post(at("performance"), fields("performance", threshold="0.5"))
    with nothing_written():
        answer = client.post(at("performance"), fields("performance", threshold="0.5"), follow=True)
    assert "nothing is measured twice" in answer.content.decode()
    client.post(at("performance"), fields("performance", threshold="0.6"))
    assert Measurement.objects.filter(kind="performance").count() == 2


def test_what_is_sent_untouched_gives_the_kinds_own_defaults(
    version: ModelVersion, ana: User
) -> None:
    for kind in ("performance", "fairness", "bias_audit", "proxy", "quality", "pii"):
        answer = browser(ana).post(at(kind), fields(kind))
        assert answer.status_code == 302, kind
        defaults = kinds.get(kind).checked(kinds.get(kind).params())
        assert only(kind).params == {
            name: _plain(getattr(defaults, name)) for name in defaults.__struct_fields__
        }


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def test_an_incumbent_is_one_of_the_columns(version: ModelVersion, ana: User) -> None:
    client = browser(ana)
    page = client.get(at("performance")).content.decode()
    assert '<option value="p2">p2</option>' in page
    client.post(at("performance"), fields("performance", against="p2"))
    assert only("performance").params["against"] == "p2"


@pytest.mark.parametrize(
    ("kind", "name", "value", "words"),
    [
        ("performance", "threshold", "much", "expected a decimal number"),
        ("performance", "against", "nope", "Choose one of the list."),
        ("performance", "draws", "-1", "greater than or equal to 0"),
        ("performance", "draws", "99999", "from 0 to 10000"),
        ("performance", "confidence", "2", "expected a number from 0.5 to 0.9999"),
        ("fairness", "crossings", ['["g", "s"]'], "Choose one of the list."),
        ("fairness", "reference", "z = 1", "&#x27;z&#x27; is not declared as sensitive"),
        ("fairness", "reference", "female", "write a line such as sex = female"),
        ("fairness", "reference", "g = a\ng = b", "stands there twice"),
        ("quality", "ranges", "s: low", "write both ends with to between"),
        ("quality", "ranges", "s: 3 to 1", "min is larger than max"),
        ("quality", "ranges", "nope: 3 to 4", "there is no column &#x27;nope&#x27;"),
        ("quality", "as_of", "yesterday", "expected a day"),
        ("pii", "countries", "xx", "xx not known"),
        ("bias_audit", "median_over", "some", "Choose one of the list."),
        ("bias_audit", "min_n", "0", "expected a whole number from 1"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_field(
    version: ModelVersion, ana: User, kind: str, name: str, value: Any, words: str
) -> None:
    client = browser(ana)
    for do in ("run", "preview"):
        with nothing_written():
            answer = client.post(at(kind), {**fields(kind, **{name: value}), "do": do})
        page = answer.content.decode()
        assert answer.status_code == 422
        _, _, after = page.partition(f'id="id_p-{name}')
        assert words in after
        assert page.count('id="error-summary"') == 1


def test_a_preview_shows_the_result_and_says_what_it_is_not(
    version: ModelVersion, ana: User
) -> None:
    with nothing_written():
        answer = browser(ana).post(at("fairness"), {**fields("fairness"), "do": "preview"}, **HTMX)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "<html" not in page
    assert "Preview on 40 of 40 rows; not evidence, not stored" in page
    assert "Resamples: 100 instead of 1000" in page
    assert "Selection rate" in page
    assert answer["Vary"].count("HX-Request") == 1


def test_a_long_file_is_looked_at_in_part(version: ModelVersion, ana: User) -> None:
    attach(version, ana, stream=parquet_bytes(pd.concat([TWO] * 300)), mapping=MEANING)
    page = browser(ana).post(at("performance"), {"do": "preview"}).content.decode()
    assert "Preview on 10\u202f000 of 12\u202f000 rows" in page.replace("\xa0", "\u202f")
    assert "<html" in page


def test_a_fragment_names_what_has_to_be_mended(version: ModelVersion, ana: User) -> None:
    sent = {**fields("performance", threshold="much"), "do": "preview"}
    answer = browser(ana).post(at("performance"), sent, **HTMX)
    assert answer.status_code == 422
    assert 'href="#id_p-threshold"' in answer.content.decode()


@pytest.mark.parametrize("kind", list(kinds.registered()))
def test_every_kind_has_a_form_and_its_defaults_are_valid(
    version: ModelVersion, ana: User, kind: str
) -> None:
    assert browser(ana).get(at(kind)).status_code == 200
    known = Known(dict.fromkeys(TWO, "number"), ("g", "h"))
    form = ParamsForm(kinds.get(kind), known, fields(kind))
    assert form.is_valid(), form.errors
    unknown = ParamsForm(kinds.get(kind), Known(), initial(kinds.get(kind), Known()))
    assert unknown.is_valid(), unknown.errors


def test_crossings_are_written_in_lines_where_no_column_is_known() -> None:
    kind = kinds.get("fairness")
    start = initial(kind, Known(), {"crossings": [["sex", "race"]]})
    assert start["p-crossings"] == "sex + race"
    form = ParamsForm(kind, Known(), {**start, "p-crossings": "sex + race\nage + sex"})
    assert form.is_valid()
    assert form.params()["crossings"] == [["sex", "race"], ["age", "sex"]]


def test_the_list_says_which_check_cannot_be_run_and_why(version: ModelVersion, ana: User) -> None:
    page = browser(ana).get("/models/churn/1/checks/new/").content.decode()
    assert at("fairness") in page
    assert at("drift") not in page
    assert "No reference data are attached" in page


@pytest.mark.parametrize(("who", "status"), [("otto", 404), ("rui", 403)])
@pytest.mark.parametrize("do", ["run", "preview"])
def test_who_may_not_run_a_check_gets_neither_form_nor_preview(
    version: ModelVersion, request: pytest.FixtureRequest, who: str, status: int, do: str
) -> None:
    client: Client = browser(request.getfixturevalue(who))
    assert client.get(at("performance")).status_code == status
    with nothing_written():
        assert client.post(at("performance"), {"do": do}).status_code == status


def test_an_unknown_kind_is_not_found(version: ModelVersion, ana: User) -> None:
    assert browser(ana).get(at("luck")).status_code == 404
    assert browser(ana).post(at("luck"), {}).status_code == 404


def test_where_one_column_is_declared_there_is_nothing_to_cross() -> None:
    kind, known = kinds.get("fairness"), Known({"g": "text"}, ("g",))
    form = ParamsForm(kind, known, initial(kind, known))
    assert "p-crossings" not in form.fields
    assert form.is_valid()
    assert "crossings" not in form.params()
