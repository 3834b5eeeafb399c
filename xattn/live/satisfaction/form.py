"""The questionnaire: six constructs of three statements each, agreed with from 1 to 5, worded here in both languages.

    quality        perceived quality of the list              ResQue (Pu, Chen and Hu, RecSys 2011)
    transparency   it is clear why items are listed           ResQue
    explanation    satisfaction with an explanation           Hoffman, Mueller, Klein and Litman (2018)
    control        the list can be steered                    ResQue; Knijnenburg et al. (UMUAI 2012)
    trust          what the list and its reasons say holds    ResQue
    intention      it would be used again                     ResQue; Knijnenburg et al.

The statements are our own, written after what these constructs mean. Those of REVERSED are worded the other way round,
and are turned (6 − answer) before anything is computed.
"""

from __future__ import annotations

from typing import Any

from xattn.i18n import t

__all__ = ["CONSTRUCTS", "HIGHEST", "QUESTIONS", "REVERSED", "form"]

HIGHEST = 5
CONSTRUCTS: dict[str, tuple[str, ...]] = {
    name: tuple(f"{name}_{n}" for n in (1, 2, 3))
    for name in ("quality", "transparency", "explanation", "control", "trust", "intention")
}
QUESTIONS = tuple(question for questions in CONSTRUCTS.values() for question in questions)
REVERSED = frozenset({"quality_3", "control_3", "trust_3"})


def form(lang: str = "en") -> dict[str, Any]:
    """The questionnaire as it is shown: `questions` (id, construct, text) and `answers` (number, text).

    >>> form()["questions"][0]["id"], [one["text"] for one in form()["answers"]][0]
    ('quality_1', 'I disagree')
    """
    return {
        "form": "satisfaction",
        "questions": [
            {"id": question, "construct": construct, "text": t(f"satisfaction.{question}", lang)}
            for construct, questions in CONSTRUCTS.items()
            for question in questions
        ],
        "answers": [{"value": n, "text": t(f"satisfaction.answer_{n}", lang)} for n in range(1, HIGHEST + 1)],
    }
