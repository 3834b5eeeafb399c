"""One run of a scenario: the default model on its data, one person's list, and why its first item stands there."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from xattn.data import Interactions
from xattn.errors import check_choice, check_whole, refuse
from xattn.evaluate import evaluate
from xattn.evaluate.reports import groups
from xattn.evaluate.setup import asked
from xattn.explain import Ledger
from xattn.i18n import LANGUAGES, t
from xattn.i18n.numbers import figure
from xattn.progress import Progress, part_of, silent
from xattn.recommenders import EASE, ItemKNN, Popularity, RecencyEASE, Recommender, registry
from xattn.scenarios.manifest import Manifest, builtin, manifest_of, names
from xattn.scenarios.sets import KINDS, ScenarioSet, at_hand, scenario_set

if TYPE_CHECKING:
    from xattn.scenarios.manifest import Said

__all__ = ["Outcome", "Scenario", "load", "somebody"]

SIMPLE = (ItemKNN, EASE, RecencyEASE)  # what a reader would take instead; popularity stands beside them
FEW_REASONS = 5


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a run found: the set, the fitted model, the person with the `listed` frame (rank, item, title, score, base),
    the `why` of its first item, and the result of `evaluate` where it was asked for."""

    scenario: Scenario
    found: ScenarioSet
    model: Recommender
    user: str
    listed: pd.DataFrame
    why: Ledger
    accuracy: dict[str, Any] | None = None

    def __repr__(self) -> str:
        name, kind = self.scenario.manifest.name, self.found.kind
        return f"Outcome({name} on {kind} data: {self.why.title!r} for user {self.user})"

    @property
    def gap(self) -> float:
        """How far the cells and the base of the ledger are from the score that was served."""
        served = float(self.listed["score"].iloc[0])
        return abs(self.why.base + float(self.why.cells["contribution"].sum()) - served)

    def text(self, lang: str = "en", depth: str = "paragraph") -> str:
        """Why the first item stands there, in the words of the scenario."""
        return self.why.text(lang, depth, self.found.words)

    def accuracy_told(self, lang: str = "en") -> str:
        """How the model does beside popularity and the best simple rival; "" where it was not evaluated."""
        if self.accuracy is None:
            return ""
        metric = f"ndcg@{self.accuracy['k']}"
        own, popular, *simple = self.accuracy["rows"]
        best = max(simple, key=lambda row: row[metric])
        figures = {"own": figure(own[metric]), "other": figure(best[metric]), "popular": figure(popular[metric])}
        return t("scenario.ahead", lang, metric=metric, model=own["model"], rival=best["model"], **figures)

    def to_dict(self, lang: str = "en") -> dict[str, Any]:
        """The run as plain lists and dicts (the JSON of `xattn scenario run --json`)."""
        manifest, data = self.scenario.manifest, self.found.data
        sizes = {"users": data.n_users, "items": data.n_items, "events": data.n_events}
        real = manifest.real if self.found.kind == "real" else None
        reasons = self.why.events()[["event", "title", "times", "contribution", "effect", "rank_without"]]
        return {
            **self.scenario.to_dict(lang),
            "words": self.found.words,
            "data": {
                "kind": self.found.kind,
                "set": self.found.set_name,
                "licence": None if real is None else real.licence,
                "source": None if real is None else real.source,
                **sizes,
                "told": self.found.told(lang),
            },
            "model": type(self.model).__name__,
            "user": self.user,
            "items": self.listed.to_dict("records"),
            "why": {
                "item": self.why.item,
                "title": self.why.title,
                "score": self.why.score,
                "base": self.why.base,
                "gap": self.gap,
                "text": self.text(lang),
                "events": reasons.head(FEW_REASONS).to_dict("records"),
            },
            "accuracy": None if self.accuracy is None else {**self.accuracy, "told": self.accuracy_told(lang)},
        }


@dataclass(frozen=True, eq=False)
class Scenario:
    """A scenario that can be run: its manifest, and the folder that its own files lie in."""

    manifest: Manifest
    base: Path | None = None

    def __repr__(self) -> str:
        return f"Scenario({self.manifest.name!r}: {', '.join(at_hand(self.manifest)) or 'no data here'})"

    def data(self, kind: str | None = None) -> ScenarioSet:
        """The data: of `kind` ("own", "real", "simulated"), or of the first that is at hand. Raises InputError."""
        return scenario_set(self.manifest, kind, self.base)

    def model(self, found: ScenarioSet | None = None) -> Recommender:
        """The default model, unfitted, asked as the scenario asks, with its weights of event types; with the settings
        that differ on `found`, where it is given."""
        made: Recommender = asked(registry.model_class(registry.DEFAULT)(), self.manifest.protocol)
        settings: dict[str, Any] = {"event_weights": self.manifest.weights or None, "learned": "never"}
        if found is not None:
            settings |= {one.name: one.given for one in self.manifest.settings(found.kind)}
        own = made.get_params(deep=False)
        made.set_params(**{name: value for name, value in settings.items() if name in own})
        return made

    def run(
        self,
        *,
        data: str | None = None,
        user: str | None = None,
        k: int = 5,
        with_accuracy: bool = False,
        progress: Progress | None = None,
    ) -> Outcome:
        """Fit the default model, list `k` items for `user` (or for somebody with a history of middling length), and
        explain the first.

        `data` is as in the method of that name; `with_accuracy` also holds the model against popularity and simple
        rivals, under the protocol of the manifest. Raises InputError for wrong arguments, and UnknownIdError for a user
        that the data does not hold.

        >>> outcome = load("travel").run(data="simulated")
        >>> outcome.found.kind, len(outcome.listed), outcome.gap < 1e-9
        ('simulated', 5, True)
        """
        tell = progress or silent
        k = check_whole("k", k, low=1)
        found = self.data(data)
        asked_for = somebody(found.data) if user is None else found.data.user_ids[found.data.user_row(user)]
        tell("fit", 0.0)
        model = self.model(found).fit(found.data, progress=part_of(tell, 0.0, 0.3 if with_accuracy else 0.9))
        listed = model.recommend(user=asked_for, k=min(k, found.data.n_items), seen=self.manifest.seen)
        if not len(listed):
            refuse("nothing_listed")
        item = listed["item"].iloc[0]
        why = model.explain(user=asked_for, item=item, k=min(k, found.data.n_items), seen=self.manifest.seen)
        accuracy = self.accuracy(found, part_of(tell, 0.3, 1.0)) if with_accuracy else None
        return Outcome(self, found, model, asked_for, listed, why, accuracy)

    def accuracy(self, found: ScenarioSet, progress: Progress | None = None) -> dict[str, Any]:
        """The result of `evaluate`: the default model, popularity, and three simple rivals, in this order.

        A base that forgets (`half_life`) belongs to one moment, and the protocols ask each person as of the own last
        event: it is left out here and in `groups`.
        """
        models = [_at_any_moment(self.model(found)), Popularity(), *(kind() for kind in SIMPLE)]
        weights = self.manifest.weights
        for model in models[1:]:
            if weights and "event_weights" in model.get_params(deep=False):
                model.set_params(event_weights=weights)
        seen, protocol = self.manifest.seen, self.manifest.protocol
        k = min(10, found.data.n_items)
        return evaluate(found.data, models, protocol=protocol, k=k, seen=seen, progress=progress)

    def groups_of(self, found: ScenarioSet) -> list[str]:
        """What `groups` can report on: the groups of the manifest, then the sensitive columns that `found` keeps for
        audits."""
        return [*self.manifest.groups, *([] if found.people is None else found.people.columns[1:].tolist())]

    def groups(
        self,
        found: ScenarioSet,
        by: str,
        *,
        model: Recommender | None = None,
        sample: int = 100,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """Who is served or explained worse: the report of `xattn.evaluate.reports.groups` by one of `groups_of`, under
        the protocol of the manifest. `model` is the default one, where it has been fitted to `found` already. Raises
        InputError for another group.

        >>> travel = load("travel")
        >>> report = travel.groups(travel.data("simulated"), "sex", sample=10)
        >>> [row["group"] for row in report["rows"]]
        ['f', 'm']
        """
        check_choice("by", by, self.groups_of(found))
        audit = None
        if by not in self.manifest.groups and found.people is not None:
            audit = dict(zip(found.people["user"], found.people[by], strict=True))
        return groups(
            _at_any_moment(copy(model or self.model(found).fit(found.data))),
            by=by,
            k=min(10, found.data.n_items),
            sample=sample,
            protocol=self.manifest.protocol,
            seen=self.manifest.seen,
            people=audit,
            progress=progress,
        )

    def to_dict(self, lang: str = "en") -> dict[str, Any]:
        """What the manifest says, in one language (an entry of `xattn scenario list --json`)."""
        check_choice("lang", lang, LANGUAGES)
        m = self.manifest
        texts = {name: getattr(m, name).told(lang) for name in ("title", "story", "persona", "watch")}
        return {
            "name": m.name,
            **texts,
            "words": m.words,
            "at_hand": at_hand(m),
            "events": [{"type": e.type, "weight": e.weight, "why": e.why.told(lang)} for e in m.events],
            "settings": [
                {"of": kind, "name": one.name, "value": one.given, "why": one.why.told(lang)}
                for kind in KINDS
                for one in m.settings(kind)
            ],
            "groups": list(m.groups),
            "sensitive": list(m.sensitive),
            "warnings": _told(m.warnings, lang),
            "questions": _told(m.questions, lang),
        }


def load(name: str | Path) -> Scenario:
    """A scenario of the package by name, or a manifest of your own by its path (``.toml``).

    Raises InputError for an unknown name and, in one sentence, for a file that is no manifest.

    >>> load("e-commerce").manifest.words
    'shop'
    """
    if isinstance(name, Path) or (isinstance(name, str) and (name.endswith(".toml") or Path(name).name != name)):
        return Scenario(manifest_of(name), Path(name).absolute().parent)
    return Scenario(builtin(check_choice("scenario", name, names())))


def _at_any_moment(model: Recommender) -> Recommender:
    """The model without what belongs to one moment."""
    if "half_life" in model.get_params(deep=False):
        model.set_params(half_life=None)
    return model


def _told(said: Iterable[Said], lang: str) -> list[str]:
    return [one.told(lang) for one in said]


def somebody(data: Interactions) -> str:
    """The person whose number of different items is nearest to the median of those who had two or more; the first of
    equals."""
    pairs = np.unique(data.user * data.n_items + data.item) // data.n_items
    had = np.bincount(pairs, minlength=data.n_users).astype(float)
    if not (had >= 2).any():
        refuse("scenario_person")
    far = np.where(had >= 2, np.abs(had - np.median(had[had >= 2])), np.inf)
    return data.user_ids[int(np.argmin(far))]
