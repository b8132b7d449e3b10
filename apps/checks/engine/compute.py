"""From files to sufficient statistics: opens the data sets of one measurement and counts what it needs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from apps.checks.associations import ProxyStatistics
from apps.checks.engine import parts, warehouse
from apps.checks.engine.associations import Feature, association_statistics
from apps.checks.engine.counts import Outcomes, count_groups, count_rows, find_labels
from apps.checks.engine.drift import Pair, drift_statistics
from apps.checks.engine.engines import LOCAL
from apps.checks.engine.errorsums import error_sums
from apps.checks.engine.groupscores import group_scores
from apps.checks.engine.joint import Counted, joint
from apps.checks.engine.multiclass import multiclass_statistics
from apps.checks.engine.paired import paired_statistics
from apps.checks.engine.regression import Ranks, regression_statistics
from apps.checks.engine.scores import score_statistics
from apps.checks.engine.selections import MedianOver, selection_statistics
from apps.checks.engine.source import Caps, Column, Format, Source, opened
from apps.checks.engine.thresholds import count_at
from apps.checks.errorsums import RegressionGapsStatistics
from apps.checks.mapping import Mapping
from apps.checks.outcomes import MulticlassStatistics, RegressionStatistics
from apps.checks.selections import BiasAuditStatistics
from apps.checks.statistics import (
    Contingency,
    DriftStatistics,
    FairnessStatistics,
    PerformanceStatistics,
    Refused,
    RowsLost,
    ScoresByGroup,
)
from apps.core.errors import Invalid


@dataclass(frozen=True, slots=True)
class DataSet:
    """A stored file, or the first of several (`more` are those after it), with what was declared about it."""

    path: Path
    format: Format
    columns: tuple[Column, ...]
    mapping: Mapping
    favourable: str = ""
    more: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where and how the counting happens. `engine` is `local` or an address (see `engines`), `tick` is called between steps (a worker renews its lease there, and stops if it
    was told to), `progress` tells how many of how many steps of which name are done."""

    caps: Caps
    scratch: Path
    tick: Callable[[], None] = lambda: None
    progress: Callable[[int, int, str], None] = lambda _done, _of, _what: None
    engine: str = LOCAL

    def steps(self, of: int, what: str) -> Callable[[], None]:
        """To be called after each of so many steps."""
        done = itertools.count(1)

        def step() -> None:
            self.progress(min(next(done), of), of, what)
            self.tick()

        self.progress(0, of, what)
        return step

    @contextmanager
    def open(self, data: DataSet) -> Iterator[Source]:
        """The files of a data set, ready to be counted here or on the engine. Raises Invalid where they changed meanwhile."""
        about = (data.path, data.format, data.columns)
        if self.engine == LOCAL:
            here = opened(*about, caps=self.caps, scratch=self.scratch, more=data.more)
        else:
            here = warehouse.opened(
                *about,
                caps=self.caps,
                scratch=self.scratch,
                more=data.more,
                address=self.engine,
                tick=self.tick,
            )
        with here as source, unchanged():
            yield source


@contextmanager
def unchanged() -> Iterator[None]:
    """Raises Invalid where two readings of one file count different rows, instead of a result that mixes them."""
    try:
        yield
    except RowsLost as error:
        raise Invalid(f"the data changed while they were read: {error}") from error


def performance(
    data: DataSet,
    workshop: Workshop,
    *,
    threshold: str = "",
    against: str = "",
    against_score: str = "",
) -> PerformanceStatistics:
    """The confusion counts and, if a score column is declared, what the scores say.

    `against` and `against_score` are columns with an incumbent's prediction and score of the same rows.
    With a `threshold` the decision is score >= threshold and the prediction column is not counted; Invalid without scores.
    """
    mapping = data.mapping
    if threshold and not mapping.score:
        reason = "a threshold needs a score column, and none is declared for these data"
        raise Invalid(f"threshold: {reason}.", fields={"threshold": reason})
    columns = (mapping.target, mapping.prediction, mapping.score, against, against_score)
    with workshop.open(data) as source:
        for name in filter(None, (against, against_score)):
            source.kind(name)
        names = [name for name in columns if name]
        held = source.held(names).gathered(names)
        outcomes = _outcomes(held, data)
        if threshold:
            rows, table = count_at(held, outcomes, mapping.score, threshold)
        else:
            rows, table = count_rows(held, outcomes)
        workshop.tick()
        scores = None
        if mapping.score:
            scores = score_statistics(held, outcomes, mapping.score, decided=not threshold)
        paired = None
        if against:
            workshop.tick()
            paired = paired_statistics(held, outcomes, against, mapping.score, against_score)
    return PerformanceStatistics(rows, outcomes.labels, table, scores, threshold, paired)


def multiclass(data: DataSet, workshop: Workshop) -> MulticlassStatistics:
    """The rows by outcome and prediction."""
    mapping = data.mapping
    with workshop.open(data) as source:
        return multiclass_statistics(source, mapping.target, mapping.prediction)


def regression(data: DataSet, workshop: Workshop, ranks: Ranks) -> RegressionStatistics:
    """The sums of the errors, and the errors at the places that `ranks` names."""
    mapping = data.mapping
    with workshop.open(data) as source:
        return regression_statistics(
            source.gathered([mapping.target, mapping.prediction]),
            mapping.target,
            mapping.prediction,
            ranks,
            workshop.tick,
        )


def regression_gaps(
    data: DataSet, workshop: Workshop, crossings: Sequence[tuple[str, ...]] = ()
) -> RegressionGapsStatistics:
    """The sums of the errors for every declared sensitive column and for the crossings (default: all crossed)."""
    mapping = data.mapping
    groupings = _groupings(mapping.sensitive, crossings)
    with workshop.open(data) as source:
        names = [mapping.target, mapping.prediction, *mapping.sensitive]
        held = source.held(names).gathered(names)
        step = workshop.steps(len(groupings), "groupings")
        return error_sums(held, mapping.target, mapping.prediction, groupings, step)


def fairness(
    data: DataSet, workshop: Workshop, crossings: Sequence[tuple[str, ...]] = ()
) -> FairnessStatistics:
    """A count table for every declared sensitive column and for the crossings (default: all crossed)."""
    mapping = data.mapping
    groupings = _groupings(mapping.sensitive, crossings)
    with workshop.open(data) as source:
        held = source.held(
            [
                name
                for name in (mapping.target, mapping.prediction, mapping.score, *mapping.sensitive)
                if name
            ]
        )
        rows_by = joint(held, [*mapping.sensitive, mapping.target, mapping.prediction])
        workshop.tick()
        outcomes = _outcomes(rows_by, data)
        rows, _ = count_rows(rows_by, outcomes)
        found: list[Contingency | Refused] = []
        step = workshop.steps(len(groupings), "groupings")
        for features in groupings:
            found.append(count_groups(rows_by, outcomes, features))
            step()
        tables = tuple(entry for entry in found if isinstance(entry, Contingency))
        counted = [table.features for table in tables]
        scores: tuple[ScoresByGroup, ...] = ()
        score_rows, scores_refused = None, ""
        if mapping.score and counted:
            scores, score_rows, scores_refused = group_scores(
                held, outcomes, mapping.score, counted
            )
    return FairnessStatistics(
        rows,
        outcomes.labels,
        tables,
        tuple(entry for entry in found if isinstance(entry, Refused)),
        scores,
        score_rows,
        scores_refused,
    )


def bias_audit(
    data: DataSet,
    workshop: Workshop,
    crossings: Sequence[tuple[str, ...]] = (),
    median_over: MedianOver = "known",
) -> BiasAuditStatistics:
    """Who was selected, and whose score lies above the median, by every sensitive column and by the crossings."""
    mapping = data.mapping
    groupings = _groupings(mapping.sensitive, crossings)
    with workshop.open(data) as source:
        return selection_statistics(
            source,
            groupings,
            prediction=mapping.prediction,
            favourable=data.favourable,
            score=mapping.score,
            median_over=median_over,
            tick=workshop.steps(len(groupings), "groupings"),
        )


def proxy_features(data: DataSet) -> list[Feature]:
    """The columns that may tell a group: the declared features and the score."""
    mapping = data.mapping
    categorical = set(mapping.categorical)
    features = [Feature(name, "feature", name in categorical) for name in mapping.features]
    if mapping.score and mapping.score not in mapping.features:
        features.append(Feature(mapping.score, "score"))
    return features


def proxy(
    data: DataSet, workshop: Workshop, min_n: int, places: range | None = None
) -> ProxyStatistics:
    """Every declared feature and the score, or those at the given places, against every sensitive column."""
    mapping = data.mapping
    features = proxy_features(data)
    if places is not None:
        features = [features[place] for place in places]
    if not features or not mapping.sensitive:
        raise Invalid(
            "the evaluation data declare no sensitive column, or no feature and no score",
            fields={"features": "name at least one column, and a sensitive one"},
        )
    with workshop.open(data) as source:
        return association_statistics(
            source,
            mapping.sensitive,
            features,
            min_n=min_n,
            tick=workshop.steps(len(features), "columns"),
        )


def drift(
    reference: DataSet,
    current: DataSet,
    workshop: Workshop,
    *,
    window: str = "",
    places: range | None = None,
) -> DriftStatistics:
    """Every declared feature of the reference, and scores, predictions and outcomes where both have them; over the windows
    of the current data's time column, and within the groups of each sensitive column that both have.

    With `places` only the pairs at these places (see `pairs_of`).
    """
    every = pairs_of(reference, current)
    if not every:
        raise Invalid(
            "the reference data declare no feature, score or prediction to compare",
            fields={"features": "name at least one column of the reference data"},
        )
    pairs = every if places is None else [every[place] for place in places]
    used = {pair.reference for pair in every}
    unmeasured = [c.name for c in reference.columns if c.name not in used]
    with workshop.open(reference) as first, workshop.open(current) as second:
        step = workshop.steps(_steps(pairs, reference, current), "columns")
        whole = drift_statistics(first, second, pairs, unmeasured=unmeasured, tick=step)
        names = {pair.reference: pair.current for pair in pairs}
        columns = [(column, names[column.name]) for column in whole.columns]
        windows = None
        if current.mapping.time:
            by = (second, parts.window(second, current.mapping.time, window))
            windows = parts.by_part(current.mapping.time, columns, by, None, step)
        slices = tuple(
            parts.by_part(
                name, columns, (second, second.text(name)), (first, first.text(name)), step
            )
            for name in _sliced(reference, current)
        )
    return msgspec.structs.replace(whole, windows=windows, slices=slices)


def _sliced(reference: DataSet, current: DataSet) -> tuple[str, ...]:
    """The sensitive columns by which both data sets can be taken apart."""
    both = set(reference.mapping.sensitive)
    return tuple(name for name in current.mapping.sensitive if name in both)


def _steps(pairs: Sequence[Pair], reference: DataSet, current: DataSet) -> int:
    """How many columns are gone through: once as a whole, and once for each way of taking the data apart."""
    return len(pairs) * (1 + bool(current.mapping.time) + len(_sliced(reference, current)))


def pairs_of(reference: DataSet, current: DataSet) -> list[Pair]:
    """What is compared with what. A feature keeps its name; the other columns go by their meaning."""
    before, after = reference.mapping, current.mapping
    categorical = {*before.categorical, *after.categorical}
    pairs = [Pair("feature", name, name, name in categorical) for name in before.features]
    for role in ("score", "prediction", "target"):
        first, second = getattr(before, role), getattr(after, role)
        if first and second and first not in before.features:
            pairs.append(Pair(role, first, second, role != "score"))
    return pairs


def _outcomes(source: Counted, data: DataSet) -> Outcomes:
    mapping = data.mapping
    labels = find_labels(
        source,
        target=mapping.target,
        prediction=mapping.prediction,
        favourable=data.favourable,
        positive=mapping.positive,
    )
    return Outcomes(mapping.target, mapping.prediction, labels)


def _groupings(
    sensitive: tuple[str, ...], crossings: Sequence[tuple[str, ...]]
) -> list[tuple[str, ...]]:
    if not sensitive:
        raise Invalid(
            "no sensitive feature was declared for this data set",
            fields={"sensitive": "name at least one column"},
        )
    unknown = sorted({name for crossing in crossings for name in crossing} - set(sensitive))
    if unknown:
        raise Invalid(
            f"not declared as sensitive: {', '.join(unknown)}",
            fields={"crossings": f"{unknown[0]!r} is not declared as sensitive"},
        )
    crossed = list(crossings) or ([sensitive] if len(sensitive) > 1 else [])
    both = [(name,) for name in sensitive] + [tuple(crossing) for crossing in crossed]
    return list(dict.fromkeys(both))
