"""The parameters of a check as a form, made of what its kind declares (`apps.checks.choices`)."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

from apps.checks import choices
from apps.checks.choices import Known, Offer
from apps.checks.kinds.base import Kind
from apps.checks.models import DEMANDED
from apps.checks.services.definitions import Draft
from apps.core.errors import Invalid
from apps.web.forms.base import Form, say_plainly

PREFIX: Final = "p-"
CROSSED: Final = " + "
_LONGEST: Final = 20_000
_ALL_SUBSETS: Final = 4
_NO_COLUMN: Final = ("", "none")
_LARGEST: Final = 2**63 - 1


class ParamsForm(Form):
    """One field for each parameter of a kind. With `known` data columns are chosen of those that are there, and of those in
    `kept`, the stored parameters that are edited."""

    def __init__(
        self,
        kind: Kind | None,
        known: Known,
        *args: Any,
        kept: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        self.offers = choices.offers(kind.params, kind.choices) if kind else ()
        for offer in self.offers:
            was = (kept or {}).get(offer.name)
            if offer.shape == "crossings" and len(known.sensitive) == 1 and not was:
                continue  # one column crosses with nothing
            field = _field(offer, known)
            if was and isinstance(field, forms.ChoiceField):
                _keep(field, was)
            say_plainly(field)
            self.fields[PREFIX + offer.name] = field

    def params(self) -> dict[str, Any]:
        """What was filled in, as the service takes it; what was left empty keeps the kind's default."""
        found = [(each, self.cleaned_data.get(PREFIX + each.name)) for each in self.offers]
        return {each.name: value for each, value in found if not _left_empty(each, value)}

    def refuse(self, error: Invalid) -> None:
        """A refusal about `ranges.age` belongs beside the field of `ranges`."""
        fields: dict[str, str] = {}
        for name, problem in error.fields.items():
            field = PREFIX + name.partition(".")[0]
            fields[field if field in self.fields else name] = problem
        super().refuse(Invalid(error.message, fields=fields, hint=error.hint))


def _left_empty(offer: Offer, value: Any) -> bool:
    return value is None or (value == "" and bool(offer.default))


def initial(kind: Kind, known: Known, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What stands in the fields at first: these parameters, else the kind's defaults."""
    given = params or {}
    return {
        PREFIX + offer.name: _shown(
            offer, given.get(offer.name, offer.default), ticks=bool(known.sensitive)
        )
        for offer in choices.offers(kind.params, kind.choices)
    }


def _field(offer: Offer, known: Known) -> forms.Field:
    common: dict[str, Any] = {"label": offer.title, "help_text": offer.help, "required": False}
    if offer.shape == "options":
        return forms.ChoiceField(choices=list(offer.options), **common)
    if offer.shape == "column" and known.columns:
        named = [(name, name) for name in known.columns]
        return forms.ChoiceField(choices=[_NO_COLUMN, *named], **common)
    if offer.shape == "crossings" and known.sensitive:
        return _Crossings(choices=_crossings(known.sensitive), **common)
    if offer.shape == "tick":
        return forms.BooleanField(**common)
    if offer.shape == "whole":
        return forms.IntegerField(min_value=0, max_value=_LARGEST, **common)
    return _Typed(_READ.get(offer.shape, str.strip), many=offer.shape in _OF_LINES, **common)


def _keep(field: forms.ChoiceField, was: Any) -> None:
    """Offer what was stored too, though these data do not have it: an editor must not lose it without a word."""
    stored = [(json.dumps(list(each)), CROSSED.join(each)) for each in was] if isinstance(was, list) else [(was, was)]  # fmt: skip
    offered = list(field.widget.choices)
    field.choices = [*offered, *(each for each in stored if each not in offered)]


def _crossings(sensitive: Sequence[str]) -> list[tuple[str, str]]:
    """All of them of a few columns; of many the pairs and all at once, so that the list can be read."""
    few = len(sensitive) <= _ALL_SUBSETS
    sizes = range(2, len(sensitive) + 1) if few else sorted({2, len(sensitive)})
    found = [each for size in sizes for each in itertools.combinations(sensitive, size)]
    return [(json.dumps(each), CROSSED.join(each)) for each in found]


class _Crossings(forms.TypedMultipleChoiceField):
    """Ticks, each a list of columns."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["widget"] = forms.CheckboxSelectMultiple
        super().__init__(coerce=json.loads, empty_value=[], **kwargs)


class _Typed(forms.CharField):
    """A text that is read as something; what cannot be read is said beside the field."""

    def __init__(self, read: Callable[[str], Any], *, many: bool, **kwargs: Any) -> None:
        if many:
            kwargs["widget"] = forms.Textarea(attrs={"rows": 3})
        super().__init__(max_length=_LONGEST, **kwargs)
        self.read = read

    def clean(self, value: Any) -> Any:
        return self.read(super().clean(value))


def _names(text: str) -> list[str]:
    return [part.strip() for part in text.replace("\n", ",").split(",") if part.strip()]


def _lists(text: str) -> list[list[str]]:
    lines = [line.split(CROSSED.strip()) for line in text.splitlines() if line.strip()]
    return [[part.strip() for part in line if part.strip()] for line in lines]


def _pairs(text: str, mark: str, example: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, between, value = line.rpartition(mark)
        if not between or not name.strip():
            raise ValidationError(f"{line[:80]!r} cannot be read; write a line such as {example}.")
        if name.strip() in found:
            raise ValidationError(f"{name.strip()!r} stands there twice.")
        found[name.strip()] = value.strip()
    return found


def _groups(text: str) -> dict[str, str]:
    return _pairs(text, "=", "sex = female")


def _ranges(text: str) -> dict[str, dict[str, str]]:
    return {name: _range(name, value) for name, value in _pairs(text, ":", "age: 18 to 99").items()}


def _range(name: str, value: str) -> dict[str, str]:
    low, between, high = f" {value} ".partition(" to ")
    if not between:
        raise ValidationError(f"{name[:80]!r}: write both ends with to between, such as 18 to 99.")
    ends = {"min": low.strip(), "max": high.strip()}
    return {end: text for end, text in ends.items() if text}


def _json(text: str) -> Any:
    try:
        return json.loads(text) if text.strip() else None
    except ValueError as error:
        raise ValidationError(f"This is no JSON: {error}.") from error


_OF_LINES: Final = frozenset({"crossings", "groups", "ranges", "data"})
_READ: Final[Mapping[str, Callable[[str], Any]]] = {
    "names": _names,
    "crossings": _lists,
    "groups": _groups,
    "ranges": _ranges,
    "data": _json,
}


def _lines(crossings: Sequence[Sequence[str]]) -> str:
    return "\n".join(CROSSED.join(each) for each in crossings)


def _shown(offer: Offer, value: Any, *, ticks: bool) -> Any:
    """A value as it is typed, or ticked."""
    match offer.shape:
        case "names":
            return ", ".join(value)
        case "crossings":
            return [json.dumps(list(each)) for each in value] if ticks else _lines(value)
        case "groups":
            return "\n".join(f"{name} = {group}" for name, group in value.items())
        case "ranges":
            return "\n".join(f"{name}: {_ends(each)}" for name, each in value.items())
        case "data":
            return json.dumps(value) if value is not None else ""
    return value


def _ends(each: Any) -> str:
    low, high = each.get("min", ""), each.get("max", "")
    return f"{low} to {high}".strip()


class DefinitionForm(ParamsForm):
    """What a model has measured regularly: a name, what starts it, and the parameters of its kind (none: what the policy demands)."""

    name = forms.CharField(label="Name", max_length=100, help_text="As people will read it.")
    on_data = forms.BooleanField(
        label="When data are attached to a version",
        required=False,
        help_text="As soon as they suffice for the check.",
    )
    on_registration = forms.BooleanField(
        label="When a version is registered",
        required=False,
        help_text="Checks of files; others wait for their data.",
    )
    every_days = forms.IntegerField(
        label="Every so many days",
        required=False,
        min_value=1,
        max_value=366,
        help_text="For the versions in a governed target. Empty: no schedule.",
    )
    base = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)

    def draft(self, *, retired: bool = False) -> Draft:
        """What was filled in, as the service takes it."""
        given = self.cleaned_data
        return Draft(
            name=given["name"],
            kind=self.kind.key if self.kind else DEMANDED,
            params=self.params(),
            on_registration=given["on_registration"],
            on_data=given["on_data"],
            every_days=given["every_days"],
            retired=retired,
        )
