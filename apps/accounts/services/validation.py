"""What the fields of people, teams and tokens must look like."""

from __future__ import annotations

import re
from typing import Final

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from apps.accounts.models import User
from apps.core.errors import Invalid

# ASCII only: names that look alike in other alphabets would let one person pass for another.
_USERNAME: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,149}")
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def require_fields(**problems: str) -> None:
    """Refuse with Invalid if any field has a problem (an empty text is none)."""
    wrong = {field: problem for field, problem in problems.items() if problem}
    if wrong:
        raise Invalid("Some fields are not right.", fields=wrong)


def text_problem(text: str, limit: int) -> str:
    """A line of text for people: not empty, no control or direction-changing characters."""
    if not text.strip():
        return "This cannot be empty."
    if len(text) > limit:
        return f"At most {limit} characters; these are {len(text)}."
    return "Control characters are not allowed." if _CONTROL.search(text) else ""


def slug_problem(text: str) -> str:
    """A key for addresses."""
    return "" if _SLUG.fullmatch(text) else "Lower-case letters, digits and hyphens, at most 60."


def username_problem(username: str) -> str:
    """A username, already in its one spelling (`User.normalise`)."""
    if _USERNAME.fullmatch(username):
        return ""
    return "2 to 150 of: letters without accents, digits and . _ @ + - (a letter or digit first)."


def email_problem(email: str) -> str:
    """An address, or nothing."""
    if not email:
        return ""
    try:
        validate_email(email)
    except ValidationError:
        return "This is not an e-mail address."
    return "" if len(email) <= 254 else "At most 254 characters."


def password_problem(password: str, user: User | None) -> str:
    """What AUTH_PASSWORD_VALIDATORS say, in one text."""
    if len(password) > 1000:
        return "At most 1000 characters."
    try:
        validate_password(password, user)
    except ValidationError as error:
        return " ".join(error.messages)
    return "" if "\x00" not in password else "A null character is not allowed."
