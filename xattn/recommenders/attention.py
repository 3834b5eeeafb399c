"""Attention models: a base, and parts over content, over behaviour, or over both.

    s(u, j) = b_j + γ_j · collaborative_j + (1 − γ_j) · content_j,      γ_j = n_j / (n_j + κ)      (model.md, eq. 3)

With one part, its gate is 1. The base is the share of all events that an item has: how often it comes next for no
reason that the history gives. With a `half_life` older events count less in it (eq. 37); what is fitted beside it is
fitted to the share of all events.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from scipy import sparse

from xattn.data import History, Interactions, JoinedHistories
from xattn.errors import check_array, check_number, check_same_length, refuse
from xattn.errors.constraints import PROBABILITY, STRENGTH, ByName, Choice, Optional, constraints
from xattn.features import feature_set
from xattn.model.fit.block_weights import fit_blocks
from xattn.model.fit.freshness import fresh_share, share_of, youth
from xattn.model.fit.pooling import in_baskets, pace_of
from xattn.model.fit.worths import fit_feature_worths
from xattn.model.heads.blocks import BlocksPart, of_each_block
from xattn.model.heads.collaborative import CollaborativePart
from xattn.model.heads.content import ContentPart, ItemFeatures
from xattn.model.heads.inherited import InheritedPart
from xattn.model.heads.part import Part
from xattn.model.strength import kind_strengths, lasted, signed
from xattn.model.value_table import Form, form_of
from xattn.progress import Progress, silent
from xattn.recommenders.additive import Additive
from xattn.recommenders.behaviour import A_DAY, AS_ANY_OTHER, Behaviour, Kept, PartSums
from xattn.recommenders.dislikes import chosen_dislike
from xattn.recommenders.newcomers import inherit, with_newcomers
from xattn.recommenders.rehearsal import WAYS, Content, Fitted, Way, chosen_way

__all__ = ["FUSION", "AttentionModel", "Whole"]

FUSION = Choice(("multiply", "add", "softmax"))  # of blocks of features

NEWCOMERS = {"next": 0.12, "any": 0.02}  # of the first places, by default; of the past little is unmet (docs/log.md)


class Whole(NamedTuple):
    """What is known of a set of which `data` is a sample: worth of the events per item `met` (M,), sums over users."""

    data: Interactions
    met: np.ndarray
    sums: PartSums | None


class AttentionModel(Additive):
    """A base plus the parts of `kinds`: "content", "collaborative", or both in this order."""

    kinds: ClassVar[tuple[str, ...]]
    grows = True
    _constraints = constraints(
        beta=PROBABILITY,
        threshold=PROBABILITY,
        event_weights=Optional(ByName(STRENGTH, "event_types")),
    )
    fusion = "multiply"  # of models without blocks
    half_life: float | None = None  # of models whose base never forgets
    _kept: Kept | None = None
    _larger: Whole | None = None
    days_: tuple[float, ...]  # the scales in days, where the fit chose them
    dislike_: float  # what a clear dislike counts in the collaborative heads
    way_: Way | None = None  # how newcomers are scored that texts describe, once there have been any

    # --- fit ---------------------------------------------------------------------------------------------------------

    def fit_whole(self, whole: Whole, *, progress: Progress | None = None) -> Self:
        """Fit to a set too large for memory, from what is known of it, and return self.

        Base and values are those of the whole; what is chosen or learned from single histories (worths of features,
        the strength of a dislike, newcomers, learned heads) comes from the sample `whole.data`. Where that is the whole
        set, the result is that of `fit`, to rounding. Raises InputError as `fit` does, and for a model with a
        `half_life`: what is known of the whole does not say when its events were.
        """
        if self.half_life is not None:
            refuse("half_life_whole", got=self.half_life)
        fresh = self._fresh()
        fresh._larger = whole
        self._fit_fresh(fresh, whole.data, progress)
        self._larger = None
        return self

    def _worths(self, data: Interactions) -> np.ndarray:
        """What each event counts as one that came next (N,)."""
        kinds = np.maximum(kind_strengths(data.kind, data.n_events, self.event_weights), 0.0)
        return np.asarray(kinds * lasted(data.rating, data.n_events, self.scale_))

    def _sums_of(self, data: Interactions) -> PartSums | None:
        """The sums of the set of which `data` is the sample, where it is one."""
        return self._larger.sums if self._larger is not None and self._larger.data is data else None

    def _fit(self, data: Interactions, progress: Progress) -> None:
        if self.half_life is not None and data.time is None:
            refuse("half_life_times", got=self.half_life)
        if "collaborative" in self.kinds:
            if not hasattr(self, "days_"):
                self.days_ = self._chosen_days(data)
            if self._behaviour.by_time:
                self.pace_ = pace_of(data.indptr, data.time)
        if not hasattr(self, "dislike_"):
            self.dislike_ = self._chosen_dislike(data)
        if self._larger is not None and self._larger.data is data:
            met = self._larger.met
        else:
            met = np.bincount(data.item, self._worths(data), minlength=data.n_items)
        self.base_ = share = share_of(met)
        content = self._content(data) if "content" in self.kinds else None
        behaviour = self._collaborative(data, progress) if "collaborative" in self.kinds else None
        if self.half_life is not None and data.time is not None:
            self.base_ = fresh_share(data.item, self._worths(data), data.time, float(self.half_life), data.n_items)
            if content is not None:
                content = replace(content, gate=self._content_gate(data))
        self.parts_ = tuple(part for part in (content, behaviour) if part is not None)
        if content is not None and behaviour is not None:
            self._welcome(data, content, behaviour, share)

    def _chosen_days(self, data: Interactions) -> tuple[float, ...]:
        """The scales in days of "auto"; none over partitions, whose sums are made before anything is chosen, and none
        where one head more would leave no room for the values of all pairs."""
        if self._larger is not None or not in_baskets(data.indptr, data.time):
            return ()
        without, counts = Behaviour.of({**vars(self), "days_": ()}), data.counts()
        more = without._replace(days=A_DAY)
        return A_DAY if more.is_sparse(counts) == without.is_sparse(counts) else ()

    def _chosen_dislike(self, data: Interactions) -> float:
        """What a clear dislike counts in the collaborative heads, from what the data shows."""
        if "collaborative" not in self.kinds:
            return AS_ANY_OTHER
        if self.dislike != "auto":
            return self._behaviour.dislike
        seed = self.get_params(deep=False).get("random_state", 0)
        return chosen_dislike(data, self.scale_, self._behaviour, np.random.default_rng(seed))

    def _grow_from(self, old: Self, whole: Interactions) -> None:
        self.dislike_, self.way_ = old.dislike_, old.way_  # both are chosen in `fit` and stay
        if "collaborative" in self.kinds:
            self.days_ = () if whole.time is None else old.days_  # so are heads that forget by time
            kept, old._kept = old._kept, None  # the sums that are kept are used up here
            self._kept = self._behaviour.keep(kept if kept and kept.data is old.data_ else None, whole)

    def _shrink_from(self, old: Self, rest: Interactions, gone: np.ndarray) -> None:
        """Sums in float64 are those of a fit to rounding; in float32 a fit adds up otherwise, so all is done anew."""
        if "collaborative" in self.kinds and self._behaviour.dtype is np.float64:
            self.days_ = self._chosen_days(rest)
            kept, old._kept = old._kept, None
            self._kept = self._behaviour.lessen(kept if kept and kept.data is old.data_ else None, rest, gone)

    def _content(self, data: Interactions) -> Content:
        given = feature_set(data.items)
        features = ItemFeatures.of(given.names, given.F, given.blocks)
        settings = self._content_settings()
        attention = {name: settings[name] for name in ("temperature", "tau", "beta")}
        rng = np.random.default_rng(self.random_state)
        events = (data.indptr, data.item, self._likes(data), self.base_)
        if self.fusion == "multiply" or not features.names:
            worth = fit_feature_worths(features, *events, rng=rng, **attention)
            return ContentPart(features, worth, gate=self._content_gate(data), **settings)
        blocks = of_each_block(features)
        found = fit_blocks(blocks, *events, softmax=self.fusion == "softmax", rng=rng, **attention)
        place = {name: f for f, name in enumerate(features.names)}
        worth = np.zeros(len(features.names))
        for own, theta in zip(blocks.values(), found.worths, strict=True):
            worth[[place[name] for name in own.names]] = theta
        return BlocksPart.of(ContentPart(features, worth, gate=self._content_gate(data), **settings), found.omega)

    def _content_settings(self) -> dict[str, Any]:
        """The memory is endless where the order means nothing."""
        whole = "collaborative" in self.kinds and self._behaviour.objective == "any"
        tau = np.inf if whole else float(self.content_recency)
        temperature, beta, theta = float(self.temperature), float(self.beta), float(self.threshold)
        return {"temperature": temperature, "tau": tau, "beta": beta, "theta": theta}

    def _content_gate(self, data: Interactions) -> np.ndarray:
        return np.asarray(self._gates(data.counts())["content"] * self.base_)

    def _collaborative(self, data: Interactions, progress: Progress) -> CollaborativePart:
        features = feature_set(data.items).F if "content" in self.kinds else sparse.csr_array((data.n_items, 0))
        if self._kept and self._kept.data is not data:
            self._kept = None
        form = self._behaviour.fit(data, self.scale_, self.base_, features, self._kept, progress, self._sums_of(data))
        return self._collaborative_part(form, data)

    def _collaborative_part(self, form: Form, data: Interactions) -> CollaborativePart:
        behaviour = self._behaviour
        gate = self._gates(data.counts())["collaborative"]
        gate = np.where(form.row_of_item >= 0, gate, 0.0)
        return CollaborativePart(form, behaviour.memories, behaviour.beta, float(self.threshold), gate)

    def _gates(self, counts: np.ndarray) -> dict[str, np.ndarray]:
        """γ of each part (M,): 1 for a part that stands alone."""
        return dict.fromkeys(self.kinds, np.ones(len(counts)))

    @property
    def _behaviour(self) -> Behaviour:
        return Behaviour.of(vars(self))

    @property
    def reads_moments(self) -> bool:
        """Whether a score depends on how many days ago events were: where a head forgets by time."""
        return "collaborative" in self.kinds and bool(self._behaviour.days)

    # --- newcomers ---------------------------------------------------------------------------------------------------

    def _welcome(self, data: Interactions, content: Content, behaviour: CollaborativePart, share: np.ndarray) -> None:
        """Give newcomers what they inherit, and the base that can be expected of them: of what is fresh, where the base
        forgets. `share` (M,) is what the values of `behaviour` need not explain."""
        given = self.newcomers
        most = NEWCOMERS[self._behaviour.objective] if given is None else float(given)
        values = self._plain_values(data, behaviour, share)
        young = None
        if self.half_life is not None and data.time is not None:
            young = youth(data.item, data.time, float(self.half_life), data.n_items)

        def way(room: bool) -> Way:
            if self.way_ is None:
                rng = np.random.default_rng(self.get_params(deep=False).get("random_state", 0))
                ways = [way for way in WAYS if room or not way.squared]
                self.way_ = chosen_way(data, self._rehearsed, self._strength, most, rng, ways)
            return self.way_

        found = inherit(data, content, behaviour, self._strength, values, self.base_, most, way, young)
        if found is not None:
            self.parts_ = (found.content, behaviour, found.part)
            self.base_ = found.base

    def _rehearsed(self, data: Interactions) -> Fitted:
        """The parts of this model, fitted to less data with the same settings."""
        twin = copy(self)
        twin._kept = twin._larger = None
        worths = self._worths(data)
        twin.base_ = share = share_of(np.bincount(data.item, worths, minlength=data.n_items))
        content, behaviour = twin._content(data), twin._collaborative(data, silent)
        values, young = twin._plain_values(data, behaviour, share)(), None
        if self.half_life is not None and data.time is not None:
            twin.base_ = fresh_share(data.item, worths, data.time, float(self.half_life), data.n_items)
            young = youth(data.item, data.time, float(self.half_life), data.n_items)
        return Fitted(data, content, behaviour, values, twin.base_, young)

    def _plain_values(self, data: Interactions, behaviour: CollaborativePart, share: np.ndarray) -> Callable[[], Form]:
        """Values from what people did alone. If features took part in the fit, items that share some speak for each
        other already, and a regression of such values on features would mostly find that again (docs/log.md)."""
        if not len(feature_set(data.items)):
            return lambda: behaviour.form
        none, kept, sums = sparse.csr_array((data.n_items, 0)), self._kept, self._sums_of(data)
        return lambda: self._behaviour.fit(data, self.scale_, share, none, kept, silent, sums)

    # --- strengths ---------------------------------------------------------------------------------------------------

    def _strength(self, asked: str, events: History | JoinedHistories) -> np.ndarray:
        """Content asks for likes and dislikes, behaviour for what happened. Trained heads know the item and the type of
        an event, so a dislike is an event to them as any other."""
        if asked == "likes":
            return self._likes(events)
        if asked == "kind":
            return kind_strengths(events.kind, len(events.item), self.event_weights)
        return self._behaviour.strengths(events, self.scale_)

    def _likes(self, events: History | JoinedHistories | Interactions) -> np.ndarray:
        """Signed strengths (n,) of events, each times that of its type."""
        n = len(events.item)
        return np.asarray(signed(events.rating, n, self.scale_) * kind_strengths(events.kind, n, self.event_weights))

    # --- files -------------------------------------------------------------------------------------------------------

    def _state(self) -> dict[str, np.ndarray]:
        way = {} if self.way_ is None else {"newcomers_way": np.array(self.way_, dtype=np.float64)}
        times = {"pace": np.array(self.pace_), "days": np.array(self.days_)} if hasattr(self, "pace_") else {}
        return super()._state() | {"dislike": np.array(self.dislike_), **times, **way}

    def _restore_parts(self, state: dict[str, np.ndarray]) -> None:
        if "dislike" in state:
            self.dislike_ = check_number("dislike", float(state["dislike"]), low=-1.0, high=1.0)
        else:  # an older file names it among the settings
            self.dislike_ = self._behaviour.dislike if "collaborative" in self.kinds else AS_ANY_OTHER
        if "newcomers_way" in state:
            way = check_array("newcomers_way", state["newcomers_way"], ndim=1)
            way = np.append(way, 0.0) if len(way) == 3 else way  # an older file, when nothing counted squared
            check_same_length(way=len(Way._fields), newcomers_way=len(way))
            self.way_ = Way(float(way[0]), bool(way[1]), float(way[2]), bool(way[3]))
        self.days_ = tuple(check_array("days", state["days"], ndim=1).tolist()) if "days" in state else ()
        if "pace" in state:
            self.pace_ = check_number("pace", float(state["pace"]), low=0.0, open_low=True)
        parts: list[Part] = []
        content: Content
        if "content" in self.kinds:
            whole = ContentPart.of_state(state, self._content_gate(self.data_), **self._content_settings())
            split = self.fusion != "multiply" and bool(whole.features.names)
            omega = None
            if split and self.fusion == "softmax":
                omega = check_array("block_omega", state["block_omega"], ndim=1)
                check_same_length(blocks=len(of_each_block(whole.features)), block_omega=len(omega))
            content = BlocksPart.of(whole, omega) if split else whole
            parts.append(content)
        if "collaborative" in self.kinds:
            form = form_of(state, len(self.base_), len(self._behaviour.memories))
            behaviour = self._collaborative_part(form, self.data_)
            parts.append(behaviour)
            if "new" in state:
                inherited = InheritedPart.of_state(state, behaviour)
                parts = [with_newcomers(content, inherited), behaviour, inherited]
        self.parts_ = tuple(parts)
