"""`manage.py setup_token`: print the token with which the first administrator is made at /setup/."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.accounts import services
from apps.core.errors import Conflict


class Command(BaseCommand):
    help = "Print a new set-up token (valid for a day, once). Earlier ones stop working."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            token = services.new_setup_token()
        except Conflict as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"Set-up token: {token}")
        self.stdout.write(f"Make the first administrator at {settings.BASE_URL}/setup/")
