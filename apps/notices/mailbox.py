"""A Django e-mail backend for sites without a mail server: mails are kept in the database, for a page to show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend

from apps.notices.models import KeptMail

KEPT: Final = 1000


class Backend(BaseEmailBackend):
    """Keeps the newest thousand. Every message is built as it would be sent, so a bad header is refused here too."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """The number kept: one per recipient."""
        return sum(self._keep(message) for message in email_messages)

    def _keep(self, message: EmailMessage) -> int:
        built = message.message()
        headers = {name: str(value) for name, value in built.items()}
        rows = [
            KeptMail(
                message_id=headers.get("Message-ID", "")[:200],
                recipient=recipient,
                subject=headers.get("Subject", "")[:998],
                headers=headers,
                text=str(message.body),
                html=_html(message),
            )
            for recipient in message.recipients()
        ]
        KeptMail.objects.bulk_create(rows)
        oldest = KeptMail.objects.order_by("-pk").values_list("pk", flat=True)[KEPT : KEPT + 1]
        if oldest:
            KeptMail.objects.filter(pk__lte=oldest[0]).delete()
        return len(rows)


def _html(message: EmailMessage) -> str:
    if not isinstance(message, EmailMultiAlternatives):
        return ""
    parts = (str(content) for content, kind in message.alternatives if kind == "text/html")
    return next(parts, "")
