"""The impact assessment of a model: reading it, answering it, signing it, what follows from it."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.v1.base import Door
from apps.api.v1.incoming import Strict, Text, Whole, password
from apps.api.v1.paging import Paged, page, page_of
from apps.api.v1.paging import number as numbered
from apps.api.v1.schema import described
from apps.api.v1.shapes import impact as shapes
from apps.api.v1.shapes import subjects
from apps.impact import questionnaire as questionnaires
from apps.impact import selectors, services
from apps.registry.models import RegisteredModel
from apps.reviews import services as reviews
from apps.reviews.reads import model_changes

RevisionPage = page_of(shapes.RevisionShape, "AssessmentRevisionPage")
_LARGEST: Final = 2**31 - 1
_LONGEST: Final = 10_000
_NEWEST: Final = 100


class Answers(Strict):
    """The whole form: a question that is left out is not answered. A draft may leave out anything."""

    base = Whole(min_value=0, max_value=_LARGEST, help_text="The revision that was read; 0: none was there.")  # fmt: skip
    answers = serializers.DictField(
        help_text="By the keys of the questionnaire: text, an option's key, a list of keys, a whole number, or of a risk "
        "`likelihood` and `severity` (1 to 4) and `text`."
    )


class AssessmentVerdict(Strict):
    """A signature on the revision that was read."""

    digest = Text(min_length=64, max_length=64, help_text="Of the revision that was read.")
    comment = Text(max_length=_LONGEST, help_text="Why the answers hold.")
    password = password()


class Notification(Strict):
    """What an authority was told (EU AI Act Art. 27(3))."""

    authority = Text(max_length=200)
    reference = Text(max_length=200, help_text="By what it is found again.")
    notified_on = serializers.DateField(help_text="From the signature to today.")


class LessDemanded(Strict):
    """Why less should be demanded."""

    reason = Text(max_length=_LONGEST, default="", help_text="Needed where somebody has to sign.")


class Questionnaires(Door):
    """What there is to answer."""

    @described("List the questionnaires of impact assessments", answer=shapes.Questionnaires)
    def get(self, request: Request) -> Response:
        self.nothing_asked()
        return self.say(shapes.Questionnaires, shapes.editions())


class OneQuestionnaire(Door):
    """One edition."""

    @described("Read a questionnaire", answer=OpenApiTypes.OBJECT)
    def get(self, request: Request, edition: str) -> Response:
        """The published file: sections, questions with their law, options with their points, dimensions, levels. It never changes."""
        self.nothing_asked()
        questionnaires.load(edition)
        return Response(questionnaires.plain(edition))


class QuestionnaireSchema(Door):
    """The form of such a file."""

    @described("Read the JSON Schema of questionnaires", answer=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        self.nothing_asked()
        return Response(questionnaires.schema())


class Impact(Door):
    """How the assessment of a model stands."""

    @described("Read how a model's impact assessment stands", answer=shapes.ImpactShape)
    def get(self, request: Request, name: str) -> Response:
        """The newest revision, the one in force, what it demands, what authorities were told."""
        self.nothing_asked()
        return self.say(shapes.ImpactShape, shapes.state(self.model(name)))


class Revisions(Door):
    """Every revision of a model's assessment."""

    @described("List the revisions of an impact assessment", asks=Paged, answer=RevisionPage)
    def get(self, request: Request, name: str) -> Response:
        """Newest first."""
        asked = self.query(Paged)
        rows = selectors.revisions_of(self.model(name))
        rows = rows.defer("document", "content", "signature__statement")
        after = numbered(asked["cursor"])
        if after is not None:
            rows = rows.filter(number__lt=after)
        found = list(rows[: asked["limit"] + 1])
        shown = found[: asked["limit"]]
        more = shown[-1].number if len(found) > len(shown) else None
        return self.say(RevisionPage, page([shapes.revision(row) for row in shown], more))

    @described(
        "Answer an impact assessment",
        takes=Answers,
        answer=shapes.WholeRevisionShape,
        status=201,
        also=200,
        refusals=(409,),
    )
    def post(self, request: Request, name: str) -> Response:
        """A new revision, by a person; a service is refused. 200: it says what the newest says already. 409: somebody else saved one
        since `base`; nothing was saved."""
        self.nothing_asked()
        model, asked = self.model(name), self.body(Answers)
        row = services.save_assessment(self.actor, model, asked["answers"], asked["base"])
        status = 201 if row.number > asked["base"] else 200
        response = self.say(shapes.WholeRevisionShape, _whole(self, model, row.number), status)
        response["Location"] = f"{request.path}/{row.number}"
        return response


class OneRevision(Door):
    """One of them."""

    @described("Read a revision of an impact assessment", answer=shapes.WholeRevisionShape, refusals=(409,))  # fmt: skip
    def get(self, request: Request, name: str, revision: int) -> Response:
        """Its answers with who gave each and when, the score and how each answer counted, the signature. 409: its bytes are not
        what its digest says."""
        self.nothing_asked()
        return self.say(shapes.WholeRevisionShape, _whole(self, self.model(name), revision))


class Signatures(Door):
    """Bringing a revision into force."""

    @described(
        "Sign an impact assessment",
        takes=AssessmentVerdict,
        answer=shapes.WholeRevisionShape,
        status=201,
        refusals=(409,),
    )
    def post(self, request: Request, name: str, revision: int) -> Response:
        """By somebody who gave none of its answers. It comes into force, and the model is at least of the tier that its level
        demands. 409: it is not the newest any more, not what was read, or signed already."""
        self.nothing_asked()
        model, asked = self.model(name), self.body(AssessmentVerdict)
        row = selectors.get_revision(model, revision)
        proof = self.proof(asked)
        services.sign_assessment(
            self.actor, row, digest=asked["digest"], comment=asked["comment"], proof=proof
        )
        return self.say(shapes.WholeRevisionShape, _whole(self, model, revision), status=201)


def _whole(door: Door, model: RegisteredModel, number: int) -> dict[str, Any]:
    return shapes.whole(selectors.get_revision(model, number), door.actor)


class Notifications(Door):
    """What authorities were told."""

    @described(
        "Note that an authority was told",
        takes=Notification,
        answer=shapes.NotificationShape,
        status=201,
        refusals=(409,),
    )
    def post(self, request: Request, name: str) -> Response:
        """Of the assessment in force; 409 where there is none. It sends nothing itself."""
        self.nothing_asked()
        model, asked = self.model(name), self.body(Notification)
        row = services.note_notification(self.actor, model, **asked)
        return self.say(shapes.NotificationShape, shapes.notification(row), status=201)


class Lowering(Door):
    """Less than an earlier assessment demanded."""

    @described(
        "Lower what an impact assessment demanded",
        takes=LessDemanded,
        answer=subjects.ModelChangeList,
        status=201,
        refusals=(409,),
    )
    def post(self, request: Request, name: str) -> Response:
        """To what the one in force demands. Where the model's tier falls with it, that is proposed and somebody else signs; the
        answer lists the changes. 409: no less is demanded now."""
        self.nothing_asked()
        model, asked = self.model(name), self.body(LessDemanded)
        reviews.lower_demand(self.actor, model, reason=asked["reason"])
        rows = model_changes.changes_of(model)[:_NEWEST]
        items = [subjects.model_change(row) for row in rows]
        return self.say(subjects.ModelChangeList, {"items": items}, status=201)
