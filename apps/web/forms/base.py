"""The one base of every form: our markup, our words, and a service's refusal beside the field it is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict

from apps.core.errors import AlreadyExists, Invalid


class Form(forms.Form):
    """Use {% field form.x %} or {% part "form" form %}; errors stand beside their field and in a summary on top.

    Browser validation is left on for `required` only where it helps: the server's words are the ones that count.
    """

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            say_plainly(field)

    def refuse(self, error: Invalid) -> None:
        """Put a service's Invalid where it belongs: known fields beside the field, the rest on top."""
        if not error.fields:
            self.add_error(None, str(error))
        for name, problem in error.fields.items():
            self.add_error(name if name in self.fields else None, problem)

    def refuse_all(self, message: str) -> None:
        """A refusal about the whole form."""
        self.add_error(None, message)


def refuse_garbled(text: str) -> None:
    """Bytes that are not UTF-8 arrive as U+FFFD: say so, rather than keep what nobody wrote."""
    if "\N{REPLACEMENT CHARACTER}" in text:
        raise ValidationError(
            "It holds a character that could not be read (\N{REPLACEMENT CHARACTER}); write it again.",
            code="garbled",
        )


def say_plainly(field: forms.Field) -> None:
    """Our words and refusals for a field; a form that adds fields of its own calls it for each."""
    field.error_messages["required"] = "This is needed."
    if isinstance(field, forms.ChoiceField):
        field.error_messages["invalid_choice"] = "Choose one of the list."
    if isinstance(field, forms.CharField):
        field.validators = [*field.validators, refuse_garbled]
    if field.required:
        field.widget.attrs.setdefault("aria-required", "true")


def sent(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: what was sent, also when nothing was filled in; None when the page is only looked at."""
    return request.POST if request.method == "POST" else None


def accepted(form: Form, act: Callable[[], object]) -> bool:
    """Do the act; True when it was done, False when the service found the input wrong (the form then says where)."""
    try:
        act()
    except Invalid as error:
        form.refuse(error)
        return False
    except AlreadyExists as error:
        form.refuse_all(str(error))
        return False
    return True


def form_status(form: Form) -> int:
    """422 for a form that was sent with errors, else 200."""
    return 422 if form.is_bound and form.errors else 200
