"""The verbs of notices."""

from apps.notices.services.mailing import choose_mails, message_id, one_line, send_mail
from apps.notices.services.making import make_for
from apps.notices.services.reading import mark_all_read, mark_read

__all__ = [
    "choose_mails",
    "make_for",
    "mark_all_read",
    "mark_read",
    "message_id",
    "one_line",
    "send_mail",
]
