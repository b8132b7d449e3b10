"""The state of the ledger as every page about it says it, plainly."""

from __future__ import annotations

from dataclasses import dataclass

from apps.accounts import policy
from apps.audits import selectors as audits
from apps.audits.selectors import Verification
from apps.core.actor import Actor
from apps.web import status, words
from apps.web.parts import Chip, Notice


@dataclass(frozen=True, slots=True)
class Record:
    """What the site found when it last verified itself."""

    chip: Chip
    sentence: str
    root: str
    size: int
    broken: Notice | None

    @property
    def kept(self) -> str:
        """The verifier's command with the root of this moment."""
        return f"python3 verify_ledger.py --export countersign-ledger.jsonl --root {self.size}:{self.root}"


def record(actor: Actor) -> Record:
    """The head of the ledger, and whether it was found whole. A broken record is said to everyone."""
    head = audits.head()
    found = audits.last_verification()
    if found is None:
        sentence = f"{words.plural(head.size, 'event')}; this site has not verified them yet."
        return Record(status.chip("record", "unchecked"), sentence, head.root, head.size, None)
    if found.ok:
        newer = head.size - found.size
        since = f"; {words.thousands(newer)} since" if newer > 0 else ""
        sentence = f"Whole to EVT-{found.size}, checked {words.ago(found.finished_at)}{since}."
        return Record(status.chip("record", "whole"), sentence, head.root, head.size, None)
    sentence = f"The record does not verify, checked {words.ago(found.finished_at)}."
    return Record(
        status.chip("record", "broken"), sentence, head.root, head.size, _broken(actor, found)
    )


def _broken(actor: Actor, found: Verification) -> Notice:
    """What does not agree: everybody is told that, and those who read the trail are told what."""
    text = "What this site shows may not be what was decided. Do not rely on it before an administrator has looked."
    reasons = []
    if policy.can(actor, "audit.read"):
        reasons = [f"{subject}: {message}" for subject, message in found.differences[:20]]
        if len(found.differences) > len(reasons):
            reasons.append(f"and {len(found.differences) - len(reasons)} more")
    return Notice(text, "bad", "The record is damaged", reasons)
