"""The OpenAPI document, and a page made from it: no script, nothing from elsewhere."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request

from apps.api.v1.base import Door
from apps.api.v1.problems import KINDS, UNEXPECTED, Kind
from apps.api.v1.schema import described


@functools.cache
def openapi() -> dict[str, Any]:
    """The document of the routes that are served. It is the same for everybody, so it is made once a process."""
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return made


class Document(Door):
    """What this API takes and answers."""

    @described("Read the OpenAPI document", answer=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> HttpResponse:
        self.nothing_asked()
        return JsonResponse(openapi())


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as the page shows it."""

    method: str
    path: str
    summary: str
    text: str
    needs: str
    takes: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The document as a page, for whoever is signed in."""
    whole = openapi()
    kinds: dict[str, Kind] = {kind.code: kind for kind in [*KINDS.values(), UNEXPECTED]}
    context = {
        "info": whole["info"],
        "operations": [_operation(*each) for each in _operations(whole)],
        "schemas": [_schema(name, each) for name, each in whole["components"]["schemas"].items()],
        "problems": sorted(kinds.values(), key=lambda kind: (kind.status, kind.code)),
    }
    return render(request, "api/docs.html", context)


def _operations(whole: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method.upper(), path, operation)
        for path, methods in whole["paths"].items()
        for method, operation in methods.items()
    ]


def _operation(method: str, path: str, operation: dict[str, Any]) -> Operation:
    named = [
        f"{each['name']} ({each['in']}{', required' if each.get('required') else ''})"
        for each in operation.get("parameters", ())
    ]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    takes = [f"body: {_name(body['schema'])}"] if body else []
    answers = [
        f"{status}: {_name(next(iter(each['content'].values()))['schema'])}"
        for status, each in operation["responses"].items()
        if each.get("content")
    ]
    needs = " or ".join(name for each in operation.get("security", ()) for name in each)
    return Operation(
        method, path, operation["summary"], operation.get("description", ""), needs,
        [*named, *takes], answers,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Property:
    """One member of a shape."""

    name: str
    kind: str
    required: bool
    text: str


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape of the document."""

    name: str
    text: str
    properties: list[Property]


def _schema(name: str, schema: dict[str, Any]) -> Shape:
    required = set(schema.get("required", ()))
    properties = [
        Property(key, _name(each), key in required, each.get("description", ""))
        for key, each in schema.get("properties", {}).items()
    ]
    return Shape(name, schema.get("description", ""), properties)


def _name(schema: dict[str, Any]) -> str:
    """A schema in few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for word in ("allOf", "oneOf", "anyOf"):
        if word in schema:
            return " or ".join(_name(each) for each in schema[word])
    kind = schema.get("type", "anything")
    kind = " or ".join(kind) if isinstance(kind, list) else str(kind)
    return f"list of {_name(schema['items'])}" if kind == "array" else kind
