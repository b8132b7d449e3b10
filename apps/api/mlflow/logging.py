"""What is logged to a run, and metric histories: the hot paths."""

from __future__ import annotations

from typing import Final

import msgspec
from django.http import HttpRequest

from apps.api.mlflow import messages, wire
from apps.api.mlflow.call import Answer, Call
from apps.api.mlflow.messages import Field, Fields, Message, message
from apps.api.mlflow.runs import run_id
from apps.core.errors import Invalid
from apps.experiments import access, ingest, limits, selectors
from apps.experiments.ingest import Pair, Point
from apps.experiments.models import Run

_KEY: Final = Field("key", required=True)
_METRIC: Final = message(
    _KEY,
    Field("value", "float", required=True),
    Field("timestamp", "int", required=True),
    Field("step", "int", default=0),
    Field("model_id"),
    Field("dataset_name"),
    Field("dataset_digest"),
    Field("run_id"),
)
_PARAM: Final = message(_KEY, Field("value", default=""))
_RUN: Final = (Field("run_id", default=""), Field("run_uuid", default=""))

LOG_METRIC: Final = message(*_RUN, *(f for f in _METRIC.fields if f.name != "run_id"))
LOG_PARAM: Final = message(*_RUN, _KEY, Field("value", default=""))
SET_TAG: Final = message(*_RUN, _KEY, Field("value", default=""))
DELETE_TAG: Final = message(Field("run_id", required=True), _KEY)
LOG_BATCH: Final = message(
    Field("run_id", required=True),
    Field("metrics", _METRIC, many=True),
    Field("params", _PARAM, many=True),
    Field("tags", _PARAM, many=True),
)
HISTORY: Final = message(
    *_RUN,
    Field("metric_key", required=True),
    Field("max_results", "int"),
    Field("page_token", default=""),
)
HISTORY_BULK: Final = message(
    Field("run_ids", required=True, many=True),
    Field("metric_key", required=True),
    Field("start_step", "int"),
    Field("end_step", "int"),
    Field("max_results", "int", default=320, least=1, most=2500),
)


class _Batch(msgspec.Struct):
    run_id: ingest.Key
    metrics: list[Point] = []
    params: list[Pair] = []
    tags: list[Pair] = []


_decoder: Final = msgspec.json.Decoder(_Batch)


def decode_batch(request: HttpRequest, spec: Message) -> Fields:
    """A batch in one pass. What that finds wrong is read again field by field, for the right sentence."""
    body = request.body
    try:
        batch = _decoder.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        return _slowly(messages.parse(messages.decode(body), spec))
    return {
        "run_id": batch.run_id,
        "metrics": batch.metrics,
        "params": batch.params,
        "tags": batch.tags,
    }


def _slowly(fields: Fields) -> Fields:
    return {
        "run_id": fields["run_id"],
        "metrics": [_point(item) for item in fields["metrics"]],
        "params": [Pair(**item) for item in fields["params"]],
        "tags": [Pair(**item) for item in fields["tags"]],
    }


def _point(item: Fields) -> Point:
    return Point(**{name: item[name] for name in Point.__struct_fields__})


def log_batch(call: Call) -> Answer:
    ingest.log_batch(
        call.actor,
        run_id=call["run_id"],
        metrics=call["metrics"],
        params=call["params"],
        tags=call["tags"],
    )
    return {}


def log_metric(call: Call) -> Answer:
    ingest.log_metric(call.actor, run_id=run_id(call), metric=_point(call.fields))
    return {}


def log_param(call: Call) -> Answer:
    ingest.log_param(call.actor, run_id=run_id(call), key=call["key"], value=call["value"])
    return {}


def set_tag(call: Call) -> Answer:
    ingest.set_tag(call.actor, run_id=run_id(call), key=call["key"], value=call["value"])
    return {}


def delete_tag(call: Call) -> Answer:
    ingest.delete_tag(call.actor, run_id=call["run_id"], key=call["key"])
    return {}


def history(call: Call) -> Answer:
    most = call["max_results"]
    if most is not None and most <= 0:
        raise Invalid(
            f"Invalid value {most} for parameter 'max_results' supplied. It must be a positive integer.",
            fields={"max_results": "must be positive"},
        )
    run = selectors.visible_run(call.actor, run_id(call))
    points, token = selectors.history(
        run, call["metric_key"], max_results=most, page_token=call["page_token"]
    )
    key = call["metric_key"]
    return wire.page("metrics", [wire.point(key, point) for point in points], token)


def history_bulk(call: Call) -> Answer:
    """An even sample of one metric's points for up to 100 runs."""
    run_ids = list(dict.fromkeys(call["run_ids"]))
    if len(run_ids) > 100:
        raise Invalid(
            "GetMetricHistoryBulkInterval request cannot contain more than 100 run_ids. "
            f"Received {len(run_ids)} run_ids.",
            fields={"run_ids": "too many"},
        )
    start, end = call["start_step"], call["end_step"]
    if (start is None) != (end is None) or (start is not None and start > end):
        raise Invalid(
            "If either start step or end step are specified, both must be specified, in order.",
            fields={"start_step": "with end_step, and not after it"},
        )
    _require_visible(call, run_ids)
    series = selectors.metric_series(
        run_ids,
        call["metric_key"],
        max_points=call["max_results"],
        start_step=start,
        end_step=end,
    )
    key = call["metric_key"]
    found = [
        {**wire.point(key, point), "run_id": run} for run in sorted(series) for point in series[run]
    ]
    return wire.page("metrics", found, "")


def _require_visible(call: Call, run_ids: list[str]) -> None:
    for asked in run_ids:
        limits.run_id(asked)
    known = dict(Run.objects.filter(run_id__in=run_ids).values_list("run_id", "experiment_id"))
    visible = set(access.visible_experiments(call.actor, known.values()))
    for asked in run_ids:
        if known.get(asked) not in visible:
            raise access.run_not_found(asked)
