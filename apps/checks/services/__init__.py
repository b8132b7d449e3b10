"""The verbs of the checks: the only way their rows change."""

from apps.checks.services.datasets import attach_dataset
from apps.checks.services.definitions import (
    save_definition,
    start_due,
    start_on_data,
    start_on_registration,
)
from apps.checks.services.measurements import (
    ask_measurement,
    cancel_measurement,
    recall_measurement,
    request_measurement,
    scan_registered,
)
from apps.checks.services.pieces import run_piece
from apps.checks.services.previewing import preview
from apps.checks.services.rechecks import request_recheck, run_recheck
from apps.checks.services.running import run_measurement
from apps.checks.uploaded.services import recall_uploaded, upload_result

__all__ = [
    "ask_measurement",
    "attach_dataset",
    "cancel_measurement",
    "preview",
    "recall_measurement",
    "recall_uploaded",
    "request_measurement",
    "request_recheck",
    "run_measurement",
    "run_piece",
    "run_recheck",
    "save_definition",
    "scan_registered",
    "start_due",
    "start_on_data",
    "start_on_registration",
    "upload_result",
]
