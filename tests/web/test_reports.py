"""The pages of reports: what can be made and why not, stating what no record holds, taking the page to publish."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.compliance import services
from apps.compliance.models import Document, ReportStatement
from tests.compliance.audited import STATED, audited
from tests.compliance.conftest import Story, story, work

__all__ = ["story"]
pytestmark = pytest.mark.django_db(transaction=True)
DOCUMENTS = "/models/income/1/documents/"
STATE = f"{DOCUMENTS}ll144_report/statement/"


@pytest.fixture
def client(client: Client, ana: User) -> Client:
    client.force_login(ana)
    return client


def test_what_cannot_be_made_says_why_and_is_refused(client: Client, story: Story) -> None:
    page = client.get(DOCUMENTS).content.decode()
    assert "No bias audit of this version was measured" in page
    assert "Make the bias audit report" not in page
    refused = client.post(DOCUMENTS, {"kind": "ll144_report"})
    assert refused.status_code == 409
    assert "No bias audit" in refused.content.decode()
    assert client.post(DOCUMENTS, {"kind": "horoscope"}).status_code == 404
    assert not Document.objects.exists()


def test_a_report_is_stated_made_followed_and_taken(client: Client, story: Story) -> None:
    audited(story)
    assert "Make the bias audit report" in client.get(DOCUMENTS).content.decode()
    assert client.post(STATE, {**STATED, "base": "0"}).status_code == 302
    made = client.post(DOCUMENTS, {"kind": "ll144_report"})
    assert made.status_code == 302
    address = made["Location"]
    assert client.get(f"{address}page.html").status_code == 409
    work("compliance", lambda message: services.make(message.payload["document"]))
    page = client.get(address).content.decode()
    assert "Audit House, LLC" in page
    assert "Take the page to publish" in page
    taken = client.get(f"{address}page.html")
    assert taken.status_code == 200
    assert "income-v1-ll144-bias-audit.html" in taken["Content-Disposition"]
    assert "0.841" in taken.content.decode()


def test_a_bad_statement_stays_in_the_form_with_its_reason(client: Client, story: Story) -> None:
    answer = client.post(STATE, {"data_kind": "test", "base": "0"})
    assert answer.status_code == 422
    assert "Test data need it" in answer.content.decode()
    assert client.post(STATE, {"base": "0"}).status_code == 422
    assert not ReportStatement.objects.exists()


def test_a_statement_that_somebody_else_made_meanwhile_is_shown_and_not_overwritten(
    client: Client, story: Story
) -> None:
    client.post(STATE, {"auditor": "Theirs", "base": "0"})
    answer = client.post(STATE, {"auditor": "Mine", "base": "0"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Theirs" in page
    assert "Mine" in page
    assert ReportStatement.objects.count() == 1
    assert client.post(STATE, {"auditor": "Mine", "base": "1"}).status_code == 302


def test_the_card_takes_no_statement(client: Client, story: Story) -> None:
    url = reverse("web:report-statement", args=["income", 1, "model_card"])
    assert client.get(url).status_code == 404
