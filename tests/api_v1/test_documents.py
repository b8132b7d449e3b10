"""Issued documents for programs: "is this file yours?", answered to who may see the model."""

from __future__ import annotations

import pytest

from apps.compliance import services
from apps.compliance.models import Document
from tests.api_v1.conftest import Cast, by_token
from tests.support.people import as_actor

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_file_is_found_by_its_digest_and_only_by_who_may_see_the_model(cast: Cast) -> None:
    document = services.request_document(as_actor(cast.ana), cast.version)
    assert by_token(cast.ana).get("documents").json()["items"] == []  # not made yet
    services.make(document.pk)
    document.refresh_from_db()
    api = by_token(cast.ana)
    (item,) = api.get("documents", digest=document.digest.upper()).json()["items"]
    assert item["digest"] == document.digest
    assert item["render_digest"] == document.render_digest
    assert item["card_digest"] == document.input_digest
    assert item["signed_by"] == document.signed_by
    assert api.get("documents").json() == {"items": [item], "next_cursor": None}
    assert api.get("documents", digest="0" * 64).json()["items"] == []
    assert by_token(cast.otto).get("documents", digest=document.digest).json()["items"] == []


def test_a_list_goes_a_page_at_a_time(cast: Cast) -> None:
    document = services.request_document(as_actor(cast.ana), cast.version)
    services.make(document.pk)
    row = Document.objects.get()
    for number in range(4):
        row.pk, row.uuid, row.input_digest = (
            None,
            f"00000000-0000-0000-0000-00000000000{number}",
            str(number),
        )
        row.save(force_insert=True)
    api = by_token(cast.ana)
    first = api.get("documents", limit=3).json()
    rest = api.get("documents", limit=3, cursor=first["next_cursor"]).json()
    assert (len(first["items"]), len(rest["items"]), rest["next_cursor"]) == (3, 2, None)
    assert api.get("documents", cursor="x").status_code == 400
