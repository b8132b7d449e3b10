"""What a policy document may name before anything acts on it: said wherever the policy is read or signed.

A part leaves this list in the change that builds it.
"""

from __future__ import annotations

from apps.reviews.policies.document import PolicyDocument


def idle_parts(document: PolicyDocument) -> list[str]:
    """The parts that this document names and that are not acted on yet, in words."""
    named: dict[str, object] = {}
    return [words for words, value in named.items() if value]
