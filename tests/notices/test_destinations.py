"""Where a webhook may go: no spelling and no name leads to a private address, and the address checked is the address called."""

from __future__ import annotations

import datetime as dt
import ipaddress
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_django import Settings

from apps.core.errors import Blocked, Invalid
from apps.notices.webhooks import addresses, sending
from tests.notices.receiver import dripping, receiver, silent

LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]


@pytest.fixture
def open_loopback(settings: Settings) -> None:
    settings.WEBHOOK_ALLOW_HTTP = True
    settings.WEBHOOK_ALLOWED_NETWORKS = LOOPBACK
    settings.WEBHOOK_TIMEOUT_SECONDS = 1


SPELLED = [
    "127.0.0.1", "127.1", "127.0.1", "0x7f000001", "0x7f.1", "0177.0.0.1", "2130706433", "0", "0.0.0.0",  # noqa: S104 - to be refused
    "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "169.254.169.254", "2852039166",
    "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "192.88.99.1",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:8.8.8.8]", "[::127.0.0.1]",
    "[64:ff9b::7f00:1]", "[64:ff9b::808:808]", "[64:ff9b:1::1]", "[2002:7f00:1::]", "[2001:0:4136:e378::1]",
    "[fe80::1]", "[fec0::1]", "[fc00::1]", "[fd12:3456::1]", "[ff02::1]", "[2001:db8::1]", "[100::1]", "[3fff::1]",
    "[0:0:0:0:0:0:0:1]", "[::ffff:0:127.0.0.1]", "[4000::1]",
]  # fmt: skip


@pytest.mark.parametrize("host", SPELLED)
def test_an_address_that_is_not_public_is_refused_when_it_is_entered_and_when_it_is_called(
    host: str,
) -> None:
    with pytest.raises(Invalid) as refusal:
        addresses.parse(f"https://{host}/hook")
    assert "public" in refusal.value.fields["url"]
    answer = sending.post(f"https://{host}/hook", b"{}", {})
    assert (answer.status, answer.delivered) == (None, False)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"],
)
def test_public_addresses_are_allowed(address: str) -> None:
    assert addresses.is_allowed(address)


@pytest.mark.parametrize("name", ["localhost", "localhost.", "LOCALHOST"])
def test_names_of_this_machine_are_refused_when_they_are_resolved(name: str) -> None:
    # Some resolvers do not know the spelling with a dot: then there is no address at all.
    with pytest.raises((Blocked, OSError), match=r"not a public address|cannot be resolved"):
        addresses.checked(addresses.parse(f"https://{name}/"), addresses.system)


@pytest.mark.parametrize(
    "private",
    [
        "10.0.0.7",
        "169.254.169.254",
        "::1",
        "fd00::7",
        "::ffff:10.0.0.7",
        "64:ff9b::a00:7",
        "fe80::1%lo",
    ],
)
def test_a_name_that_leads_to_a_private_address_is_refused(
    private: str, settings: Settings, tmp_path: Path
) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text(f"# a comment\n{private}\tother hooks.example.com # mine\n")
    settings.WEBHOOK_HOSTS_FILE = str(hosts)
    answer = sending.post("https://Hooks.Example.com./x", b"{}", {})
    assert answer.status is None
    assert f"resolves to {private}, which is not a public address" in answer.error


def test_one_forbidden_address_among_public_ones_is_enough() -> None:
    with pytest.raises(Blocked, match=r"10\.0\.0\.1"):
        addresses.checked(addresses.parse("https://x.example/"), lambda *_: ["8.8.8.8", "10.0.0.1"])


def test_the_name_is_resolved_once_and_the_address_that_was_checked_is_called(
    open_loopback: None,
) -> None:
    asked: list[str] = []
    with receiver() as there, receiver() as trap:

        def rebinding(host: str, port: int) -> list[str]:
            asked.append(host)
            return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.9"]

        answer = sending.post(f"http://x.invalid:{there.port}/a?b=c", b"{}", {}, resolve=rebinding)
        assert (answer.status, asked, trap.requests) == (204, ["x.invalid"], [])
        (request,) = there.requests
        assert (request.path, request.headers["Host"]) == ("/a?b=c", f"x.invalid:{there.port}")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/", "ftp://example.org/", "file:///etc/passwd", "gopher://example.org/", "example.org", "",
        "https://", "https:///x", "https://user@example.org/", "https://user:pw@example.org/", "https://@example.org/",
        "https://example.org/#x", "https://example.org:0/", "https://example.org:99999/", "https://example.org:x/",
        "https://exa mple.org/", "https://example.org/\r\nX: y", "https://example.org/\x00", "https://ex\u00e4mple.org/",
        "https://[::1/", "https://example.org/" + "x" * 500, "javascript:alert(1)", "//example.org/",
    ],
)  # fmt: skip
def test_what_is_no_plain_https_address_is_refused(url: str) -> None:
    with pytest.raises(Invalid) as refusal:
        addresses.parse(url)
    assert refusal.value.fields["url"]


def test_a_private_network_is_reached_only_where_it_is_opened(settings: Settings) -> None:
    assert not addresses.is_allowed("10.20.0.5")
    settings.WEBHOOK_ALLOWED_NETWORKS = [ipaddress.ip_network("10.20.0.0/16")]
    assert addresses.is_allowed("10.20.0.5")
    assert not addresses.is_allowed("10.21.0.5")
    assert not addresses.is_allowed("::ffff:10.20.0.5")


def test_redirects_are_not_followed(open_loopback: None) -> None:
    with receiver() as first, receiver() as second:
        first.status, first.headers = 307, {"Location": second.url}
        answer = sending.post(first.url, b"{}", {})
        assert (answer.status, answer.delivered, second.requests) == (307, False, [])
        assert "Redirects" in answer.error


def test_no_proxy_of_the_environment_is_used(
    open_loopback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiver() as proxy, receiver() as there:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert sending.post(there.url, b"{}", {}).delivered
        assert (len(there.requests), proxy.requests) == (1, [])


def test_an_endless_answer_is_cut(open_loopback: None) -> None:
    with receiver() as there:
        there.status, there.text = 500, b"\x00\xff<b>" + b"x" * 5_000_000
        answer = sending.post(there.url, b"{}", {})
        assert (answer.status, len(answer.text)) == (500, 500)
        assert "\x00" not in answer.text


@pytest.mark.parametrize("dead", [silent, dripping])
def test_one_deadline_ends_whoever_never_answers_or_never_ends(dead, open_loopback: None) -> None:
    with dead() as port:
        began = time.monotonic()
        answer = sending.post(f"http://127.0.0.1:{port}/", b"{}", {})
        took = time.monotonic() - began
    assert answer.status is None
    assert "No answer within 1 s" in answer.error
    assert 0.9 <= took < 4


def test_a_handshake_that_never_ends_ends_too(open_loopback: None) -> None:
    with silent() as port:
        began = time.monotonic()
        answer = sending.post(f"https://127.0.0.1:{port}/", b"{}", {})
    assert "No answer within 1 s" in answer.error
    assert time.monotonic() - began < 4


def test_nobody_listening_is_an_answer_not_an_exception(open_loopback: None) -> None:
    with silent() as port:
        pass
    assert "ConnectionRefused" in sending.post(f"http://127.0.0.1:{port}/", b"{}", {}).error


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of hooks.test with its key, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.test")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "hooks.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(pem))
    return file


def test_the_certificate_is_that_of_the_name_though_the_address_was_pinned(
    open_loopback: None, settings: Settings, certificate: Path, tmp_path: Path
) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 hooks.test other.test\n")
    settings.WEBHOOK_HOSTS_FILE, settings.WEBHOOK_CA_FILE = str(hosts), str(certificate)
    with receiver(certificate) as there:
        assert sending.post(f"https://hooks.test:{there.port}/", b"{}", {}).delivered
        wrong = sending.post(f"https://other.test:{there.port}/", b"{}", {})
        assert "CERTIFICATE_VERIFY_FAILED" in wrong.error
        settings.WEBHOOK_CA_FILE = ""
        unknown = sending.post(f"https://hooks.test:{there.port}/", b"{}", {})
        assert "CERTIFICATE_VERIFY_FAILED" in unknown.error
        assert len(there.requests) == 1
