"""Several policies over one model: all of them must hold, so they combine to the strictest.

Each part of a document has a `stricter of two`; a combination takes it part by part. It is commutative,
associative and idempotent (tests/reviews/test_combining.py holds it to that), so the order in which policies were
activated says nothing. What a change loosens is found with it too: see `compare`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import reduce
from itertools import zip_longest
from typing import Any, Final

from apps.checks.demands import CheckLimits
from apps.core.errors import Invalid
from apps.reviews.policies.document import Emergency, PolicyDocument, Step, parse, plain

JSON = Any


def combine(documents: Sequence[PolicyDocument]) -> PolicyDocument:
    """The one document that asks for all that these ask for.

    Raises Invalid for none at all, and for two that contradict each other (an order that goes both ways, one
    metric with a floor in one and a ceiling in the other).
    """
    if not documents:
        raise Invalid("No policy covers this, so nothing can be approved.")
    ordered = sorted(documents, key=lambda document: document.key)
    if len(ordered) == 1:
        return ordered[0]
    parts = [plain(document) for document in ordered]
    return parse(
        {
            "key": "+".join(f"{document.key}-{document.number}" for document in ordered),
            "number": 1,
            "title": " and ".join(document.title for document in ordered)[:500],
            "governs": reduce(union_of_lists, (part["governs"] for part in parts)),
            "gates": gates([part["gates"] for part in parts]),
            "steps": steps([document.steps for document in ordered]),
            "approval_days": min(document.approval_days for document in ordered),
            "review_days": shortest(document.review_days for document in ordered),
            "rereview_on": distinct(on for document in ordered for on in document.rereview_on),
            "promote": stricter_promotion(document.promote for document in ordered),
            "freeze_windows": distinct(
                window for part in parts for window in part.get("freeze_windows", ())
            ),
            "emergency": emergency([document.emergency for document in ordered]),
            "findings": {
                "residual_risk_roles": distinct(
                    role for document in ordered for role in document.findings.residual_risk_roles
                )
            },
            "waivers": {
                "roles": distinct(role for document in ordered for role in document.waivers.roles),
                "max_days": min(document.waivers.max_days for document in ordered),
            },
        }
    )


def shortest(days: Iterable[int | None]) -> int | None:
    """The smallest that is given; None is for ever."""
    return min((each for each in days if each is not None), default=None)


def emergency(paths: Sequence[Emergency | None]) -> dict[str, JSON] | None:
    """One path only where every policy has one: whoever takes it holds all the roles that any of them asks for."""
    known = [path for path in paths if path is not None]
    if len(known) < len(paths):
        return None
    return {
        "roles": distinct(role for path in known for role in path.roles),
        "review_within_days": min(path.review_within_days for path in known),
    }


def stricter_promotion(asked: Any) -> str:
    """`on_request` leaves a person between the last signature and the move."""
    return "on_request" if "on_request" in set(asked) else "on_last_signature"


def gates(parts: Sequence[Mapping[str, JSON]]) -> dict[str, JSON]:
    """The strictest gates."""
    ages = {
        of: shortest(part.get("max_age_days", {}).get(of) for part in parts)
        for of in ("results", "data")
    }
    return {
        "checks": checks([part["checks"] for part in parts]),
        "card_complete": any(part.get("card_complete", True) for part in parts),
        "card_templates": distinct(t for part in parts for t in part.get("card_templates", ())),
        "accept_inconclusive": _accepted_by_all(parts),
        "against_incumbent": _against_incumbent(parts),
        "max_age_days": ages,
        "clean_commit": any(part.get("clean_commit", False) for part in parts),
        "impact_assessment": _impact([part.get("impact_assessment", {}) for part in parts]),
        "conditions": distinct(c for part in parts for c in part.get("conditions", ())),
    }


def _against_incumbent(parts: Sequence[Mapping[str, JSON]]) -> dict[str, JSON] | None:
    """Every metric that one of them compares, with the smallest loss; on the same data if one demands it."""
    asked = [found for part in parts if (found := part.get("against_incumbent"))]
    if not asked:
        return None
    metrics = sorted({metric for each in asked for metric in each["max_loss"]})
    return {
        "max_loss": {
            metric: reduce(
                _less, [each["max_loss"][metric] for each in asked if metric in each["max_loss"]]
            )
            for metric in metrics
        },
        "same_data": any(each.get("same_data", True) for each in asked),
    }


def _impact(asked: Sequence[Mapping[str, JSON]]) -> dict[str, JSON]:
    """For every tier that one of them names; as new as the strictest asks, for the tiers of all."""
    return {
        "tiers": sorted({tier for each in asked for tier in each.get("tiers", ())}),
        "max_age_days": shortest(each.get("max_age_days") for each in asked if each.get("tiers")),
    }


def _accepted_by_all(parts: Sequence[Mapping[str, JSON]]) -> dict[str, str]:
    """Inconclusive is accepted for a check only if every policy that demands the check accepts it."""
    accepted = {}
    for kind in {kind for part in parts for kind in part.get("accept_inconclusive", {})}:
        demanding = [part for part in parts if kind in part["checks"]]
        reasons = [part.get("accept_inconclusive", {}).get(kind) for part in demanding]
        if reasons and all(reasons):
            accepted[kind] = "; ".join(sorted({str(reason) for reason in reasons}))
    return accepted


def checks(parts: Sequence[Mapping[str, JSON]]) -> dict[str, JSON]:
    """Every check that one of them demands, with the strictest of the limits, defaults written out."""
    whole = [written_out(part) for part in parts]
    return {
        kind: reduce(_limits, [part[kind] for part in whole if kind in part])
        for kind in sorted({kind for part in whole for kind in part})
    }


def written_out(limits: Mapping[str, JSON]) -> dict[str, JSON]:
    """The limits with their defaults: two can be compared only if nothing is left to be understood."""
    found: dict[str, JSON] = CheckLimits.parse(limits).plain()
    return found


def _limits(one: Mapping[str, JSON], other: Mapping[str, JSON]) -> dict[str, JSON]:
    both = {**one, **other}
    if one.get("threshold") != other.get("threshold"):
        raise Invalid(
            "Two policies contradict each other: they judge decisions at different thresholds of the score."
        )
    for name in one.keys() & other.keys():
        both[name] = _STRICTER.get(name, _bound)(one[name], other[name])
    return both


def _bound(one: Mapping[str, str], other: Mapping[str, str]) -> Mapping[str, str]:
    if ("min" in one) != ("min" in other):
        raise Invalid(
            "Two policies contradict each other: a metric has a floor in one, a ceiling in the other."
        )
    if "min" in one:
        return max(one, other, key=lambda bound: _size(bound["min"]))
    return min(one, other, key=lambda bound: _size(bound["max"]))


def _size(number: JSON) -> tuple[Fraction, str]:
    """By value; 0.1 and 0.10 are told apart by their spelling, so that the order of policies never shows."""
    return Fraction(number), str(number)


def _everything(named: Sequence[JSON]) -> list[JSON]:
    if any(isinstance(entry, list | tuple) for entry in named):
        raise Invalid(
            "Two policies cannot be combined: one judges crossed groups, the other every group measured; "
            "name the groups in both."
        )
    return []


def _names(one: Sequence[JSON], other: Sequence[JSON]) -> list[JSON]:
    if not one or not other:
        return _everything([*one, *other])
    return distinct([*one, *other])


def _in_both(one: Sequence[JSON], other: Sequence[JSON]) -> list[JSON]:
    """What one of them does not let in is not let in. `module.*` in one lets a name of the other in."""
    return distinct(
        name
        for mine, theirs in ((one, other), (other, one))
        for name in mine
        if name in theirs or f"{name.rpartition('.')[0]}.*" in theirs
    )


def _more(one: JSON, other: JSON) -> JSON:
    return max(one, other, key=_size)


def _less(one: JSON, other: JSON) -> JSON:
    return min(one, other, key=_size)


def _least_of_each(one: Mapping[str, JSON], other: Mapping[str, JSON]) -> dict[str, JSON]:
    """Every name of both, with the smaller number where both have it."""
    both = {name: _less(one[name], other[name]) for name in one.keys() & other.keys()}
    return dict(sorted({**one, **other, **both}.items()))


# Beside the bounds of metrics: more rows, more coverage, a higher alpha (more alarms) are stricter.
_STRICTER: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "min_n": _more, "min_coverage": _more, "alpha": _more, "max_excluded_share": _less,
    "features": _names, "columns": _names, "allow_globals": _in_both, "max_unverified": _less,
    "missing_by_column": _least_of_each, "threshold": _more, "allow_features": _in_both, "allow_columns": _in_both,
}  # fmt: skip


def steps(parts: Sequence[Sequence[Step]]) -> list[dict[str, JSON]]:
    """Who must sign. The first, second, ... step of a role in each policy is one step: a signature counts for
    all of them, the larger number of signers is asked, and every order between steps is kept."""
    merged = reduce(_merged, parts)
    return _in_order([step.model_dump(mode="json") for step in merged])


def _merged(one: Sequence[Step], other: Sequence[Step]) -> Sequence[Step]:
    names: dict[str, str] = {}
    pairs: list[tuple[Step | None, Step | None]] = []
    for role in dict.fromkeys(step.role for step in (*one, *other)):
        pairs += zip_longest(
            [step for step in one if step.role == role],
            [step for step in other if step.role == role],
        )
    taken = {step.key for step in one}
    for mine, theirs in pairs:
        if theirs is not None:
            key = mine.key if mine else theirs.key
            while mine is None and key in taken:
                key += "-2"
            taken.add(key)
            names[theirs.key] = key
    return [_step(mine, theirs, names) for mine, theirs in pairs]


def _step(mine: Step | None, theirs: Step | None, names: Mapping[str, str]) -> Step:
    both = [step for step in (mine, theirs) if step is not None]
    after = {
        *(mine.after if mine else ()),
        *(names[key] for key in (theirs.after if theirs else ())),
    }
    return both[0].model_copy(
        update={
            "key": mine.key if mine else names[both[0].key],
            "count": max(step.count for step in both),
            "after": tuple(sorted(after)),
            "exclude_owner": any(step.exclude_owner for step in both),
            "deadline_days": shortest(step.deadline_days for step in both),
            "remind_days": max(step.remind_days for step in both),
            "escalate_to": tuple(sorted({role for step in both for role in step.escalate_to})),
        }
    )  # fmt: skip


def _in_order(unsorted: list[dict[str, JSON]]) -> list[dict[str, JSON]]:
    """Earlier steps first; raises Invalid when two policies want opposite orders."""
    done: list[dict[str, JSON]] = []
    left = list(unsorted)
    while left:
        known = {step["key"] for step in done}
        ready = [step for step in left if set(step["after"]) <= known]
        if not ready:
            raise Invalid(
                "Two policies contradict each other: "
                + ", ".join(f"{step['key']} after {' and '.join(step['after'])}" for step in left)
            )
        done.append(ready[0])
        left.remove(ready[0])
    return done


def union_of_lists(one: Mapping[str, JSON], other: Mapping[str, JSON]) -> dict[str, JSON]:
    """Key by key, each value once, sorted."""
    return {key: sorted({*one.get(key, ()), *other.get(key, ())}) for key in sorted({*one, *other})}


def distinct(items: Any) -> list[JSON]:
    """Each once, in an order that does not depend on who came first."""
    return [item for _, item in sorted({repr(item): item for item in items}.items())]
