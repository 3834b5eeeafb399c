"""What people answer: to the questionnaire, or to "what will this removal do?"; checked, as it is sent.

form           answers
satisfaction   question → 1 to 5, any of the questions
removal        {"item", "event", "before", "after"}: what taking the event out will do to the item's place in the
               list `list_id`, as guessed before and after the ledger was seen
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from xattn.errors import check_choice, check_id, check_whole, refuse
from xattn.i18n import LANGUAGES
from xattn.live.given import check_short
from xattn.live.satisfaction.form import HIGHEST, QUESTIONS
from xattn.live.satisfaction.guesses import OUTCOMES
from xattn.requests.plain import Given, Id, Json, parsed

__all__ = ["FORMS", "Answer", "answer_of"]

FORMS = ("satisfaction", "removal")
PARTS = ("item", "event", "before", "after")


@dataclass(frozen=True)
class Answer(Given):
    """Answers to a form, under an id of the sender's; sent again under the id they change nothing."""

    id: Id
    user: Id
    form: str
    answers: Json
    lang: str = "en"
    list_id: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("id", "user"):
            check_short(name, getattr(self, name))
        check_choice("form", self.form, FORMS)
        check_choice("lang", self.lang, LANGUAGES)
        if self.list_id is not None:
            check_short("list_id", check_id("list_id", self.list_id))
        found = self.found
        if not isinstance(found, dict):
            refuse("no_object", name="answers", got=found)
        known = QUESTIONS if self.form == "satisfaction" else PARTS
        for name in found:
            if name not in known:
                refuse("other_key", name="answers", known=known, got=name)
        if self.form == "satisfaction":
            self._check_questions(found)
        else:
            self._check_removal(found)

    @property
    def found(self) -> Any:
        """The answers as they were sent."""
        return json.loads(self.answers)

    def _check_questions(self, found: dict[str, Any]) -> None:
        if not found:
            refuse("no_key", name="answers", key=QUESTIONS[0], got="")
        for name, value in found.items():
            check_whole(f"answers.{name}", value, low=1, high=HIGHEST)

    def _check_removal(self, found: dict[str, Any]) -> None:
        for name in PARTS:
            if name not in found:
                refuse("no_key", name="answers", key=name, got=", ".join(found))
        if self.list_id is None:
            refuse("no_key", name="document", key="list_id", got="id, user, form, answers")
        for name in ("item", "event"):
            check_short(f"answers.{name}", check_id(f"answers.{name}", found[name]))
        for name in ("before", "after"):
            check_choice(f"answers.{name}", found[name], OUTCOMES)

    def row(self, **more: str) -> dict[str, Any]:
        """What the store holds; `more` is kept beside the answers."""
        text = json.dumps({**self.found, **more}, ensure_ascii=False)
        columns = {"id": self.id, "user": self.user, "form": self.form, "lang": self.lang, "list_id": self.list_id}
        return {**columns, "answers": text}


def answer_of(document: Any) -> Answer:
    """The answers that a document holds. Raises InputError."""
    return parsed(Answer, document)
