"""The recommendations page shows the library's own numbers, and what it announces is what happens."""

from __future__ import annotations

import dataclasses
import json
import logging
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import PAGE, SMALL, Opener, address, lines, scores, shown_text, small
from xattn import History, ItemKNN
from xattn.app import state
from xattn.app.picture.words import own_rating
from xattn.app.recommend.heads import head_names, shares
from xattn.app.recommend.view import DEPTHS, TABS
from xattn.app.ui.text import safe
from xattn.i18n import t
from xattn.i18n.numbers import figure, percent, place
from xattn.viz.names import head_name

EVENTFUL = [kind for kind in SMALL if kind != "Popularity"]


def cards(page: AppTest) -> list[tuple[int, str]]:
    """(rank, title) of each line of the list, in order."""
    return [(rank, title) for rank, title, _ in lines(page)]


def checked(page: AppTest) -> list[list[str]]:
    """The rows (score, rank) of the check: with it, announced without it, re-scored without it."""
    (table,) = page.table
    return [[str(value) for value in row[1:]] for row in table.value.to_numpy()]


def press(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click().run()
    assert not page.exception
    return page


def untick(page: AppTest, position: int) -> AppTest:
    page.checkbox(key=f"rec_keep_{position}").uncheck().run()
    assert not page.exception
    return page


# --- the list ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SMALL)
def test_the_list_is_the_models(open_page: Opener, kind: str) -> None:
    page = open_page(user="u3", model=kind, k="7", exact="1")
    served = small(kind).recommend(user="u3", k=7)
    assert cards(page) == [(rank, safe(title)) for rank, title in zip(served["rank"], served["title"], strict=True)]
    assert scores(page) == [figure(score) for score in served["score"]]
    assert not page.error
    assert not page.warning


def test_a_card_names_its_largest_contribution_or_popularity(open_page: Opener) -> None:
    page = open_page(user="u3", model="ItemKNN")
    top = small("ItemKNN").recommend(user="u3")["item"].iloc[0]
    best = small("ItemKNN").explain(user="u3", item=top).events().iloc[0]
    events = small("ItemKNN").explain(user="u3", item=top).events()
    share = percent(best["contribution"] / events["contribution"].clip(lower=0).sum())
    rating = f" {safe(own_rating(best['rating'], small('ItemKNN').data_.scale))}"
    assert lines(page)[0][2] == t(
        "recommendations.because_share", title=safe(best["title"]), share=share, rating=rating
    )
    exact = lines(open_page(user="u3", model="ItemKNN", exact="1"))[0][2]
    assert f"({figure(best['contribution'], sign=True)})" in exact
    assert t("recommendations.popular") in shown_text(open_page(user="u3", model="Popularity"))


def test_the_first_view_needs_no_parameters(open_page: Opener) -> None:
    page = open_page()
    assert address(page) == {}, "an address that is rewritten cannot be left with Back"
    assert len(cards(page)) == 10
    press(page, "rec_why_i12" if "rec_why_i12" in {button.key for button in page.button} else page.button[0].key)
    assert {"user": "u0", "model": "HybridAttention", "k": "10"}.items() <= address(page).items()


def test_you_get_a_list_from_what_you_pick(open_page: Opener) -> None:
    page = open_page(user="you")
    assert page.info[0].value == t("recommendations.no_picks")
    for item in ("i4", "i3", "i7"):
        page.text_input(key="behaviour_add").set_value(item).run()
        press(page, f"behaviour_add_hit_{item}")
    page.feedback(key="behaviour_stars_i4").set_value(0).run()
    served = small().recommend(history=[("i4", 1.0), ("i3", 5.0), ("i7", 5.0)])
    assert cards(page) == [(rank, safe(title)) for rank, title in zip(served["rank"], served["title"], strict=True)]
    assert address(page)["films"] == "1*i4_1~i3_5~i7_5"
    again = open_page(**address(page))
    assert cards(again) == cards(page)
    assert cards(open_page(user="you", liked="i3,i7", disliked="i4")) == cards(page), "as links were once"


# --- why this? --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SMALL)
def test_why_this_opens_the_ledger(open_page: Opener, kind: str) -> None:
    page = open_page(user="u3", model=kind, exact="1")
    item = small(kind).recommend(user="u3")["item"].iloc[1]
    press(page, f"rec_why_{item}")
    why = small(kind).explain(user="u3", item=item)
    assert safe(why.text("en", depth="sentence"), 5000) in [element.value for element in page.markdown]
    assert address(page)["item"] == item
    assert not page.error
    waterfall = turn_to(page, "sum").dataframe[0].value
    assert waterfall["amount"].iloc[0] == figure(why.base)
    assert waterfall["amount"].iloc[-1] == figure(why.score)
    press(page, f"rec_why_{item}")
    assert "item" not in address(page)
    assert "rec_close" not in {button.key for button in page.button}


def turn_to(page: AppTest, tab: str) -> AppTest:
    """Open a tab of the explanation."""
    page.session_state["rec_tabs"] = t(TABS[tab])
    page.run()
    assert not page.exception
    assert not page.error
    return page


def test_the_table_is_the_ledgers_events(open_page: Opener) -> None:
    page = turn_to(open_page(user="u3", item="i12", exact="1"), "compare")
    events = small().explain(user="u3", item="i12").events()
    (table,) = [frame.value for frame in page.dataframe if "removal effect" in frame.value]
    for shown, own in [("weight", "weight"), ("contribution", "contribution"), ("removal effect", "effect")]:
        assert table[shown].tolist() == events[own].tolist()
    assert table["score without"].tolist() == events["score_without"].tolist()


@pytest.mark.parametrize("kind", EVENTFUL)
def test_announced_is_what_happens(open_page: Opener, kind: str) -> None:
    model = small(kind)
    item = model.recommend(user="u3")["item"].iloc[0]
    page = open_page(user="u3", model=kind, item=item, tab="whatif", exact="1")
    announced = {box.key: box.label for box in page.checkbox}
    position = int(model.explain(user="u3", item=item).events()["position"].iloc[0])
    untick(page, position)
    _, told, scored = checked(page)
    assert told == scored
    assert f"without it: {told[0]}, rank {told[1]}" in announced[f"rec_keep_{position}"]
    assert t("why.equal") in shown_text(page)
    assert not page.error
    left = History.of(model.data_, model.data_.user_row("u3")).without(position)
    served = model.recommend(history=left)
    assert [rank for rank, _ in cards(page)] == served["rank"].tolist()
    assert scores(page)[-1] == figure(served["score"].iloc[-1])
    assert scored[0] == figure(model.score(history=left)[model.data_.item_row(item)])


def test_several_events_can_be_left_out_and_put_back(open_page: Opener) -> None:
    page = open_page(user="u3", item="i12", tab="whatif", exact="1")
    before = cards(page)
    chosen = [int(box.key.rpartition("_")[2]) for box in page.checkbox][1:6:2]
    for position in chosen:
        untick(page, position)
        _, told, scored = checked(page)
        assert told == scored
    assert len(address(page)["without"].split(",")) == 3
    page.checkbox(key=f"rec_keep_{chosen[1]}").check().run()
    assert len(address(page)["without"].split(",")) == 2
    press(page, "rec_put_back")
    assert "without" not in address(page)
    assert cards(page) == before
    assert all(box.value for box in page.checkbox)


def test_the_counterfactual_can_be_applied(open_page: Opener) -> None:
    model = small("ItemKNN")
    item, what_if = next(
        (item, found)
        for item in model.recommend(user="u3")["item"].iloc[::-1]
        if (found := model.explain(user="u3", item=item).counterfactual()).found and found.replaced_by
    )
    page = open_page(user="u3", model="ItemKNN", item=item)
    press(page, "rec_apply")
    titles = dict(zip(model.data_.items.ids, map(safe, model.data_.items.titles), strict=True))
    shown = [title for _, title in cards(page)]
    assert titles[item] not in shown
    assert titles[what_if.replaced_by] in shown
    outside = page.button(key=f"rec_outside_{item}").label
    assert outside.startswith(f"**{what_if.rank_after}** · {titles[item]}")
    assert t("recommendations.outside_short", k=10) in outside


def test_any_item_can_be_asked_about(open_page: Opener) -> None:
    page = open_page(user="u3")
    seen = small().data_.items.ids[small().history(user="u3").item[0]]
    page.text_input(key="rec_other").set_value(seen).run()
    press(page, f"rec_other_hit_{seen}")
    assert t("recommendations.seen") in shown_text(page)
    assert address(page)["item"] == seen
    assert not page.error


def test_honesty_is_shown(open_page: Opener) -> None:
    popular = open_page(user="u3", model="Popularity", item="i12")
    assert not popular.table or len(popular.table[0].value) == 1
    assert t("why.note_popularity") in shown_text(popular)
    assert t("why.confidence_weak") in shown_text(popular)
    assert t("why.no_cells") in shown_text(turn_to(popular, "heat"))
    short = open_page(user="you", liked="i3", item="i12")
    assert t("why.note_short") in shown_text(short)


@pytest.mark.parametrize("depth", DEPTHS)
def test_an_explanation_is_told_at_three_depths(open_page: Opener, depth: str) -> None:
    page = open_page(user="u3", item="i12", exact="1")
    page.segmented_control(key="rec_depth").set_value(depth).run()
    said = safe(small().explain(user="u3", item="i12").text("en", depth=depth), 5000)
    assert said in [element.value for element in page.markdown]
    assert address(page).get("depth", "sentence") == depth
    assert said in [element.value for element in open_page(**address(page)).markdown]


def test_confidence_and_notes_are_the_ledgers(open_page: Opener) -> None:
    for item in small().recommend(user="u3")["item"]:
        page, why = open_page(user="u3", item=item), small().explain(user="u3", item=item)
        assert t(f"why.confidence_{why.confidence.level}") in shown_text(page)
        assert all(t(f"why.note_{note}") in shown_text(page) for note in why.notes)


def test_the_explanation_can_be_taken_away(open_page: Opener) -> None:
    page = open_page(user="u3", item="i12", tab="take")
    assert {"rec_json", "rec_html", "rec_csv"} <= {button.key for button in page.get("download_button")}
    assert json.loads(small().explain(user="u3", item="i12").to_json(indent=1))["item"] == "i12"
    assert page.code[0].value.endswith("?user=u3&model=HybridAttention&k=10&item=i12&lang=en")


# --- human units ----------------------------------------------------------------------------------------------------


def size_of(events: pd.DataFrame, base: float) -> float:
    """All that speaks for an item."""
    return float(events["contribution"].clip(lower=0).sum()) + max(base, 0.0)


@pytest.mark.parametrize("kind", EVENTFUL)
def test_three_reasons_and_the_rest_are_shares_of_all_that_speaks_for_it(open_page: Opener, kind: str) -> None:
    model = small(kind)
    item = model.recommend(user="u3")["item"].iloc[0]
    why = model.explain(user="u3", item=item)
    events, size = why.events(), size_of(why.events(), why.base)
    (table,) = [frame.value for frame in open_page(user="u3", model=kind, item=item).table]
    rows = [list(row) for row in table.itertuples(index=False)]
    shares = [re.sub(r"^:\w+\[|\\|\]$", "", row[2]) for row in rows]
    assert not any(re.search(r"\d[.]\d", share) for share in shares), "no decimals"
    best = events[events["contribution"] > 0].head(3)
    for row, share, (_, event) in zip(rows, shares, best.iterrows(), strict=False):
        assert row[0] == f"**{safe(event['title'], 60)}**"
        assert row[1] == safe(own_rating(event["rating"], model.data_.scale))
        assert share == percent(event["contribution"] / size)
        assert row[3] == place(int(event["rank_without"]))
    others = events.drop(best.index)["contribution"]
    rest = dict(zip([row[0] for row in rows], shares, strict=True))
    for key, part in (("rest", others[others > 0]), ("against", others[others < 0])):
        if len(part):
            assert rest[t(f"shares.{key}", n=len(part))] == percent(part.sum() / size)
    if why.base:
        assert rest[t("picture.base")] == percent(why.base / size)


@pytest.mark.parametrize("tab", [tab for tab in TABS if tab != "parts"])  # these data have none
def test_a_page_without_exact_numbers_has_no_decimals_and_one_with_them_has(open_page: Opener, tab: str) -> None:
    item = small().recommend(user="u3")["item"].iloc[1]
    found = {}
    for exact in ("0", "1"):
        page = open_page(user="u3", item=item, tab=tab, exact=exact)
        texts = [element.value for element in (*page.markdown, *page.caption)]
        texts += [widget.label for widget in (*page.checkbox, *page.button)]
        cells = [str(cell) for frame in page.table for cell in frame.value.to_numpy().ravel()]
        charts = [str(cell) for frame in page.dataframe for name in ("amount", "contribution")
                  if name in frame.value for cell in frame.value[name] if isinstance(cell, str)]  # fmt: skip
        said = [re.sub("★ [0-9.]+", "", text.replace("\\", "")) for text in (*texts, *cells, *charts)]
        found[exact] = [text for text in said if re.search(r"[0-9][.][0-9]+(?![0-9%])", text)]
    assert found["0"] == []
    assert found["1"]


def test_the_switch_for_exact_numbers_is_in_the_address(open_page: Opener) -> None:
    page = open_page(user="u3")
    assert not scores(page)
    page.toggle(key="rec_exact").set_value(True).run()
    assert address(page)["exact"] == "1"
    assert scores(page) == [figure(score) for score in small().recommend(user="u3")["score"]]
    again = open_page(**address(page))
    assert scores(again) == scores(page)
    again.toggle(key="rec_exact").set_value(False).run()
    assert "exact" not in address(again)


def test_what_was_unticked_says_in_its_place_what_came_of_it(open_page: Opener) -> None:
    item = small().recommend(user="u3")["item"].iloc[0]
    page = open_page(user="u3", item=item, tab="whatif")
    keys = [box.key for box in page.checkbox]
    position = int(str(keys[1]).rpartition("_")[2])
    told = small().explain(user="u3", item=item).events().set_index("position")["rank_without"][position]
    assert place(int(told)) in page.checkbox[1].label
    untick(page, position)
    assert [box.key for box in page.checkbox] == keys, "no box moves"
    says = t("shares.happened", announced=place(int(told)), happened=place(int(told)))
    assert says in page.checkbox(key=f"rec_keep_{position}").label


def test_what_is_explained_stays_so_when_it_is_no_longer_the_first(open_page: Opener) -> None:
    """Nobody chose the first item of the list; who unticks an event beside it goes on reading of it."""
    model = small("ItemKNN")
    first = model.recommend(user="u3")["item"].iloc[0]
    page = open_page(user="u3", model="ItemKNN", tab="whatif")
    position = int(model.explain(user="u3", item=first).events()["position"].iloc[0])
    keys = [box.key for box in page.checkbox]
    untick(page, position)
    assert address(page)["item"] == first
    assert [box.key for box in page.checkbox] == keys


def test_a_head_that_looks_much_and_gives_little_is_told_as_such(open_page: Opener) -> None:
    item = small().recommend(user="u3")["item"].iloc[0]
    own = shares(small().explain(user="u3", item=item))
    assert own["attention"].sum() == pytest.approx(1.0)
    quiet = own[(own["attention"] >= 0.1) & (own["share"] < own["attention"] / 4)]
    assert 0 < len(quiet) < len(own)
    said = shown_text(open_page(user="u3", item=item, tab="heads"))
    for row in own.itertuples():
        facts = {"weight": percent(row.attention), "share": percent(row.share)}
        assert (t("shares.quiet", name=safe(head_name(row.head)), **facts) in said) == (row.head in set(quiet["head"]))


def test_two_items_side_by_side_in_places_and_shares(open_page: Opener) -> None:
    first, second = small().recommend(user="u3")["item"].iloc[:2]
    page = open_page(user="u3", item=first, tab="versus")
    a, b = (small().explain(user="u3", item=item) for item in (first, second))
    said = next(element.value for element in page.markdown if safe(t("shares.side_by_side", a=a.title, b=b.title,
                place_a="1st", place_b="2nd")) in element.value)  # fmt: skip
    most = (a - b).events().iloc[1]
    assert safe(percent(most["difference"] / size_of(a.events(), a.base))) in said


# --- opinions, heads, undo ------------------------------------------------------------------------------------------


def say(page: AppTest, item: str, kind: str) -> AppTest:
    page.menu_button(key=f"rec_say_{item}").set_value(kind).run()
    assert not page.exception
    assert not page.error
    return page


def with_opinion(item: str, rating: float) -> History:
    """The history of u3 with one more event."""
    own, row = small().history("u3"), small().data_.item_row(item)
    n = len(own) + 1
    assert own.rating is not None
    return History(np.r_[own.item, row], np.r_[own.rating, rating], np.arange(n)[::-1], np.ones(n, bool), user=own.user)


@pytest.mark.parametrize(("kind", "rating"), [("more", 5.0), ("less", 1.0)])
def test_an_opinion_is_the_newest_event(open_page: Opener, kind: str, rating: float) -> None:
    model = small()
    item = model.recommend(user="u3")["item"].iloc[2]
    page = say(open_page(user="u3", exact="1"), item, kind)
    served = model.recommend(history=with_opinion(item, rating))
    assert cards(page) == [(rank, safe(title)) for rank, title in zip(served["rank"], served["title"], strict=True)]
    assert scores(page) == [figure(score) for score in served["score"]]
    assert address(page)["said"] == f"{kind}_{item}"
    assert cards(open_page(**address(page))) == cards(page)
    press(page, "rec.undo")
    assert "said" not in address(page)
    assert scores(page) == [figure(score) for score in model.recommend(user="u3")["score"]]


def test_an_item_can_be_hidden_and_nothing_else_changes(open_page: Opener) -> None:
    before = small().recommend(user="u3", k=11)
    item = before["item"].iloc[0]
    page = say(open_page(user="u3", exact="1"), item, "hide")
    assert scores(page) == [figure(score) for score in before["score"].iloc[1:]]
    press(page, "rec_put_back")
    assert scores(page) == [figure(score) for score in before["score"].iloc[:10]]


def test_the_diff_says_what_moved_and_why(open_page: Opener) -> None:
    model = small()
    item = model.recommend(user="u3")["item"].iloc[0]
    page = say(open_page(user="u3", exact="1"), item, "less")
    after, old = with_opinion(item, 1.0), model.recommend(user="u3")
    new = model.recommend(history=after)
    (table,) = [frame.value for frame in page.dataframe if t("recommendations.rank_before") in frame.value]
    assert len(table) == len(set(old["item"]) | set(new["item"]))
    rows = dict(zip(table[t("recommendations.film")], table.itertuples(index=False), strict=True))
    ids = dict(zip(model.data_.items.titles, model.data_.items.ids, strict=True))
    for title, row in rows.items():
        ranks = [dict(zip(frame["item"], frame["rank"], strict=True)).get(ids[title]) for frame in (old, new)]
        assert [row[1], row[2]] == ["–" if rank is None else str(rank) for rank in ranks]
        events = [model.explain(history=h, item=ids[title]).events() for h in (model.history("u3"), after)]
        sums = [frame.groupby("title")["contribution"].sum() for frame in events]
        change = sums[1].sub(sums[0], fill_value=0.0)
        amount = row[5].rpartition(" (")[2].rstrip(")")
        assert amount == figure(change[change.abs().idxmax()], sign=True)


def test_a_head_can_be_muted(open_page: Opener) -> None:
    model, item = small(), small().recommend(user="u3")["item"].iloc[0]
    page = turn_to(open_page(user="u3", item=item, exact="1"), "heads")
    names = head_names(model)
    assert len(names) == 3
    page.toggle(key=f"rec_head_{names[1]}").set_value(False).run()
    assert not page.error
    assert address(page)["muted"] == names[1]
    events, target = model.history("u3"), model.data_.item_row(item)
    silent = sum(cell.contribution.sum() for cell in model.cells_of(events, target) if cell.name == names[1])
    twin = model.without_heads([names[1]])
    assert twin.score(history=events)[target] == pytest.approx(model.score(history=events)[target] - silent, abs=1e-7)
    assert scores(page) == [figure(score) for score in twin.recommend(user="u3")["score"]]
    assert cards(open_page(**address(page))) == cards(page)
    press(page, "rec.undo")
    assert "muted" not in address(page)
    assert scores(page) == [figure(score) for score in model.recommend(user="u3")["score"]]


@pytest.mark.parametrize("kind", SMALL)
def test_any_heads_can_be_muted_and_ledgers_add_up(kind: str) -> None:
    model = small(kind)
    for name in head_names(model):
        twin = model.without_heads([name])
        why = twin.explain(user="u3", item="i12")
        assert name not in set(why.cells["head"])
        assert why.base + why.cells["contribution"].sum() == pytest.approx(why.score, abs=1e-5)


def test_why_one_stands_above_another(open_page: Opener) -> None:
    first, second = small().recommend(user="u3")["item"].iloc[:2]
    page = turn_to(open_page(user="u3", item=first, exact="1"), "versus")
    assert page.selectbox(key="rec_versus").value == second
    apart = small().explain(user="u3", item=first) - small().explain(user="u3", item=second)
    assert safe(apart.text("en"), 2000) in [element.value for element in page.markdown]
    (table,) = [frame.value for frame in page.dataframe if t("why.difference") in set(frame.value.iloc[:, 0])]
    assert table["amount"].iloc[-1] == figure(apart.total)


def test_why_not_and_what_would_bring_it_in(open_page: Opener) -> None:
    model = small()
    item = model.recommend(user="u3", k=14)["item"].iloc[13]
    page = open_page(user="u3", item=item, exact="1")
    found = model.explain(user="u3", item=item, k=10).why_not()
    assert any(safe(found.text("en"), 2000) in element.value for element in page.markdown)
    assert found.added.found
    press(page, "rec_add")
    assert item in [row.item for row in _served_with(page, found.added.items).itertuples()]
    assert address(page)["said"] == "~".join(f"more_{other}" for other in found.added.items)


def _served_with(page: AppTest, items: tuple[str, ...]) -> pd.DataFrame:
    """What the model serves after these as liked events; it is what the page shows."""
    own = small().history("u3")
    rows = small().data_.items.rows(list(items))
    assert own.rating is not None
    n = len(own) + len(rows)
    events = History(
        np.r_[own.item, rows],
        np.r_[own.rating, np.full(len(rows), 5.0)],
        np.arange(n)[::-1],
        np.ones(n, bool),
        user=own.user,
    )
    served = small().recommend(history=events)
    assert scores(page) == [figure(score) for score in served["score"]]
    return served


def test_the_python_that_is_shown_gives_the_same_numbers(open_page: Opener) -> None:
    page = open_page(user="u3", item="i12", tab="take")
    text = next(code.value for code in page.code if "import" in code.value)
    assert "events = model.history('u3')" in text
    assert "model.explain(history=events, item='i12', k=10)" in text


# --- the address ------------------------------------------------------------------------------------------------------


def test_a_permalink_opens_the_same_view(open_page: Opener) -> None:
    page = open_page(user="u7", model="UserAttention", k="6", tab="whatif", exact="1")
    press(page, f"rec_why_{small('UserAttention').recommend(user='u7')['item'].iloc[1]}")
    untick(page, 4)
    untick(page, 1)
    again = open_page(**address(page))
    assert cards(again) == cards(page)
    assert scores(again) == scores(page)
    assert [box.label for box in again.checkbox] == [box.label for box in page.checkbox]
    assert checked(again) == checked(page)


def test_back_leads_to_the_view_before(open_page: Opener) -> None:
    page = open_page(user="u3")
    first = shown_text(page)
    before = address(page)
    press(page, page.button[0].key)
    opened = address(page)
    assert "item" in opened
    page.query_params.clear()
    page.query_params.update(before)
    page.run()
    assert shown_text(page) == first
    assert address(page) == before
    page.query_params.update(opened)
    page.run()
    assert address(page) == opened
    assert page.button(key="rec_close"), "forward again"


def test_a_choice_wins_over_an_address_that_is_late(open_page: Opener) -> None:
    page = open_page(user="u3")
    late = address(page)
    page.selectbox(key="rec_user").set_value("u5").run()
    page.query_params.clear()
    page.query_params.update(late)
    page.selectbox(key="rec_model").set_value("ItemKNN").run()
    assert address(page)["user"] == "u5"
    assert address(page)["model"] == "ItemKNN"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("user", "nobody"),
        ("user", "<script>alert(1)</script>" * 1000),
        ("model", "eval"),
        ("k", "0"),
        ("k", "1e9"),
        ("k", "nan"),
        ("k", "٣"),
        ("item", "no such item"),
        ("without", "i999"),
        ("without", "~99,~-1"),
        ("liked", "i1,x"),
        ("said", "more_nosuch"),
        ("said", "eval_i1"),
        ("muted", "no such head"),
    ],
)
def test_a_bad_parameter_gets_one_sentence(open_page: Opener, name: str, value: str) -> None:
    page = open_page(**{name: value})
    (warning,) = page.warning
    assert warning.value.startswith(f"`{name}` in the address must ")
    assert len(warning.value) < 300
    assert "<script>" not in warning.value
    assert not page.error
    assert cards(page), "the page is shown all the same"
    page.number_input(key="rec_k").set_value(3).run()
    assert not page.warning, "a choice settles it"


TYPED = (  # the test driver cannot type what is not among the options
    "from xattn.app import state; from xattn.app.ui import session; from xattn.app.recommend import page, present;"
    "present.open_view(state.dataset()); session.USER.set('*nobody*')"
)


def test_an_unknown_user_that_is_typed_gets_one_sentence(open_page: Opener) -> None:
    page = open_page(script=f"{TYPED}; {PAGE}")
    (error,) = page.error
    assert error.value == safe("`user` must be one of the 120 users of planted-genre; got '*nobody*'.", 400)
    assert not cards(page)


def test_widget_limits_are_not_trusted(open_page: Opener) -> None:
    page = open_page()
    page.session_state["rec_model"] = "HybridAttention"
    page.number_input(key="rec_k").set_value(45).run()  # more than there are items
    (error,) = page.error
    assert "k\\` must be a whole number from 1 to 40" in error.value


def test_a_fault_is_logged_and_told_in_one_sentence(
    open_page: Opener, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(kind: str, name: str) -> Any:
        raise RuntimeError("secret of the server")

    page = open_page()
    monkeypatch.setattr(state, "_fitted", break_down)
    with caplog.at_level(logging.ERROR, "xattn"):
        page.run()
    assert [error.value for error in page.error] == [t("app.failed")]
    assert not page.exception
    assert "secret" not in shown_text(page)
    assert "secret of the server" in caplog.text


# --- languages --------------------------------------------------------------------------------------------------------


def test_the_page_is_whole_in_chinese(open_page: Opener) -> None:
    page = open_page(
        user="u3", item="i12", lang="zh", tab="whatif", without=small().data_.items.ids[small().history("u3").item[0]]
    )
    names = "Item|HybridAttention|score|[A-Z]{3,}|u3|material|badge|gray|small|violet|orange|blue|green"
    for line in shown_text(page).splitlines():
        plain = re.sub(r":[\w/]+:|:[\w-]+\[|action|comedy|drama|romance", "", line)
        if re.search("[A-Za-z]{4,}", re.sub(f"({names})[^ ]*", "", plain)):
            assert re.search("[\u4e00-\u9fff]", plain), line
    assert page.title[0].value == t("recommendations.title", "zh")
    assert {box.label.split("[")[-1][:3] for box in page.checkbox} >= {"没有它"}


# --- untrusted titles -------------------------------------------------------------------------------------------------

HOSTILE = [
    "<script>alert(1)</script>",
    "[click](javascript:alert(1)) ![x](http://evil.example/x.png)",
    ":material/delete: :red[red] $x^2$ `code` **bold**",
    "http://evil.example www.evil.example a@evil.example",
    "=HYPERLINK(1)",
    "x" * 1_000_000,
    "[[[[((((" * 20_000,
    "\u202eright to left",
]


def test_hostile_titles_are_text(open_page: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    data = small().data_
    titles = tuple(HOSTILE[row % len(HOSTILE)] for row in range(data.n_items))
    hostile = dataclasses.replace(data, items=dataclasses.replace(data.items, titles=titles))
    model = ItemKNN(n_neighbors=8).fit(hostile)
    monkeypatch.setattr(state, "_fitted", lambda kind, name: model)
    monkeypatch.setattr(state, "dataset", lambda name="": hostile)
    page = open_page(user="u3", item="i12", k="20", tab="whatif")
    untick(page, 3)
    text = shown_text(page)
    assert "\\<script\\>" in text
    for raw in ("<script>", "[click", ":red[red", ":material/delete", "$x", "http:/", "www.", "@e", "\u202e"):
        assert not re.search(r"(?<!\\)" + re.escape(raw), text), raw
    assert len(text) < 60_000
    assert max(len(str(value)) for frame in page.dataframe for value in frame.value.to_numpy().ravel()) <= 200
    assert not page.error
