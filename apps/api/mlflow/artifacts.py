"""mlflow-artifacts/artifacts/*: files up and down, streamed, never held in memory.

A download verifies each piece before it is sent; an upload becomes visible when all of it is stored.
The files of a registered version are read here and never written: what was signed stays.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final, cast
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from apps.api import errors
from apps.api.mlflow import places, wire
from apps.api.mlflow.call import Answer, Call
from apps.api.mlflow.messages import Field, message
from apps.api.mlflow.places import Place
from apps.api.mlflow.runs import RUN, run_id
from apps.compliance import use_gate
from apps.core import blobs
from apps.core.errors import Blocked, Invalid, NotFound, Tampered
from apps.experiments import selectors, services
from apps.experiments.selectors import ArtifactView
from apps.registry.models import ModelVersion
from apps.registry.selectors import version_url

PATH: Final = message(Field("path", required=True))
RUN_LIST: Final = message(*RUN, Field("path", default=""))

_PLAIN_NAMES: Final = {"MLmodel", "MLproject"}
_PLAIN_SUFFIXES: Final = re.compile(
    r"\.(txt|log|err|cfg|conf|cnf|cf|ini|properties|prop|hocon|toml|yaml|yml|json|js|py|py3|md|rst|"
    r"csv|tsv|html|htm|xml|svg|sh)$",
    re.IGNORECASE,
)
_RANGE: Final = re.compile(r"bytes=(\d{1,18})-(\d{0,18})")


def list_folder(call: Call) -> Answer:
    """What stands in a folder, by base name; nothing for what does not exist."""
    place = _place(call, call["path"])
    found = selectors.entries(places.files_at(place), place.below)
    return wire.lists(files=[wire.entry(item) for item in found])


def list_run(call: Call) -> Answer:
    """mlflow/artifacts/list: what stands in a folder of a run, by path from the run's root."""
    run = selectors.visible_run(call.actor, run_id(call))
    folder = call["path"].strip("/")
    files = [wire.entry(item, folder) for item in selectors.list_folder(run, folder)]
    return {"root_uri": run.artifact_uri, **wire.lists(files=files)}


def download(call: Call) -> Answer:
    """The file, or a range of it. Refuses: a folder, what is not there, damaged bytes (recorded), a version whose uses are to be read first."""
    place = _place(call, call["path"])
    file = places.file_at(place)
    if file is None:
        if place.below and not places.files_at(place):
            raise NotFound(f"No such artifact: '{call['path']}'")
        raise Invalid(
            f"Artifact path refers to a directory, not a file: '{call['path']}'",
            fields={"path": "a folder"},
        )
    use_gate.require_for_files(call.actor, place.root, [file.digest])
    return _send(call, file)


def upload(call: Call) -> Answer:
    """Store the body as a file; see `services.put_artifact`."""
    place = _place(call, call["path"])
    if isinstance(place.root, ModelVersion):
        raise _fixed(place.root)
    size = _announced(call.request)
    services.put_artifact(
        call.actor,
        place.root,
        place.below,
        cast("Any", _Body(call.request)),
        size=size,
        max_size=settings.MAX_ARTIFACT_BYTES,
    )
    return HttpResponse(b"", content_type=wire.JSON_TYPE)


def delete(call: Call) -> Answer:
    """Remove a file or folder; what is not there is removed already."""
    place = _place(call, call["path"])
    if isinstance(place.root, ModelVersion):
        raise _fixed(place.root)
    services.delete_artifacts(call.actor, place.root, place.below)
    return {}


class _Body:
    """The request's body as a stream that is read in pieces."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def read(self, size: int) -> bytes:
        return self._request.read(size)


def _announced(request: HttpRequest) -> int:
    """How many bytes the client says will come.

    A body in chunks has no length, and the server does not tell a broken connection from its end: half a
    file would become a file. The MLflow client sends nothing so but empty files; that much is taken
    from it, anything else is asked for its length.
    """
    length = request.META.get("CONTENT_LENGTH") or ""
    if length.isdecimal():
        return int(length)
    chunked = bool(request.META.get("HTTP_TRANSFER_ENCODING"))
    from_mlflow = request.META.get("HTTP_USER_AGENT", "").startswith("mlflow-python-client/")
    if chunked and not (from_mlflow and not request.read(1)):
        raise errors.LengthRequired(
            "An upload needs a Content-Length: send the file, not a stream."
        )
    return 0


def _place(call: Call, path: str) -> Place:
    place = places.find(call.actor, path)
    call.about = place.subject
    return place


def _fixed(version: ModelVersion) -> Blocked:
    return Blocked(
        f"The files of {version} were fixed when it was registered.",
        hint="Log the model again and register a new version. See",
        url=version_url(version),
    )


# --- down ----------------------------------------------------------------------------------------


def _send(call: Call, file: ArtifactView) -> HttpResponseBase:
    span = _span(call.request.META.get("HTTP_RANGE", ""), file.size)
    start, end = span or (0, file.size)
    pieces = _noted(call, blobs.read(file.digest, start, end))
    # The first piece is verified before anything is said; what fits into one is sent whole.
    first = next(pieces, b"")
    response: HttpResponseBase
    if end - start <= blobs.CHUNK and len(first) == end - start:
        response = HttpResponse(first)
    else:
        response = StreamingHttpResponse(chain([first], pieces))
    response.status_code = 206 if span else 200
    if span:
        response["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
    response["Content-Length"] = str(end - start)
    response["Content-Type"] = _content_type(file.path)
    response["Content-Disposition"] = _disposition(file.path.rpartition("/")[2])
    response["X-Content-Type-Options"] = "nosniff"
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = f'"{file.digest}"'
    return response


def _noted(call: Call, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces; a damaged one ends them, and leaves a trace even if an answer has begun."""
    begun = False
    try:
        for piece in pieces:
            yield piece
            begun = True
    except Tampered as damage:
        if begun:  # before that, the ordinary handler answers and records
            errors.record(
                call.request, call.actor, damage, act="GET artifact", subject=call.subject
            )
        raise


def _span(header: str, size: int) -> tuple[int, int] | None:
    """The one range asked for; None for the whole file, also when the header is not understood."""
    match = _RANGE.fullmatch(header.strip())
    if match is None:
        return None
    start = int(match[1])
    end = min(int(match[2]) + 1, size) if match[2] else size
    return (start, end) if start < end else None


def _content_type(path: str) -> str:
    name = path.rpartition("/")[2]
    if name in _PLAIN_NAMES or _PLAIN_SUFFIXES.search(name):
        # As text whatever it is: a browser must not run what somebody logged.
        return "text/plain"
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def _disposition(name: str) -> str:
    plain = name.encode("ascii", "ignore").decode().replace('"', "").replace("\\", "") or "download"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
