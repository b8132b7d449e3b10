from django.apps import AppConfig
from django.core import checks
from django.utils.module_loading import autodiscover_modules


class AuditsConfig(AppConfig):
    name = "apps.audits"
    label = "audits"

    def ready(self) -> None:
        """Every app's `events.py` is read at the start, so that the registry is whole and closed."""
        from apps.audits.checks import check_ledger

        autodiscover_modules("events")
        checks.register(check_ledger)
