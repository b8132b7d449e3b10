"""The form that proposes a policy."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from apps.reviews import in_force, policy_list
from apps.reviews.policies import files
from apps.reviews.policies.document import parse
from apps.web.pages import policy_words
from apps.web.parts import Crumb, PageHeader


@dataclass(frozen=True, slots=True)
class ProposePage:
    header: PageHeader
    text: str
    cancel_url: str


def page(key: str, pack: str) -> ProposePage:
    """The form, filled from a policy that is there or comes ready-made."""
    row = (in_force.of_key(key) or policy_list.versions(key).first()) if key else None
    ready = next((d for d in files.packs() if d.key == pack), None) if pack else None
    document = parse(row.document) if row else ready
    title = f"Propose a change of {document.title}" if document else "Propose a policy"
    return ProposePage(
        header=PageHeader(
            title,
            lead="What you propose is compared with what is in force; you see every difference before anybody signs.",
            crumbs=[policy_words.CRUMB, Crumb("Propose")],
        ),
        text=files.dump(document) if document else _BLANK,
        cancel_url=reverse("web:policies"),
    )


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
