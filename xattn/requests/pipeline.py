"""The whole way from events to a picture, for one person, every step as a frame (the article, sections 3.1 and 3.5).

    history → features → weights → fusion → recommendations → picture
              what each   softmax    w · strength · value      the list,
              item is     by head    · gate, summed to cells   by base + Σ

Nothing is computed for show: the frames are those of the ledger of one item and of the list that it stands in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from xattn.data import Interactions
from xattn.errors import check_choice, refuse
from xattn.explain import Ledger
from xattn.features import feature_set
from xattn.i18n import LANGUAGES, t
from xattn.i18n.numbers import figure
from xattn.recommenders import Recommender
from xattn.recommenders.registry import DEFAULT, model_class
from xattn.requests.ask import ExplainRequest, RecommendRequest, Request

if TYPE_CHECKING:
    from xattn.viz.charts import Chart

__all__ = ["STEPS", "Pipeline", "pipeline"]

STEPS = ("history", "features", "weights", "fusion", "recommendations")
NAMED = ["event", "title", "position"]


@dataclass(frozen=True, eq=False, repr=False)
class Pipeline:
    """Each step from a person's events to the list and to one of its items, as frames.

    `history`: the events, oldest first: event, title, position, age, rating (NaN where there is none). `features`: what
    each item of them is like, and the explained one (its position is −1): item, title, position, block, feature, value.
    `weights`: how much each head looks at each event: head, event, title, position, weight. `fusion`: head, event,
    title, position, weight, strength, value, gate, contribution, which is the product of the four before it; base and
    contributions add up to the score. `recommendations`: the list: rank, item, title, score, base. `ledger` is that of
    the explained item, `model` the fitted model.
    """

    model: Recommender
    ledger: Ledger
    recommendations: pd.DataFrame
    history: pd.DataFrame = field(init=False)
    features: pd.DataFrame = field(init=False)
    weights: pd.DataFrame = field(init=False)
    fusion: pd.DataFrame = field(init=False)

    def __post_init__(self) -> None:
        fused = _fusion(self.ledger)
        weights = fused[["head", *NAMED, "weight"]]
        made = {"history": _history(self.ledger), "features": _features(self.ledger), "weights": weights}
        for name, frame in {**made, "fusion": fused}.items():
            object.__setattr__(self, name, frame)

    @classmethod
    def of(cls, model: Recommender, request: RecommendRequest, item: Any = None) -> Pipeline:
        """The way to the list of a request. Raises InputError as `pipeline` does."""
        listed = request.ask(model)
        if item is None and listed.empty:
            refuse("nothing_listed")
        chosen = str(listed["item"].iloc[0]) if item is None else item
        given = {own.name: getattr(request, own.name) for own in fields(Request)}
        return cls(model, ExplainRequest(**given, item=chosen).ask(model), listed)

    def __repr__(self) -> str:
        heads = self.fusion["head"].nunique()
        return (
            f"Pipeline({len(self.history)} events → {self.features['feature'].nunique()} features → {heads} heads → "
            f"{len(self.fusion)} contributions → {len(self.recommendations)} items; {self.ledger!r})"
        )

    def steps(self) -> dict[str, pd.DataFrame]:
        """The frames by the names of `STEPS`, in their order."""
        return {name: getattr(self, name) for name in STEPS}

    def to_dict(self) -> dict[str, Any]:
        """The explained item, and the rows of each step (the JSON shape of `xattn pipeline --json`)."""
        why = self.ledger
        rows = {name: frame.astype(object).where(frame.notna(), None) for name, frame in self.steps().items()}
        return {
            "item": why.item,
            "title": why.title,
            "score": why.score,
            "base": why.base,
            "rank": why.rank,
            **{name: frame.to_dict(orient="records") for name, frame in rows.items()},
        }

    def text(self, lang: str = "en") -> str:
        """Each step in one sentence, a line each, in English ("en") or Chinese ("zh")."""
        check_choice("lang", lang, LANGUAGES)
        why, fused = self.ledger, self.fusion
        facts: dict[str, object] = {
            "events": len(self.history),
            "features": self.features["feature"].nunique(),
            "heads": fused["head"].nunique(),
            "n": len(fused),
            "sum": figure(float(fused["contribution"].sum()), sign=True),
            "base": figure(why.base),
            "score": figure(why.score),
            "title": why.title,
            "items": len(self.recommendations),
            "rank": "–" if why.rank is None else why.rank,
        }
        return "\n".join(t(f"pipeline.{name}_says", lang, **facts) for name in STEPS)

    def chart(self, lang: str = "en") -> Chart:
        """All steps as one Altair chart, one below the other."""
        check_choice("lang", lang, LANGUAGES)
        from xattn.viz.pipeline import pipeline_chart  # Altair takes long to import

        return pipeline_chart(self.steps(), self.ledger.item, self.ledger.base, self.ledger.score, lang)


def pipeline(
    source: Interactions | Recommender,
    user: Any = None,
    item: Any = None,
    *,
    history: Any = None,
    k: int | None = None,
    exclude: Iterable[Any] = (),
    candidates: Iterable[Any] | None = None,
    where: Mapping[str, Any] | None = None,
    without: Iterable[Any] = (),
    seen: str = "drop",
) -> Pipeline:
    """Every step from events to a recommendation and its picture, for one person: a `Pipeline` of frames.

    `source` are data, to which the default model is fitted, or a fitted model. `item` is the one that is explained, by
    default the first of the list; the other arguments are those of `recommend`. Raises InputError for another source,
    for ids that the data do not have, and where the list is empty and no item is named. Source: the article, sections
    3.1 (four steps) and 3.5 (the way from data to visualisation).

    >>> from xattn import ContentAttention
    >>> from xattn.data.synthetic import planted
    >>> way = pipeline(ContentAttention().fit(planted("genre", seed=0).data), "u3")
    >>> list(way.steps())
    ['history', 'features', 'weights', 'fusion', 'recommendations']
    >>> whole = way.ledger.base + way.fusion["contribution"].sum()
    >>> bool(abs(whole - way.recommendations["score"][0]) < 1e-9)
    True
    """
    if not isinstance(source, Interactions | Recommender):
        refuse("type", name="source", what="data_or_model", got=source)
    model = model_class(DEFAULT)().fit(source) if isinstance(source, Interactions) else source
    given: dict[str, Any] = {
        "history": history, "k": k, "exclude": tuple(exclude), "where": where, "without": tuple(without), "seen": seen,
        "candidates": None if candidates is None else tuple(candidates),
    }  # fmt: skip
    listed = model.recommend(user, **given)
    if item is None and listed.empty:
        refuse("nothing_listed")
    chosen = listed["item"].iloc[0] if item is None else item
    return Pipeline(model, model.explain(user, chosen, **given), listed)


def _history(why: Ledger) -> pd.DataFrame:
    events, table = why.history, why.items_table
    live = np.flatnonzero(events.live)
    rows = events.item[live].tolist()
    rating = np.full(len(live), np.nan) if events.rating is None else np.asarray(events.rating, np.float64)[live]
    named = {"event": [table.ids[row] for row in rows], "title": [table.titles[row] for row in rows]}
    return pd.DataFrame({**named, "position": live, "age": events.age[live], "rating": rating})


def _features(why: Ledger) -> pd.DataFrame:
    """The features of the items of the events, and of the explained item, one row a feature that an item has."""
    table, found = why.items_table, feature_set(why.items_table)
    live = np.flatnonzero(why.history.live)
    rows = np.append(why.history.item[live], why.question.target)
    own = found.F[rows].tocoo()
    at = np.lexsort((own.col, own.row))
    row, column = own.row[at], own.col[at]
    return pd.DataFrame(
        {
            "item": [table.ids[j] for j in rows[row].tolist()],
            "title": [table.titles[j] for j in rows[row].tolist()],
            "position": np.append(live, -1)[row],
            "block": [found.blocks[f] for f in column.tolist()],
            "feature": [found.names[f] for f in column.tolist()],
            "value": own.data[at],
        }
    )


def _fusion(why: Ledger) -> pd.DataFrame:
    """The cells, where those of one head and event are one row: their values are summed."""
    by = ["head", *NAMED]
    same = {name: (name, "first") for name in ("weight", "strength", "gate")}
    summed = why.cells.groupby(by, sort=False, as_index=False).agg(
        **same, value=("value", "sum"), contribution=("contribution", "sum")
    )
    return summed[[*by, "weight", "strength", "value", "gate", "contribution"]]
