"""The inbox: one's own notices, unread first, read by a POST; the count stands on every page."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.notices.models import Notice
from tests.notices.support import work_off
from tests.reviews.conftest import Cast
from tests.web.browsing import browser

pytestmark = pytest.mark.django_db(transaction=True)


def tell(person: User, numbers: range, **fields: object) -> list[Notice]:
    """Notices of one person, as the worker writes them."""
    return [
        Notice.objects.create(
            recipient=person,
            kind="review.rejected",
            event_seq=number,
            once=f"event:{number}",
            subject=f"review:{number}",
            scopes=[f"review:{number}"],
            caused_by=person,
            parts={
                "review": f"REV-{number}",
                "review_id": number,
                "model": "<b>credit</b>",
                "version": 1,
                "reason": "no",
            },
            **fields,
        )
        for number in numbers
    ]


def shown(client: Client, query: str = "") -> str:
    answer = client.get(f"/notices/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(url).status_code == 200
    return len(asked)


def test_unread_come_first_then_the_newest(rui: User) -> None:
    first, second, third = tell(rui, range(1, 4))
    client = browser(rui)
    client.post(f"/notices/{third.pk}/read/")
    page = shown(client)
    places = [page.index(f"REV-{number} is rejected") for number in (2, 1, 3)]
    assert places == sorted(places)
    assert "REV-3" not in shown(client, "?unread=1")
    assert Notice.objects.filter(read_at__isnull=True).count() == 2
    assert (first.read_at, second.read_at) == (None, None)


def test_what_clients_named_is_escaped(rui: User) -> None:
    tell(rui, range(1, 2))
    page = shown(browser(rui))
    assert "&lt;b&gt;credit&lt;/b&gt;" in page
    assert "<b>credit" not in page


def test_opening_one_reads_it_and_leads_to_what_it_is_about(rui: User) -> None:
    (notice,) = tell(rui, range(7, 8))
    answer = browser(rui).post(f"/notices/{notice.pk}/read/", {"open": "1"})
    assert (answer.status_code, answer["Location"]) == (302, "/reviews/7/")
    notice.refresh_from_db()
    assert notice.read_at


def test_all_that_were_shown_are_read_and_what_came_since_is_not(rui: User, vera: User) -> None:
    seen = tell(rui, range(1, 4))
    tell(vera, range(1, 2))
    (late,) = tell(rui, range(9, 10))
    browser(rui).post("/notices/read/", {"up_to": str(seen[-1].pk)})
    unread = Notice.objects.filter(read_at__isnull=True)
    assert set(unread.values_list("recipient__username", flat=True)) == {"rui", "vera"}
    assert unread.get(recipient=rui).pk == late.pk


def test_nobody_reads_or_marks_anothers(rui: User, vera: User) -> None:
    (notice,) = tell(rui, range(1, 2))
    client = browser(vera)
    assert "REV-1" not in shown(client)
    assert client.post(f"/notices/{notice.pk}/read/").status_code == 404
    notice.refresh_from_db()
    assert notice.read_at is None


def test_looking_changes_nothing(rui: User) -> None:
    (notice,) = tell(rui, range(1, 2))
    client = browser(rui)
    shown(client)
    assert client.get(f"/notices/{notice.pk}/read/").status_code == 405
    notice.refresh_from_db()
    assert notice.read_at is None


@pytest.mark.parametrize("bad", ["x", "u", "u99999999999999999999", "-1", "r1' OR 1=1"])
def test_an_address_that_means_nothing_is_the_start(rui: User, bad: str) -> None:
    tell(rui, range(1, 3))
    assert "REV-2 is rejected" in shown(browser(rui), f"?before={bad}")
    assert browser(rui).post("/notices/read/", {"up_to": bad}).status_code == 302


def test_pages_of_fifty_show_each_notice_once_across_the_border_of_read_and_unread(
    rui: User,
) -> None:
    rows = tell(rui, range(1, 121))
    client = browser(rui)
    for row in rows[:60]:
        client.post(f"/notices/{row.pk}/read/")
    seen, url = [], "/notices/"
    while url:
        page = client.get(url).context["page"]
        seen += [line.title for line in page.lines]
        url = f"/notices/{page.paging.next_url}" if page.paging.next_url else ""
    assert len(seen) == len(set(seen)) == 120
    assert seen[0] == "REV-120 is rejected"
    assert seen[60] == "REV-60 is rejected"


def test_every_page_says_how_many_are_unread(rui: User) -> None:
    assert "notice-count" not in browser(rui).get("/").content.decode()
    tell(rui, range(1, 4))
    assert '<span class="notice-count">3</span>' in browser(rui).get("/models/").content.decode()
    tell(rui, range(4, 130))
    assert '<span class="notice-count">99+</span>' in browser(rui).get("/").content.decode()


def test_a_hundred_notices_cost_as_many_queries_as_ten(rui: User) -> None:
    client = browser(rui)
    tell(rui, range(10))
    queries(client, "/notices/")
    few = {url: queries(client, url) for url in ("/notices/", "/models/")}
    tell(rui, range(10, 100))
    assert {url: queries(client, url) for url in few} == few


def test_what_a_request_told_leads_to_its_review(cast: Cast) -> None:
    review = cast.submit()
    work_off()
    client = browser(User.objects.get(username="rui"))
    (line,) = client.get("/notices/").context["page"].lines
    answer = client.post(line.open.url, line.open.fields, follow=True)
    assert answer.status_code == 200
    assert review.key in answer.content.decode()
