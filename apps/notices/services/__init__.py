"""The verbs of notices."""

from apps.notices.services.delivering import deliver, fan_out
from apps.notices.services.endpoints import (
    change_endpoint,
    create_endpoint,
    replay,
    rotate_secret,
    switch_off,
    switch_on,
)
from apps.notices.services.mailing import choose_mails, message_id, one_line, send_mail
from apps.notices.services.making import make_for
from apps.notices.services.reading import mark_all_read, mark_read

__all__ = [
    "change_endpoint",
    "choose_mails",
    "create_endpoint",
    "deliver",
    "fan_out",
    "make_for",
    "mark_all_read",
    "mark_read",
    "message_id",
    "one_line",
    "replay",
    "rotate_secret",
    "send_mail",
    "switch_off",
    "switch_on",
]
