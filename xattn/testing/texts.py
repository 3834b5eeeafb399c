"""Every claim of a text of a ledger, looked up again: sums in the frame of cells, removals by serving what is left.

`mismatches` returns what does not hold; an empty list is a text in which each number and name is the ledger's. Numbers
agree when they are equal as printed.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from xattn.explain import Ledger
from xattn.explain.question import rank_of
from xattn.explain.tell.words import quotable
from xattn.kernels.topk import top_k
from xattn.testing.claims import Claim, Named, prints, read_back
from xattn.viz.names import feature_name

__all__ = ["mismatches"]


def mismatches(ledger: Ledger, lang: str, depth: str, scenario: str = "films", text: str | None = None) -> list[str]:
    """What the text of this ledger (or a given `text`) says that the ledger does not; empty where all of it holds."""
    words = ledger.text(lang, depth, scenario) if text is None else text
    facts = _Facts(ledger, lang)
    return [
        f"{claim.key}: {wrong}"
        for claim in read_back(words, lang, depth, scenario, ledger.amounts)
        for wrong in facts.check(claim)
    ]


OF_EVENTS = ("words.score", "words.short")  # what counts events; other sentences count items


class _Facts:
    """What holds, found without the code that the words are made with."""

    def __init__(self, ledger: Ledger, lang: str) -> None:
        self.ledger, self.lang = ledger, lang
        self.history, self.target = ledger.history, ledger.question.target
        self.events = np.flatnonzero(self.history.live)
        self.newest = {int(self.history.item[p]): int(p) for p in self.events}  # of each item, the last one stays
        self.live = np.array(sorted(self.newest.values()), dtype=np.int64)
        self.n = len(self.events)

    def own(self, position: int) -> int:
        """The position that stands for the item of the event at `position`."""
        return self.newest[int(self.history.item[position])]

    def times(self, position: int) -> int:
        return int((self.history.item[self.events] == self.history.item[position]).sum())

    def title(self, position: int) -> str:
        return quotable(self.ledger.items_table.titles[int(self.history.item[position])], self.lang)

    @cached_property
    def amounts(self) -> dict[int, float]:
        """Contribution by position, from the frame of cells."""
        sums = dict.fromkeys(self.live.tolist(), 0.0)
        for position, amount in zip(self.ledger.cells["position"], self.ledger.cells["contribution"], strict=True):
            sums[self.own(position)] += float(amount)
        return sums

    @cached_property
    def weights(self) -> dict[int, float]:
        sums = dict.fromkeys(self.live.tolist(), 0.0)
        once = self.ledger.cells.drop_duplicates(["head", "position"])
        for position, weight in zip(once["position"], once["weight"], strict=True):
            sums[self.own(position)] += float(weight)
        total = sum(sums.values()) or 1.0
        return {position: weight / total for position, weight in sums.items()}

    @cached_property
    def effects(self) -> dict[int, float]:
        frame = self.ledger.removals()
        return dict(zip(frame["position"].tolist(), frame["effect"].tolist(), strict=True))

    @property
    def best(self) -> list[int]:
        """Positions that speak for the item, strongest first."""
        return [p for p in sorted(self.amounts, key=lambda p: -self.amounts[p]) if self.amounts[p] > 0]

    @cached_property
    def base_share(self) -> float:
        lift = self.ledger.base - float(self.ledger.scorer.base_.min())
        moved = sum(abs(amount) for amount in self.amounts.values())
        return lift / (lift + moved) if moved > 0 else 1.0

    def serve(self, positions: list[int]) -> np.ndarray:
        """The scores that the model serves without the items at these positions."""
        gone = np.isin(self.history.item, self.history.item[list(positions)])
        return self.ledger.scorer.scores_of(self.history.without(np.flatnonzero(gone & self.history.live)))

    def rank(self, scores: np.ndarray) -> int | None:
        return rank_of(scores, self.target, self.ledger.question.allowed)

    # --- claims -------------------------------------------------------------------------------------------------------

    def check(self, claim: Claim) -> list[str]:
        values = claim.values
        wrong = [name for name in ("score", "base", "lift", "rank_now", "k", "n") if not self._plain(name, claim)]
        kind, _, case = claim.key.removeprefix("words.").partition("_")
        listed = self.ledger.rank is not None and self.ledger.rank <= self.ledger.k
        if kind in ("sentence", "outside") and case != "none" and (kind == "sentence") != listed:
            wrong.append("listed")  # a sentence without a reason says nothing of the list
        rule = getattr(self, f"_{kind.replace('outside', 'sentence')}_{case}".rstrip("_"), None)
        if rule is not None and not rule(claim):
            wrong.append(f"{values} {[tuple(name) for name in claim.names]}")
        return wrong

    def _plain(self, name: str, claim: Claim) -> bool:
        """A value that means the same wherever it stands."""
        if name not in claim.values or (name == "score" and claim.key.startswith("words.removal")):
            return True
        known = {
            "score": self.ledger.score,
            "base": self.ledger.base,
            "lift": sum(self.amounts.values()),
            "rank_now": float(self.ledger.rank or 0),
            "k": float(self.ledger.k),
            "n": float(self.n if claim.key in OF_EVENTS else len(self.live)),
        }
        return prints(claim.values[name], known[name])

    def _score(self, claim: Claim) -> bool:
        return claim.values["title"] == quotable(self.ledger.title, self.lang)

    _score_one = _score

    def _score_empty(self, claim: Claim) -> bool:
        return self._score(claim) and not any(self.amounts.values()) and self.ledger.score == self.ledger.base

    def _listed(self, names: tuple[Named, ...], positions: list[int], amounts: bool = True) -> bool:
        """The names are those at the positions, in this order; equal amounts may change places."""
        if len(names) != len(positions):
            return False
        for name, position in zip(names, positions, strict=True):
            alike = [
                p for p in self.live.tolist() if math.isclose(self.amounts[p], self.amounts[position], rel_tol=1e-9)
            ]
            if name.title not in {self.title(p) for p in [position, *alike]}:
                return False
            if amounts and not prints(name.amount, self.amounts[position]):
                return False
            if amounts and name.times not in {str(self.times(p)) for p in [position, *alike]} - {"1"} | {""}:
                return False
        return True

    def _for(self, claim: Claim) -> bool:
        return self._listed(claim.names, self.best[:3])

    def _against(self, claim: Claim) -> bool:
        worst = [p for p in sorted(self.amounts, key=lambda p: self.amounts[p]) if self.amounts[p] < 0]
        return self._listed(claim.names, worst[:3])

    def _features(self, claim: Claim) -> bool:
        cells = self.ledger.cells
        sums = cells[cells["feature"] != ""].groupby("feature")["contribution"].sum()
        most = sums[sums > 0].sort_values(ascending=False)
        known = {quotable(feature_name(str(name), self.lang), self.lang): float(most[name]) for name in most.index}
        amounts = [known.get(name.title, math.nan) for name in claim.names]
        agree = all(prints(name.amount, amount) for name, amount in zip(claim.names, amounts, strict=True))
        return agree and np.allclose(amounts, most.to_numpy(dtype=float)[: len(amounts)], rtol=1e-9)

    def _both_say(self, claim: Claim) -> bool:
        """The words stand in a text of the first reason and in one of the item, as the item table has them."""
        table, best = self.ledger.items_table, self.best[0]
        rows = int(self.history.item[best]), self.target
        texts = [" ".join([table.titles[row], *map(str, table.frame.iloc[row].tolist())]).casefold() for row in rows]
        return self._alike_in(claim) and all(name.title.casefold() in text for name in claim.names for text in texts)

    def _alike_in(self, claim: Claim) -> bool:
        """The two titles are those of the first reason and of the item, and something is named once."""
        titles = claim.values["title"], claim.values["replacement"]
        names = [name.title for name in claim.names]
        known = self.title(self.best[0]), quotable(self.ledger.title, self.lang)
        return titles == known and len(set(names)) == len(names) > 0

    def _all_orders(self, claim: Claim) -> bool:
        return self.ledger.orders is not None and self.ledger.orders.orders == 0

    def _orders(self, claim: Claim) -> bool:
        """The number of orders, and the widest interval: of an item, the widths of all its events together."""
        found = self.ledger.orders
        if found is None or claim.values["orders"] != str(found.orders):
            return False
        width = np.bincount([self.own(p) for p in self.events.tolist()], found.within[self.events])
        return prints(claim.values["within"], float(width.max()))

    def _effective(self, claim: Claim) -> bool:
        share = np.array([weight for weight in self.weights.values() if weight > 0])
        return abs(float(claim.values["effective"]) - math.exp(-float((share * np.log(share)).sum()))) <= 0.5 + 1e-6

    def _removal(self, claim: Claim) -> bool:
        """The event without which the score is lowest, and the score and rank that are then served."""
        least = min(self.effects.values())
        near = [p for p, effect in self.effects.items() if math.isclose(effect, least, rel_tol=1e-6, abs_tol=1e-12)]
        for position in (p for p in near if self.title(p) == claim.values["title"]):
            scores = self.serve([position])
            rank = claim.values.get("rank")
            if prints(claim.values["score"], float(scores[self.target])) and rank in (None, str(self.rank(scores))):
                return True
        return False

    _removal_unranked = _removal

    def _removal_same(self, claim: Claim) -> bool:
        return claim.values["rank"] == str(self.ledger.rank) and self._removal(claim)

    def _unranked(self, claim: Claim) -> bool:
        return not self.ledger.question.allowed[self.target]

    def _drop(self, claim: Claim) -> bool:
        found, allowed, k = self.ledger.counterfactual(), self.ledger.question.allowed, self.ledger.k
        scores = self.serve(list(found.positions))
        before, after = (
            top_k(s[None, :], allowed[None, :], k).items[0].tolist()
            for s in (self.ledger.scorer.scores_of(self.history), scores)
        )
        new = [quotable(self.ledger.items_table.titles[j], self.lang) for j in after if j >= 0 and j not in before]
        titles = [self.title(p) for p in sorted({self.own(p) for p in found.positions})]
        replaced = claim.values.get("replacement")
        return (
            [name.title for name in claim.names] == titles
            and (self.rank(scores) or 0) > k
            and (replaced == new[0] if new and replaced is not None else replaced is None and not new)
        )

    _drop_alone = _drop

    def _smallest(self, claim: Claim) -> bool:
        return self.ledger.counterfactual().exact

    def _not_smallest(self, claim: Claim) -> bool:
        return not self.ledger.counterfactual().exact

    def _stays(self, claim: Claim) -> bool:
        return (self.rank(self.serve(self.live.tolist())) or 0) <= self.ledger.k

    def _popularity(self, claim: Claim) -> bool:
        return self.base_share > 0.5

    def _no_reason(self, claim: Claim) -> bool:
        return not self.best

    def _short(self, claim: Claim) -> bool:
        return 1 < self.n < 5

    def _short_one(self, claim: Claim) -> bool:
        return self.n == 1

    def _disagree(self, claim: Claim) -> bool:
        looked = [p for p in self.weights if math.isclose(self.weights[p], max(self.weights.values()))]
        size = {p: abs(effect) for p, effect in self.effects.items()}
        moving = [p for p in size if math.isclose(size[p], max(size.values()), rel_tol=1e-9)]
        return (
            claim.values["looked"] in {self.title(p) for p in looked}
            and claim.values["weight"] == f"{self.weights[looked[0]]:.1%}"
            and any(
                claim.values["moving"] == self.title(p) and prints(claim.values["effect"], self.effects[p])
                for p in moving
            )
            and not set(looked) & set(moving)
        )

    # --- confidence ---------------------------------------------------------------------------------------------------

    @cached_property
    def _level(self) -> str:
        best = self.best
        if not best or self.base_share > 0.5 or self.n < 5 or not self.effects[best[0]] < 0:
            return "weak"
        rank = self.rank(self.serve([best[0]]))
        drops = rank is not None and (self.ledger.rank or self.ledger.k + 1) <= self.ledger.k < rank
        return "strong" if drops and self.effects[best[0]] <= min(self.effects.values()) else "moderate"

    def _confidence_strong(self, claim: Claim) -> bool:
        return self._level == "strong"

    def _confidence_moderate(self, claim: Claim) -> bool:
        return self._level == "moderate"

    def _confidence_weak(self, claim: Claim) -> bool:
        return self._level == "weak"

    # --- clauses and sentences ----------------------------------------------------------------------------------------

    def _liked(self, position: int) -> bool:
        own = self.ledger.cells[[self.own(p) == position for p in self.ledger.cells["position"]]]
        return bool((own["strength"] >= 0).any())

    def _rated_low(self, position: int) -> bool:
        """The rating lies in the lowest quarter of a scale that is known."""
        scale, rating = self.ledger.scorer.data_.scale, self.history.rating
        if scale is None or rating is None or not scale.certain:
            return False
        return bool(rating[position] <= scale.low + (scale.high - scale.low) / 4)

    def _kind(self, position: int) -> str:
        if not self._liked(position):
            return "disliked"
        return "although" if self._rated_low(position) else "for"

    def _because(self, claim: Claim, kind: str) -> bool:
        """The first two reasons of the kind of the first one."""
        first = [p for p in self.best if self._kind(p) == self._kind(self.best[0])][:2]
        of_kind = bool(first) and self._kind(first[0]) == kind
        named = of_kind and self.base_share <= 0.5 and self._listed(claim.names, first, amounts=False)
        amount = claim.values.get("amount")
        return named and (amount is None or prints(amount, sum(self.amounts[p] for p in first)))

    def _although(self, claim: Claim) -> bool:
        low = [p for p in self.best[:3] if self._rated_low(p)]
        return bool(low) and self._listed(claim.names, low, amounts=False)

    def _clause_for(self, claim: Claim) -> bool:
        return self._because(claim, "for")

    def _clause_disliked(self, claim: Claim) -> bool:
        return self._because(claim, "disliked")

    def _clause_although(self, claim: Claim) -> bool:
        return self._because(claim, "although")

    _sentence_for, _sentence_although, _sentence_disliked = _clause_for, _clause_although, _clause_disliked
    _clause_popular = _sentence_popular = _popularity
    _clause_none = _sentence_none = _no_reason

    def _tail_rank(self, claim: Claim) -> bool:
        rank = self.rank(self.serve([self.best[0]]))
        return claim.values["title"] == self.title(self.best[0]) and claim.values["rank"] == str(rank)

    _tail_same = _tail_rank

    def _tail_score(self, claim: Claim) -> bool:
        score = float(self.serve([self.best[0]])[self.target])
        return claim.values["title"] == self.title(self.best[0]) and prints(claim.values["without"], score)

    def _tail_end(self, claim: Claim) -> bool:
        return not self.best or self.base_share > 0.5
