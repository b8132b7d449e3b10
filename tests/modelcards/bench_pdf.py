"""How long a document takes in a warm worker, and whether a hundred in a row keep their memory. Run by hand; nothing is
asserted about time:

    python -m pytest -q -s tests/modelcards/bench_pdf.py
"""

from __future__ import annotations

import io
import re
import statistics
import sys
import time
from pathlib import Path

import msgspec
import pypdf

from apps.core import pades, signing
from apps.core.parts import Chart
from apps.modelcards.card import Computed
from apps.modelcards.dossier import Dossier
from apps.modelcards.renderers import pdf
from tests.modelcards import samples

RENDERS, IN_A_ROW, CHARTS = 3, 100, 8


def with_charts() -> Dossier:
    """A card of 12 pages with 8 charts of 10 bars, each with its table."""
    card = samples.card(groups=10, params=40)
    chart, table = samples.groups_table(10)
    assert isinstance(chart, Chart)
    parts = tuple(
        part
        for number in range(CHARTS)
        for part in (msgspec.structs.replace(chart, title=f"{chart.title} ({number})"), table)
    )
    sections = tuple(
        msgspec.structs.replace(
            section,
            blocks=tuple(
                msgspec.structs.replace(block, computed=Computed(parts, block.computed.sources))
                if block.key == "fairness" and block.computed
                else block
                for block in section.blocks
            ),
        )
        for section in card.sections
    )
    return samples.dossier(msgspec.structs.replace(card, sections=sections))


def resident() -> float:
    """Megabytes of this process now (not at most)."""
    text = Path("/proc/self/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", text)
    assert found
    return int(found[1]) / 1024


def test_a_card_with_eight_charts() -> None:
    dossier = with_charts()
    data = pdf.render_pdf(dossier)  # the first one loads fonts and libraries
    wall, cpu, signing_ = [], [], []
    for _ in range(RENDERS):
        started, busy = time.perf_counter(), time.process_time()
        data = pdf.render_pdf(dossier)
        wall.append(time.perf_counter() - started)
        cpu.append(time.process_time() - busy)
        started = time.perf_counter()
        pades.signed(data, signing.document_key(), reason="Model card")
        signing_.append(time.perf_counter() - started)
    pages = len(pypdf.PdfReader(io.BytesIO(data)).pages)
    sys.stdout.write(
        f"\n{pages} pages, {CHARTS} charts: {statistics.median(wall):.2f} s"
        f" ({statistics.median(cpu):.2f} s of processor), signing {statistics.median(signing_):.2f} s"
    )


def test_a_hundred_in_a_row() -> None:
    seen = []
    for number in range(IN_A_ROW):
        pdf.render_pdf(samples.dossier(events=12 + number % 7))
        seen.append(resident())
    told = ", ".join(f"{n}: {seen[n - 1]:.0f} MB" for n in (1, 10, 25, 50, 75, IN_A_ROW))
    sys.stdout.write(f"\nafter documents {told}\n")
