"""What a scan of files amounts to under a policy's limits. Pure.

1 Code known to be dangerous, layers that hold code, tricks with paths, secrets and programs: FAIL, whatever the policy
lets in. 2 A file that was not read to its end, or is of a kind that nothing here reads: INSUFFICIENT beyond the limit.
3 A name that is neither on the scanner's list nor on the policy's: INCONCLUSIVE, nobody said that it is harmless.
Nothing scanned at all: INSUFFICIENT. PASS says that nothing was found in files that were all read to their end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from apps.checks.files.report import DANGEROUS, UNLISTED, FileScan, FilesResult, Found
from apps.checks.library.judging import Assessment, Row, conclude
from apps.checks.limits import FilesLimits
from apps.checks.numbers import grouped, listed, plural
from apps.checks.verdicts import Verdict

_OTHER: Final = {"program", "path", "secret"}
_KINDS: Final = (
    (None, "code", "Code that runs when a file is loaded", "hold code that runs when they are loaded", "holds code that runs when it is loaded"),
    ({"program"}, "programs", "Programs", "are programs or hold some", "is a program or holds one"),
    ({"path"}, "paths", "Paths that lead out of an archive", "hold paths that lead out of them", "holds paths that lead out of it"),
    ({"secret"}, "secrets", "Secrets", "hold what looks like a secret", "holds what looks like a secret"),
)  # fmt: skip


def assess(result: FilesResult, limits: FilesLimits) -> Assessment:
    """One row per question, the worst one speaks."""
    if not result.files:
        sentence = "The version has no files, so nothing was scanned."
        row = Row("files", "Files", Verdict.INSUFFICIENT, sentence, n=0)
        return Assessment(Verdict.INSUFFICIENT, sentence, (row,))
    rows = [_dangerous(result, *kind) for kind in _KINDS]
    return conclude([*rows, _unverified(result, limits), _names(result, limits)], _clean(result))


def _clean(result: FilesResult) -> str:
    """Never "safe": what was looked for was not found."""
    files = plural(len(result.files), "file")
    parts = f" ({grouped(result.parts)} with what is packed in them)" if result.parts > len(result.files) else ""  # fmt: skip
    return f"No code, program, path trick or secret was found in {files}{parts}; all were read to the end."


def _dangerous(
    result: FilesResult, kinds: set[str] | None, key: str, title: str, many: str, one: str
) -> Row:
    hits = [
        (file, found)
        for file in result.files
        for found in file.at_level(DANGEROUS)
        if (found.what in kinds if kinds else found.what not in _OTHER)
    ]
    files = len({file.path for file, _ in hits})
    if not hits:
        return Row(key, title, Verdict.PASS, f"None found in {plural(len(result.files), 'file')}.", value="0", limit="none", n=len(result.files))  # fmt: skip
    sentence = f"{files} of {plural(len(result.files), 'file')} {one if files == 1 else many}: {told(*hits[0])}."
    return Row(key, title, Verdict.FAIL, sentence, value=str(files), limit="none", n=len(result.files))  # fmt: skip


def told(file: FileScan, found: Found) -> str:
    """`model.pkl calls os.system at byte 31`."""
    place = f" {found.place}" if found.place else ""
    if found.what in {"call", "name"}:
        return f"{file.path} {'calls' if found.called else 'imports'} {found.detail}{place}"
    return f"{file.path}: {found.detail}{place}"


def _unverified(result: FilesResult, limits: FilesLimits) -> Row:
    open_ = [file for file in result.files if not file.verified]
    total = plural(len(result.files), "file")
    enough = len(open_) <= limits.max_unverified
    limit = f"at most {limits.max_unverified}"
    sentence = f"All of {total} were read to the end and understood."
    if open_:
        gap = open_[0].gaps[0]
        inside = f" ({gap.inside})" if gap.inside else ""
        were = "was" if len(open_) == 1 else "were"
        sentence = (
            f"{len(open_)} of {total} {were} not verified: {open_[0].path}{inside}: {gap.reason}."
        )
    verdict = Verdict.PASS if enough else Verdict.INSUFFICIENT
    return Row("unverified", "Not verified", verdict, sentence, value=str(len(open_)), limit=limit, n=len(result.files))  # fmt: skip


def _names(result: FilesResult, limits: FilesLimits) -> Row:
    hits = [
        (file, found)
        for file in result.files
        for found in file.at_level(UNLISTED)
        if not limits.allows(found.detail)
    ]
    hidden = [file.path for file in result.files if file.more_found]
    title, limit = "Names on no list", "none"
    if hits:
        names = list(dict.fromkeys(found.detail for _, found in hits))
        sentence = f"{told(*hits[0])}, which is on no list of harmless names ({plural(len(names), 'name')}: {listed(names)})."  # fmt: skip
        return Row(
            "names", title, Verdict.INCONCLUSIVE, sentence, value=str(len(names)), limit=limit
        )
    if hidden:
        sentence = (
            f"{listed(hidden)}: more was found than is kept, so not all of it could be judged."
        )
        return Row("names", title, Verdict.INCONCLUSIVE, sentence, limit=limit)
    sentence = f"Every name that is imported is on a list{_by_policy(result, limits)}."
    return Row("names", title, Verdict.PASS, sentence, value="0", limit=limit)


def _by_policy(result: FilesResult, limits: FilesLimits) -> str:
    used: Sequence[str] = sorted(
        {
            found.detail
            for file in result.files
            for found in file.at_level(UNLISTED)
            if limits.allows(found.detail)
        }
    )
    return f"; the policy lets in {listed(list(used))}" if used else ""
