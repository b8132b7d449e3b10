"""The verbs on model cards."""

from apps.modelcards.services.cards import save_card
from apps.modelcards.services.templates import choose_template, define_template

__all__ = ["choose_template", "define_template", "save_card"]
