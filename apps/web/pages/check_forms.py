"""The pages on which somebody chooses what a check does: which kind, which parameters, and a look at the first rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.safestring import SafeString

from apps.checks import choices, kinds
from apps.checks import selectors as checks
from apps.checks.kinds.base import Kind
from apps.checks.models import Measurement
from apps.checks.services.previewing import Part, Preview
from apps.core.actor import Actor
from apps.core.errors import Invalid
from apps.modelcards import collect
from apps.modelcards.renderers.html import computed_html
from apps.registry.models import ModelVersion
from apps.web import addresses, words
from apps.web.forms.checks import ParamsForm
from apps.web.pages.version_frame import VersionFrame, frame
from apps.web.parts import Action, Notice


@dataclass(frozen=True, slots=True)
class Offered:
    """One kind of check, and why it cannot be run (or "")."""

    title: str
    sentence: str
    acts: Sequence[Action]


@dataclass(frozen=True, slots=True)
class ChoosePage:
    """Every kind of check that is known here."""

    frame: VersionFrame
    kinds: Sequence[Offered]


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands beside the form: a result of the first rows, or why there is none; nothing before anybody asked."""

    notice: Notice | None
    form: ParamsForm | None = None
    body: SafeString | None = None


@dataclass(frozen=True, slots=True)
class FormPage:
    """The form of one kind."""

    frame: VersionFrame
    title: str
    url: str
    cancel_url: str
    nothing_to_choose: bool
    previewed: bool


def choose(actor: Actor, version: ModelVersion) -> ChoosePage:
    """Which checks could be run with settings of one's own."""
    top = frame(actor, version, "checks/")
    whys = checks.why_not(version)
    return ChoosePage(top, [_offered(version, kind, whys[kind.key]) for kind in kinds.registered().values()])  # fmt: skip


def _offered(version: ModelVersion, kind: Kind, why: str) -> Offered:
    act = Action("Choose settings", url(version, kind.key))
    names = [each.title.lower() for each in choices.offers(kind.params, kind.choices)]
    told = f"To choose: {', '.join(names)}." if names else "Nothing to choose."
    return Offered(kind.title, why or told, [] if why else [act])


def url(version: ModelVersion, kind: str) -> str:
    """The form of one kind for this version."""
    return reverse("web:check-form", args=[version.model.name, version.number, kind])


def form(actor: Actor, version: ModelVersion, kind: Kind) -> FormPage:
    """The frame of the form."""
    return FormPage(
        frame=frame(actor, version, "checks/"),
        title=kind.title,
        url=url(version, kind.key),
        cancel_url=addresses.version(version.model.name, version.number, "checks/"),
        nothing_to_choose=not choices.offers(kind.params, kind.choices),
        previewed=not kind.no_preview,
    )


def not_asked(kind: Kind | None) -> Shown:
    """Before anybody asked for a preview; and of what the policy demands there is none."""
    if kind is None:
        return Shown(Notice("Each check is measured with its defaults; try one by itself.", "info"))
    text = kind.no_preview or "Press Preview to see what the first rows of the data give."
    return Shown(Notice(text, "info"))


def shown(kind: str, seen: Preview) -> Shown:
    """A preview, marked as what it is before anything else."""
    if seen.result is None:
        return Shown(Notice(seen.why_not, "warn", "No preview"))
    counted = "; ".join(_rows(part, alone=len(seen.parts) == 1) for part in seen.parts)
    notice = Notice(
        "The first rows may differ from the rest, above all where a file is sorted.",
        "warn",
        f"Preview on {counted}; not evidence, not stored",
        list(seen.less),
    )
    return Shown(notice, body=computed_html(collect.unstored(kind, seen.result)))


def _rows(part: Part, *, alone: bool) -> str:
    counted = f"{words.thousands(part.rows)} of {words.plural(part.of, 'row')}"
    return counted if alone else f"{counted} ({part.part})"


def refused(form: ParamsForm, error: Invalid | None = None) -> Shown:
    """What has to be mended first, with links to the fields."""
    if error is not None:
        form.refuse(error)
    return Shown(Notice("Mend the settings first.", "warn", "No preview"), form=form)


def asked(row: Measurement, *, known: bool) -> str:
    """What happens next."""
    if not known:
        return f"Asked for {kinds.title(row.kind).lower()} with these settings."
    return (
        "This was asked for before, with these very settings and data: nothing is measured twice."
    )
