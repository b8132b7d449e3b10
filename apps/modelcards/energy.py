"""Where the energy of a run is read from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.core import blobs
from apps.core.errors import DomainError
from apps.experiments import selectors as experiments
from apps.experiments.models import Run
from apps.modelcards.computed import energy
from apps.modelcards.machine import Energy


def of_run(run: Run | None, facts: Mapping[str, Any] | None) -> tuple[Energy | None, str]:
    """What the run's own emissions.csv says, else its metrics, parameters or tags; or the sentence why it was refused."""
    if run is None or facts is None:
        return None, ""
    try:
        for path in sorted(str(each["path"]) for each in facts.get("artifacts") or ()):
            if path.rpartition("/")[2] == energy.FILE:
                file = experiments.get_artifact(run, path)
                return energy.from_csv(blobs.read_all(file.digest, energy.MAX_BYTES), path), ""
        return energy.from_run(facts), ""
    except DomainError as error:
        return None, f"The energy of the run was not read: {error}"
