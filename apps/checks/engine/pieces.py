"""Statistics of some columns and of others put together: the same as of all of them counted at once."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from apps.checks.associations import ProxyStatistics
from apps.checks.engine import parts
from apps.checks.statistics import DriftStatistics, Parts


def join_drift(pieces: Sequence[DriftStatistics]) -> DriftStatistics:
    """Columns in the order of the pieces; windows and slices likewise, refused where they would be for the whole."""
    first = pieces[0]
    by_windows = [piece.windows for piece in pieces if piece.windows is not None]
    columns = tuple(column for piece in pieces for column in piece.columns)
    return msgspec.structs.replace(
        first,
        columns=columns,
        windows=_joined(by_windows) if by_windows else None,
        slices=tuple(
            _joined([piece.slices[place] for piece in pieces]) for place in range(len(first.slices))
        ),
    )


def _joined(pieces: Sequence[Parts]) -> Parts:
    refused = next((piece for piece in pieces if piece.refused), None)
    if refused is not None:
        return refused
    columns = tuple(column for piece in pieces for column in piece.columns)
    cells = sum(len(row) for column in columns for row in column.current)
    if cells > parts.MOST_CELLS:
        return Parts(pieces[0].by, (), (), parts.TOO_MANY_CELLS)
    return msgspec.structs.replace(pieces[0], columns=columns)


def join_proxy(pieces: Sequence[ProxyStatistics]) -> ProxyStatistics:
    """Associations in the order of the pieces. What is wrong with an attribute is said once, before the features."""
    attributes = tuple(each for each in pieces[0].unmeasured if not each.feature)
    features = (each for piece in pieces for each in piece.unmeasured if each.feature)
    return ProxyStatistics(
        pieces[0].rows,
        tuple(each for piece in pieces for each in piece.associations),
        (*attributes, *features),
    )
