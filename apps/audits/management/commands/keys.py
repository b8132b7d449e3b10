"""`manage.py keys`: make, list, rotate and retire the keys that sign for this site."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from apps.audits import keys
from apps.audits.checkpoint_selectors import log_key, witness_key
from apps.core import signing
from apps.core.actor import Actor
from apps.core.errors import DomainError

if TYPE_CHECKING:
    from argparse import ArgumentParser

PURPOSES = [signing.LEDGER, signing.DOCUMENTS]


class Command(BaseCommand):
    help = (
        "create: make the keys that are missing. list: every key that ever signed here. rotate: replace one, the old one"
        " endorses it. retire: one signs nothing more. Private keys are never printed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        make = acts.add_parser("create")
        make.add_argument(
            "--replace",
            choices=PURPOSES,
            help="a lost key: make another in its place, not endorsed",
        )
        acts.add_parser("list")
        rotate = acts.add_parser("rotate")
        rotate.add_argument("purpose", choices=PURPOSES)
        retire = acts.add_parser("retire")
        retire.add_argument("key_id")
        retire.add_argument("--compromised-since", type=dt.datetime.fromisoformat, metavar="TIME")
        for parsed in (rotate, retire):
            parsed.add_argument("--reason", required=True)

    def handle(self, **options: Any) -> None:
        try:
            getattr(self, f"_{options['act']}")(options)
        except DomainError as error:
            raise CommandError(str(error)) from error

    def _create(self, options: dict[str, Any]) -> None:
        wanted = [options["replace"]] if options["replace"] else PURPOSES
        for purpose in wanted:
            try:
                path = signing.create(purpose, replace=bool(options["replace"]))
                self.stdout.write(
                    f"{purpose}: made {path}. Keep a copy where only you can read it."
                )
            except DomainError as error:
                if options["replace"]:
                    raise
                self.stdout.write(f"{purpose}: {error}")

    def _list(self, _options: dict[str, Any]) -> None:
        for key in keys.known():
            state = (
                f"retired {key.retired_at:%Y-%m-%d}: {key.retired_because}"
                if key.retired_at
                else "in use"
            )
            self.stdout.write(f"{key.key_id}  {key.purpose:9}  {key.added_at:%Y-%m-%d}  {state}")
            if key.purpose == signing.LEDGER:
                self.stdout.write(f"    checkpoints:   {log_key(key.public)}")
                self.stdout.write(f"    cosignatures:  {witness_key(key.public)}")

    def _rotate(self, options: dict[str, Any]) -> None:
        new = keys.rotate(Actor.system("command"), options["purpose"], reason=options["reason"])
        self.stdout.write(f"{options['purpose']}: {new} signs from now on.")

    def _retire(self, options: dict[str, Any]) -> None:
        since = options["compromised_since"]
        if since is not None and since.tzinfo is None:
            since = since.replace(tzinfo=dt.UTC)
        keys.retire(
            Actor.system("command"),
            options["key_id"],
            reason=options["reason"],
            compromised_since=since,
        )
        self.stdout.write(f"{options['key_id']} signs nothing more.")
