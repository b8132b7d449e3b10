"""The requirement of the card as a tree, a leaf a block. Pure; the gate and the simulation of policies ask it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.modelcards import schema
from apps.modelcards.templating import naming
from apps.modelcards.templating.document import CardTemplate
from apps.modelcards.templating.shipped_templates import FIRST
from apps.registry.gates import Fix, GateResult, all_of

KEY, TITLE = "card", "Model card"
_NAMED = 3
WRITER = "whoever may write the model's card"


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What is known of a card: its template, the blocks that have text, its revision (0: none), and the key of the
    template that somebody chose for the model ("": nobody did)."""

    template: CardTemplate = FIRST
    answered: Collection[str] = frozenset()
    revision: int = 0
    chosen: str = ""


def required_of(terms: Mapping[str, Any] | None, template: CardTemplate) -> tuple[str, ...]:
    """The blocks that a card of this template must answer under the policy's terms; ValueError for one that is none."""
    writable = tuple({**naming.SHIPPED, **dict.fromkeys(template.human)})
    return schema.required_blocks(terms, template.required, writable)


def judge(terms: Mapping[str, Any], card: CardFacts, url: str) -> GateResult:
    """Every required block has text, in a card of the template that the policy (`card_templates`) or whoever chose for
    the model asks for; `url` is the card's page. Not checked: whether it is true."""
    required = required_of(terms, card.template)
    laid_out = list(_laid_out(terms, card, url))
    if not (required or laid_out):
        return GateResult(KEY, TITLE, "pass", "The policy requires no block of the card")
    names = {**naming.SHIPPED, **naming.of((card.template, {}))}
    leaves = [_block(key, names[key].title, key in card.answered, url) for key in required]
    missing = [leaf.title for leaf in leaves if not leaf.passes]
    wrong = [leaf for leaf in laid_out if not leaf.passes]
    fact, why = _said(required, missing, wrong, card)
    act = ("Fill in the card", f"{url}edit/") if missing or wrong else ("Read the card", url)
    every = [*laid_out, *leaves]
    return all_of(KEY, TITLE, fact, every, act_label=act[0], act_url=act[1], reason=why)


def _said(
    required: Sequence[str], missing: Sequence[str], wrong: Sequence[GateResult], card: CardFacts
) -> tuple[str, str]:
    """The fact, and the reason in a clause."""
    if not (missing or wrong):
        return f"All {len(required)} required blocks answered, revision {card.revision}", ""
    facts, whys = [leaf.fact for leaf in wrong], [leaf.reason for leaf in wrong]
    if missing:
        count = f"{len(missing)} of {len(required)} required blocks missing"
        facts.append(f"{count}: {', '.join(missing)}")
        few = ", ".join(missing) if len(missing) <= _NAMED else f"{len(missing)} required blocks"
        whys.append(f"the card lacks {few}")
    return " ".join(facts), " and ".join(whys)


def _laid_out(terms: Mapping[str, Any], card: CardFacts, url: str) -> Iterator[GateResult]:
    """One leaf for each template that is asked for."""
    gates = terms.get("gates", terms)
    asked = [("The policy", name) for name in gates.get("card_templates", ())]
    asked += [("A choice for this model", card.chosen)] if card.chosen else []
    for who, name in asked:
        yield _template(who, name, card.template, url)


def _template(who: str, name: str, has: CardTemplate, url: str) -> GateResult:
    """`name` is key, or key/number: that version or a newer one."""
    key, _, number = name.partition("/")
    title = f"Card template {name}"
    if has.key == key and has.number >= int(number or 1):
        return GateResult("card.template", title, "pass", f"The card follows {has}.")
    fact = f"{who} asks for the card template {name}; the card follows {has.name}."
    act = Fix("card.template", f"move the card to the template {name}", WRITER, f"{url}edit/")
    why = f"the card does not follow the template {name}"
    return GateResult("card.template", title, "missing", fact, fixes=(act,), reason=why)


def _block(key: str, title: str, answered: bool, url: str) -> GateResult:
    if answered:
        return GateResult(f"card.{key}", title, "pass", "Answered.")
    act = Fix(f"card.{key}", f"write {title} in the card", WRITER, f"{url}edit/#b-{key}")
    fact, why = "Nobody has written it.", f"{title} of the card is not written"
    return GateResult(f"card.{key}", title, "missing", fact, fixes=(act,), reason=why)
