"""The base of all errors, and the two that the catalogue itself raises. The whole tree is drawn in `xattn.errors`.

An error holds a code and fields. Its sentence is made when somebody reads it, in the language that is wanted: the text
``refusal.<code>`` of the catalogue, with the fields in its places. An error that nobody reads costs no sentence.
"""

from __future__ import annotations

from typing import Any

from xattn.i18n.catalogue import LANGUAGES, wording
from xattn.i18n.sentence import Quoted, fill, plain

__all__ = ["InputError", "MessageError", "XattnError", "check_lang"]


class XattnError(Exception):
    """Base of all errors that xattn raises on purpose; its text is one sentence fit for an end user.

    `code` names what went wrong and `fields` holds the particulars: text, numbers and tuples of them, so that an error
    can be copied, sent to another process and written as JSON. ``XattnError("a sentence")`` has the code "other"; its
    sentence is the same in every language.

    >>> error = XattnError(code="flag", name="exact", got="yes")
    >>> error.code, error.fields, str(error)
    ('flag', {'name': 'exact', 'got': 'yes'}, "`exact` must be true or false; got 'yes'.")
    >>> error.told("zh")
    "`exact` 必须是真或假（True 或 False）；收到 'yes'。"
    """

    code: str
    fields: dict[str, Any]

    def __init__(self, *sentence: str, code: str = "other", **fields: Any) -> None:
        super().__init__(*sentence)
        self.code = code
        self.fields = {name: plain(value) for name, value in fields.items()}
        if sentence:
            self.fields["sentence"] = Quoted(sentence[0])

    def told(self, lang: str = "en") -> str:
        """The sentence in the language `lang`. Raises InputError for an unknown language."""
        check_lang(lang)
        if self.args or self.code == "other":
            return str(self.args[0]) if self.args else type(self).__name__
        return fill(wording(f"refusal.{self.code}")[lang], self.fields, lambda key: wording(key)[lang])

    def __str__(self) -> str:
        return self.told()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class InputError(XattnError, ValueError):
    """An argument breaks a stated condition."""


class MessageError(XattnError, KeyError):
    """The catalogue of texts lacks a key, or a text was not given the values of its placeholders.

    Its sentence is English in every language: a catalogue cannot word what it lacks.
    """


def check_lang(lang: str) -> str:
    """`lang` if it is a language of the catalogue. Raises InputError."""
    if lang not in LANGUAGES:
        raise InputError(code="choice", name="lang", choices=LANGUAGES, got=lang) from None
    return lang
