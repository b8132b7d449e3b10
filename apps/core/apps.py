from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "apps.core"
    label = "core"

    def ready(self) -> None:
        """Hang the heartbeat into Celery's worker and register what must hold before the site starts."""
        from celery import current_app
        from django.core import checks

        from apps.core import system_checks
        from apps.core.heartbeats import WorkerHeartbeat

        current_app.steps["worker"].add(WorkerHeartbeat)
        checks.register(
            system_checks.wiring, deploy=True
        )  # imports everything: for `check --deploy`
        for check in system_checks.CHECKS:
            checks.register(check)
