"""What personal data look like: recognisers of well-kept libraries behind one question. Pure.

`phonenumbers` (Google's libphonenumber) finds telephone numbers, `python-stdnum` checks bank accounts, payment cards and the
identity numbers of countries with their check digits, Django checks addresses of e-mail, `ipaddress` those of machines.
What is ours is only where to look: tokens of a text that could be one.

Not recognised: names of people, postal addresses, dates of birth, pictures; a number of a country that was not asked for.
"""

from __future__ import annotations

import importlib
import ipaddress
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from phonenumbers import PhoneNumberMatcher
from stdnum import iban, luhn

# The kinds, and whether the form alone is telling. Where it is not, one digit string in ten may pass by chance.
TITLES: Final = {
    "email": "e-mail addresses",
    "phone": "telephone numbers",
    "iban": "bank accounts (IBAN)",
    "card": "payment card numbers",
    "ip": "IP addresses",
    "identity": "identity numbers",
}
FIRM: Final = frozenset({"email", "iban", "phone"})

# Numbers of persons, each with its check digits (stdnum.COUNTRY.NAME).
IDENTITY: Final[dict[str, tuple[str, ...]]] = {
    "at": ("vnr",), "au": ("tfn",), "be": ("nn",), "br": ("cpf",), "ca": ("sin",), "ch": ("ssn",), "cn": ("ric",),
    "de": ("idnr",), "dk": ("cpr",), "es": ("dni", "nie"), "fi": ("hetu",), "fr": ("nir",), "gb": ("nhs",), "ie": ("pps",),
    "in": ("aadhaar", "pan"), "it": ("codicefiscale",), "nl": ("bsn",), "no": ("fodselsnummer",), "pl": ("pesel",),
    "pt": ("cc",), "ro": ("cnp",), "se": ("personnummer",), "tr": ("tckimlik",), "us": ("ssn", "itin"), "za": ("idnr",),
}  # fmt: skip

LONGEST = 1_000_000  # characters of one value that are read
_PIECE, _OVERLAP = (
    5_000,
    100,
)  # a long text is read in pieces, so that no matcher meets more than these

_ADDRESS = re.compile(r"[^\s<>(){}\[\],;:\"']{1,64}@[^\s<>(){}\[\],;:\"'@]{1,255}")
_DIGITS = re.compile(r"(?<![\w.])[0-9](?:[ -]?[0-9]){12,18}(?![\w])")
_ACCOUNT = re.compile(r"(?<!\w)[A-Za-z]{2}[0-9]{2}(?: ?[A-Za-z0-9]){11,30}")
_MACHINE = re.compile(r"(?<![\w.:])(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?![\w:]|\.[0-9])")  # fmt: skip
_TOKEN = re.compile(r"(?<![\w.-])[A-Za-z0-9][A-Za-z0-9./+-]{6,24}(?![\w-])")
_SPACED = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./+-]{6,24}")
_CARD_BEGINS = ("2", "3", "4", "5", "6")

# Words of a column's name that say what it holds, in a few languages.
_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "name": ("first name", "last name", "full name", "surname", "forename", "given name", "family name", "nome", "apelido", "nachname", "vorname", "apellido", "prenom"),
    "email": ("email", "e mail", "mail"),
    "phone": ("phone", "telephone", "mobile", "telefone", "telefon", "telefono", "telemovel", "fax"),
    "address": ("address", "street", "morada", "strasse", "direccion", "adresse"),
    "postcode": ("zip", "zipcode", "postcode", "postal code", "codigo postal", "plz"),
    "birth": ("dob", "birth", "birthday", "birthdate", "date of birth", "nascimento", "geburtsdatum"),
    "identity": ("ssn", "passport", "national id", "tax id", "nif", "nino", "social security", "personnummer", "cpf"),
    "account": ("iban", "bank account", "credit card", "card number"),
    "ip": ("ip", "ip address"),
}  # fmt: skip


def named(column: str) -> str:
    """What a column's name says it holds, or "": whole words only, so that `ship` is no IP address."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", column)
    plain = f" {' '.join(re.findall(r'[a-z0-9]+', words.lower()))} "
    for kind, phrases in _NAMES.items():
        if any(f" {phrase} " in plain for phrase in phrases):
            return kind
    return ""


class Recogniser:
    """Answers which kinds of personal data a text holds. `countries` add their identity numbers and telephone numbers
    without a country code. Raises KeyError for a country that is not known."""

    def __init__(self, countries: Sequence[str]) -> None:
        self.regions: tuple[str | None, ...] = (None, *(each.upper() for each in countries))
        self.checks: tuple[Callable[[str], bool], ...] = tuple(
            importlib.import_module(
                f"stdnum.{'in_' if country == 'in' else country}.{name}"
            ).is_valid
            for country in countries
            for name in IDENTITY[country]
        )

    def kinds(self, text: str) -> frozenset[str]:
        """The kinds in a text; empty for none. Reads the first LONGEST characters."""
        found: set[str] = set()
        for piece in _pieces(text[:LONGEST]):
            found |= {kind for kind, holds in self._looks(piece) if kind not in found and holds()}
        return frozenset(found)

    def _looks(self, text: str) -> Iterator[tuple[str, Callable[[], bool]]]:
        yield "email", lambda: "@" in text and any(map(_is_email, _ADDRESS.findall(text)))
        yield "phone", lambda: self._has_phone(text)
        yield "card", lambda: any(map(_is_card, _DIGITS.findall(text)))
        yield "iban", lambda: any(map(_is_account, _ACCOUNT.findall(text)))
        yield "ip", lambda: any(map(_is_machine, _MACHINE.findall(text)))
        yield (
            "identity",
            lambda: any(check(token) for token in self._tokens(text) for check in self.checks),
        )

    def _has_phone(self, text: str) -> bool:
        regions = self.regions if "+" in text else self.regions[1:]
        return any(
            any(True for _ in PhoneNumberMatcher(text, region, max_tries=_PIECE))
            for region in regions
        )

    def _tokens(self, text: str) -> list[str]:
        if not self.checks:
            return []
        whole = [text.strip()] if _SPACED.fullmatch(text.strip()) else []
        return [*whole, *_TOKEN.findall(text)]


def _pieces(text: str) -> Iterator[str]:
    """With an overlap, so that nothing is cut in two."""
    for start in range(0, max(1, len(text) - _OVERLAP), _PIECE - _OVERLAP):
        yield text[start : start + _PIECE]


def _is_email(token: str) -> bool:
    try:
        validate_email(token.strip(".!?"))
    except ValidationError:
        return False
    return True


def _is_card(digits: str) -> bool:
    number = re.sub("[ -]", "", digits)
    return number.startswith(_CARD_BEGINS) and len(set(number)) > 1 and bool(luhn.is_valid(number))


def _is_account(token: str) -> bool:
    """The token runs into what follows it, so its beginnings are tried."""
    parts = token.split(" ")
    return any(iban.is_valid("".join(parts[:count])) for count in range(1, len(parts) + 1))


def _is_machine(token: str) -> bool:
    try:
        address = ipaddress.ip_address(token)
    except ValueError:
        return False
    return not (address.is_unspecified or address.is_loopback)
