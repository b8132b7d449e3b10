"""Attaching what another tool reported, and recalling what turned out to be wrong.

1 the bytes are taken, no more than are let in;
2 they are read strictly (`formats`): a file that is not whole is refused with line and reason, and nothing is stored;
3 what it says it is about has to be a file of this version;
4 bytes, row and event are written; the same bytes under the same name are the row that is there.

It does not prove that the tool ran, nor that it ran on this version: a file is what somebody says. Who said it stands
beside it everywhere, and whoever uploads what a round rests on does not decide on that round.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import msgspec
from django.conf import settings

from apps.accounts import policy
from apps.audits.log import verb
from apps.checks import events
from apps.checks.uploaded import formats, reading, selectors
from apps.checks.uploaded.malformed import Malformed
from apps.checks.uploaded.models import ToolNamed, UploadedRecall, UploadedResult
from apps.checks.uploaded.reading import Reading, Subject
from apps.core import blobs, clock
from apps.core.actor import Actor
from apps.core.errors import Conflict, Forbidden, Invalid
from apps.core.models import Blob
from apps.registry.models import ModelVersion
from apps.registry.services.locks import lock_version

LONGEST = 100
_LONGEST_FILE_NAME = 200
_AHEAD = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Said:
    """What a file and its uploader say together."""

    name: str
    tool: str
    tool_version: str
    tool_named_by: ToolNamed
    file_name: str
    ran_at: dt.datetime | None
    by: int


def upload_result(
    actor: Actor,
    version: ModelVersion,
    *,
    stream: BinaryIO,
    name: str = "",
    tool: str = "",
    tool_version: str = "",
    file_name: str = "",
) -> UploadedResult:
    """Attach a results file. `name` and `tool` are needed where the file names none; where it names a tool, that counts.

    Refuses with Malformed (line and reason): a file that is not whole or not what it has to be, subjects that are no
    file of the version. With Invalid (a message per field): too large, no name, no tool or another one than the file
    names, a time in the future. With Conflict: bytes that were recalled under this name. After a refusal nothing is stored.
    """
    policy.require(actor, "check.run", version)
    if actor.user_id is None:
        raise Forbidden("Results are uploaded by a person or a service account.")
    data = _taken(stream)
    found = _about(formats.read(data), version)
    said = _said(found, name, tool, tool_version, file_name, actor.user_id)
    blob = blobs.put_bytes(data)
    return _attach(actor, version, said, found, blob)


def _taken(stream: BinaryIO) -> bytes:
    """Step 1."""
    most = settings.UPLOADED_RESULT_MAX_BYTES
    data = stream.read(most + 1)
    if len(data) > most:
        raise Invalid("The file is too large.", fields={"file": f"more than {most} bytes"})
    return data


def _about(found: Reading, version: ModelVersion) -> Reading:
    """Step 3. Where a file names subjects, each is a file of the version, or its manifest."""
    files = {entry["digest"]: str(entry["path"]) for entry in version.manifest}
    if version.manifest:
        files[version.manifest_digest] = "the manifest of all files"
    return msgspec.structs.replace(
        found, subjects=tuple(_matched(each, files, version) for each in found.subjects)
    )


def _matched(subject: Subject, files: Mapping[str, str], version: ModelVersion) -> Subject:
    if subject.sha256 not in files:
        called = f"{subject.name!r} " if subject.name else ""
        reason = f"the subject {called}has the SHA-256 {subject.sha256[:12]}…, which no file of {version} has"
        raise Malformed(reason, subject.line)
    return msgspec.structs.replace(subject, file=files[subject.sha256])


def _said(
    found: Reading, name: str, tool: str, tool_version: str, file_name: str, by: int
) -> _Said:
    given = {"name": name, "tool": tool, "tool_version": tool_version}
    clean = {field: _clean(field, text) for field, text in given.items()}
    fields = {}
    if not (called := clean["name"] or _usable(found.name)):
        fields["name"] = "the file names none: say what the result is called"
    for field, told in (("tool", found.tool), ("tool_version", found.tool_version)):
        if told and clean[field] and clean[field] != told:
            fields[field] = f"the file says {told!r}: leave it empty"
    if not (found.tool or clean["tool"]):
        fields["tool"] = "the file names none: say which tool it is from"
    if fields:
        raise Invalid("The result cannot be attached like this.", fields=fields)
    return _Said(
        name=called,
        tool=found.tool or clean["tool"],
        tool_version=found.tool_version or clean["tool_version"],
        tool_named_by=ToolNamed.FILE if found.tool else ToolNamed.UPLOADER,
        file_name=_printable(file_name.rpartition("/")[2])[:_LONGEST_FILE_NAME],
        ran_at=_ran_at(found),
        by=by,
    )


def _clean(field: str, text: str) -> str:
    clean = text.strip()
    if len(clean) > LONGEST or not clean.isprintable():
        message = f"at most {LONGEST} printable characters"
        raise Invalid("That cannot be used.", fields={field: message})
    return clean


def _usable(name: str) -> str:
    """The name that a file gives itself, as far as it can be one here; "" where it cannot."""
    clean = name.strip()
    return clean if len(clean) <= LONGEST and clean.isprintable() else ""


def _printable(text: str) -> str:
    return "".join(char for char in text if char.isprintable())


def _ran_at(found: Reading) -> dt.datetime | None:
    if not found.ran_at:
        return None
    at = dt.datetime.fromisoformat(found.ran_at)
    if at > clock.now() + _AHEAD:
        message = f"it says that it ran at {found.ran_at}, which has not come yet"
        raise Invalid("The time of the file lies ahead.", fields={"file": message})
    return at


def _attach(
    actor: Actor, version: ModelVersion, said: _Said, found: Reading, blob: Blob
) -> UploadedResult:
    """Step 4. Results come in while a version is under review: its round stays as it was, and says that there is newer evidence."""
    with verb(actor) as v:
        version = lock_version(version.pk)
        known = selectors.uploaded(version).filter(name=said.name, digest=blob.digest).first()
        if known is not None:
            return _still(known)
        data = reading.to_data(found)
        row = UploadedResult.objects.create(
            version=version,
            name=said.name,
            format=found.format,
            outcome=found.outcome,
            tool=said.tool,
            tool_version=said.tool_version,
            tool_named_by=said.tool_named_by,
            file_name=said.file_name,
            blob=blob,
            digest=blob.digest,
            reading=data,
            reading_digest=reading.digest(data),
            ran_at=said.ran_at,
            uploaded_by_id=said.by,
            uploaded_at=clock.now(),
        )
        v.record(
            events.ResultUploaded(
                **_named(row),
                format=row.format,
                tool=row.tool,
                tool_version=row.tool_version,
                tool_named_by=str(row.tool_named_by),
                outcome=row.outcome,
                reading=row.reading_digest,
            )
        )
    return row


def _still(known: UploadedResult) -> UploadedResult:
    """The same bytes do not come in twice: neither to look younger nor after they were recalled."""
    recall = selectors.recall_of(known)
    if recall is not None:
        raise Conflict(
            f"These bytes were recalled as {known.name}: {recall.reason}",
            hint="Run the tool again and upload what it reports then.",
        )
    return known


def recall_uploaded(actor: Actor, row: UploadedResult, *, reason: str) -> UploadedResult:
    """Declare an uploaded result wrong. It is kept, marked, and no longer counts anywhere.

    Rounds of evidence that rest on it die (apps.reviews listens). Refuses: no reason, a second recall.
    """
    policy.require(actor, "check.recall", row)
    if actor.user_id is None:
        raise Forbidden("A result is recalled by a person.")
    why = reason.strip()
    if not why or len(why) > 2000:
        raise Invalid(
            "Say why it is recalled.", fields={"reason": "required, at most 2000 characters"}
        )
    with verb(actor) as v:
        version = lock_version(row.version_id)
        row = selectors.get_uploaded(version, row.uuid)
        if selectors.recall_of(row) is not None:
            raise Conflict("This result was recalled already.")
        UploadedRecall.objects.create(
            uploaded=row, reason=why, recalled_by_id=actor.user_id, recalled_at=clock.now()
        )
        v.record(events.UploadedRecalled(**_named(row), reason=why))
    return selectors.get_uploaded(version, row.uuid)


def _named(row: UploadedResult) -> dict[str, Any]:
    return {
        "model": row.version.model_id,
        "version": row.version_id,
        "uploaded": row.pk,
        "name": row.name,
        "digest": row.digest,
    }
