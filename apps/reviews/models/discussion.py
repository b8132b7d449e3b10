"""Threads of comments on a review. Nothing here ever changes: an edit is one more revision, a thread is resolved
and re-opened by marks. Deliberately missing: a way to remove a comment."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from apps.registry.models import RegisteredModel
from apps.reviews.models.findings import Finding
from apps.reviews.models.reviews import Review

USER = settings.AUTH_USER_MODEL


class Section(models.TextChoices):
    """What a thread is about: the review as a whole, a part of its evidence, or a finding."""

    REVIEW = "review", "The review"
    CHANGES = "changes", "What changed"
    CHECKS = "checks", "Checks"
    CARD = "card", "Model card"
    DATA = "data", "Data"
    LINEAGE = "lineage", "Lineage"
    FILES = "files", "Files"
    FINDING = "finding", "A finding"


class Thread(models.Model):
    """A question with its answers."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="threads")
    section = models.CharField(max_length=16, choices=Section.choices)
    finding = models.ForeignKey(
        Finding, null=True, blank=True, on_delete=models.PROTECT, related_name="threads"
    )
    created_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(section__in=Section.values), name="reviews_section_known"
            ),
            models.CheckConstraint(
                condition=models.Q(section="finding", finding__isnull=False)
                | (~models.Q(section="finding") & models.Q(finding__isnull=True)),
                name="reviews_thread_about_its_finding",
            ),
        ]

    def __str__(self) -> str:
        return f"thread {self.pk} of REV-{self.review_id}"

    def policy_root(self) -> RegisteredModel:
        """Where rights to this object are granted (see apps.accounts.policy)."""
        return self.review.version.model


class Comment(models.Model):
    """One comment; its words are those of its last revision."""

    thread = models.ForeignKey(Thread, on_delete=models.PROTECT, related_name="comments")
    number = models.PositiveIntegerField()
    author = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["thread", "number"], name="reviews_comment_number_once"
            ),
        ]

    def __str__(self) -> str:
        return f"comment {self.pk} of thread {self.thread_id}"


class CommentRevision(models.Model):
    """The words of a comment, by their SHA-256 (of UTF-8), which is what the ledger holds."""

    comment = models.ForeignKey(Comment, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    text = models.TextField()
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["comment", "number"], name="reviews_comment_revision_once"
            ),
        ]

    def __str__(self) -> str:
        return f"comment {self.comment_id} revision {self.number}"


class ThreadMark(models.Model):
    """Somebody resolved the thread, or opened it again. The last one counts."""

    thread = models.ForeignKey(Thread, on_delete=models.PROTECT, related_name="marks")
    number = models.PositiveIntegerField()
    resolved = models.BooleanField()
    user = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["thread", "number"], name="reviews_thread_mark_once"),
        ]

    def __str__(self) -> str:
        return f"thread {self.thread_id} mark {self.number}"
