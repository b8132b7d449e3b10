"""What every view of the API shares: who acts, what it is about, strict input, typed answers, refusals as problems."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, cast

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers, set_response_etag
from django.utils.http import content_disposition_header
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from apps.accounts.services import ReauthProof, reauthenticate
from apps.api import errors
from apps.api.v1 import incoming, problems
from apps.api.v1.authentication import Session, Tokens
from apps.api.v1.incoming import Strict
from apps.api.v1.permissions import Listed
from apps.api.v1.route import Rules
from apps.api.v1.schema import Described
from apps.api.v1.shapes import reviews as shapes
from apps.core.actor import Actor
from apps.registry import selectors as registry
from apps.registry.models import ModelVersion, RegisteredModel
from apps.reviews import selectors as reviews
from apps.reviews.models import Review

NOTHING_KNOWN = "site:api"


class OnlyJson(BaseContentNegotiation):
    """Whatever a client would rather have, it gets JSON."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser:
        return cast("BaseParser", parsers[0])

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class Door(APIView):
    """A view of the API. `rules` come from the table of routes; without one it answers nobody."""

    rules: Rules = {}
    on_refusal: ClassVar[dict[str, Any]] = {}

    authentication_classes = [Tokens, Session]
    permission_classes = [Listed]
    parser_classes = [JSONParser]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = OnlyJson
    schema = Described()
    http_method_names = ["get", "head", "post"]

    subject = NOTHING_KNOWN

    @property
    def actor(self) -> Actor:
        """Whoever calls; the permission has seen to it that there is somebody."""
        return cast("Actor", self.request.user)

    def http(self) -> HttpRequest:
        """Django's own request."""
        return self.request._request  # noqa: SLF001 - the framework's own way

    def body(self, shape: type[Strict]) -> dict[str, Any]:
        """The checked body."""
        return incoming.body(self.http(), shape)

    def query(self, shape: type[Strict]) -> dict[str, Any]:
        """The checked query."""
        return incoming.query(self.request.query_params, shape)

    def nothing_asked(self) -> None:
        """Refuse a query where none is taken."""
        incoming.query(self.request.query_params, Strict)

    def say(self, shape: type[Serializer[Any]], value: Any, status: int = 200) -> Response:
        """The value in the documented shape."""
        return Response(shape(value).data, status=status)

    def proof(self, asked: dict[str, Any]) -> ReauthProof:
        """That whoever is in the session has just given her password; recorded, right or wrong."""
        address = self.http().META.get("REMOTE_ADDR", "")
        return reauthenticate(self.actor, asked["password"], remote_addr=address)

    def review(self, review_id: int) -> Review:
        """A review by its number; NotFound for strangers. A refusal from here on is about it."""
        found = reviews.get_review(self.actor, review_id)
        self.subject = f"review:{found.pk}"
        return found

    def whole(self, review_id: int, status: int = 200) -> Response:
        """The review as it is now, read again after an act."""
        found = reviews.get_review(self.actor, review_id)
        response = self.say(shapes.ReviewShape, shapes.detail(self.actor, found), status)
        response["Location"] = f"/api/v1/reviews/{found.pk}"
        return response

    def model(self, name: str) -> RegisteredModel:
        """A model by its name; NotFound for strangers."""
        found = registry.get_model(self.actor, name)
        self.subject = f"model:{found.pk}"
        return found

    def version(self, name: str, number: int) -> ModelVersion:
        """A version by its model's name and its number; NotFound for strangers."""
        found = registry.get_version(self.actor, name, number)
        self.subject = f"version:{found.pk}"
        return found

    def handle_exception(self, exc: Exception) -> Response:
        """The refusal as a problem, and its trace among the attempts as at every other door."""
        actor = getattr(self.request, "_user", None)  # not `.user`: that would authenticate again
        who = actor if isinstance(actor, Actor) else None
        route = self.rules.get(str(self.request.method))
        act = route.label if route is not None else f"{self.request.method} /api/v1"
        errors.record(self.http(), who, exc, act=act[:100], subject=self.subject)
        return cast("Response", problems.answer(exc, self.on_refusal))

    def finalize_response(
        self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> Response:
        """Reads carry a tag of their contents, and are answered 304 where the caller has them already."""
        final: Any = super().finalize_response(request, cast("Any", response), *args, **kwargs)
        if isinstance(final, Response):
            final.render()
        if final.status_code == 405:
            final["Allow"] = ", ".join(sorted(self.rules))
        patch_vary_headers(final, ("Authorization", "Cookie"))
        final.headers.setdefault("Cache-Control", "private, no-cache")
        return cast("Response", _tagged(request, final))


def download(written: Iterator[bytes], kind: str, filename: str) -> StreamingHttpResponse:
    """A file, chunk by chunk; without a tag, which would take all of it."""
    answer = StreamingHttpResponse(written, content_type=kind)
    answer["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=filename
    )
    return answer


def _tagged(request: Request, response: HttpResponse) -> HttpResponse:
    if request.method not in {"GET", "HEAD"} or response.status_code != 200 or response.streaming:
        return response
    tagged = set_response_etag(response)
    http = request._request  # noqa: SLF001 - as above
    return (
        get_conditional_response(http, etag=tagged.headers["ETag"], response=response) or response
    )
