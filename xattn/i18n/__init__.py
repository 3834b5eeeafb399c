"""The catalogue of every text that a person reads, English and Chinese side by side.

`t` gives a text, `errors` holds the errors that speak in these texts. This is the lowest layer: it imports nothing else
of xattn.
"""

from __future__ import annotations

import string

from xattn.i18n.catalogue import LANGUAGES, texts, wording
from xattn.i18n.errors import MessageError, check_lang
from xattn.i18n.sentence import shown

__all__ = ["LANGUAGES", "is_text", "keys", "placeholders", "t"]


def t(key: str, /, lang: str = "en", **values: object) -> str:
    """The text `key` in the language `lang` ("en" or "zh"), with `values` put in the places of its placeholders.

    Values that the text does not use are left out. Raises InputError for an unknown language, and MessageError for an
    unknown key, a missing value, or a value that does not fit the format of its placeholder.

    >>> t("term.event"), t("term.event", "zh")
    ('event', '事件')
    """
    text = _text(key, lang)
    try:
        return text.format_map(values)
    except KeyError as missing:
        name = missing.args[0]
        raise MessageError(f"text '{key}' must be given a value for each placeholder; `{name}` is missing.") from None
    except (ValueError, TypeError, AttributeError, LookupError) as misfit:
        raise MessageError(f"text '{key}' must be given values that fit its placeholders; got {misfit}.") from misfit


def keys() -> tuple[str, ...]:
    """All keys of the catalogue, sorted.

    >>> "term.ledger" in keys()
    True
    """
    return tuple(sorted(texts()))


def is_text(key: str, /) -> bool:
    """Whether the catalogue holds a text of this key.

    >>> is_text("term.ledger"), is_text("term.nosuch")
    (True, False)
    """
    return key in texts()


def placeholders(key: str, /, lang: str = "en") -> frozenset[str]:
    """The names of the placeholders in one text, without their formats. Raises as `t` does.

    >>> sorted(placeholders("term.event"))
    []
    """
    parsed = string.Formatter().parse(_text(key, lang))
    return frozenset(name for _, name, _, _ in parsed if name is not None)


def _text(key: str, lang: str) -> str:
    check_lang(lang)
    try:
        return wording(key)[lang]
    except KeyError:
        raise MessageError(f"`key` must name a text of the catalogue; got {shown(key)}.") from None
