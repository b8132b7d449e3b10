"""How the views describe themselves in the OpenAPI document: credentials, refusals, names of operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers

if TYPE_CHECKING:
    from apps.api.v1.base import Door
    from apps.api.v1.route import Route

F = TypeVar("F", bound=Callable[..., Any])

PROBLEM: Final = "application/problem+json"

REFUSALS: Final[dict[int, str]] = {
    400: "The request is not what this route takes; `fields` names what is wrong.",
    401: "Nobody has said who they are, or not convincingly.",
    403: "The right is lacking (`forbidden`), or the approval (`blocked`, with `reasons`).",
    404: "There is no such thing, or none that the caller may know of.",
    405: "Another method.",
    409: "Things have moved on; look again. Nothing was done.",
    413: "The body is larger than the server takes.",
    415: "The body does not say that it is JSON.",
}


class Problem(serializers.Serializer[Any]):
    """A refusal (RFC 9457)."""

    type = serializers.URLField(help_text="Names the kind of problem; leads to its description.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="What was refused, why, and what to do next.")
    code = serializers.CharField(help_text="The kind of problem, for programs.")
    fields_ = serializers.DictField(child=serializers.CharField())
    reasons = serializers.ListField(child=serializers.CharField())
    url = serializers.CharField(help_text="Where a person goes on; empty where nowhere helps.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`fields` is a name of the framework's own."""
        found = super().get_fields()
        found["fields"] = found.pop("fields_")
        return found


class Described(AutoSchema):
    """Operations are called what their routes are called in the table."""

    def get_operation_id(self) -> str:
        return self._route().name

    def get_auth(self) -> list[dict[str, Any]]:
        """What signs takes a session; the rest, any credential."""
        if self._route().interactive:
            return [{"session": []}]
        return [{"token": []}, {"basic": []}, {"session": []}]

    def _route(self) -> Route:
        return cast("Door", self.view).rules[self.method]

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix("/api/v1/").split("/")[0]]


def described(
    summary: str,
    *,
    answer: Any,
    status: int = 200,
    also: int | None = None,
    media: str | tuple[str, ...] = "",
    takes: Any = None,
    asks: Any = None,
    refusals: tuple[int, ...] = (),
    refusal: type[serializers.Serializer[Any]] = Problem,
    examples: Any = None,
) -> Callable[[F], F]:
    """Describe one method: what it takes, what it answers (`also` with another status, `media` its media type where that is
    not JSON, or all that it may be), which refusals beside those that every route has."""
    usual = {400, 401, 403, 404} | ({413, 415} if takes is not None else set())
    kinds = (media,) if isinstance(media, str) else media
    told: dict[Any, Any] = {
        (code, kind) if kind else code: answer for code in (status, also) for kind in kinds if code
    }
    for code in sorted(usual | set(refusals)):
        told[code, PROBLEM] = OpenApiResponse(refusal, REFUSALS[code])
    decorate: Callable[[F], F] = extend_schema(
        summary=summary,
        request=takes,
        parameters=[asks] if asks is not None else None,
        responses=told,
        examples=examples,
    )
    return decorate


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """An access token, as bearer or in place of the password."""

    target_class = "apps.api.v1.authentication.Tokens"
    name = ["token", "basic"]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        return [
            {
                "type": "http",
                "scheme": "bearer",
                "description": "An access token from *Account, Tokens* (`cs_...`), limited by its scopes.",
            },
            {
                "type": "http",
                "scheme": "basic",
                "description": "A user name with a token or the password. Carries what a token with every scope carries.",
            },
        ]


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The browser's session."""

    target_class = "apps.api.v1.authentication.Session"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "countersign_session",
            "description": "The cookie of a person who signed in. What changes anything also needs the header "
            "X-CSRFToken. Only this signs.",
        }
