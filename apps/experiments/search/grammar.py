"""The filter and order language of the MLflow protocol: clauses joined by AND, nothing else.

    metrics.auc > 0.9 AND params.`learning rate` = '0.1' AND attributes.run_name LIKE 'base%'

Pure: text in, clauses out, or `Invalid` with a sentence that quotes what was not understood. Which
entities, keys and comparators exist is a `Language`; what they mean in SQL is up to each search.
Deliberately missing, as in the protocol: OR, NOT, parentheses that group, functions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from apps.core.errors import Invalid

Value = str | float | int | tuple[str, ...] | None

NUMBER_OPS: Final = frozenset({">", ">=", "=", "!=", "<", "<="})
STRING_OPS: Final = frozenset({"=", "!=", "LIKE", "ILIKE"})
LIST_OPS: Final = frozenset({"IN", "NOT IN"})
NULL_OPS: Final = frozenset({"IS NULL", "IS NOT NULL"})
MAX_LENGTH: Final = 20_000

_TOKEN: Final = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<string>'[^']*')
  | (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.`"]))
  | (?P<name>(?:[^\W\d][\w]*\.)?(?:`[^`]*`|"[^"]*"|[\w./:-]+))
  | (?P<op><=|>=|!=|<>|=|<|>)
  | (?P<punctuation>[(),])
    """,
    re.VERBOSE,
)
_ENTITY: Final = re.compile(r"(?:`?([^\W\d]\w*)`?\.)?(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison. `op` is in capitals; `value` is None for IS [NOT] NULL, a tuple for [NOT] IN."""

    entity: str
    key: str
    op: str
    value: Value


@dataclass(frozen=True, slots=True)
class Order:
    """One sort key."""

    entity: str
    key: str
    ascending: bool


@dataclass(frozen=True)
class Language:
    """What can be asked about one kind of thing.

    `entities` maps a spelling to an entity; `attributes` maps an attribute to "text", "number" or
    "list" (text that also takes IN); `ops` says which comparators an entity's keys take; `aliases`
    are other spellings of attributes.
    """

    entities: Mapping[str, str]
    attributes: Mapping[str, str]
    ops: Mapping[str, frozenset[str]]
    orderable: frozenset[str]
    aliases: Mapping[str, str] = field(default_factory=dict)
    dataset_keys: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def parse_filter(text: str, language: Language) -> list[Clause]:
    """The clauses of a filter; none for an empty one."""
    tokens = _tokens(text)
    clauses: list[Clause] = []
    while tokens:
        if clauses:
            _take_keyword(tokens, "AND")
        clauses.append(_clause(tokens, language))
    return clauses


def parse_order(items: Iterable[str], language: Language) -> list[Order]:
    """The sort keys; each key once."""
    orders: list[Order] = []
    for item in items:
        order = _order(item, language)
        if any((o.entity, o.key) == (order.entity, order.key) for o in orders):
            raise Invalid(
                f"`order_by` contains duplicate fields: {list(items)}",
                fields={"order_by": "duplicate fields"},
            )
        orders.append(order)
    return orders


def _order(item: str, language: Language) -> Order:
    tokens = _tokens(item, what="order_by")
    if not tokens or tokens[0].kind != "name" or len(tokens) > 2:
        raise Invalid(
            f"Invalid order_by clause '{item}'. Could not be parsed.",
            fields={"order_by": "not understood"},
        )
    direction = tokens[1].text.upper() if len(tokens) == 2 else "ASC"
    if direction not in {"ASC", "DESC"}:
        raise Invalid(
            f"Invalid ordering key in order_by clause '{item}'.",
            fields={"order_by": "expected ASC or DESC"},
        )
    entity, key = _identifier(tokens[0], language, ordering=True)
    if entity == "dataset":
        raise Invalid(f"Invalid order_by entity type '{entity}'", fields={"order_by": entity})
    return Order(entity, key, direction == "ASC")


def _tokens(text: str, *, what: str = "filter") -> list[_Token]:
    if len(text) > MAX_LENGTH or "\x00" in text:
        raise Invalid(f"Invalid {what}: too long or not text.", fields={what: "not understood"})
    tokens, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _not_a_clause(text[position:])
        if match.lastgroup != "space":
            tokens.append(_Token(str(match.lastgroup), match.group()))
        position = match.end()
    return tokens


def _clause(tokens: list[_Token], language: Language) -> Clause:
    if not tokens or tokens[0].kind != "name":
        raise _not_a_clause(_rest(tokens))
    first = tokens.pop(0)
    op = _operator(first, tokens)
    entity, key = _identifier(first, language)
    kind = _kind(entity, key, language)
    allowed = language.ops[entity] if entity != "attribute" else _attribute_ops(kind)
    if op not in allowed:
        raise _wrong_comparator(entity, key, op, allowed)
    if op in NULL_OPS:
        return Clause(entity, key, op, None)
    if op in LIST_OPS:
        return Clause(entity, key, op, _list(tokens))
    if not tokens:
        raise _not_a_clause(f"{first.text} {op}")
    return Clause(entity, key, op, _value(tokens.pop(0), entity, key, kind))


def _wrong_comparator(entity: str, key: str, op: str, allowed: frozenset[str]) -> Invalid:
    if op in NULL_OPS:
        return Invalid(
            f"IS NULL / IS NOT NULL is not supported for '{entity}' '{key}'",
            fields={"filter": op},
        )
    if op in LIST_OPS:
        return Invalid(
            f"The {entity} '{key}' does not support comparison with a list of quoted string values.",
            fields={"filter": op},
        )
    return Invalid(
        f"Invalid comparator '{op}' not one of '{sorted(allowed)}'", fields={"filter": op}
    )


def _attribute_ops(kind: str) -> frozenset[str]:
    if kind == "number":
        return NUMBER_OPS
    return STRING_OPS | LIST_OPS if kind == "list" else STRING_OPS


def _kind(entity: str, key: str, language: Language) -> str:
    if entity == "attribute":
        return language.attributes[key]
    return "number" if entity == "metric" else "text"


def _identifier(token: _Token, language: Language, *, ordering: bool = False) -> tuple[str, str]:
    whole = _unquoted(token.text)
    spelled, key = "", whole
    if whole == token.text:
        match = _ENTITY.fullmatch(whole)
        spelled, key = (match[1] or "", match[2]) if match else ("", whole)
    entity = language.entities.get(spelled, "") if spelled else "attribute"
    if not entity:
        raise Invalid(
            f"Invalid entity type '{spelled}'. Valid values are "
            f"{sorted(set(language.entities.values()))}",
            fields={"filter": spelled},
        )
    key = _unquoted(key)
    if entity == "attribute":
        key = language.aliases.get(key, key)
        known = language.orderable if ordering else language.attributes.keys()
        if key not in known:
            raise Invalid(
                f"Invalid attribute key '{key}' specified. Valid keys are '{sorted(known)}'",
                fields={"filter": key},
            )
    if entity == "dataset" and key not in language.dataset_keys:
        raise Invalid(
            f"Invalid dataset key '{key}' specified. Valid keys are "
            f"'{sorted(language.dataset_keys)}'",
            fields={"filter": key},
        )
    return entity, key


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "`\"'":
        return text[1:-1]
    return text


def _operator(first: _Token, tokens: list[_Token]) -> str:
    if not tokens:
        raise _not_a_clause(first.text)
    token = tokens.pop(0)
    word = token.text.upper()
    if token.kind == "op":
        return token.text
    if word in {"LIKE", "ILIKE", "IN"}:
        return word
    if word == "NOT":
        _take_keyword(tokens, "IN")
        return "NOT IN"
    if word == "IS":
        negated = bool(tokens) and tokens[0].text.upper() == "NOT"
        if negated:
            tokens.pop(0)
        _take_keyword(tokens, "NULL")
        return "IS NOT NULL" if negated else "IS NULL"
    raise _not_a_clause(f"{first.text} {token.text}")


def _value(token: _Token, entity: str, key: str, kind: str) -> Value:
    if kind == "number":
        if token.kind != "number":
            what = "metric" if entity == "metric" else f"numeric attribute: {key}"
            raise Invalid(
                f"Expected numeric value type for {what}. Found {token.text}",
                fields={"filter": token.text},
            )
        return float(token.text)
    quoted = token.kind == "string" or (token.kind == "name" and token.text[0] == '"')
    if not quoted:
        raise Invalid(
            f"Expected a quoted string value for {entity} (e.g. 'my-value'). "
            f"Got value {token.text}",
            fields={"filter": token.text},
        )
    return token.text[1:-1]


def _list(tokens: list[_Token]) -> tuple[str, ...]:
    """'(' string {',' string} [','] ')'"""
    given = _rest(tokens)
    wanted, values = "(", []
    while tokens:
        token = tokens.pop(0)
        if wanted == "(" and token.text == "(":
            wanted = "value"
        elif wanted == "value" and (token.kind == "string" or token.text[0] == '"'):
            values.append(token.text[1:-1])
            wanted = ","
        elif wanted == "," and token.text == ",":
            wanted = "value"
        elif token.text == ")" and values:
            return tuple(values)
        else:
            break
    raise Invalid(
        "While parsing a list in the query, expected a non-empty list of string values, "
        f"got value {given}",
        fields={"filter": "not a list"},
    )


def _take_keyword(tokens: list[_Token], word: str) -> None:
    if not tokens or tokens[0].text.upper() != word or tokens[0].kind != "name":
        raise _not_a_clause(_rest(tokens))
    tokens.pop(0)


def _rest(tokens: list[_Token]) -> str:
    return " ".join(token.text for token in tokens)


def _not_a_clause(text: str) -> Invalid:
    return Invalid(
        f"Invalid clause(s) in filter string: '{text[:200]}'", fields={"filter": "not understood"}
    )
