"""What people signed for satisfies the policy by itself: a leaf an item of the round's manifest."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from apps.checks.judging import waiver_leaf
from apps.checks.verdicts import Verdict, accepts
from apps.registry.gates import Fix, GateResult, all_of, some_of

KEY, TITLE = "evidence", "Evidence"
WAIVED = "Waived by a signature in force."


def judge(
    manifest: Mapping[str, Any],
    accepted: Mapping[str, str],
    waived: Collection[str],
    again: Sequence[Fix] = (),
    url: str = "",
) -> GateResult:
    """Each check of the manifest was met and its card had no gap, but for what is waived (by requirement).

    Newer measurements do not help: people signed for these. `again` are the acts of a new round.
    """
    number, ref = manifest["round"], f"REV-{manifest['review']}"
    leaves = [_check(entry, accepted, waived, again) for entry in manifest["checks"]]
    leaves.append(_card(manifest["card"], waived, again))
    label = f"Open {ref}"
    wrong = [leaf.clause for leaf in leaves if not leaf.passes]
    if not wrong:
        fact = f"Round {number} satisfies the policy."
        return all_of(KEY, TITLE, fact, leaves, act_label=label, act_url=url)
    fact = f"Round {number}: {'; '.join(wrong)}. Mend it, then make a new round."
    why = f"in round {number} {' and '.join(wrong)}"
    found = all_of(KEY, TITLE, fact, leaves, act_label=label, act_url=url, reason=why)
    return replace(found, state="fail")


def _check(
    entry: Mapping[str, Any],
    accepted: Mapping[str, str],
    waived: Collection[str],
    again: Sequence[Fix],
) -> GateResult:
    kind, verdict = entry["kind"], Verdict(entry["verdict"])
    fact = f"{kind} was {verdict.value.lower().replace('_', ' ')}."
    met = accepts(verdict, kind, accepted)
    return _item(kind, f"checks.{kind}", fact, waived, again, met=met)


def _card(
    card: Mapping[str, Any] | None, waived: Collection[str], again: Sequence[Fix]
) -> GateResult:
    if card is None:
        return _item("model card", "card", "there was no card.", waived, again, met=False)
    gaps = len(card["gaps"])
    fact = f"the card lacked {gaps} required blocks." if gaps else "the card had no gap."
    return _item("model card", "card", fact, waived, again, met=not gaps)


def _item(
    title: str,
    requirement: str,
    fact: str,
    waived: Collection[str],
    again: Sequence[Fix],
    *,
    met: bool,
) -> GateResult:
    key, title = f"evidence.{requirement}", title.capitalize()
    if met:
        return GateResult(key, title, "pass", fact[:1].upper() + fact[1:])
    item = GateResult(key, title, "fail", fact, fixes=tuple(again))
    waiver = waiver_leaf(requirement, title, WAIVED if requirement in waived else "")
    waiver = replace(waiver, key=f"{key}.waiver")
    return some_of(1, key, title, fact, [replace(item, key=f"{key}.signed"), waiver])
