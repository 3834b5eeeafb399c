"""Stated reasons: people told a restaurant guide what they wanted next. Do our feature reasons say the same?

    XATTN_TEST_DATA=… python benchmarks/stated_reasons.py [--cases 4000] [--seed 0]

In the set uci-entree a person looks at restaurant A, says "nicer", "cheaper", "livelier", "more creative", "quieter" or
"more traditional", and looks at B next. Models that were fitted to other sessions explain B from what was looked at up
to A. What was said is never shown to them. An explanation gives an amount to every feature, in several ways (`WAYS`):

    shared              the ledger of ContentAttention: what B shares with what was looked at
    shared, over A      the ledger of B less that of A
    relative, over A    the same, each in units of its own base: popular places have larger amounts
    removal             by how much the score of B falls without each of its features
    follows             the values of the collaborative heads, continued along features as to a newcomer (eq. 24): what
                        those who looked at this went on to, feature by feature, for the features of B
    follows, over A     the same for B less A: what speaks for B and against the place that was left
    attention           weights alone: each feature that an event and B share counts with the weight of the event
    attention, over A   that for B less A
    changed             no model: features that B has, less those that A has. What the guide did with the wish
    of B                no model: the features of B

From the amounts the wish is guessed, in two readings. `families`: each wish has features that were written down before
anything was measured (`FAMILIES`); the wish whose share of all positive amounts is most above its mean, in standard
deviations. `learned`: a multinomial logit from the amounts (each explanation's sum to 1) to the wishes. Means and
logits are learned on the wishes of the sessions that the models were fitted to. The other sessions are parted into two
halves: on the even ones the way of asking is chosen, of ours and of attention; on the odd ones the chosen ones are
measured, once. Every wish counts alike, so a blind guess is right in one of six cases. Intervals: 1,000 bootstrap draws
over sessions, 95 %.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression

from xattn.data import History, Interactions
from xattn.features import feature_set
from xattn.model.fit.inheritance import fit_inheritance
from xattn.model.heads.collaborative import CollaborativePart
from xattn.progress import silent
from xattn.recommenders import ContentAttention, HybridAttention
from xattn.scenarios import load

WISHES = ("nicer", "cheaper", "livelier", "more creative", "quieter", "more traditional")
FAMILIES: dict[str, tuple[str, ...]] = {
    "nicer": (
        "Excellent Food", "Extraordinary Food", "Near-perfect Food", "Excellent Decor", "Extraordinary Decor",
        "Near-perfect Decor", "Excellent Service", "Extraordinary Service", "Near-perfect Service", "Need To Dress",
        "Fabulous Wine Lists", "Fabulous Views",
    ),
    "cheaper": ("below $15", "Hamburgers & Beer", "Fast Food", "Carry in Wine and Beer", "Buffet Dining"),
    "livelier": (
        "Entertainment", "Dancing", "Singles Scene", "Place for Singles", "Happy Hour", "Hip Place To Be", "Pub Feel",
        "Late Night Menu", "Great for People Watching", "See the Game", "Great Place to Meet for a Drink", "Margaritas",
        "Very Busy - Reservations a Must", "Up and Coming", "After Hours Dining",
    ),
    "more creative": (
        "Creative", "Eclectic", "Quirky", "American (New)", "American (Contemporary)", "French (New)",
        "French Contemporary", "French Nouvelle", "French-Japanese", "Californian", "Pacific New Wave", "Pacific Rim",
        "Italian Nuova Cucina", "International",
    ),
    "quieter": (
        "Quiet for Conversation", "Romantic", "Relaxed Senior Scene", "Warm spots by the fire", "Old World Cafe Charm",
        "Fine for Dining Alone", "Little Known But Well Liked", "An Out Of The Way Find",
    ),
    "more traditional": (
        "Traditional", "American (Traditional)", "French Classic", "Continental", "An Historic Spot", "Down-Home",
        "Classic Hotel Dining", "Steakhouses", "Diners", "Old World Cafe Charm", "People Keep Coming Back",
    ),
}  # fmt: skip
WAYS = {  # whose explanation it is
    "shared": "ours", "shared, over A": "ours", "relative, over A": "ours", "removal": "ours",
    "follows": "ours", "follows, over A": "ours",
    "attention": "attention", "attention, over A": "attention",
    "changed": "none", "of B": "none",
}  # fmt: skip
DRAWS = 1000
PENALTY = 0.003  # C of the logit


class Case(NamedTuple):
    """Somebody looked at the items of `before`, of which A is the last, wished something there, and went on to B."""

    session: int
    before: np.ndarray
    after: int
    wish: int


def cases_of(data: Interactions, sessions: np.ndarray) -> list[Case]:
    """All wishes of these sessions that were followed by a restaurant that was not looked at before."""
    assert data.kind is not None
    wishes = {f"wants it {wish}": at for at, wish in enumerate(WISHES)}
    found = []
    for session in sessions.tolist():
        own = data.events_of(session)
        item, kind = data.item[own], data.kind[own].tolist()
        for at in range(len(item) - 1):
            wish = wishes.get(str(kind[at]))
            if wish is not None and item[at + 1] not in item[: at + 1]:
                found.append(Case(session, item[: at + 1], int(item[at + 1]), wish))
    return found


def families(names: Sequence[str]) -> np.ndarray:
    """(d, wishes) bool: which features are in which family; a feature may be in two."""
    bare = [name.partition(": ")[2] for name in names]
    return np.array([[name in FAMILIES[wish] for wish in WISHES] for name in bare])


def shares(amounts: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """(cases, wishes) of what is positive among the amounts (cases, d) of features, the share of each family."""
    positive = np.maximum(amounts, 0.0)
    return np.asarray(positive @ inside / np.maximum(positive.sum(axis=1, keepdims=True), 1e-300))


# --- the ways to ask --------------------------------------------------------------------------------------------------


class Asked:
    """Two fitted models, and the amounts of all features for a case in each way."""

    def __init__(self, data: Interactions) -> None:
        self.content = ContentAttention().fit(data, progress=silent)
        hybrid = HybridAttention(learned="never").fit(data, progress=silent)
        self.part = self.content.parts_[0]
        self.behaviour = next(part for part in hybrid.parts_ if isinstance(part, CollaborativePart))
        features = feature_set(data.items)
        self.F = features.F.toarray()
        self.has = self.F > 0
        self.norm = np.maximum(np.linalg.norm(self.F, axis=1), 1e-300)
        values = hybrid._plain_values(data, self.behaviour, hybrid.base_)()
        self.D = fit_inheritance(values, features.F).D

    def attention(self, item: np.ndarray, target: np.ndarray) -> np.ndarray:
        """(n,) weights of the content head for a target that has the features `target` (d,)."""
        cosine = self.F[item] @ target / self.norm[item]
        z = cosine / self.part.temperature - np.arange(len(item))[::-1] / self.part.tau
        e = np.exp(z - z.max())
        return np.asarray(e / e.sum())

    def ledger(self, item: np.ndarray, j: int) -> tuple[np.ndarray, np.ndarray]:
        """(d,), (d,) what the ledger of j gives to each feature, in units of its base, and what attention does."""
        a = self.attention(item, self.F[j] / self.norm[j])
        return (a @ self.F[item]) * self.F[j] * self.part.worth, (a @ self.has[item]) * self.has[j]

    def check(self, case: Case) -> None:
        """The amounts of the ledger add up to the served score."""
        history = History.given(self.content.data_, [(self.content.data_.items.ids[row], None) for row in case.before])
        base, served = self.content.base_[case.after], self.content.scores_of(history)[case.after]
        assert abs(base * (1 + self.ledger(case.before, case.after)[0].sum()) - served) < 1e-12

    def removal(self, item: np.ndarray, j: int) -> np.ndarray:
        """(d,) by how much the score of j falls without each of its features; its length stays what it was."""
        out, whole = np.zeros(self.F.shape[1]), self.ledger(item, j)[0].sum()
        for f in np.flatnonzero(self.has[j]).tolist():
            less = self.F[j].copy()
            less[f] = 0.0
            a = self.attention(item, less / self.norm[j])
            out[f] = whole - ((a @ self.F[item]) * less * self.part.worth).sum()
        return out

    def follows(self, item: np.ndarray) -> np.ndarray:
        """(d,) what the collaborative heads say of each feature of whatever comes next."""
        age, row = np.arange(len(item))[::-1], self.behaviour.form.row_of_item[item]
        known, out = row >= 0, np.zeros(self.F.shape[1])
        for h, tau in enumerate(self.behaviour.tau):
            E = np.exp(-age / tau)
            out += (E / E.sum() ** self.behaviour.beta)[known] @ self.D[h][row[known]]
        return out

    def amounts(self, case: Case) -> dict[str, np.ndarray]:
        """(d,) of each way."""
        here, there = int(case.before[-1]), case.after
        (own, raw), (own_here, raw_here) = (self.ledger(case.before, j) for j in (there, here))
        base, slope, changed = self.content.base_, self.follows(case.before), self.F[there] - self.F[here]
        return {
            "shared": own,
            "shared, over A": own * base[there] - own_here * base[here],
            "relative, over A": own - own_here,
            "removal": self.removal(case.before, there),
            "follows": slope * self.F[there],
            "follows, over A": slope * changed,
            "attention": raw,
            "attention, over A": raw - raw_here,
            "changed": changed,
            "of B": self.F[there],
        }


# --- readings ---------------------------------------------------------------------------------------------------------


def by_families(amounts: np.ndarray, wish: np.ndarray, inside: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Guesses from shares of families, by their means and deviations over the cases that are learned from."""
    own = shares(amounts, inside)
    mean, deviation = own.mean(axis=0), own.std(axis=0)
    divisor = np.where(deviation > 0, deviation, np.inf)
    return lambda asked: np.asarray(((shares(asked, inside) - mean) / divisor).argmax(axis=1))


def by_logit(amounts: np.ndarray, wish: np.ndarray, inside: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Guesses by a multinomial logit from amounts, each explanation's of absolute sum 1, in standard deviations."""

    def scaled(given: np.ndarray) -> np.ndarray:
        return np.asarray(given / np.maximum(np.abs(given).sum(axis=1, keepdims=True), 1e-300))

    deviation = scaled(amounts).std(axis=0)
    used = deviation > 0
    logit = LogisticRegression(C=PENALTY, max_iter=500, class_weight="balanced")
    logit.fit(scaled(amounts)[:, used] / deviation[used], wish)
    return lambda asked: np.asarray(logit.predict(scaled(asked)[:, used] / deviation[used]))


READINGS = {"families": by_families, "learned": by_logit}


def balanced(right: np.ndarray, wish: np.ndarray, session: np.ndarray, seed: int) -> dict[str, Any]:
    """The mean over wishes of the mean of `right`, with its bootstrap over sessions."""
    _, group = np.unique(session, return_inverse=True)
    rng = np.random.default_rng(seed)
    hits = np.zeros((group.max() + 1, len(WISHES)))
    total = np.zeros_like(hits)
    np.add.at(hits, (group, wish), right)
    np.add.at(total, (group, wish), 1.0)
    draws = []
    for _ in range(DRAWS):
        times = np.bincount(rng.integers(0, len(hits), len(hits)), minlength=len(hits)).astype(float)
        draws.append(np.mean((times @ hits) / np.maximum(times @ total, 1.0)))
    each = hits.sum(axis=0) / np.maximum(total.sum(axis=0), 1.0)
    return {
        "value": float(each.mean()),
        "ci95": np.percentile(draws, [2.5, 97.5]).tolist(),
        "each": each,
        "right": right,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=4000, help="wishes that are chosen by and measured on")
    parser.add_argument("--learned", type=int, default=6000, help="wishes of the fitted sessions that are learned from")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    data = load("travel").data("real").data
    rng = np.random.default_rng(given.seed)
    held = rng.random(data.n_users) < 0.4
    train = data.select(~held[data.user])
    model = Asked(train)
    every, known = (cases_of(data, np.flatnonzero(part)) for part in (held, ~held))
    chosen = [every[at] for at in np.sort(rng.permutation(len(every))[: given.cases])]
    learned = [known[at] for at in np.sort(rng.permutation(len(known))[: given.learned])]
    inside = families(feature_set(data.items).names).astype(float)
    session = np.unique([case.session for case in chosen], return_inverse=True)[1]
    parts = {
        "learned": learned,
        "chosen": [case for case, at in zip(chosen, session, strict=True) if at % 2 == 0],
        "measured": [case for case, at in zip(chosen, session, strict=True) if at % 2 == 1],
    }
    sizes = ", ".join(f"{name} on {len(cases):,}" for name, cases in parts.items())
    print(f"{len(every):,} wishes in {int(held.sum()):,} held-out sessions; {sizes}")
    model.check(chosen[0])
    amounts = {name: [model.amounts(case) for case in cases] for name, cases in parts.items()}
    wish = {name: np.array([case.wish for case in cases]) for name, cases in parts.items()}
    who = np.array([case.session for case in parts["measured"]])
    guesses: dict[tuple[str, str], np.ndarray] = {}
    found: dict[tuple[str, str], float] = {}
    for way in WAYS:
        of = {name: np.array([one[way] for one in rows]) for name, rows in amounts.items()}
        for reading, learn in READINGS.items():
            guess = learn(of["learned"], wish["learned"], inside)
            right = guess(of["chosen"]) == wish["chosen"]
            found[way, reading] = float(np.mean([right[wish["chosen"] == w].mean() for w in range(len(WISHES))]))
            guesses[way, reading] = guess(of["measured"])
            print(f"{way}, {reading}: {found[way, reading]:.3f} where it is chosen", flush=True)
    best = {}
    for whose in ("ours", "attention", "none"):
        best[whose] = max((pair for pair in found if WAYS[pair[0]] == whose), key=lambda pair: found[pair])
    plain = [(way, "families") for way in ("shared", "attention", best["ours"][0])]
    asked = list(dict.fromkeys([*best.values(), *plain, (best["attention"][0], best["ours"][1]), ("of B", "learned")]))
    right = {pair: (guesses[pair] == wish["measured"]).astype(float) for pair in asked}
    right["dealt anew", ""] = (guesses[best["ours"]] == rng.permutation(wish["measured"])).astype(float)
    print("| explanation | reading | right (95 %) | " + " | ".join(WISHES) + " | ours less this (95 %) |")
    print("|---" * (4 + len(WISHES)) + "|")
    for pair, own in right.items():
        result = balanced(own, wish["measured"], who, given.seed)
        apart = balanced(right[best["ours"]] - own, wish["measured"], who, given.seed)
        cells = [*pair, "{:.3f} ({:.3f}–{:.3f})".format(result["value"], *result["ci95"])]
        cells += [f"{one:.2f}" for one in result["each"]]
        print("| " + " | ".join([*cells, "{:+.3f} ({:+.3f} to {:+.3f})".format(apart["value"], *apart["ci95"])]) + " |")
    print("; ".join(f"{name} {int((wish['measured'] == at).sum())}" for at, name in enumerate(WISHES)))


if __name__ == "__main__":
    main()
