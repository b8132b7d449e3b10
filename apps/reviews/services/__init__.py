"""The verbs of reviews: submit, make a round, decide, step aside, delegate, withdraw, promote what is signed, void,
remind, expire; conflicts of interest; findings, waivers, discussion; policies; the standing of models."""

from apps.reviews.services.completing import promote_signed
from apps.reviews.services.deciding import decide
from apps.reviews.services.delegating import Scope, delegate, end_delegation, end_orphaned
from apps.reviews.services.discussion import (
    Posted,
    edit_comment,
    reopen_thread,
    reply,
    resolve_thread,
    start_thread,
)
from apps.reviews.services.drafting import discard_draft
from apps.reviews.services.expiring import expire
from apps.reviews.services.findings import (
    NewFinding,
    accept_risk,
    close_finding,
    raise_finding,
    reopen,
    respond,
    retest,
)
from apps.reviews.services.independence import declare_conflict, recuse, withdraw_conflict
from apps.reviews.services.policies import propose, propose_retirement, withdraw_change
from apps.reviews.services.policy_signing import sign_change
from apps.reviews.services.reminding import remind
from apps.reviews.services.rereviewing import declare_rereview, require_rereview
from apps.reviews.services.rolling_back import question_unreviewed, review_rollback, roll_back
from apps.reviews.services.rounds import new_round, void_if_lost, void_live_round
from apps.reviews.services.scheduling import put_in_force
from apps.reviews.services.simulating import simulate, simulate_once
from apps.reviews.services.standing import (
    change_settings,
    lower_demand,
    sign_model_change,
    withdraw_model_change,
)
from apps.reviews.services.submitting import note_promotion, submit, withdraw
from apps.reviews.services.viewing import mark_viewed
from apps.reviews.services.waivers import grant_waiver, revoke_waiver

__all__ = [
    "NewFinding",
    "Posted",
    "Scope",
    "accept_risk",
    "change_settings",
    "close_finding",
    "decide",
    "declare_conflict",
    "declare_rereview",
    "delegate",
    "discard_draft",
    "edit_comment",
    "end_delegation",
    "end_orphaned",
    "expire",
    "grant_waiver",
    "lower_demand",
    "mark_viewed",
    "new_round",
    "note_promotion",
    "promote_signed",
    "propose",
    "propose_retirement",
    "put_in_force",
    "question_unreviewed",
    "raise_finding",
    "recuse",
    "remind",
    "reopen",
    "reopen_thread",
    "reply",
    "require_rereview",
    "resolve_thread",
    "respond",
    "retest",
    "review_rollback",
    "revoke_waiver",
    "roll_back",
    "sign_change",
    "sign_model_change",
    "simulate",
    "simulate_once",
    "start_thread",
    "submit",
    "void_if_lost",
    "void_live_round",
    "withdraw",
    "withdraw_change",
    "withdraw_conflict",
    "withdraw_model_change",
]
