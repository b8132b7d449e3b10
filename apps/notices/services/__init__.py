"""The verbs of notices."""

from apps.notices.services.making import make_for
from apps.notices.services.reading import mark_all_read, mark_read

__all__ = ["make_for", "mark_all_read", "mark_read"]
