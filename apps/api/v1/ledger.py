"""What it takes to check the ledger from outside: checkpoints, proofs between them, proofs of events, keys.

Sizes, roots and hashes only. What an event says is not in its proof, so whoever is signed in may have it.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.v1.base import Door
from apps.api.v1.incoming import Strict
from apps.api.v1.schema import described
from apps.audits import checkpoint_selectors as checkpoints
from apps.audits import ledger_keys
from apps.core.errors import NotFound

MOST = 2**53 - 1


class Sizes(Strict):
    """From which size to which."""

    old = serializers.IntegerField(
        min_value=1, max_value=MOST, help_text="The size of the checkpoint you kept."
    )
    new = serializers.IntegerField(
        min_value=1, max_value=MOST, required=False, default=None, help_text="Left out: now."
    )


class AtSize(Strict):
    """Under which root."""

    size = serializers.IntegerField(
        min_value=1, max_value=MOST, required=False, default=None, help_text="Left out: now."
    )


class EndShape(serializers.Serializer[Any]):
    """A size of the ledger with its root."""

    size = serializers.IntegerField()
    root = serializers.CharField()  # type: ignore[assignment]  # the framework's own name


class ConsistencyShape(serializers.Serializer[Any]):
    """What `verify_ledger.py --proof` reads."""

    format = serializers.CharField()
    version = serializers.IntegerField()
    old = EndShape()
    new = EndShape()
    proof = serializers.ListField(child=serializers.CharField(), help_text="RFC 9162, 2.1.4.")


class InclusionShape(serializers.Serializer[Any]):
    """That a leaf stands at its place (RFC 9162, 2.1.3): event `seq` is the leaf `seq` - 1."""

    seq = serializers.IntegerField()
    leaf_hash = serializers.CharField()
    size = serializers.IntegerField()
    root = serializers.CharField()  # type: ignore[assignment]  # the framework's own name
    proof = serializers.ListField(child=serializers.CharField())


class LedgerKeyShape(serializers.Serializer[Any]):
    """A key that signs, or signed, for the ledger."""

    key_id = serializers.CharField(help_text="SHA-256 of the public key.")
    verifier = serializers.CharField(help_text="For `verify_ledger.py --key`: checkpoints.")
    witness_verifier = serializers.CharField(help_text="The same key where it cosigns for others.")
    public = serializers.CharField(help_text="The 32 bytes in hexadecimal.")
    added_at = serializers.DateTimeField()
    added_by_event = serializers.IntegerField(allow_null=True)
    endorsed_by = serializers.CharField(
        help_text="The key before it; empty: nobody vouches for it."
    )
    endorsement = serializers.CharField()
    retired_at = serializers.DateTimeField(allow_null=True)
    compromised_since = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()


class LedgerKeysShape(serializers.Serializer[Any]):
    """All of them, oldest first."""

    origin = serializers.CharField()
    keys = LedgerKeyShape(many=True)


def _note(view: checkpoints.CheckpointView) -> HttpResponse:
    return HttpResponse(view.note, content_type="text/plain; charset=utf-8")


class LatestCheckpoint(Door):
    """The newest signed checkpoint."""

    @described("Read the newest checkpoint", answer=OpenApiTypes.STR, media="text/plain")
    def get(self, request: Request) -> HttpResponse:
        """A signed note (C2SP tlog-checkpoint), cosignatures of witnesses below it. 404 before the first one."""
        self.nothing_asked()
        found = checkpoints.latest_checkpoint()
        if found is None:
            raise NotFound("No checkpoint has been signed yet.")
        return _note(found)


class CheckpointAt(Door):
    """An earlier one."""

    @described("Read the checkpoint at a size", answer=OpenApiTypes.STR, media="text/plain")
    def get(self, request: Request, size: int) -> HttpResponse:
        """404 where none was signed at that size."""
        self.nothing_asked()
        return _note(checkpoints.checkpoint_at(size))


class Consistency(Door):
    """That the ledger only grew."""

    @described(
        "Prove that the ledger grew from one size to another", asks=Sizes, answer=ConsistencyShape
    )
    def get(self, request: Request) -> Response:
        """404 for a size that the ledger never had."""
        asked = self.query(Sizes)
        return self.say(ConsistencyShape, checkpoints.consistency_proof(asked["old"], asked["new"]))


class Inclusion(Door):
    """That an event is in the ledger."""

    @described("Prove that an event stands in the ledger", asks=AtSize, answer=InclusionShape)
    def get(self, request: Request, seq: int) -> Response:
        """Hashes only; what the event says is on its page and in receipts."""
        asked = self.query(AtSize)
        return self.say(InclusionShape, checkpoints.inclusion_proof(seq, asked["size"]))


class LedgerKeys(Door):
    """The keys that checkpoints are verified with."""

    @described("Read the keys of the ledger", answer=LedgerKeysShape)
    def get(self, request: Request) -> Response:
        """Retired ones too. Compare them with what you were told another way: a page cannot vouch for itself."""
        self.nothing_asked()
        return self.say(LedgerKeysShape, ledger_keys.listed())
