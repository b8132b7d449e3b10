"""Where a policy is written: in a form or as YAML, two views of one draft, and the preview before it is proposed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.forms import BoundField
from django.urls import reverse

from apps.core.actor import Actor
from apps.reviews import in_force
from apps.reviews.models import PolicyVersion
from apps.reviews.policies import conditions, files
from apps.reviews.policies.document import PolicyDocument, parse
from apps.reviews.reads import policies as policy_list
from apps.reviews.reads import proposals
from apps.web.pages import policy_words
from apps.web.pages.policy_document import Words, in_words
from apps.web.pages.policy_reach import Reached, reached
from apps.web.pages.policy_redline import redline
from apps.web.parts import Chip, Crumb, Notice, PageHeader, Table
from apps.web.policy_form.form import PolicyForm
from apps.web.policy_form.kinds import Entry, Rows, Section
from apps.web.policy_form.layout import SECTIONS


@dataclass(frozen=True, slots=True)
class Control:
    """A field and how wide it is drawn; `focus`: it gets the focus when the page comes."""

    bound: BoundField
    width: str


@dataclass(frozen=True, slots=True)
class Group:
    """Controls side by side, under a legend of their own or none."""

    legend: str
    controls: Sequence[Control]


@dataclass(frozen=True, slots=True)
class ListRow:
    """One row of a list: its number in names, its place for people, its controls."""

    number: str
    place: int
    controls: Sequence[Control]
    first: bool


@dataclass(frozen=True, slots=True)
class ListPart:
    """A list of rows, each with its buttons, and one that adds another."""

    path: str
    title: str
    one: str
    help: str
    ordered: bool
    bound: BoundField
    rows: Sequence[ListRow]
    focus_add: bool


@dataclass(frozen=True, slots=True)
class SectionPart:
    """`names` are those that a condition may use, in the section that has conditions."""

    id: str
    title: str
    lead: str
    parts: Sequence[Group | ListPart]
    wrong: int
    names: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Start:
    """What a draft can begin with."""

    label: str
    options: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class FormPage:
    """The form of a draft."""

    header: PageHeader
    form: PolicyForm
    sections: Sequence[SectionPart]
    source: Notice | None
    cancel_url: str
    notice: Notice | None = None
    starts: Sequence[Start] = ()


@dataclass(frozen=True, slots=True)
class YamlPage:
    """The same draft as YAML."""

    header: PageHeader
    cancel_url: str
    notice: Notice | None = None
    starts: Sequence[Start] = ()


@dataclass(frozen=True, slots=True)
class PreviewPage:
    """What proposing the draft would say."""

    header: PageHeader
    verdict: Notice
    in_the_way: Notice | None
    redline: Table | None
    reach: Reached
    words: Words
    cancel_url: str
    may: bool


def form_page(form: PolicyForm, *, focus: str = "", notice: Notice | None = None) -> FormPage:
    """The form, with the focus on the first control of row `focus` ("steps.2") or on the button that adds one ("steps")."""
    return FormPage(
        header=_header("Propose a policy", _LEAD),
        form=form,
        sections=[_section(form, section, focus) for section in SECTIONS],
        source=_source(form),
        cancel_url=reverse("web:policies"),
        notice=notice,
        starts=starts(),
    )


_LEAD = "Nothing is proposed before you have seen what it changes, what it loosens and how many must sign."


def yaml_page(notice: Notice | None = None) -> YamlPage:
    """Around the text."""
    return YamlPage(_header("Propose a policy", _LEAD), reverse("web:policies"), notice, starts())


def _header(title: str, lead: str) -> PageHeader:
    return PageHeader(title, lead=lead, crumbs=[policy_words.CRUMB, Crumb("Propose")])


def _section(form: PolicyForm, section: Section, focus: str) -> SectionPart:
    parts = list(_parts(form, section, focus))
    named = [name for name in form.errors if _is_of(section, name)]
    has_conditions = any(part.path == "gates.conditions" for part in section.parts)
    names = [(name, text.replace("`", "")) for name, text in conditions.VARIABLES.items()]
    return SectionPart(
        section.id, section.title, section.lead, parts, len(named), names if has_conditions else ()
    )


def _is_of(section: Section, name: str) -> bool:
    paths = [part.path for part in section.parts]
    bare = name.removeprefix("rows.")
    return bare in paths or any(name.startswith(f"{path}.") for path in paths)


def _parts(form: PolicyForm, section: Section, focus: str) -> Iterator[Group | ListPart]:
    """Neighbouring controls as groups; a legend or a list begins another."""
    legend, controls = "", list[Control]()
    for part in section.parts:
        if isinstance(part, Rows) or part.path in section.legends:
            if controls:
                yield Group(legend, controls)
            legend, controls = section.legends.get(part.path, ""), []
        if isinstance(part, Rows):
            yield _list(form, part, focus)
        else:
            controls.append(_control(form, part.path, part))
    if controls:
        yield Group(legend, controls)


def _control(form: PolicyForm, name: str, entry: Entry) -> Control:
    return Control(form[name], entry.width)


def _list(form: PolicyForm, rows: Rows, focus: str) -> ListPart:
    numbers = form.draft.rows(rows.path)
    for number in numbers:
        if focus == f"{rows.path}.{number}":
            first = f"{focus}.{rows.entries[0].path}"
            form.fields[first].widget.attrs["autofocus"] = True
    made = [
        ListRow(
            number,
            place,
            [
                _control(form, name, entry)
                for entry in rows.entries
                if not _empty(form, name := f"{rows.path}.{number}.{entry.path}")
            ],
            place == 1,
        )
        for place, number in enumerate(numbers, 1)
    ]
    return ListPart(
        rows.path, rows.title, rows.one, rows.help, rows.ordered, form[f"rows.{rows.path}"], made,
        focus == rows.path,
    )  # fmt: skip


def _empty(form: PolicyForm, name: str) -> bool:
    """The first step has no step before it to choose."""
    return name.endswith(".after") and not form.fields[name].choices  # type: ignore[attr-defined]  # of a choice field


def _source(form: PolicyForm) -> Notice | None:
    """Where a ready-made policy comes from is shown, not edited."""
    citation = form.draft.given.get("source.citation")
    if not citation:
        return None
    given = {name: form.draft.given.get(f"source.{name}", "") for name in ("jurisdiction", "pack", "pack_version")}  # fmt: skip
    return Notice(
        f"{given['jurisdiction']}: {citation}. Pack {given['pack']}, version {given['pack_version']}.",
        title="It follows",
    )


def preview_page(actor: Actor, document: PolicyDocument) -> PreviewPage:
    """Every difference, what it loosens and how many sign, whom it reaches, what stands in the way, the document in words."""
    told = proposals.preview(actor, document)
    numbered = told.document
    title = f"{numbered.title}, version {numbered.number}"
    lead = f"It would replace {told.replaces}." if told.replaces else "It would be a new policy."
    barred = told.in_the_way
    return PreviewPage(
        header=PageHeader(
            title,
            chips=[Chip("Not proposed yet", "neutral", "edit")],
            lead=lead,
            crumbs=[policy_words.CRUMB, Crumb("Propose")],
        ),
        verdict=policy_words.verdict(told.loosens, told.needed, new=told.replaces is None),
        in_the_way=Notice("", "bad", "It cannot be proposed like this", barred) if barred else None,
        redline=redline(told.redline) if told.replaces else None,
        reach=reached(told.reach),
        words=in_words(numbered),
        cancel_url=reverse("web:policies"),
        may=not barred,
    )


def starts() -> list[Start]:
    """Blank, in force, ready-made."""
    active = [(f"policy:{row.key}", f"{row.title} ({row})") for row in in_force.active()]
    ready = [
        (f"pack:{each.key}", f"{each.title} ({each.source.jurisdiction})")
        for each in files.packs()
        if each.source
    ]
    found = [
        Start("Begin anew", [("blank", "A blank policy with usual settings")]),
        Start("In force", active),
        Start("Ready-made", ready),
    ]
    return [each for each in found if each.options]


def begun(start: str, number: int | None = None) -> PolicyDocument:
    """The document that a draft begins with: `policy:<key>`, `pack:<key>`, else a blank one."""
    kind, _, key = start.partition(":")
    row: PolicyVersion | None = None
    if kind == "policy" and number is not None:
        row = policy_list.get_version(key, number)
    elif kind == "policy":
        row = in_force.of_key(key) or policy_list.versions(key).first()
    if row is not None:
        return parse(row.document)
    ready = [each for each in files.packs() if each.key == key] if kind == "pack" else []
    return ready[0] if ready else files.load(_BLANK, number=1)


_BLANK = """\
key: my-policy
title: My policy
applies_to:
  tiers: [1, 2]
governs:
  stages: [production]
  aliases: [champion]
gates:
  checks:
    performance:
      balanced_accuracy: {min: "0.65"}
  card_complete: true
steps:
  - {key: validation, title: Validation, role: validator, count: 1}
  - {key: approval, title: Approval, role: approver, count: 1, after: [validation]}
approval_days: 180
promote: on_last_signature
"""
