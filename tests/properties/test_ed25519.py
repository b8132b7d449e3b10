"""Ed25519 as the stand-alone verifier has it, in plain Python: RFC 8032's vectors, what `cryptography` says, and the strict edges."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from tools import verify_ledger as outside

# RFC 8032, 7.1: secret key, public key, message, signature. TEST 1, 2, 3 and SHA(abc).
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
]


@pytest.mark.parametrize(("secret", "public", "message", "signature"), RFC_8032)
def test_the_vectors_of_the_rfc(secret: str, public: str, message: str, signature: str) -> None:
    key, said, value = map(bytes.fromhex, (public, message, signature))
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))
    assert private.public_key().public_bytes_raw() == key
    assert private.sign(said) == value
    outside.check_signature(key, said, value)
    for changed in (value[:-1] + b"\x01", b"\x00" + value[1:], value[:63]):
        with pytest.raises(outside.Wrong):
            outside.check_signature(key, said, changed)


def _verdicts(public: bytes, message: bytes, signature: bytes) -> tuple[bool, bool]:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        theirs = True
    except (InvalidSignature, ValueError):
        theirs = False
    try:
        outside.check_signature(public, message, signature)
        ours = True
    except outside.Wrong:
        ours = False
    return theirs, ours


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200))
def test_what_cryptography_signs_is_accepted(seed: bytes, message: bytes) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public = private.public_key().public_bytes_raw()
    assert _verdicts(public, message, private.sign(message)) == (True, True)


@settings(max_examples=120, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.integers(0, 127), st.integers(0, 7))
def test_one_bit_changed_is_judged_as_cryptography_judges_it(
    seed: bytes, place: int, bit: int
) -> None:
    """In key (32 bytes), signature (64) or message (32)."""
    private = Ed25519PrivateKey.from_private_bytes(seed)
    whole = bytearray(private.public_key().public_bytes_raw() + private.sign(seed) + seed)
    whole[place] ^= 1 << bit
    theirs, ours = _verdicts(bytes(whole[:32]), bytes(whole[96:]), bytes(whole[32:96]))
    assert (theirs, ours) == (False, False)


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=32, max_size=32))
def test_noise_as_a_key_is_a_refusal_and_never_a_crash(noise: bytes) -> None:
    assert _verdicts(noise, b"", noise * 2)[1] is False


def test_a_second_way_to_write_s_is_refused() -> None:
    """S + L satisfies the equation too: without the bound a signature could be rewritten by anybody."""
    _secret, public, message, signature = (bytes.fromhex(each) for each in RFC_8032[1])
    again = int.from_bytes(signature[32:], "little") + outside.L
    with pytest.raises(outside.Wrong, match="one way"):
        outside.check_signature(public, message, signature[:32] + again.to_bytes(32, "little"))


# The eight points of small order in their canonical form: y = 1, -1, 0 (two signs) and four of order 8.
_ORDER_8 = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
_ORDER_8_MINUS = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
SMALL = [
    "01" + "00" * 31,
    "ec" + "ff" * 30 + "7f",
    "00" * 32,
    "00" * 31 + "80",
    _ORDER_8,
    _ORDER_8[:-2] + "fa",
    _ORDER_8_MINUS,
    _ORDER_8_MINUS[:-2] + "85",
]


@pytest.mark.parametrize("key", SMALL)
def test_a_key_of_small_order_signs_nothing(key: str) -> None:
    """With such a key R = the neutral point and S = 0 would "sign" many messages."""
    neutral = ("01" + "00" * 31) + "00" * 32
    with pytest.raises(outside.Wrong, match="small order"):
        outside.check_signature(bytes.fromhex(key), b"anything", bytes.fromhex(neutral))


@pytest.mark.parametrize(
    "number", [outside.P, outside.P + 1, 2**255 - 1, 1 | 1 << 255, (outside.P - 1) | 1 << 255]
)
def test_a_second_way_to_write_a_point_is_refused(number: int) -> None:
    with pytest.raises(outside.Wrong, match=r"one way|no point"):
        outside.point_of(number.to_bytes(32, "little"))
