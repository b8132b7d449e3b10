"""Policy documents: what is refused and where, YAML there and back, conditions, what combines and what loosens."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import Invalid
from apps.reviews.policies import builtin, combine, compare, conditions, files
from apps.reviews.policies.document import PolicyDocument, parse, plain

BASE: dict[str, Any] = builtin.standard()


def policy(**changes: Any) -> PolicyDocument:
    """The standard policy with some of it changed; a dotted name goes deeper, with `__` for the dot."""
    data = json.loads(json.dumps(BASE))
    for path, value in changes.items():
        *way, last = path.split("__")
        place = data
        for part in way:
            place = place.setdefault(part, {})
        place[last] = value
    return parse(data)


# --- strategies: small policies that can always be combined ------------------------------------

_share = st.integers(0, 100).map(lambda n: f"0.{n:02d}")
_checks = st.fixed_dictionaries(
    {"performance": st.fixed_dictionaries({"roc_auc": _share.map(lambda s: {"min": s})})},
    optional={
        "drift": st.fixed_dictionaries({"psi": _share.map(lambda s: {"max": s})}),
        "fairness": st.fixed_dictionaries(
            {"demographic_parity_difference": _share.map(lambda s: {"max": s})},
            optional={
                "features": st.lists(st.sampled_from(["sex", "race", "age"]), unique=True),
                "min_n": st.integers(1, 99),
            },
        ),
    },
)
_steps = st.lists(
    st.tuples(st.sampled_from(["validator", "approver", "risk"]), st.integers(1, 3), st.booleans()),
    min_size=1,
    max_size=4,
).map(
    lambda rows: [
        {"key": f"s{n}", "title": f"Step {n}", "role": role, "count": count, "exclude_owner": out}
        for n, (role, count, out) in enumerate(rows)
    ]
)
_roles = st.lists(
    st.sampled_from(["approver", "risk", "legal"]), min_size=1, max_size=2, unique=True
)
policies = st.builds(
    lambda key, **parts: policy(key=key, **parts),
    key=st.sampled_from(["alpha", "beta", "gamma"]),
    gates__checks=_checks,
    gates__card_complete=st.booleans(),
    gates__clean_commit=st.booleans(),
    gates__card_templates=st.lists(st.sampled_from(["mrm", "eu-annex-iv/1"]), unique=True),
    gates__max_age_days=st.fixed_dictionaries(
        {}, optional={"results": st.integers(1, 90), "data": st.integers(1, 90)}
    ),
    gates__impact_assessment=st.just({})
    | st.fixed_dictionaries(
        {"tiers": st.lists(st.sampled_from([1, 2, 3]), min_size=1, unique=True)},
        optional={"max_age_days": st.integers(1, 400)},
    ),
    gates__against_incumbent=st.none()
    | st.fixed_dictionaries(
        {
            "max_loss": st.dictionaries(st.sampled_from(["roc_auc", "brier"]), _share, min_size=1),
            "same_data": st.booleans(),
        }
    ),
    steps=_steps,
    approval_days=st.integers(1, 400),
    review_days=st.none() | st.integers(1, 99),
    rereview_on=st.lists(st.sampled_from(["recall", "data", "use", "incident"]), unique=True),
    emergency=st.none()
    | st.fixed_dictionaries({"roles": _roles, "review_within_days": st.integers(1, 90)}),
    findings=st.fixed_dictionaries({"residual_risk_roles": _roles}),
    waivers=st.fixed_dictionaries({"roles": _roles, "max_days": st.integers(1, 365)}),
    promote=st.sampled_from(["on_last_signature", "on_request"]),
    governs__stages=st.lists(
        st.sampled_from(["production", "staging"]), min_size=1, max_size=2, unique=True
    ),
)


def _demand(document: PolicyDocument) -> dict[str, Any]:
    """What a document asks for, without the names of things."""
    told = plain(document)
    for name in ("key", "number", "title"):
        told.pop(name, None)
    told["gates"]["checks"] = combine.written_out(told["gates"]["checks"])
    for limits in told["gates"]["checks"].values():
        limits.pop("features", None) if not limits.get("features") else limits["features"].sort()
    told["governs"] = {k: sorted(v) for k, v in told["governs"].items() if v}
    told["steps"] = sorted(
        (s["role"], s["count"], bool(s.get("exclude_owner"))) for s in told["steps"]
    )
    if told["gates"].get("card_complete", True):
        told["gates"]["card_complete"] = True
    return told


@given(policies, policies, policies)
def test_combining_does_not_depend_on_order_and_repeats_nothing(
    one: PolicyDocument, two: PolicyDocument, three: PolicyDocument
) -> None:
    assert _demand(combine.combine([one, two])) == _demand(combine.combine([two, one]))
    left = combine.combine([combine.combine([one, two]), three])
    right = combine.combine([one, combine.combine([two, three])])
    assert _demand(left) == _demand(right)
    assert _demand(combine.combine([one, one])) == _demand(one)


@given(policies, policies)
def test_a_combination_loosens_neither_of_its_parts(
    one: PolicyDocument, two: PolicyDocument
) -> None:
    both = combine.combine([one, two])
    assert compare.loosenings(one, both) == []
    assert compare.loosenings(two, both) == []


@given(policies, policies)
def test_what_loosens_nothing_either_way_asks_for_the_same(
    one: PolicyDocument, two: PolicyDocument
) -> None:
    if not compare.loosenings(one, two) and not compare.loosenings(two, one):
        assert _demand(one) == _demand(two)


@given(policies)
def test_yaml_goes_there_and_back(document: PolicyDocument) -> None:
    assert files.load(files.dump(document), number=document.number) == document


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"gates__checks": {"performance": {"roc_auc": {"min": "0.60"}}}}, "roc_auc: min 0.70 becomes min 0.60"),
        ({"gates__card_complete": False}, "the card need not be complete"),
        ({"approval_days": 91}, "an approval lives 91 instead of 90 days"),
        ({"steps": BASE["steps"][:1]}, "the step Risk approval is gone"),
        ({"governs__aliases": ["champion"]}, "no longer governs aliases: production"),
        ({"applies_to": {"tiers": [1]}}, "fewer risk tiers"),
        ({"applies_to": {"tags": {"eu": ["yes"]}}}, "only models with the tag eu"),
        ({"gates__accept_inconclusive": {"drift": "small months"}}, "an inconclusive drift is accepted"),
        ({"gates__checks__fairness__min_n": 10}, "fairness.min_n: 30 becomes 10"),
        ({"rereview_on": ["recall"]}, "an incident does not ask for a new review any more"),
        ({"emergency": {"roles": ["on_call"], "review_within_days": 5}}, "on_call may put an earlier version back alone"),
        ({"findings": {"residual_risk_roles": ["risk"]}}, "a residual risk is accepted by somebody who need not be approver"),
        ({"waivers": {"roles": ["legal"]}}, "a requirement is waived by somebody who need not be approver"),
    ],
)  # fmt: skip
def test_a_loosening_is_named_and_its_reverse_is_none(
    changes: dict[str, Any], sentence: str
) -> None:
    old, new = policy(), policy(**changes)
    assert any(sentence in found for found in compare.loosenings(old, new))
    assert not any(sentence in found for found in compare.loosenings(new, old))
    assert compare.redline(old, new)


def test_the_rest_that_loosens() -> None:
    ordered = [BASE["steps"][0], BASE["steps"][1] | {"after": ["validation"]}]
    window = {"title": "Year end", "first": "2026-12-20", "last": "2027-01-03"}
    rule = {"key": "big", "title": "Enough rows", "expression": "data.evaluation.rows >= 1000"}
    strict = policy(
        steps=ordered,
        freeze_windows=[window],
        promote="on_request",
        gates__conditions=[rule],
        gates__clean_commit=True,
        gates__card_templates=["mrm"],
        gates__max_age_days={"results": 30, "data": 60},
        gates__against_incumbent={"max_loss": {"roc_auc": "0.01"}},
        review_days=30,
        waivers={"max_days": 30},
    )
    assert len(compare.loosenings(strict, policy())) == 11
    assert compare.loosenings(policy(), strict) == []
    assert compare.loosenings(policy(), None)
    shorter = policy(freeze_windows=[window | {"last": "2027-01-02"}])
    assert compare.loosenings(policy(freeze_windows=[window]), shorter)


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        ({"steps": []}, "steps", "at least 1 is needed"),
        ({"steps": [BASE["steps"][0], BASE["steps"][0]]}, "document", "stands there twice"),
        ({"steps": [BASE["steps"][0] | {"after": ["approval"]}, BASE["steps"][1]]}, "document", "must stand before"),
        ({"steps__0": 1}, "", ""),
        ({"governs": {"tags": ["approved"]}}, "document", "no stage, alias or environment"),
        ({"gates__checks": {}}, "gates", "demand no check"),
        ({"gates__checks": {"performance": {"nonsense": {"min": "1"}}}}, "gates", "nonsense"),
        ({"gates__conditions": [{"key": "a", "title": "A", "expression": "1 +"}]}, "gates.conditions.0.expression", "not an expression"),
        ({"freeze_windows": [{"title": "x", "first": "2026-02-02", "last": "2026-01-01"}]}, "freeze_windows.0", "last is before first"),
        ({"surprise": 1}, "surprise", "no such key"),
        ({"approval_days": 0}, "approval_days", "1 or more"),
    ],
)  # fmt: skip
def test_an_invalid_document_names_the_path(
    changes: dict[str, Any], path: str, reason: str
) -> None:
    if "steps__0" in changes:
        changes = {"steps": [1]}
        path, reason = "steps.0", "expected keys and values"
    with pytest.raises(Invalid) as refused:
        policy(**changes)
    assert reason in refused.value.fields[path]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("key: a\ntitle: [", 2, "expected"),
        ("key: a\nkey: b\n", 2, "twice"),
        ("a: &x [1]\nb: *x\n", 2, "aliases"),
        ("- 1\n", 1, "expected keys"),
        ("key: a\ntitle: A\ngoverns: {stages: [production]}\nsteps: []\ngates: {checks: {drift: {psi: {max: '1'}}}}\napproval_days: 1\n", 4, "at least 1 is needed"),
        ("key: a\ntitle: A\nsteps:\n  - key: v\n    title: V\n    role: king\n    count: 1\n", 6, "validator"),
        ("1: 2\n", 1, "not text"),
        ("when: !!python/object/apply:os.system ['true']\n", 1, "constructor"),
        ("x: " + "[" * 5000, 1, ""),
    ],
)  # fmt: skip
def test_yaml_that_is_wrong_is_refused_with_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        files.load(text, number=1)
    told = refused.value.fields
    assert any(where.startswith(f"line {line}") and reason in why for where, why in told.items()), (
        told
    )


def test_every_ready_made_policy_is_valid_and_says_where_it_comes_from() -> None:
    found = {document.key: document for document in files.packs()}
    assert {
        "light", "model-risk", "model-risk-legacy", "eu-high-risk", "eu-fria", "gdpr-dpia", "part-11", "nyc-ll144",
    } == {*found}  # fmt: skip
    for document in found.values():
        assert document.source is not None
        assert document.source.jurisdiction
        assert files.load(files.dump(document), number=1) == document
    day = dt.date(2026, 11, 23)
    assert not files.in_force(found["model-risk-legacy"], day)
    assert files.in_force(found["model-risk-legacy"], dt.date(2020, 1, 1))
    assert not files.in_force(found["eu-high-risk"], day)
    assert files.in_force(found["model-risk"], day)
    assert not files.in_force(found["eu-fria"], day)
    assert files.in_force(found["gdpr-dpia"], day)


def test_every_pair_of_ready_made_policies_combines() -> None:
    ready = files.packs()
    for one in ready:
        for other in ready:
            combined = combine.combine([one, other])
            assert compare.loosenings(one, combined) in ([], ["it covers fewer risk tiers"]), (
                one.key
            )


FACTS: dict[str, Any] = {
    "model": {"name": "credit", "tier": 1, "team": "", "tags": {"region": "eu"}},
    "version": {"number": 3, "files": 2, "size": 10, "tags": {}},
    "run": {"params": {"depth": "3"}, "metrics": {"auc": 0.8}, "commit": "", "dirty": False},
    "data": {"evaluation": {"rows": 1000, "age_days": 3}},
    "checks": {"fairness": "PASS"},
    "targets": ["stage:production"],
    "today": dt.datetime(2026, 11, 23, tzinfo=dt.UTC),
}


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        ("model.tier == 1 && data.evaluation.rows >= 1000", True),
        ('checks.fairness == "PASS" && "stage:production" in targets', True),
        ("run.metrics.auc > 0.9", False),
        ("has(run.metrics.f1) && run.metrics.f1 > 0.5", False),
        ("run.metrics.f1 > 0.5", False),
        ("1 / 0 > 0", False),
        ("model.tier", False),
        ('"yes"', False),
        ('today < timestamp("2027-01-01T00:00:00Z")', True),
    ],
)
def test_a_condition_holds_only_if_it_is_true(expression: str, answer: bool) -> None:
    assert conditions.holds(expression, FACTS)[0] is answer


@pytest.mark.parametrize(
    "expression",
    ["", "secrets.key", "[1].map(model, model)", "[1].all (model, true)", '"a".matches("(a+)+$")',
     "model.tier ==", "1\n+1", "model.name + '" + "a" * 500 + "'", "[1,2].exists_one(model, true)"],
)  # fmt: skip
def test_a_condition_that_might_not_end_or_speaks_of_other_things_is_refused(
    expression: str,
) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        conditions.checked(expression)
    assert conditions.holds(expression, FACTS)[0] is False
