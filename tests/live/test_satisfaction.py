"""Satisfaction: reliability by hand and by libraries, rates by counting, guesses against what is then served."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from tests.live.stage import data, model, sqlite
from xattn.cli import main
from xattn.errors import InputError, UnknownIdError
from xattn.live import Live, Plan, open_store
from xattn.live.satisfaction import CONSTRUCTS, QUESTIONS, REVERSED, form
from xattn.live.satisfaction.intervals import Seen, share, wilson
from xattn.live.satisfaction.reliability import alpha, alpha_interval, omega, reliability

ITEMS = data().items.ids
X = np.array([[4, 5, 4], [2, 2, 3], [5, 4, 5], [3, 3, 2], [1, 2, 2], [4, 4, 5], [3, 2, 3], [5, 5, 4]], float)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    plan = Plan(solve_after=0, scenario="films")
    with open_store(sqlite(tmp_path)) as store, Live(store, model=model(), plan=plan) as found:
        yield found


# --- reliability ------------------------------------------------------------------------------------------------------


def test_alpha_by_hand() -> None:
    variances, total = X.var(axis=0, ddof=1).sum(), X.sum(axis=1).var(ddof=1)
    assert alpha(X) == pytest.approx(1.5 * (1 - variances / total))
    assert alpha(np.ones((4, 3))) is None
    assert alpha(np.array([[1, 1], [2, 2], [5, 5.0]])) == pytest.approx(1.0)


def test_omega_of_three_questions_by_hand() -> None:
    """Three covariances fix three loadings: λ₁ = √(s₁₂ s₁₃ / s₂₃)."""
    s = np.cov(X, rowvar=False)
    loading = np.sqrt([s[0, 1] * s[0, 2] / s[1, 2], s[0, 1] * s[1, 2] / s[0, 2], s[0, 2] * s[1, 2] / s[0, 1]])
    common = loading.sum() ** 2
    assert omega(X) == pytest.approx(common / (common + (np.diag(s) - loading**2).sum()), abs=1e-9)


def test_values_are_those_of_libraries() -> None:
    """α with its interval as pingouin 0.7.0 gives it, ω from the loadings of factor_analyzer 0.5.1 (minres)."""
    rng = np.random.default_rng(7)
    factor, noise = rng.normal(size=60), rng.normal(size=(60, 5))
    x = np.clip(np.round(3 + factor[:, None] * np.array([1, 0.8, 0.6, 0.9, 0.5]) + noise * 0.8), 1, 5)
    assert x.sum(axis=0).tolist() == [163, 171, 175, 164, 169]
    assert (alpha(X), alpha(x)) == pytest.approx((0.913934426229508, 0.7622870649604694), abs=1e-12)
    assert alpha_interval(0.913934426229508, 8, 3) == pytest.approx([0.709, 0.981], abs=5e-4)
    assert alpha_interval(0.7622870649604694, 60, 5) == pytest.approx([0.652, 0.846], abs=5e-4)
    assert (omega(X), omega(x)) == pytest.approx((0.9252704941127713, 0.7722270606587452), abs=1e-5)


def test_questions_that_cannot_be_told() -> None:
    assert omega(X[:, :2]) is None
    assert omega(np.column_stack([X[:, :2], np.ones(len(X))])) is None
    assert reliability(X[:2]) == {"alpha": {"value": None, "ci95": None}, "omega": {"value": None, "ci95": None}}
    found = reliability(X)
    for name in ("alpha", "omega"):
        low, high = found[name]["ci95"]
        assert low <= found[name]["value"] <= high


def test_the_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(1)
    true, hits = 3 * 0.5 / (1 + 2 * 0.5), 0  # α of three parallel questions that correlate by ½
    root = np.linalg.cholesky(np.full((3, 3), 0.5) + np.eye(3) * 0.5)
    for _ in range(400):
        x = rng.normal(size=(40, 3)) @ root.T
        low, high = alpha_interval(float(alpha(x) or 0.0), 40, 3)
        hits += low <= true <= high
    assert 0.92 <= hits / 400 <= 0.98


def test_shares_of_people_who_repeat_themselves_have_wider_intervals() -> None:
    alone = share([Seen(float(n % 2), 1) for n in range(40)])
    assert alone["ci95"] == pytest.approx(wilson(0.5, 40 * 39 / 40), abs=1e-9)
    often = share([Seen(10.0 * (n % 2), 10) for n in range(4)])
    assert (often["value"], often["n"]) == (0.5, 40)
    assert often["ci95"][1] - often["ci95"][0] > 1.8 * (alone["ci95"][1] - alone["ci95"][0])
    assert share([]) == {"value": None, "ci95": None, "n": 0}


# --- the store --------------------------------------------------------------------------------------------------------


def test_the_form_is_whole_in_both_languages() -> None:
    for lang in ("en", "zh"):
        found = form(lang)
        assert [one["id"] for one in found["questions"]] == list(QUESTIONS)
        assert len({one["text"] for one in found["questions"]}) == 18
    assert set(QUESTIONS) > REVERSED


def test_the_report_counts_what_is_in_the_store(live: Live) -> None:
    rng = np.random.default_rng(3)
    said = dict.fromkeys(("like", "dislike", "not_interested", "taken"), 0)
    served = []
    for n in range(12):
        live.add([{"id": f"e{n}", "user": f"u{n % 4}", "item": ITEMS[n], "value": 4.0}])
        served.append(live.recommend(f"u{n % 4}", k=5))
        kind = str(rng.choice(list(said)))
        about = {"user": f"u{n % 4}", "item": served[-1].items[n % 5].item, "list_id": served[-1].list_id}
        if kind == "taken":
            live.add([{"id": f"t{n}", "position": n % 5 + 1, **about}])
        else:
            live.say({"id": f"f{n}", "kind": kind, **about})
        said[kind] += 1
    kinds = {"like": "liked", "dislike": "disliked"}
    report = live.satisfaction()
    (whole,) = report["rates"]["by_scenario"]
    assert (whole["group"], whole["shown"], report["lists"], report["people"]) == ("films", 60, 12, 4)
    for kind, n in said.items():
        assert whole[kinds.get(kind, kind)]["value"] == pytest.approx(n / 60)
    rows = report["rates"]["by_position"]
    assert [row["group"] for row in rows] == [1, 2, 3, 4, 5]
    assert sum(row[kind]["value"] * row["shown"] for row in rows for kind in ("liked", "taken")) == pytest.approx(
        said["like"] + said["taken"]
    )
    assert [row["group"] for row in report["rates"]["by_model"]] == [live.serving.fingerprint]
    liked = next(row for row in live.store.of("u0").feedback + live.store.of("u1").feedback)
    live.say({"id": "back", "user": liked.user, "kind": "undo", "undoes": liked.id})
    after = live.satisfaction()["rates"]["by_scenario"][0][kinds.get(liked.kind, liked.kind)]["value"]
    assert after == pytest.approx((said[liked.kind] - 1) / 60)


def test_answers_are_kept_once_counted_by_the_newest_and_forgotten(live: Live, tmp_path: Path) -> None:
    for n, row in enumerate(X.astype(int).tolist()):
        told = dict(zip(QUESTIONS, row, strict=False))
        document = {"id": f"a{n}", "user": f"u{n}", "form": "satisfaction", "answers": told}
        assert live.answer({**document, "id": f"old{n}", "answers": dict.fromkeys(QUESTIONS[:3], 1)}) == (True, None)
        assert live.answer(document) == (True, None)
        assert live.answer({**document, "answers": {"quality_1": 1}}) == (False, None)
    report = live.satisfaction()
    turned = X.copy()
    turned[:, 2] = 6 - turned[:, 2]
    quality = report["constructs"][0]
    assert (report["answered"], quality["construct"], quality["people"]) == (8, "quality", 8)
    assert quality["mean"]["value"] == pytest.approx(turned.mean())
    assert quality["alpha"]["value"] == pytest.approx(alpha(turned))
    assert [row["people"] for row in report["constructs"][1:]] == [0] * 5
    assert live.held("u3")["answers"][1]["answers"] == {"quality_1": 3, "quality_2": 3, "quality_3": 2}
    assert live.forget("u3").answers == 2
    assert live.satisfaction()["constructs"][0]["people"] == 7
    live.store.close()
    done = CliRunner().invoke(main, ["satisfaction", "--store", sqlite(tmp_path), "--lang", "zh"])
    assert done.exit_code == 0, done.output
    assert "感知质量" in done.output
    told = json.loads(CliRunner().invoke(main, ["satisfaction", "--store", sqlite(tmp_path), "--json"]).output)
    assert told["constructs"][0]["people"] == 7


def test_a_guess_is_held_against_what_is_then_served(live: Live) -> None:
    events = [{"id": f"e{n}", "user": "ann", "item": ITEMS[n], "value": 4.0} for n in range(6)]
    live.add(events)
    served, truths, right = live.recommend("ann", k=4), [], 0
    live.add([{"id": "late", "user": "ann", "item": ITEMS[20], "value": 1.0}])  # what came later plays no part
    for one in served.items[1::2]:
        ledger, _ = live.why(served.list_id, one.item)
        for removal in ledger.removals:
            n = len(truths)
            about = {"item": one.item, "event": removal.event, "before": "stays", "after": ("leaves", "falls")[n % 2]}
            document = {"id": f"g{n}", "user": "ann", "form": "removal", "answers": about, "list_id": served.list_id}
            then = removal.rank_without or 5
            want = "leaves" if then > 4 else "stays" if then == one.rank else "falls" if then > one.rank else "rises"
            assert live.answer(document) == (True, want)
            truths.append(want)
            right += about["after"] == want
    assert len(set(truths)) >= 2
    found = live.satisfaction()["agreement"]
    assert (found["guesses"], found["people"]) == (12, 1)
    assert found["before"]["value"] == pytest.approx(truths.count("stays") / 12)
    assert found["after"]["value"] == pytest.approx(right / 12)
    assert found["gain"]["value"] == pytest.approx((right - truths.count("stays")) / 12)


GUESS = {"item": ITEMS[0], "event": ITEMS[1], "before": "stays", "after": "falls"}


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"form": "other"}, "`form`"),
        ({"answers": []}, "`answers`"),
        ({"answers": {}}, "quality_1"),
        ({"answers": {"quality_1": 6}}, "quality_1"),
        ({"answers": {"quality_1": True}}, "quality_1"),
        ({"answers": {"quality_9": 1}}, "quality_9"),
        ({"lang": "fr"}, "`lang`"),
        ({"id": "x" * 300}, "`id`"),
        ({"form": "removal", "answers": {"item": "a"}}, "event"),
        ({"form": "removal", "answers": GUESS}, "list_id"),
        ({"form": "removal", "answers": {**GUESS, "after": "no"}, "list_id": "l"}, "after"),
    ],
)
def test_faults_are_refused(live: Live, changed: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        live.answer({"id": "a", "user": "u", "form": "satisfaction", "answers": {"quality_1": 3}, **changed})


def test_nobody_guesses_about_the_lists_of_others(live: Live) -> None:
    served = live.recommend(data().user_ids[0], k=3)
    document = {"id": "g", "user": "eve", "form": "removal", "answers": GUESS, "list_id": served.list_id}
    with pytest.raises(UnknownIdError, match="still kept") as others:
        live.answer(document)
    with pytest.raises(UnknownIdError) as none:
        live.answer({**document, "list_id": "0" * 32})
    assert str(others.value).replace(served.list_id, "0" * 32) == str(none.value), "who has lists is not told"
    about = {**GUESS, "item": served.items[0].item, "event": served.items[1].item}
    with pytest.raises(InputError, match="without"):
        live.answer({**document, "user": data().user_ids[0], "answers": about})


def test_a_store_of_the_first_step_is_brought_up_to_date(tmp_path: Path) -> None:
    with open_store(sqlite(tmp_path)) as store, Live(store, model=model(), plan=Plan(solve_after=0)) as live:
        served = live.recommend("ann", k=2)
    with sqlite3.connect(tmp_path / "events.db") as file:
        file.execute("alter table lists drop column scenario")
        file.execute("alter table lists drop column asked")
        file.execute("alter table answers drop column list_id")
        file.execute("alter table feedback drop column alike")
        file.execute("update alembic_version set version_num = '0001'")
    file.close()
    with open_store(sqlite(tmp_path)) as store, Live(store, model=model(), plan=Plan(solve_after=0)) as live:
        assert live.why(served.list_id, served.items[0].item)[1] == "ann"
        assert live.answer({"id": "a", "user": "ann", "form": "satisfaction", "answers": {QUESTIONS[0]: 2}})[0]
        assert [row["group"] for row in live.satisfaction()["rates"]["by_scenario"]] == [""]


def test_constructs_have_three_questions_each() -> None:
    assert {name: len(questions) for name, questions in CONSTRUCTS.items()} == dict.fromkeys(CONSTRUCTS, 3)
