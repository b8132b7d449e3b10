from django.apps import AppConfig
from django.core import checks


class ChecksConfig(AppConfig):
    name = "apps.checks"
    label = "checks"

    def ready(self) -> None:
        """The engine is looked for at the start."""
        from apps.checks import system_checks

        checks.register(system_checks.engine)
