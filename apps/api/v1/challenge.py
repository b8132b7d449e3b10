"""Effective challenge: findings with their history, and waivers. Each act is one call of the service the pages call."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import selectors as accounts
from apps.api.v1.acts import Reason
from apps.api.v1.base import Door
from apps.api.v1.incoming import Strict, Text, password
from apps.api.v1.schema import described
from apps.api.v1.shapes import subjects as shapes
from apps.reviews import services
from apps.reviews.models import EntryKind, Finding, Severity
from apps.reviews.reads import findings, waivers
from apps.reviews.reads.waivers import REQUIREMENTS

_LONGEST: Final = 10_000


class NewFinding(Strict):
    """What is wrong, how grave it is, who answers by when."""

    title = Text(max_length=200)
    text = Text(max_length=_LONGEST)
    severity = serializers.ChoiceField(choices=Severity.choices)
    owner = serializers.UUIDField(help_text="Who is to answer.")
    due = serializers.DateField()
    blocking = serializers.BooleanField()
    clause = Text(max_length=200, default="", help_text="Of which policy or law.")
    reproduction = Text(max_length=2000, default="", help_text="An http(s) address.")


class Reply(Strict):
    """Words, with evidence or without: the id of a measurement or run, or an http(s) address."""

    text = Text(max_length=_LONGEST)
    evidence = Text(max_length=2000, default="")


class Retest(Reply):
    """Whether what was answered holds."""

    passed = serializers.BooleanField()


class Closure(Strict):
    """Words and evidence, both needed."""

    text = Text(max_length=_LONGEST)
    evidence = Text(max_length=2000)


class Acceptance(Strict):
    """What is left of the risk is accepted, signed."""

    reason = Text(max_length=_LONGEST)
    password = password()


class Findings(Door):
    """The findings of a version."""

    @described("List the findings of a version", answer=shapes.FindingList)
    def get(self, request: Request, name: str, number: int) -> Response:
        self.nothing_asked()
        rows = findings.findings_of(self.version(name, number))
        return self.say(shapes.FindingList, {"items": [shapes.finding(row) for row in rows]})

    @described("Raise a finding", takes=NewFinding, answer=shapes.FindingShape, status=201)
    def post(self, request: Request, name: str, number: int) -> Response:
        self.nothing_asked()
        version, asked = self.version(name, number), self.body(NewFinding)
        owner = accounts.get_user_by_uuid(asked.pop("owner"))
        made = services.raise_finding(
            self.actor, version, services.NewFinding(owner_id=owner.pk, **asked)
        )
        return _whole(self, made.pk, status=201)


class OneFinding(Door):
    """One finding with everything that happened to it."""

    @described("Read a finding", answer=shapes.FindingShape)
    def get(self, request: Request, finding_id: int) -> Response:
        self.nothing_asked()
        return _whole(self, finding_id)


class _Act(Door):
    """An act on one finding, answered with the finding as it is then."""

    def act_on(
        self, finding_id: int, shape: type[Strict], *kinds: EntryKind
    ) -> tuple[Finding, dict[str, Any]]:
        """The finding and the checked body; the right is asked first, then the state, then the body."""
        self.nothing_asked()
        found = findings.get_finding(self.actor, finding_id)
        self.subject = f"finding:{found.pk}"
        for kind in kinds:
            findings.require(self.actor, found, kind)
        return found, self.body(shape)


class Responses(_Act):
    """Reply a finding."""

    @described(
        "Reply a finding", takes=Reply, answer=shapes.FindingShape, status=201, refusals=(409,)
    )
    def post(self, request: Request, finding_id: int) -> Response:
        found, asked = self.act_on(finding_id, Reply, EntryKind.RESPONDED)
        services.respond(self.actor, found, **asked)
        return _whole(self, finding_id, status=201)


class Retests(_Act):
    """Test what was answered."""

    @described(
        "Re-test a finding", takes=Retest, answer=shapes.FindingShape, status=201, refusals=(409,)
    )
    def post(self, request: Request, finding_id: int) -> Response:
        found, asked = self.act_on(finding_id, Retest, EntryKind.RETEST_PASSED)
        services.retest(self.actor, found, **asked)
        return _whole(self, finding_id, status=201)


class Closures(_Act):
    """Close a finding with evidence."""

    @described(
        "Close a finding", takes=Closure, answer=shapes.FindingShape, status=201, refusals=(409,)
    )
    def post(self, request: Request, finding_id: int) -> Response:
        found, asked = self.act_on(finding_id, Closure, EntryKind.CLOSED)
        services.close_finding(self.actor, found, **asked)
        return _whole(self, finding_id, status=201)


class Acceptances(_Act):
    """Accept what is left of the risk, by signature."""

    @described(
        "Accept a residual risk",
        takes=Acceptance,
        answer=shapes.FindingShape,
        status=201,
        refusals=(409,),
    )
    def post(self, request: Request, finding_id: int) -> Response:
        found, asked = self.act_on(finding_id, Acceptance, EntryKind.ACCEPTED)
        services.accept_risk(self.actor, found, reason=asked["reason"], proof=self.proof(asked))
        return _whole(self, finding_id, status=201)


class Reopenings(_Act):
    """Open a settled finding again."""

    @described(
        "Re-open a finding", takes=Reason, answer=shapes.FindingShape, status=201, refusals=(409,)
    )
    def post(self, request: Request, finding_id: int) -> Response:
        found, asked = self.act_on(finding_id, Reason, EntryKind.REOPENED)
        services.reopen(self.actor, found, **asked)
        return _whole(self, finding_id, status=201)


def _whole(door: Door, pk: int, status: int = 200) -> Response:
    row = findings.get_finding(door.actor, pk)
    door.subject = f"finding:{row.pk}"
    return door.say(shapes.FindingShape, shapes.finding(row, findings.history(row)), status)


class NewWaiver(Strict):
    """Which requirement need not hold until when, and why: signed."""

    requirement = serializers.ChoiceField(choices=list(REQUIREMENTS.items()))
    reason = Text(max_length=_LONGEST)
    until = serializers.DateField(help_text="The last day.")
    password = password()


class Waivers(Door):
    """The waivers of a version."""

    @described("List the waivers of a version", answer=shapes.WaiverList)
    def get(self, request: Request, name: str, number: int) -> Response:
        self.nothing_asked()
        rows = waivers.waivers_of(self.version(name, number))
        return self.say(shapes.WaiverList, {"items": [shapes.waiver(row) for row in rows]})

    @described(
        "Waive a requirement",
        takes=NewWaiver,
        answer=shapes.WaiverShape,
        status=201,
        refusals=(409,),
    )
    def post(self, request: Request, name: str, number: int) -> Response:
        self.nothing_asked()
        version, asked = self.version(name, number), self.body(NewWaiver)
        until: dt.date = asked["until"]
        made = services.grant_waiver(
            self.actor,
            version,
            requirement=asked["requirement"],
            reason=asked["reason"],
            until=until,
            proof=self.proof(asked),
        )
        row = waivers.get_waiver(self.actor, made.pk)
        return self.say(shapes.WaiverShape, shapes.waiver(row), status=201)


class Revocations(Door):
    """End a waiver."""

    @described(
        "Revoke a waiver", takes=Reason, answer=shapes.WaiverShape, status=201, refusals=(409,)
    )
    def post(self, request: Request, waiver_id: int) -> Response:
        self.nothing_asked()
        row = waivers.get_waiver(self.actor, waiver_id)
        self.subject = f"version:{row.version_id}"
        services.revoke_waiver(self.actor, row, **self.body(Reason))
        row = waivers.get_waiver(self.actor, waiver_id)
        return self.say(shapes.WaiverShape, shapes.waiver(row), status=201)
