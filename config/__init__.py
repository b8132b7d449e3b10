"""Countersign's configuration. Importing it binds shared tasks to the Celery application."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
