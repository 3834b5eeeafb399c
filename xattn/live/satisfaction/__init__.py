"""Satisfaction: what people answer, what they say of lists, and whether what is announced agrees with what they expect.

form       the questions and their constructs         reliability   α, ω and means of constructs, with intervals
answer     an answer, checked, as it is sent          rates         feedback by place, model and scenario
guesses    what a removal does: guessed and true      report        all of it, from the store alone
"""

from xattn.live.satisfaction.answer import FORMS, Answer, answer_of
from xattn.live.satisfaction.form import CONSTRUCTS, HIGHEST, QUESTIONS, REVERSED, form
from xattn.live.satisfaction.report import satisfaction

__all__ = ["CONSTRUCTS", "FORMS", "HIGHEST", "QUESTIONS", "REVERSED", "Answer", "answer_of", "form", "satisfaction"]
