"""The verbs of the checks: the only way their rows change."""

from apps.checks.services.datasets import attach_dataset
from apps.checks.services.measurements import (
    cancel_measurement,
    recall_measurement,
    request_measurement,
    scan_registered,
)
from apps.checks.services.running import run_measurement

__all__ = [
    "attach_dataset",
    "cancel_measurement",
    "recall_measurement",
    "request_measurement",
    "run_measurement",
    "scan_registered",
]
