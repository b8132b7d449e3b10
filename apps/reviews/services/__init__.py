"""The verbs of reviews: submit, make a round, decide, withdraw, promote what is signed, void; findings; policies."""

from apps.reviews.services.deciding import decide, promote_signed
from apps.reviews.services.findings import (
    NewFinding,
    accept_risk,
    close_finding,
    raise_finding,
    reopen,
    respond,
    retest,
)
from apps.reviews.services.policies import (
    propose,
    propose_retirement,
    sign_change,
    withdraw_change,
)
from apps.reviews.services.rounds import new_round, void_if_lost, void_live_round
from apps.reviews.services.submitting import note_promotion, submit, withdraw

__all__ = [
    "NewFinding",
    "accept_risk",
    "close_finding",
    "decide",
    "new_round",
    "note_promotion",
    "promote_signed",
    "propose",
    "propose_retirement",
    "raise_finding",
    "reopen",
    "respond",
    "retest",
    "sign_change",
    "submit",
    "void_if_lost",
    "void_live_round",
    "withdraw",
    "withdraw_change",
]
