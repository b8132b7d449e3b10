"""The ledger's tables. Only apps.audits imports this module (import-linter holds it to that).

Rows of `Event`, `Attempt` and `Verification` are written once; triggers made in the migrations
refuse every later change. All writing goes through `log` and `attempts`, in SQL.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.db import models


class Event(models.Model):
    """One leaf of the tree. `body` is the statement; the other columns repeat it for queries.

    Position `seq` is assigned under the head's lock, without gaps, from 1; the leaf's index in the
    tree is seq - 1. `root` is the tree's root at size seq. `nodes` are the hashes of the complete
    subtrees of height 1, 2, ... that this leaf closes, lowest first, so that a proof needs a few
    rows and not the whole tree.
    """

    seq = models.BigIntegerField(primary_key=True)
    type = models.TextField()
    schema = models.IntegerField()
    subject = models.TextField()
    scopes = ArrayField(models.TextField())
    actor_id = models.BigIntegerField(null=True)
    actor_kind = models.TextField()
    door = models.TextField()
    at = models.DateTimeField()
    request_id = models.TextField()
    body = models.BinaryField()
    payload = models.JSONField()
    leaf_hash = models.BinaryField()
    nodes = models.BinaryField()
    root = models.BinaryField()

    class Meta:
        db_table = "audits_event"
        indexes = [
            GinIndex(fields=["scopes"], name="audits_event_scopes"),
            models.Index(fields=["type", "seq"], name="audits_event_type"),
            models.Index(fields=["actor_id", "seq"], name="audits_event_actor"),
            BrinIndex(fields=["at"], name="audits_event_at"),
        ]

    def __str__(self) -> str:
        return f"event {self.seq} {self.type}"


class Head(models.Model):
    """The single row that says how long the ledger is; its lock is the queue of all writers."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    size = models.BigIntegerField()
    root = models.BinaryField()
    frontier = models.BinaryField()

    class Meta:
        db_table = "audits_head"
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="audits_head_single"),
        ]

    def __str__(self) -> str:
        return f"head at size {self.size}"


class Opening(models.Model):
    """What a commitment commits to. The only row here that may be removed: erasing it is erasing the
    personal data, and the ledger still verifies."""

    commitment = models.BinaryField(primary_key=True)
    salt = models.BinaryField()
    value = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "audits_opening"

    def __str__(self) -> str:
        return f"opening of {bytes(self.commitment).hex()[:12]}"


class Attempt(models.Model):
    """A refusal, a failure, a sign-in or a read of sensitive evidence.

    `repeats` = 0: the first of its kind in its window. `repeats` = n: n more of the same followed in
    that window, the last at `at`; such a row is written when the window is over.
    """

    at = models.DateTimeField()
    actor_id = models.BigIntegerField(null=True)
    actor_kind = models.TextField()
    door = models.TextField()
    act = models.TextField()
    subject = models.TextField()
    outcome = models.TextField()
    reason = models.TextField()
    origin = models.BinaryField(null=True)
    request_id = models.TextField()
    key = models.BinaryField()
    window = models.BigIntegerField()
    repeats = models.IntegerField(default=0)
    leaf_hash = models.BinaryField()

    class Meta:
        db_table = "audits_attempt"
        constraints = [
            models.UniqueConstraint(
                fields=["key", "window"],
                condition=models.Q(repeats=0),
                name="audits_attempt_first",
            ),
        ]
        indexes = [
            models.Index(fields=["actor_id", "id"], name="audits_attempt_actor"),
            models.Index(fields=["subject", "id"], name="audits_attempt_subject"),
            models.Index(
                fields=["key", "window"],
                condition=models.Q(repeats__gt=0),
                name="audits_attempt_repeats",
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.pk}: {self.act} {self.outcome}"


class AttemptTally(models.Model):
    """How often an attempt was repeated in a window that is still open. Working memory, not record:
    it becomes an `Attempt` row when the window is over."""

    pk = models.CompositePrimaryKey("key", "window")
    key = models.BinaryField()
    window = models.BigIntegerField()
    repeats = models.IntegerField()
    last_at = models.DateTimeField()

    class Meta:
        db_table = "audits_attempt_tally"

    def __str__(self) -> str:
        return f"{self.repeats} repeats"


class Verification(models.Model):
    """The result of one verification by this site of itself: a convenience for the pages, no proof."""

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    full = models.BooleanField()
    first_seq = models.BigIntegerField()
    size = models.BigIntegerField()
    root = models.BinaryField()
    frontier = models.BinaryField()
    ok = models.BooleanField()
    differences = models.JSONField()

    class Meta:
        db_table = "audits_verification"

    def __str__(self) -> str:
        return f"verification {self.pk} of {self.size} events"


class SigningKey(models.Model):
    """The public half of a key that signs for this site. Never changed or removed: what it signed must verify for ever.

    `key_id` is the SHA-256 of `public`: the 32 bytes of an Ed25519 key, or SubjectPublicKeyInfo in DER. `certificate` is
    PEM, empty for a key of the ledger.
    """

    class Purpose(models.TextChoices):
        LEDGER = "ledger", "Ledger"
        DOCUMENTS = "documents", "Documents"

    key_id = models.CharField(primary_key=True, max_length=64)
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    algorithm = models.CharField(max_length=20)
    name = models.CharField(max_length=200)
    public = models.BinaryField()
    certificate = models.TextField(default="", blank=True)
    added_at = models.DateTimeField()

    class Meta:
        db_table = "audits_signing_key"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(purpose__in=["ledger", "documents"]),
                name="audits_key_purpose_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} key {self.key_id[:16]}"


class KeyRetirement(models.Model):
    """A key that must sign nothing more; written once. `compromised_since` is set where somebody else may have had it."""

    key = models.OneToOneField(SigningKey, on_delete=models.PROTECT, related_name="retirement")
    at = models.DateTimeField()
    compromised_since = models.DateTimeField(null=True)
    reason = models.TextField()

    class Meta:
        db_table = "audits_key_retirement"

    def __str__(self) -> str:
        return f"retirement of {self.key_id}"


class Checkpoint(models.Model):
    """The site's signed statement that its ledger had this root at this size (C2SP tlog-checkpoint). Written once.

    A key says one thing about a size; the database also refuses a root that is not the ledger's.
    """

    size = models.BigIntegerField()
    root = models.BinaryField()
    key = models.ForeignKey(SigningKey, on_delete=models.PROTECT, related_name="checkpoints")
    note = models.BinaryField()
    made_at = models.DateTimeField()
    occasion = models.CharField(max_length=20)

    class Meta:
        db_table = "audits_checkpoint"
        constraints = [
            models.UniqueConstraint(fields=["size", "key"], name="audits_checkpoint_one_root"),
            models.CheckConstraint(
                condition=models.Q(size__gt=0), name="audits_checkpoint_of_something"
            ),
        ]
        indexes = [models.Index(fields=["made_at"], name="audits_checkpoint_made")]

    def __str__(self) -> str:
        return f"checkpoint at size {self.size}"


class Cosignature(models.Model):
    """A witness's signature on a checkpoint of ours, verified before it was stored. Written once."""

    checkpoint = models.ForeignKey(
        Checkpoint, on_delete=models.PROTECT, related_name="cosignatures"
    )
    witness = models.TextField()
    line = models.TextField()
    at = models.DateTimeField()

    class Meta:
        db_table = "audits_cosignature"
        constraints = [
            models.UniqueConstraint(
                fields=["checkpoint", "witness"], name="audits_cosignature_once"
            ),
        ]

    def __str__(self) -> str:
        return f"cosignature of {self.witness}"


class CheckpointDelivery(models.Model):
    """One checkpoint on its way to one place outside: a folder, an address, a bucket, a witness."""

    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, related_name="deliveries")
    target = models.TextField()
    tries = models.IntegerField(default=0)
    tried_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    said = models.TextField(default="")

    class Meta:
        db_table = "audits_checkpoint_delivery"
        constraints = [
            models.UniqueConstraint(
                fields=["checkpoint", "target"], name="audits_delivery_once_per_target"
            ),
        ]
        indexes = [models.Index(fields=["target", "-checkpoint"], name="audits_delivery_target")]

    def __str__(self) -> str:
        return f"{self.target}: checkpoint {self.checkpoint_id}"


class WitnessedLog(models.Model):
    """How far another log has been cosigned here; its lock is the queue of those who ask. It moves forward only."""

    origin = models.TextField(primary_key=True)
    size = models.BigIntegerField(default=0)
    root = models.BinaryField()

    class Meta:
        db_table = "audits_witnessed_log"

    def __str__(self) -> str:
        return f"{self.origin} at size {self.size}"


class WitnessedCheckpoint(models.Model):
    """A checkpoint of another log that was cosigned here. Written once: of one size there is one root."""

    origin = models.TextField()
    size = models.BigIntegerField()
    root = models.BinaryField()
    note = models.BinaryField()
    at = models.DateTimeField()

    class Meta:
        db_table = "audits_witnessed_checkpoint"
        constraints = [
            models.UniqueConstraint(fields=["origin", "size"], name="audits_witnessed_one_root"),
        ]

    def __str__(self) -> str:
        return f"{self.origin} at size {self.size}"
