"""The living picture: its frames are the ledgers', its words their numbers; the browser draws what it is given."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.app.browser import chromium
from tests.app.conftest import SMALL, Opener, small
from xattn import ItemKNN, Ledger, read_interactions
from xattn.app import state
from xattn.app.picture import component
from xattn.app.picture.flows import ANNOUNCED, BASE, REST, announced, flows, most_telling, speaks_for
from xattn.app.picture.scene import Shown, records, removals, scene
from xattn.app.picture.words import own_rating, reasons, said_of
from xattn.app.recommend import cards, picture
from xattn.app.recommend import reasons as pane
from xattn.app.recommend.view import View
from xattn.data.scale import Scale
from xattn.explain.cache import HistoryCache
from xattn.i18n import t
from xattn.i18n.numbers import percent, place
from xattn.recommenders import Recommender

EVENTFUL = [kind for kind in SMALL if kind != "Popularity"]


def ledgers(model: Recommender, user: str, k: int = 5) -> list[Ledger]:
    return [model.explain(user=user, item=item) for item in model.recommend(user=user, k=k)["item"]]


@pytest.fixture
def view(monkeypatch: pytest.MonkeyPatch) -> View:
    """A view of the small data."""
    monkeypatch.setattr(state, "_fitted", lambda kind, name: small(kind))
    monkeypatch.setattr(state, "dataset", lambda name="": small().data_)
    return View("u3", "HybridAttention")


# --- frames -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SMALL)
def test_nothing_is_left_out_of_the_picture(kind: str) -> None:
    whys = ledgers(small(kind), "u3")
    positions = most_telling(whys, 3)
    frame = flows(whys, positions)
    for why in whys:
        own = frame[frame["item"] == why.item]
        assert own["contribution"].sum() == pytest.approx(why.score, abs=1e-5)
        assert own.loc[own["row"] == BASE, "contribution"].item() == why.base
        amounts = why.events().set_index("position")["contribution"]
        for position in positions:
            shown = own.loc[own["row"] == str(position), "contribution"].sum()
            assert shown == pytest.approx(amounts.get(position, 0.0), abs=1e-7)
        rest = own.loc[own["row"] == REST, "contribution"].sum()
        assert rest == pytest.approx(amounts.drop(list(positions), errors="ignore").sum(), abs=1e-6)
        for head in set(why.cells["head"]):
            heads = why.cells.loc[why.cells["head"] == head, "contribution"].sum()
            assert own.loc[own["head"] == head, "contribution"].sum() == pytest.approx(heads, abs=1e-7)


def repeated() -> ItemKNN:
    """A model of people who play a few songs again and again."""
    events = pd.DataFrame(
        [(f"p{u}", f"s{(u + n * n) % 5}", 100 * n + u) for u in range(12) for n in range(7)],
        columns=["user", "item", "time"],
    )
    return ItemKNN().fit(read_interactions(events))


def test_an_item_met_several_times_is_one_row() -> None:
    model = repeated()
    history = model.history("p1")
    assert len(history.newest) < len(history)
    whys = [model.explain(user="p1", item=item) for item in model.data_.items.ids]
    positions = most_telling(whys, 9)
    assert set(positions) <= set(history.newest.tolist())
    frame = flows(whys, positions)
    assert REST not in set(frame["row"])
    for why in whys:
        sums = frame[frame["item"] == why.item].groupby("row")["contribution"].sum()
        for position, amount in zip(why.rows.position, why.rows.contribution, strict=True):
            assert sums.get(str(position), 0.0) == pytest.approx(amount, abs=1e-7)


@pytest.mark.parametrize("kind", EVENTFUL)
def test_what_the_picture_announces_is_what_happens(kind: str) -> None:
    model = small(kind)
    whys = ledgers(model, "u3", 3)
    frame = announced(whys)
    for row in records(frame.groupby("item").head(4)):
        left = model.history("u3").without(model.history("u3").alike([int(row.row)]))
        again = model.explain(history=left, item=row.item)
        assert again.rank == row.rank
        why = next(why for why in whys if why.item == row.item)
        assert again.score - why.score == pytest.approx(row.effect, abs=1e-6)


# --- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SMALL)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_shares_are_of_all_that_speaks_for_an_item(kind: str, lang: str) -> None:
    for why in ledgers(small(kind), "u5", 10):
        found = reasons(why)
        say, sub = said_of(why, lang, {})
        if found is None:
            assert speaks_for(why) <= 0
            continue
        total = sum(share for _, share in found.first) + found.rest + found.base
        assert total == pytest.approx(1.0)
        assert found.against <= 0
        assert total + found.against == pytest.approx(why.score / speaks_for(why), abs=1e-4)
        amounts = why.events().set_index("position")["contribution"]
        for position, share in found.first:
            assert share == pytest.approx(amounts[position] / speaks_for(why))
            assert percent(share) in sub
        assert why.title in say


def test_an_item_outside_the_list_is_never_here_because() -> None:
    model = small()
    listed = set(model.recommend(user="u3", k=5)["item"])
    for item in model.data_.items.ids:
        why = model.explain(user="u3", item=item, k=5)
        say, _ = said_of(why, "en", {})
        if item in listed:
            assert "not in the list" not in say
        else:
            assert "carr" not in say
            assert "is here" not in say
            if why.rank is not None:
                assert place(why.rank) in say
            else:
                assert say == t("picture.no_place", title=why.title)


def test_own_ratings_are_told_on_their_scale() -> None:
    told = [(4.5, Scale(0.5, 5)), (8.0, Scale(1, 10)), (3.0, Scale(0, 9, "amount")), (np.nan, Scale(1, 5)), (1.0, None)]
    assert [own_rating(*one) for one in told] == ["★ 4.5", "8 / 10", "× 3", "", ""]


# --- the scene --------------------------------------------------------------------------------------------------------


def test_rows_keep_their_places_while_events_are_left_out(view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    model = small()
    monkeypatch.setattr(picture, "EVENTS", 4)
    st.cache_data.clear()  # a test before may have drawn more events of this person
    before = scene(picture.shown(model, view, "en"), "en")
    rows = [row["key"] for row in before["rows"]]
    out = picture.shown(model, replace(view, without=(int(rows[1]), int(rows[3]))), "en")
    after = scene(out, "en")
    assert [row["key"] for row in after["rows"]] == rows
    assert [row["out"] for row in after["rows"]][:5] == [False, True, False, True, False]
    far = next(p for p in model.history("u3").newest.tolist() if str(p) not in rows)
    more = scene(picture.shown(model, replace(view, without=(far,)), "en"), "en")
    assert str(far) in [row["key"] for row in more["rows"] if row["out"]]


def test_the_proof_is_of_the_last_event_left_out(view: View) -> None:
    model = small()
    item = model.recommend(user="u3")["item"].iloc[0]
    first, last = (int(p) for p in model.explain(user="u3", item=item).events()["position"].iloc[:2])
    now = scene(picture.shown(model, replace(view, without=(first, last), item=item), "en"), "en")
    history = model.history("u3")
    old = model.explain(history=history.without([first]), item=item)
    told = old.events().set_index("position")["rank_without"]
    happened = model.explain(history=history.without([first, last]), item=item).rank
    assert happened == told[last]
    ranks = {"before": old.rank, "announced": told[last], "happened": happened}
    places = {name: place(int(str(rank))) for name, rank in ranks.items()}
    title = model.data_.items.titles[history.item[last]]
    assert now["proof"]["say"] == t("picture.proof", title=title, name=old.title, **places)
    assert now["proof"]["same"] is True
    assert now["proof"]["row"] == str(last)


def test_a_broken_promise_is_told(view: View) -> None:
    model = small()
    position = int(model.history("u3").newest[-1])
    shown = picture.shown(model, replace(view, without=(position,)), "en")
    proof = shown.proof.copy()
    proof.loc[0, "same"] = False
    told = scene(replace(shown, proof=proof), "en")["proof"]
    assert told["same"] is False
    assert told["say"] == t("picture.proof_wrong", n=len(proof), wrong=1)


@pytest.mark.parametrize("kind", SMALL)
def test_layers_hold_what_flows(view: View, kind: str) -> None:
    model = small(kind)
    told = scene(picture.shown(model, replace(view, model=kind), "en"), "en")
    base = next((at for at, row in enumerate(told["rows"]) if row["key"] == BASE), None)
    whole = {(row, item): amount for row, item, amount in told["flows"] if row != base}
    for layer in told["layers"].values():
        sums: dict[tuple[int, int], float] = {}
        for row, node, item, amount in layer["flows"]:
            assert 0 <= node < len(layer["nodes"])
            sums[row, item] = sums.get((row, item), 0.0) + amount
        assert sums == pytest.approx({key: whole.get(key, 0.0) for key in sums}, abs=1e-9)
        assert set(whole) <= set(sums)


def test_a_contribution_and_a_removal_that_point_the_same_way_are_explained() -> None:
    rows = pd.DataFrame({"row": ["0"], "title": ["X"], "rating": [""], "out": [False]})
    items = pd.DataFrame(
        [{"item": "a", "rank": 1, "title": "A", "facts": "", "before": -1, "size": 1.0, "say": "", "sub": ""}]
    )
    frame = pd.DataFrame([("0", "a", "h", "", 0.5)], columns=["row", "item", "head", "feature", "contribution"])
    none = pd.DataFrame(columns=["item", "title", "before", "announced", "happened", "same"])
    drawn = scene(Shown(rows, items, frame, none, [{"h": 1.0}], 1, 10), "en")
    for amount, effect, key in ((0.5, 0.1, "odd"), (-0.5, -0.1, "odd_against"), (0.5, -0.1, None), (0.5, 0.01, None)):
        effects = pd.DataFrame([("0", "a", "A", 1, 1.0, amount, effect, 1)], columns=ANNOUNCED)
        told = removals(drawn, effects, 10, "en")
        assert told["odd"] == ({"0 0": t(f"picture.{key}", title="X")} if key else {})


# --- on the page ------------------------------------------------------------------------------------------------------


def drawn(page: AppTest) -> list[dict[str, Any]]:
    """What the components of a page are given: the picture, and what its removals do."""
    return [json.loads(element.proto.mixed.json or element.proto.json) for element in page.get("bidi_component")]


def test_the_page_draws_the_scene(open_page: Opener) -> None:
    page = open_page(user="u3", item="i12")
    told, _ = drawn(page)
    served = small().recommend(user="u3")
    assert [item["id"] for item in told["items"] if not item["out"]] == served["item"].tolist()
    assert [item["rank"] for item in told["items"]][:10] == [str(rank) for rank in served["rank"]]
    assert told["items"][told["open"]]["id"] == "i12"


def test_removals_are_of_the_picture_that_is_drawn(open_page: Opener) -> None:
    told, removed = drawn(open_page(user="u3"))
    assert told["stamp"] == removed["stamp"]
    again = [drawn(open_page(user=user, lang=lang))[0]["stamp"] for user, lang in (("u3", "zh"), ("u5", "en"))]
    assert len({told["stamp"], *again}) == 3
    for at, item in enumerate(told["items"]):
        ranks = small().explain(user="u3", item=item["id"]).events().set_index("position")["rank_without"]
        for row, then in zip(told["rows"], removed["then"], strict=True):
            if not row["label"]:
                assert then[at] == ""
                continue
            rank = int(ranks[int(row["key"])])
            assert then[at] == t(f"picture.{'stays' if rank == int(item['rank']) else 'then'}", place=place(rank))


def test_how_the_page_is_open_makes_no_other_picture(open_page: Opener) -> None:
    """It would be drawn anew, and stand without its removals until they come again."""
    first = drawn(open_page(user="u3", item="i12"))
    for how in ({"tab": "whatif"}, {"tab": "take"}, {"exact": "1"}):
        assert drawn(open_page(user="u3", item="i12", **how)) == first, how


def test_nobody_waits_for_removals(open_page: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    """The picture, all lines of the list and the reasons are on their way before the first removal is worked out."""
    order: list[str] = []

    def noted(name: str, own: Any) -> Any:
        def call(*given: Any, **named: Any) -> Any:
            order.append(name)
            return own(*given, **named)

        return call

    st.cache_data.clear()
    st.cache_resource.clear()
    monkeypatch.setattr(component, "_picture", noted("picture", component._picture))
    monkeypatch.setattr(cards, "line", noted("line", cards.line))
    monkeypatch.setattr(pane, "show", noted("reasons", pane.show))
    monkeypatch.setattr(HistoryCache, "scores_without_each", noted("removal", HistoryCache.scores_without_each))
    monkeypatch.setattr(component, "_removals", noted("removals", component._removals))
    open_page(user="u7", k="5")
    assert list(dict.fromkeys(order)) == ["picture", "line", "reasons", "removal", "removals"]
    assert order.count("line") == 5


@pytest.mark.parametrize(
    "told",
    [None, 7, "x", {}, {"row": "999", "keep": False}, {"row": "rest", "keep": False}, {"row": "0", "keep": "no"},
     {"row": ["0"], "keep": True}, {"item": "no such"}, {"item": {"a": 1}}],
)  # fmt: skip
def test_what_a_client_sends_is_checked(monkeypatch: pytest.MonkeyPatch, told: Any) -> None:
    class Held:
        @staticmethod
        def get() -> Any:
            return type("State", (), {"keep": told, "choose": told})

    calls: list[Any] = []
    given: dict[str, Any] = {}
    monkeypatch.setattr(component, "widget", lambda key: Held)
    monkeypatch.setattr(component, "_picture", lambda **options: given.update(options))
    values = {"rows": [{"key": "0", "label": "keep"}, {"key": "rest", "label": ""}], "items": [{"id": "a"}]}
    component.draw(values, "", key="k", keep=lambda *what: calls.append(what), choose=lambda what: calls.append(what))
    given["on_keep_change"]()
    assert not calls
    if not (isinstance(told, dict) and told.get("item") is None):
        given["on_choose_change"]()
        assert not calls


# --- in the browser ---------------------------------------------------------------------------------------------------

HOSTILE = '<img src=x onerror="window.hurt=1"> & *x* ${window.hurt=2}'
HERE = Path(component.__file__).parent


def stage(n_rows: int = 11, n_items: int = 10, open: int = -1, out: int | None = None) -> dict[str, Any]:
    """A scene with titles from strangers."""
    rng = np.random.default_rng(3)
    amounts = rng.uniform(0.5, 1.5, (n_rows, n_items)) * rng.choice([1, 1, -1], (n_rows, n_items))
    items = [
        {"id": f"i{i}", "rank": str(i + 1), "title": f"{HOSTILE} {i}", "facts": "1999", "note": "", "out": False,
         "say": f"Says {i} {HOSTILE}", "sub": "sub"} for i in range(n_items)
    ]  # fmt: skip
    rows = [
        {"key": str(r), "title": f"{HOSTILE} row {r}", "note": "★ 4", "out": r == out, "label": f"Keep {r} {HOSTILE}"}
        for r in range(n_rows)
    ]
    flows = [[r, i, float(amounts[r, i])] for r in range(n_rows) for i in range(n_items)]
    layer = {"nodes": [HOSTILE, "b"], "shares": [["50%", "50%"]] * n_items, "says": ["layer says"] * n_items,
             "flows": [[r, r % 2, i, x] for r, i, x in flows]}  # fmt: skip
    proof = None if out is None else {"say": f"Without {HOSTILE}", "all": "All equal", "same": True, "row": str(out)}
    names = ["title", "events", "items", "items_without", "legend_for", "legend_against", "legend_width", "base"]
    names += ["layer", "layer_whole", "layer_head", "layer_feature", "table", "table_says"]
    return {
        "rows": rows, "items": items, "flows": flows, "shares": [["5%"] * n_items] * n_rows,
        "layers": {"head": layer, "feature": layer}, "gone": [], "proof": proof, "open": open, "stamp": f"{out}",
        "words": {**{name: t(f"picture.{name}") for name in names}, "events_of": "some"},
    }  # fmt: skip


def without(n_rows: int = 11, n_items: int = 10, out: int | None = None, also: str = "") -> dict[str, Any]:
    """What the removals of such a scene do."""
    return {
        "then": [[f"→ {i + 2}th" for i in range(n_items)]] * n_rows, "odd": {}, "stamp": f"{out}",
        "events": [f"Without {r}{also}" for r in range(n_rows)],
    }  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


def put(browser: Any, width: int = 900) -> Any:
    """A page that holds the component alone; `draw(scene)` gives it another scene, `follow(removals)` what they do;
    `sent` is what it told."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    style = HERE.joinpath("picture.css").read_text("utf-8")
    page.set_content(f"<style>{style}</style><main><div class=xp></div></main>")
    modules = [base64.b64encode(script.encode()).decode() for script in (component.SCRIPT, component.LATER)]
    page.evaluate(
        """async addresses => {
          const [held, later] = await Promise.all(addresses.map(address => import(address)));
          window.follow = data => later.default({data});
          window.sent = [];
          window.draw = data => held.default({data, parentElement: document.querySelector('main'),
                                              setTriggerValue: (name, value) => window.sent.push([name, value])});
        }""",
        [f"data:text/javascript;base64,{module}" for module in modules],
    )
    return page


@pytest.mark.browser
def test_titles_are_text_and_a_redraw_is_quick(browser: Any) -> None:
    page = put(browser)
    times = []
    for n in range(12):
        page.evaluate("data => window.draw(data)", stage(open=n % 10, out=n % 3 if n % 2 else None))
        times.append(float(page.locator(".xp").get_attribute("data-ms")))
    assert np.median(times) <= 100, times
    assert page.locator("img, script").count() == 0
    assert page.evaluate("window.hurt") is None
    assert HOSTILE in page.locator(".say").inner_text()
    assert HOSTILE in page.locator("li .title").first.inner_text()
    page.close()


@pytest.mark.browser
def test_the_picture_by_pointer_and_by_keys(browser: Any) -> None:
    page = put(browser)
    page.evaluate("data => window.draw(data)", stage())
    page.evaluate("data => window.follow(data)", without())
    assert page.locator(".say").inner_text().startswith("Says 0"), "the first item is lit where nothing else is"
    page.locator("ol li").nth(3).hover()
    assert page.locator(".say").inner_text().startswith("Says 3")
    assert page.locator("path.lit").count() == 11
    page.locator("ul li").nth(2).hover()
    assert page.locator(".say").inner_text() == "Without 2"
    assert page.locator("path.lit").count() == 10
    assert page.locator("ol li .note").first.inner_text() == "→ 2th"
    page.mouse.move(0, 0)
    page.locator("ul input").nth(1).focus()
    assert page.locator(".say").inner_text() == "Without 1"
    place = page.locator("ul li").nth(1).bounding_box()
    page.keyboard.press("Space")
    assert page.evaluate("window.sent") == [["keep", {"row": "1", "keep": False}]]
    page.evaluate("data => window.draw(data)", stage(out=1))
    assert page.locator("ul li").nth(1).bounding_box() == place, "what was clicked does not move"
    assert page.evaluate("document.activeElement.type") == "checkbox", "the focus stays"
    assert page.locator(".say").inner_text().startswith("Without <img")
    assert page.locator(".proof").inner_text().endswith("All equal")
    page.locator("ol button").nth(4).focus()
    page.keyboard.press("Enter")
    assert page.evaluate("window.sent[1]") == ["choose", {"item": "i4"}]
    assert page.locator("ol button").nth(4).get_attribute("aria-pressed") == "true"
    page.get_by_role("radio", name=t("picture.layer_head")).check()
    assert page.locator(".nodes span").count() == 2
    assert page.locator(".sub").inner_text() == "layer says"
    page.close()


@pytest.mark.browser
def test_what_removals_do_comes_later_and_only_to_its_own_picture(browser: Any) -> None:
    page = put(browser)
    said, note, row = page.locator(".say"), page.locator("ol li .note").first, page.locator("ul li").nth(2)
    page.evaluate("data => window.draw(data)", stage())
    row.hover()
    assert said.inner_text() == f"{HOSTILE} row 2", "its title, until more is known"
    assert note.inner_text() == ""
    assert page.locator("ol li .amount").first.inner_text() == "5%"
    page.evaluate("data => window.follow(data)", without(out=7, also=" of another"))
    assert said.inner_text() == f"{HOSTILE} row 2", "the removals of another picture"
    page.evaluate("data => window.follow(data)", without())
    assert [said.inner_text(), note.inner_text()] == ["Without 2", "→ 2th"], "what is lit is told at once"
    page.evaluate("data => window.draw(data)", stage())
    assert said.inner_text() == "Without 2", "the same picture drawn again keeps them"
    page.evaluate("data => window.follow(data)", without(out=1, also=", 1 gone"))
    assert said.inner_text() == "Without 2"
    page.evaluate("data => window.draw(data)", stage(out=1))
    assert said.inner_text() == "Without 2, 1 gone", "what came before its picture is not lost"
    page.close()


@pytest.mark.browser
def test_the_same_stands_in_a_table_that_keys_reach(browser: Any) -> None:
    page = put(browser)
    told = stage(out=1)
    page.evaluate("data => window.draw(data)", told)
    page.evaluate("data => window.follow(data)", without(out=1))
    summary = page.locator("summary")
    page.locator("ol button").last.focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY", "the table comes after the picture"
    page.keyboard.press("Enter")
    lines = page.locator("tbody tr")
    assert lines.count() == len(told["items"])
    assert page.locator("thead th").count() == 1 + len(told["rows"])
    assert lines.nth(2).locator("th").inner_text().startswith("3 · ")
    for row in (0, len(told["rows"]) - 1):
        said = lines.nth(2).locator("td").nth(row).inner_text().split()
        assert said == [told["shares"][row][2], *without()["then"][row][2].split()]
    page.evaluate("data => window.draw(data)", stage())
    assert page.locator("details").get_attribute("open") is not None, "it stays open"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "scroll", "what scrolls is reached by keys"
    assert summary.inner_text() == t("picture.table")
    page.close()


@pytest.mark.browser
def test_the_picture_fits_a_phone(browser: Any) -> None:
    page = put(browser, 360)
    page.evaluate("data => window.draw(data)", stage(out=1))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    boxes = [page.locator(what).first.bounding_box() for what in ("ul li", "ol li")]
    assert boxes[0]["x"] + boxes[0]["width"] < boxes[1]["x"], "both sides stand beside each other"
    page.close()


def test_the_script_makes_no_html_and_asks_nobody() -> None:
    script = component.SCRIPT
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "eval(",
        "fetch(",
        "XMLHttpRequest",
        "import ",
        "https:",
    ):
        assert word not in script
