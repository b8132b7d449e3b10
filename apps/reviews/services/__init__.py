"""The verbs of reviews: submit, make a round, decide, withdraw, promote what is signed, void."""

from apps.reviews.services.deciding import decide, promote_signed
from apps.reviews.services.rounds import new_round, void_if_lost, void_live_round
from apps.reviews.services.submitting import note_promotion, submit, withdraw

__all__ = [
    "decide",
    "new_round",
    "note_promotion",
    "promote_signed",
    "submit",
    "void_if_lost",
    "void_live_round",
    "withdraw",
]
