"""What a person may choose about a check, as data: from it pages make their forms, and parameters are held against the data.

The shape of a parameter follows from its type in the kind's `params`; a `Choice` adds words, and what the text stands for.
A kind whose package declares no choices is offered all the same, under the names of its parameters. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec
from msgspec import inspect

from apps.core.errors import Invalid

Shape = Literal[
    "text", "day", "whole", "tick", "column", "options", "names", "crossings", "groups", "ranges", "data"
]  # fmt: skip
_MOST_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Choice:
    """Words for one parameter of a kind. `shape` says what a text stands for, `needs` which meaning the data have to declare;
    `preview_most` is as far as a preview goes. What is not `offered` is for the site to set."""

    name: str
    title: str
    help: str = ""
    shape: Shape | None = None
    options: tuple[tuple[str, str], ...] = ()
    needs: str = ""
    preview_most: int = 0
    offered: bool = True


@dataclass(frozen=True, slots=True)
class Offer:
    """One parameter as a form offers it."""

    name: str
    title: str
    help: str
    shape: Shape
    default: Any
    options: tuple[tuple[str, str], ...] = ()
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the data that a check looks at: its columns with what they hold, which are sensitive, and the
    meanings for which some column was declared."""

    columns: Mapping[str, str] = field(default_factory=dict)
    sensitive: tuple[str, ...] = ()
    declared: frozenset[str] = frozenset()


def offers(params: type[msgspec.Struct], choices: Sequence[Choice]) -> tuple[Offer, ...]:
    """Every parameter that people choose, in the order in which the kind declares it."""
    told = {choice.name: choice for choice in choices}
    kept = {choice.name for choice in choices if not choice.offered}
    declared = [each for each in msgspec.structs.fields(params) if each.name not in kept]
    return tuple(_offer(each, told.get(each.name)) for each in declared)


def _offer(each: msgspec.structs.FieldInfo, told: Choice | None) -> Offer:
    shape = (told.shape if told else None) or _shape(inspect.type_info(each.type))
    title = told.title if told else each.name.replace("_", " ").capitalize()
    default = each.default if each.default is not msgspec.NODEFAULT else _made(each)
    return Offer(
        each.name,
        title,
        told.help if told else "",
        shape,
        default,
        told.options if told else (),
        told.needs if told else "",
    )


def _made(each: msgspec.structs.FieldInfo) -> Any:
    made = each.default_factory
    return made() if made is not msgspec.NODEFAULT else None


def _shape(kind: inspect.Type) -> Shape:
    """What is typed for a parameter of this type; what has no control of its own is written as JSON."""
    if isinstance(kind, inspect.StrType):
        return "text"
    if isinstance(kind, inspect.IntType):
        return "whole"
    if isinstance(kind, inspect.BoolType):
        return "tick"
    if isinstance(kind, inspect.VarTupleType | inspect.ListType):
        return _shape_of_list(kind.item_type)
    if isinstance(kind, inspect.DictType):
        return _shape_of_dict(kind.value_type)
    return "data"


def _shape_of_list(item: inspect.Type) -> Shape:
    if isinstance(item, inspect.StrType):
        return "names"
    inner = item.item_type if isinstance(item, inspect.VarTupleType | inspect.ListType) else None
    return "crossings" if isinstance(inner, inspect.StrType) else "data"


def _shape_of_dict(value: inspect.Type) -> Shape:
    if isinstance(value, inspect.StrType):
        return "groups"
    ends = {each.name for each in value.fields} if isinstance(value, inspect.StructType) else set()
    return "ranges" if ends == {"min", "max"} else "data"


def require_fitting(params: msgspec.Struct, choices: Sequence[Choice], data: Known) -> None:
    """Raise Invalid, with one message per parameter, for what names a column that the data do not have, or do not declare.

    Whether a named group occurs is told by counting only.
    """
    problems: dict[str, str] = {}
    for offer in offers(type(params), choices):
        problem = _problem(offer, getattr(params, offer.name), data)
        if problem:
            problems[offer.name] = problem
    if problems:
        told = "; ".join(f"{name}: {problem}" for name, problem in problems.items())
        raise Invalid(f"These parameters do not fit the data: {told}.", fields=problems)


def _problem(offer: Offer, value: Any, data: Known) -> str:
    shape = offer.shape
    if offer.needs and value and offer.needs not in data.declared:
        return f"it needs a {offer.needs} column, and none is declared for these data"
    if shape == "column":
        return _missing([value] if value else [], data.columns, "there is no column {}")
    if shape == "ranges":
        return _missing(value, data.columns, "there is no column {}") or _no_numbers(value, data)
    undeclared = "{} is not declared as sensitive"
    if shape == "crossings":
        return _missing([name for each in value for name in each], data.sensitive, undeclared)
    if shape == "groups":
        return _missing(value, data.sensitive, undeclared)
    return ""


def _missing(named: Collection[str], known: Collection[str], words: str) -> str:
    missing = [repr(name) for name in dict.fromkeys(named) if name not in known]
    if not missing:
        return ""
    return words.format(", ".join(missing[:_MOST_NAMED]))


def _no_numbers(named: Collection[str], data: Known) -> str:
    texts = [repr(name) for name in named if data.columns[name] not in {"number", "empty"}]
    return f"{', '.join(texts[:_MOST_NAMED])} does not hold numbers" if texts else ""


def lighter(params: msgspec.Struct, choices: Sequence[Choice]) -> tuple[msgspec.Struct, list[str]]:
    """The parameters as far as a preview goes, and in words what it does less of."""
    less = {
        choice.name: choice.preview_most
        for choice in choices
        if choice.preview_most and getattr(params, choice.name) > choice.preview_most
    }
    titles = {choice.name: choice.title for choice in choices}
    told = [
        f"{titles[name]}: {most} instead of {getattr(params, name)}" for name, most in less.items()
    ]
    return msgspec.structs.replace(params, **less), told
