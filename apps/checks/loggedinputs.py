"""The data sets that a run says it used (`mlflow.log_input`), and whether their source can be read here.

A source is the client's text. Only two kinds lead to bytes that this site keeps or is set up to fetch: the files of a run in
it, and S3. For every other one there is a reason, in words, and what to do. What the client says of the data (name, digest,
context) is shown as its claim; nothing here verifies it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from django.conf import settings

from apps.checks import s3
from apps.core.actor import Actor
from apps.core.canonical import digest_of
from apps.core.errors import Invalid
from apps.experiments import paths
from apps.experiments.models import Run
from apps.experiments.selectors import DatasetView, run_views

_PROXY: Final = "/mlflow-artifacts/artifacts/"
_LOG_IT: Final = "log the files with mlflow.log_artifacts and take them from the run"
_NOT_OURS: Final = "it names no files of a run of this site that you may read"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a source leads: the files at `path` of a run, or an S3 address; or why it leads nowhere."""

    run_id: str = ""
    path: str = ""
    experiment: str = ""
    s3: str = ""
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class LoggedInput:
    """One data set of a run, with the place of its source. `key` is how a form names it."""

    key: str
    name: str
    digest: str
    context: str
    source: str
    place: Place


def of_run(actor: Actor, run: Run) -> list[LoggedInput]:
    """What the run used, if the actor may read it: else nothing. A constant number of statements."""
    views = run_views(actor, [run.run_id])
    datasets = views[0].datasets if views else []
    places = [place_of(view.source) for view in datasets]
    named = {place.run_id for place in places if place.run_id}
    readable = {view.run_id: view for view in run_views(actor, sorted(named))}
    there = {run_id: str(view.experiment_id) for run_id, view in readable.items()}
    return [
        _input(view, _allowed(place, there)) for view, place in zip(datasets, places, strict=True)
    ]


def place_of(source: str) -> Place:
    """Where the text of a source leads, as far as the text tells. Reads nothing."""
    text = address_in(source)
    if not text:
        return Place(why_not=f"no place is noted, only what made it; {_LOG_IT}")
    try:
        parts = urlsplit(text)
    except ValueError:
        return Place(why_not="it is no address")
    if parts.netloc and parts.scheme not in _ADDRESSED:
        return Place(why_not=_NOT_OURS)
    reader = _READERS.get(parts.scheme)
    if reader is None:
        return Place(why_not=f"{parts.scheme}: is not read here; {_LOG_IT}")
    return reader(parts)


def _s3(parts: SplitResult) -> Place:
    address = parts.geturl()
    reason = s3.why_not(address)
    return Place(why_not=reason) if reason else Place(s3=address)


def _runs(parts: SplitResult) -> Place:
    run_id, _, path = parts.path.lstrip("/").partition("/")
    return _in_run(run_id, path, "")


def _artifacts(parts: SplitResult) -> Place:
    return _below_artifacts(parts.path)


def _network(parts: SplitResult) -> Place:
    """Nothing is fetched: an address is only taken as a name of what this site keeps itself."""
    if parts.netloc == urlsplit(settings.BASE_URL).netloc and _PROXY in parts.path:
        return _below_artifacts(unquote(parts.path.partition(_PROXY)[2]))
    return Place(
        why_not=f"an address in the network; this site fetches from none that a run names: {_LOG_IT}"
    )


def _local(_: SplitResult) -> Place:
    return Place(why_not=f"a path on the machine of the client; {_LOG_IT}")


_ADDRESSED: Final = {"s3", "http", "https", "gs", "file"}
_READERS: Final[dict[str, Callable[[SplitResult], Place]]] = {
    "s3": _s3,
    "runs": _runs,
    "mlflow-artifacts": _artifacts,
    "http": _network,
    "https": _network,
    "": _local,
    "file": _local,
}


def address_in(source: str) -> str:
    """The address in what the client writes: JSON with `uri`, `url` or `path`, or the address itself; "" if there is none."""
    try:
        told = json.loads(source)
    except (ValueError, RecursionError):
        return source.strip() if source.isprintable() else ""
    if isinstance(told, dict):
        found = next((told[key] for key in ("uri", "url", "path") if key in told), "")
        return found if isinstance(found, str) and found.isprintable() else ""
    return ""


def _below_artifacts(path: str) -> Place:
    """<experiment>/<run id>/artifacts/<path>"""
    match path.strip("/").split("/"):
        case [experiment, run_id, "artifacts", *below] if run_id != "models":
            return _in_run(run_id, "/".join(below), experiment)
    return Place(why_not=_NOT_OURS)


def _in_run(run_id: str, path: str, experiment: str) -> Place:
    try:
        safe = paths.safe(path.rstrip("/"))
    except Invalid:
        return Place(why_not="it names no file or folder below a run")
    if not run_id.isalnum():
        return Place(why_not=_NOT_OURS)
    return Place(run_id=run_id, path=safe, experiment=experiment)


def _allowed(place: Place, there: dict[str, str]) -> Place:
    """The place, unless it is in a run that is not there for this reader, or not in the experiment that it names."""
    if not place.run_id:
        return place
    experiment = there.get(place.run_id)
    if experiment is None or place.experiment not in {"", experiment}:
        return Place(why_not=_NOT_OURS)
    return place


def _input(view: DatasetView, place: Place) -> LoggedInput:
    key = digest_of([view.name, view.digest])[:16]
    told = address_in(view.source) or view.source_type
    return LoggedInput(key, view.name, view.digest, view.context, told[:500], place)


def find(inputs: Sequence[LoggedInput], key: str) -> LoggedInput | None:
    """The one of this key."""
    return next((each for each in inputs if each.key == key), None)
