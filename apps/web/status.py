"""Stored values as chips. One table, so that every page shows the same word, icon and tone for the same state.

A value that is not listed is shown as *unknown* with its own name: a new state never looks like a good one.
"""

from __future__ import annotations

from apps.web.parts import Chip

STATUSES: dict[str, dict[str, Chip]] = {
    "verdict": {
        "PASS": Chip("Passed", "good"),
        "WAIVED": Chip("Waived", "warn", "flag"),
        "FAIL": Chip("Failed", "bad"),
        "ERROR": Chip("Error", "bad", "stop"),
        "INSUFFICIENT": Chip("Too little data", "warn"),
        "INCONCLUSIVE": Chip("Inconclusive", "warn", "half"),
        "NOT_RUN": Chip("Not run", "unknown"),
    },
    "measurement": {
        "queued": Chip("Queued", "info", "clock"),
        "running": Chip("Running", "info", "running"),
        "done": Chip("Measured", "good"),
        "error": Chip("Error", "bad", "stop"),
        "recalled": Chip("Recalled", "warn", "undo"),
        "cancelled": Chip("Cancelled", "quiet", "undo"),
    },
    "recheck": {
        "waiting": Chip("Waiting", "info", "clock"),
        "equal": Chip("The same", "good"),
        "different": Chip("Different", "bad"),
        "failed": Chip("Not re-executed", "warn", "stop"),
    },
    "reported": {
        "passed": Chip("Passed", "good"),
        "warned": Chip("With warnings", "warn"),
        "failed": Chip("Failed", "bad"),
        "unjudged": Chip("No verdict in it", "unknown"),
        "empty": Chip("Nothing ran", "warn", "stop"),
    },
    "uploaded": {
        "stands": Chip("Stands", "info"),
        "replaced": Chip("Replaced since", "quiet"),
        "recalled": Chip("Recalled", "warn", "undo"),
    },
    "case": {
        "error": Chip("Error", "bad", "stop"),
        "failed": Chip("Failed", "bad"),
        "warned": Chip("Warned", "warn"),
        "skipped": Chip("Skipped", "quiet"),
    },
    "evidence": {
        "verified": Chip("Verified", "good"),
        "fails": Chip("FAILS", "bad", "stop"),
        "missing": Chip("Missing", "warn"),
        "waiting": Chip("Not under a checkpoint yet", "info", "clock"),
        "unread": Chip("In the log, bytes not read", "info", "half"),
        "none": Chip("Nothing to check", "unknown"),
        "unanswered": Chip("Not answered by the record", "unknown"),
    },
    "engagement": {
        "open": Chip("Open", "info"),
        "over": Chip("Over", "quiet"),
    },
    "conclusion": {
        "open": Chip("No conclusion yet", "unknown"),
        "exception": Chip("Exception", "bad", "flag"),
        "no exception": Chip("No exception", "good"),
    },
    "review": {
        "open": Chip("In review", "info"),
        "changes_requested": Chip("Changes requested", "warn", "edit"),
        "rejected": Chip("Rejected", "bad"),
        "withdrawn": Chip("Withdrawn", "quiet", "undo"),
        "promoted": Chip("Promoted", "good"),
        "signed": Chip("Signed, not promoted", "warn", "sign"),
        "expired": Chip("Expired", "warn", "clock"),
    },
    "policy": {
        "in_force": Chip("In force", "good"),
        "not_in_force": Chip("Not in force", "quiet"),
    },
    "policy_change": {
        "open": Chip("Waiting for signatures", "info"),
        "scheduled": Chip("Signed, not yet in force", "info", "clock"),
        "activated": Chip("In force", "good"),
        "rejected": Chip("Rejected", "bad"),
        "withdrawn": Chip("Withdrawn", "quiet", "undo"),
    },
    "model_change": {
        "open": Chip("Waiting for a signature", "info"),
        "applied": Chip("Applied", "good"),
        "rejected": Chip("Rejected", "bad"),
        "withdrawn": Chip("Withdrawn", "quiet", "undo"),
    },
    "round": {
        "live": Chip("Live", "info"),
        "void": Chip("Void", "bad", "stop"),
    },
    "decision": {
        "approve": Chip("Approved", "good", "sign"),
        "reject": Chip("Rejected", "bad"),
        "request_changes": Chip("Changes requested", "warn", "edit"),
        "waiting": Chip("Waiting", "unknown"),
    },
    "stage": {
        "None": Chip("No stage", "neutral"),
        "Staging": Chip("Staging", "info", "flag"),
        "Production": Chip("Production", "good", "flag"),
        "Archived": Chip("Archived", "quiet"),
    },
    "governance": {
        "governed": Chip("Governed", "neutral", "shield"),
        "sandbox": Chip("Sandbox, ungoverned", "warn", "warn"),
    },
    "run": {
        "RUNNING": Chip("Running", "info", "running"),
        "SCHEDULED": Chip("Scheduled", "info", "clock"),
        "FINISHED": Chip("Finished", "good"),
        "FAILED": Chip("Failed", "bad"),
        "KILLED": Chip("Killed", "warn", "stop"),
    },
    "lifecycle": {
        "active": Chip("Active", "neutral"),
        "deleted": Chip("Deleted", "quiet", "bin"),
        "sealed": Chip("Sealed", "info", "lock"),
    },
    "document": {
        "queued": Chip("Queued", "info", "clock"),
        "rendering": Chip("Being made", "info", "running"),
        "ready": Chip("Ready", "good"),
        "error": Chip("Error", "bad", "stop"),
    },
    "batch_item": {
        "waiting": Chip("Waiting", "neutral", "clock"),
        "working": Chip("Being made", "info", "running"),
        "ready": Chip("Ready", "good"),
        "error": Chip("Error", "bad", "stop"),
        "cancelled": Chip("Cancelled", "quiet", "stop"),
    },
    "webhook": {
        "on": Chip("On", "good"),
        "failing": Chip("Failing", "warn", "warn"),
        "off": Chip("Off", "quiet", "stop"),
    },
    "delivery": {
        "queued": Chip("Queued", "info", "clock"),
        "delivered": Chip("Delivered", "good"),
        "failed": Chip("Given up", "bad", "stop"),
        "held": Chip("Held", "warn", "lock"),
    },
    "mail": {
        "queued": Chip("Queued", "info", "clock"),
        "sent": Chip("Sent", "good"),
        "failed": Chip("Could not be sent", "bad", "stop"),
        "skipped": Chip("Not wanted any more", "quiet"),
    },
    "gate": {
        "pass": Chip("Met", "good"),
        "fail": Chip("Not met", "bad"),
        "missing": Chip("Missing", "warn", "edit"),
    },
    "severity": {
        "critical": Chip("Critical", "bad", "stop"),
        "high": Chip("High", "bad", "warn"),
        "medium": Chip("Medium", "warn"),
        "low": Chip("Low", "neutral"),
    },
    "finding": {
        "open": Chip("Open", "warn", "flag"),
        "responded": Chip("Answered", "info", "half"),
        "retest_passed": Chip("Re-test passed", "info", "check"),
        "retest_failed": Chip("Re-test failed", "bad"),
        "closed": Chip("Closed", "good"),
        "accepted": Chip("Residual risk accepted", "warn", "sign"),
        "raised": Chip("Raised", "warn", "flag"),
        "reopened": Chip("Re-opened", "warn", "undo"),
    },
    "waiver": {
        "in_force": Chip("In force", "warn", "flag"),
        "expired": Chip("Expired", "quiet", "clock"),
        "revoked": Chip("Revoked", "quiet", "undo"),
    },
    "person": {
        "active": Chip("Active", "good"),
        "inactive": Chip("Deactivated", "quiet", "lock"),
        "human": Chip("Person", "neutral", "user"),
        "service": Chip("Service", "neutral", "machine"),
    },
    "token": {
        "active": Chip("Active", "good"),
        "expired": Chip("Expired", "warn", "clock"),
    },
    "process": {
        "alive": Chip("Running", "good"),
        "late": Chip("Late", "warn", "clock"),
        "gone": Chip("Not running", "bad", "stop"),
    },
    "record": {
        "whole": Chip("Record whole", "good", "shield"),
        "broken": Chip("Record broken", "bad", "stop"),
        "unchecked": Chip("Not yet verified", "unknown"),
    },
    "key": {
        "in use": Chip("In use", "good", "check"),
        "retired": Chip("Retired", "quiet"),
        "compromised": Chip("Compromised", "bad", "stop"),
    },
    "kept": {
        "there": Chip("There", "good", "check"),
        "behind": Chip("On its way", "info"),
        "failing": Chip("Failing", "bad", "stop"),
    },
    "attempt": {
        "refused": Chip("Refused", "warn", "stop"),
        "failed": Chip("Failed", "bad"),
        "done": Chip("Done", "neutral", "check"),
    },
}


def chip(kind: str, value: object) -> Chip:
    """The chip of a stored value, for example `chip("verdict", "PASS")`; enums may be passed as they are."""
    key = str(getattr(value, "value", value))
    known = STATUSES[kind].get(key)
    return known or Chip(key.replace("_", " ").capitalize() or "Unknown", "unknown")
