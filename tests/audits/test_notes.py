"""Notes, checkpoints and cosignatures as others write them: the vectors are theirs, the refusals ours."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from apps.audits import notes
from apps.core.errors import Invalid, Tampered

# The published key and note of Go's golang.org/x/mod/sumdb/note, from which C2SP signed-note comes.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
LINE = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
NOTE = (TEXT + "\n" + LINE).encode()
# The example of C2SP tlog-cosignature: a checkpoint, its log's signature and a witness's.
SOFA = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
).encode()


def test_a_note_that_go_wrote_verifies_and_is_written_the_same():
    key = notes.verifier(PETER)
    note = notes.parse(NOTE)
    assert (note.text, note.dump(), str(key)) == (TEXT, NOTE, PETER)
    assert note.signed_by(key) == note.signatures[0]
    private = Ed25519PrivateKey.from_private_bytes(PETERS_SEED)
    again = notes.Signature(key.name, key.key_hash, private.sign(TEXT.encode()))
    assert str(again) == LINE


def test_every_part_of_a_key_counts():
    """As Go's own test has it: no shorter text and no text with one character changed is a key."""
    for start in range(len(PETER)):
        for end in range(start + 1, len(PETER) + 1):
            if (start, end) != (0, len(PETER)):
                with pytest.raises(Invalid):
                    notes.verifier(PETER[start:end])
    for at in range(len(PETER)):
        with pytest.raises(Invalid):
            notes.verifier(PETER[:at] + chr(ord(PETER[at]) + 1) + PETER[at + 1 :])
    for other in (
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ):
        with pytest.raises(Invalid):
            notes.verifier(other)


def test_a_changed_text_is_tampered_and_an_unknown_key_signs_nothing():
    key = notes.verifier(PETER)
    with pytest.raises(Tampered, match="does not fit"):
        notes.parse(NOTE.replace(b"answer", b"Answer")).signed_by(key)
    stranger = notes.Verifier("PeterNeumann", notes.PLAIN, bytes(31) + b"\x01")
    assert notes.parse(NOTE).signed_by(stranger) is None


def test_one_bad_signature_of_a_known_key_spoils_a_good_one():
    good = notes.parse(NOTE).signatures[0]
    bad = notes.Signature(good.name, good.key_hash, good.value[:-1] + b"\x00")
    with pytest.raises(Tampered):
        notes.Note(TEXT, (good, bad)).signed_by(notes.verifier(PETER))


def test_the_checkpoint_of_the_specification_is_read_and_written_back():
    note = notes.parse(SOFA)
    said = notes.checkpoint(note.text)
    assert (said.origin, said.size) == ("example.com/behind-the-sofa", 20852163)
    assert (said.text, note.dump()) == (note.text, SOFA)
    assert [each.name for each in note.signatures] == [said.origin, "witness.example.com/w1"]
    assert notes.time_of(note.signatures[1]) == 1679315147
    assert len(note.signatures[1].value) == 8 + 64
    assert notes.cosigned(note.text, 1679315147).decode() == (
        "cosignature/v1\ntime 1679315147\n" + note.text
    )


def test_a_cosignature_is_over_its_time_and_by_a_key_of_its_own_kind():
    private = Ed25519PrivateKey.from_private_bytes(PETERS_SEED)
    public = private.public_key().public_bytes_raw()
    witness = notes.Verifier("w.example", notes.WITNESS, public)
    text = notes.parse(SOFA).text
    line = notes.cosignature(witness, 7, private.sign(notes.cosigned(text, 7)))
    assert notes.Note(text, (line,)).signed_by(notes.verifier(str(witness))) == line
    moved = notes.cosignature(witness, 8, line.value[8:])
    with pytest.raises(Tampered):
        notes.Note(text, (moved,)).signed_by(witness)
    plain = notes.Verifier("w.example", notes.PLAIN, public)
    assert plain.key_hash != witness.key_hash
    assert notes.Note(text, (line,)).signed_by(plain) is None


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\n", TEXT.encode(), TEXT.encode() + b"\n", NOTE[:-1], NOTE.replace(b"\n\n", b"\n"),
        NOTE.replace("— ".encode(), b"- "), NOTE.replace(b"x08go", b"x08g"), NOTE + b"\n", NOTE + b"more\n",
        NOTE.replace(b"your", b"yo\tur"), NOTE.replace(b"your", b"yo\xffur"), b"\n\n" + LINE.encode(),
        TEXT.encode() + b"\n" + "— Peter Neumann AAAAAAAA\n".encode(), NOTE + LINE.encode() * 64,
        TEXT.encode() + b"\n" + "— Peter AAAA\n".encode(), b"x" * (notes.LONGEST + 1),
        NOTE.replace(b"wJnAM=", b"wJnAN="),
    ],
)  # fmt: skip
def test_what_is_no_note_is_refused(data):
    with pytest.raises(Invalid):
        notes.parse(data)


ROOT = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "", "a\n1\n", f"a\n01\n{ROOT}\n", f"a\n-1\n{ROOT}\n", f"a\n+1\n{ROOT}\n", f"a\n1 \n{ROOT}\n", f"\n1\n{ROOT}\n",
        f"a\n1\n{ROOT}\n\nmore\n", f"a\n1\n{ROOT[:-4]}\n", "a\n1\nAAAA\n", f"a\n{10**19}\n{ROOT}\n", f"a\n\u0661\n{ROOT}\n",
    ],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused(text):
    with pytest.raises(Invalid):
        notes.checkpoint(text)
