"""The verbs on model cards."""

from apps.modelcards.services.cards import save_card
from apps.modelcards.services.editing import Edited, Outcome, discard_draft, save_draft, save_edited
from apps.modelcards.services.templates import choose_template, define_template

__all__ = [
    "Edited",
    "Outcome",
    "choose_template",
    "define_template",
    "discard_draft",
    "save_card",
    "save_draft",
    "save_edited",
]
