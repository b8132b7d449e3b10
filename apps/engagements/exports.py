"""Who else took evidence of the models in scope away: bundles, documents, the ledger, during the period."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from apps.audits import selectors as audits
from apps.audits.attempt_selectors import AttemptView
from apps.audits.selectors import EventView
from apps.compliance import handed_out
from apps.engagements import selectors
from apps.engagements.models import Engagement

MOST: Final = 500
BUNDLE: Final = "compliance.bundle.issued"


@dataclass(frozen=True, slots=True)
class Taken:
    """One thing that somebody took. `origin` is the commitment to her address, which the ledger holds through the attempts' digest."""

    at: dt.datetime
    who: str
    what: str
    version: int | None
    times: int = 1
    seq: int = 0
    origin: str = ""
    address: str = ""


def taken(engagement: Engagement) -> list[Taken]:
    """Newest first, at most `MOST` of each kind; a constant number of queries.

    The period is taken to its last day, also when the engagement was opened on it. Copies made with an MLflow client or through the
    database are not here, nor what was read on a page.
    """
    start, _ = engagement.period
    end = dt.datetime.combine(engagement.period_to + dt.timedelta(days=1), dt.time(), dt.UTC)
    versions = list(selectors.versions_of(engagement).values_list("pk", flat=True))
    scopes = [f"version:{pk}" for pk in versions]
    bundles = audits.events(scopes=scopes, types=[BUNDLE], since=start, until=end, limit=MOST)
    documents = audits.attempts(
        acts=[handed_out.DOCUMENT],
        subjects=scopes,
        outcome="done",
        since=start,
        until=end,
        limit=MOST,
    )
    ledgers = audits.attempts(
        act=handed_out.LEDGER, outcome="done", since=start, until=end, limit=MOST
    )
    found = [_bundle(each) for each in bundles] + [_file(each) for each in (*documents, *ledgers)]
    return sorted(found, key=lambda each: each.at, reverse=True)


def _bundle(event: EventView) -> Taken:
    files = "with the files" if event.payload["with_files"] else "without the files"
    return Taken(
        event.at, event.actor_label, f"Bundle, {files}", event.payload["version"], seq=event.seq
    )


def _file(each: AttemptView) -> Taken:
    kind, _, number = each.subject.partition(":")
    version = int(number) if kind == "version" else None
    return Taken(
        each.at,
        each.actor_label,
        each.reason or f"The ledger ({number} events)",
        version,
        times=each.times,
        origin=each.origin,
        address=each.remote_addr,
    )
