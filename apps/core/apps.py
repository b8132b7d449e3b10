from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "apps.core"
    label = "core"

    def ready(self) -> None:
        """Hang the heartbeat into Celery's worker."""
        from celery import current_app

        from apps.core.heartbeats import WorkerHeartbeat

        current_app.steps["worker"].add(WorkerHeartbeat)
