"""Scenarios run: on simulated data everywhere, on public sets where they are; what they show is true and unbiased."""

from __future__ import annotations

import os
import re
import runpy
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from xattn.data import leave_last_out
from xattn.data.simulate import NO_EVENT
from xattn.errors import InputError
from xattn.explain import DEPTHS, SCENARIOS
from xattn.i18n import LANGUAGES, t
from xattn.scenarios import Outcome, ScenarioSet, convert, load, names, new_manifest, sets
from xattn.scenarios.manifest import NO_ADVICE, manifest_in
from xattn.testing.claims import read_back

FIELDS = names()
REAL = [name for name in FIELDS if load(name).manifest.real is not None]
has_sets = pytest.mark.skipif("XATTN_TEST_DATA" not in os.environ, reason="needs the public sets (XATTN_TEST_DATA)")


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    """Each scenario, run once on its simulated people over made-up items."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("XATTN_TEST_DATA", raising=False)
        begun = time.perf_counter()
        found = {name: load(name).run() for name in FIELDS}
        assert time.perf_counter() - begun < 60  # ten fits; a few seconds on an idle machine
        return found


# --- each of the ten --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FIELDS)
def test_without_public_sets_the_people_are_simulated_and_it_says_so(
    name: str, outcomes: dict[str, Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = outcomes[name]
    monkeypatch.delenv("XATTN_TEST_DATA", raising=False)
    assert outcome.found.kind == "simulated"
    assert outcome.found.told().startswith("Simulated data, no real people and no real items")
    assert outcome.found.told("zh").startswith("模拟数据")
    document = outcome.to_dict()
    assert document["data"]["kind"] == "simulated"
    assert document["data"]["licence"] is None
    assert document["at_hand"] == ["simulated"]


@pytest.mark.parametrize("name", FIELDS)
def test_the_ledger_adds_up_to_what_was_served_and_removals_come_true(name: str, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[name]
    why, served = outcome.why, outcome.listed
    assert outcome.gap < 1e-9
    assert why.item == served["item"].iloc[0]
    assert why.rank == 1
    seen = outcome.scenario.manifest.seen
    for worst in why.removals().head(2).itertuples():
        again = outcome.model.recommend(
            user=outcome.user, k=outcome.found.data.n_items, without=[worst.event], seen=seen
        )
        now = again[again["item"] == why.item]
        assert now["score"].item() == pytest.approx(worst.score_without, abs=1e-9)
        assert now["rank"].item() == worst.rank_without


@pytest.mark.parametrize("name", FIELDS)
def test_texts_have_the_words_of_the_field_and_read_back(name: str, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[name]
    words = outcome.found.words
    assert words == outcome.scenario.manifest.words
    for lang in LANGUAGES:
        for depth in DEPTHS:
            text = outcome.text(lang, depth)
            assert read_back(text, lang, depth, words)
            own = t(f"words.did.{words}", lang)
            others = {t(f"words.did.{other}", lang) for other in SCENARIOS} - {own}
            bare = re.sub("“[^“”]*”|《[^《》]*》", "“”", text)
            assert not any(
                re.search(rf"\b(?:you|你){re.escape(' ' if lang == 'en' else '')}{verb}", bare) for verb in others
            )


@pytest.mark.parametrize("name", ["health", "finance"])
def test_no_promise_where_a_list_could_be_advice(name: str, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[name]
    assert outcome.found.words in NO_ADVICE
    assert outcome.to_dict()["warnings"][0].startswith("No advice")
    assert outcome.to_dict("zh")["warnings"][0].startswith("不是建议")
    said = re.sub("“[^“”]*”", "", outcome.text("en"))
    assert not re.search(r"\b(should|will|advise|good for|earn|cure|safe|return)\b", said)


def test_simulated_tables_are_read_as_they_were_made(outcomes: dict[str, Outcome]) -> None:
    for outcome in outcomes.values():
        truth = outcome.found.truth
        assert truth is not None
        assert truth.data.to_frame().equals(outcome.found.data.to_frame())
        assert truth.data.items.titles == outcome.found.data.items.titles


def test_the_first_reasons_of_a_field_are_the_planted_ones(outcomes: dict[str, Outcome]) -> None:
    """Routines of a home, each event known to have been caused or not: reasons are held against the truth."""
    outcome = outcomes["smart-home"]
    truth = outcome.found.truth
    assert truth is not None
    data = outcome.found.data
    split = leave_last_out(data)
    model = outcome.scenario.model().fit(split.train)
    hits = asked = 0
    for user in range(data.n_users):
        last = data.indptr[user + 1] - 1
        if truth.cause[last] == NO_EVENT:
            continue
        why = model.explain(user=data.user_ids[user], item=data.items.ids[data.item[last]], seen="keep")
        first = why.events()["event"].iloc[0]
        asked += 1
        hits += first == data.items.ids[data.item[truth.cause[last]]]
    assert asked > 50
    assert hits / asked > 0.8


# --- sensitive columns ------------------------------------------------------------------------------------------------


def shuffled(frames: convert.Frames, columns: tuple[str, ...]) -> convert.Frames:
    """The same tables, with other people's and other items' values in these columns."""
    rng = np.random.default_rng(0)
    events, items = frames.events.copy(), frames.items.copy()
    for frame in (events, items):
        for column in columns:
            if column in frame:
                frame[column] = frame[column].to_numpy()[rng.permutation(len(frame))]
    return convert.Frames(events, items)


def scores(found: ScenarioSet) -> np.ndarray:
    model = load(found.manifest.name).model().fit(found.data)
    return np.array([model.scores_of(model.history(user=user)) for user in found.data.user_ids[:20]])


@pytest.mark.parametrize("name", ["e-commerce", "health", "finance"])
def test_scores_stay_when_sensitive_columns_are_shuffled(name: str, outcomes: dict[str, Outcome]) -> None:
    manifest, truth = load(name).manifest, outcomes[name].found.truth
    assert truth is not None
    assert manifest.simulated is not None
    items = sets.made_items(manifest.simulated, name)
    items["sex"] = np.where(np.arange(len(items)) % 2, "for women", "for men")  # of the items, too
    frames = sets.tables_of(truth, items)
    assert {"age", "sex"} <= set(frames.events.columns)
    other = shuffled(frames, manifest.sensitive)
    assert not other.events["age"].equals(frames.events["age"])
    assert not other.items["sex"].equals(frames.items["sex"])
    one, two = (sets.read_frames(manifest, tables) for tables in (frames, other))
    assert one.checksum == two.checksum
    assert "sex" not in one.items.frame
    found = [ScenarioSet(manifest, "simulated", data, manifest.words) for data in (one, two)]
    assert np.array_equal(scores(found[0]), scores(found[1]))


def test_a_column_that_nobody_calls_sensitive_is_used(outcomes: dict[str, Outcome]) -> None:
    """The test above can fail: as an ordinary column, the same one moves scores."""
    manifest, truth = load("e-commerce").manifest, outcomes["e-commerce"].found.truth
    assert truth is not None
    assert manifest.simulated is not None
    items = sets.made_items(manifest.simulated, "e-commerce")
    items["for whom"] = np.where(np.arange(len(items)) % 2, "women", "men")
    frames = sets.tables_of(truth, items)
    found = [
        ScenarioSet(manifest, "simulated", sets.read_frames(manifest, tables), manifest.words)
        for tables in (frames, shuffled(frames, ("for whom",)))
    ]
    assert not np.array_equal(scores(found[0]), scores(found[1]))


# --- accuracy ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["smart-home", "finance"])
def test_the_default_model_is_ahead_of_popularity(name: str) -> None:
    scenario = load(name)
    outcome = scenario.run(data="simulated", with_accuracy=True)
    assert outcome.accuracy is not None
    rows = {row["model"]: row for row in outcome.accuracy["rows"]}
    assert list(rows) == ["HybridAttention", "Popularity", "ItemKNN", "EASE", "RecencyEASE"]
    assert outcome.accuracy["protocol"] == scenario.manifest.protocol
    metric = f"ndcg@{outcome.accuracy['k']}"
    assert rows["HybridAttention"]["ci95"][metric][0] > rows["Popularity"]["ci95"][metric][1]
    assert "the best simple rival" in outcome.accuracy_told()
    assert "最好的简单对手" in outcome.accuracy_told("zh")
    assert outcome.to_dict()["accuracy"]["told"] == outcome.accuracy_told()


# --- public sets ------------------------------------------------------------------------------------------------------


@has_sets
@pytest.mark.parametrize("name", ["social", "music", "finance"])
def test_a_public_set_takes_the_place_of_the_simulated_one(name: str) -> None:
    outcome = load(name).run()
    real = load(name).manifest.real
    assert real is not None
    assert outcome.found.kind == "real"
    assert outcome.found.told().startswith(f"Real data: {real.set} ({real.licence})")
    assert outcome.gap < 1e-9
    assert outcome.to_dict()["data"]["source"] == real.source


@has_sets
@pytest.mark.parametrize("name", REAL)
def test_what_a_converter_reads_is_a_data_set_without_sensitive_columns(name: str) -> None:
    found = load(name).data("real")
    manifest = found.manifest
    assert found.data.n_users > 200
    assert not set(manifest.sensitive) & set(found.data.items.frame.columns)
    if found.data.kind is not None:
        kinds = set(found.data.kind.tolist())
        assert kinds & set(manifest.weights), "the weights of the manifest are about types that occur"
    columns = {group for group in manifest.groups if group not in ("length", "taste", "item")}
    assert columns <= set(found.data.items.frame.columns)


@has_sets
def test_real_cars_have_simulated_buyers() -> None:
    found = load("cars").data()
    assert found.kind == "simulated"
    assert found.set_name == "fueleconomy-cars"
    assert found.told().startswith("Simulated people over the real items of fueleconomy-cars")


def test_a_set_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XATTN_TEST_DATA", str(tmp_path))
    with pytest.raises(InputError, match="the set 'oulad' must lie in the folder that XATTN_TEST_DATA names"):
        load("education").run(data="real")
    with pytest.raises(InputError, match=r"`data` must be one that this scenario has \(simulated\); got 'real'."):
        load("cars").run(data="real")
    (tmp_path / "oulad").mkdir()
    with pytest.raises(InputError, match="'studentAssessment.csv.gz' must be a file of the set 'oulad'"):
        load("education").run()
    (tmp_path / "oulad" / "studentAssessment.csv.gz").write_bytes(b"no gzip at all")
    with pytest.raises(InputError, match="must be a file of the set 'oulad', as it was published"):
        load("education").run()


def test_the_program_of_the_page_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text("utf-8")
    [code] = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    program = tmp_path / "page.py"
    program.write_text(code, "utf-8")
    runpy.run_path(str(program))
    assert capsys.readouterr().out.startswith("Simulated data")


# --- people and manifests of one's own --------------------------------------------------------------------------------


def test_somebody_else_is_asked_for_by_name(outcomes: dict[str, Outcome]) -> None:
    outcome = load("travel").run(data="simulated", user="p1", k=3)
    assert outcome.user == "p1" != outcomes["travel"].user
    assert len(outcome.listed) == 3
    with pytest.raises(InputError, match="`user` must be one of the 300 users of travel; got 'nobody'."):
        load("travel").run(data="simulated", user="nobody")


def shop(folder: Path) -> tuple[Path, Path]:
    """Files of somebody's own, with a column that says who people are."""
    rng = np.random.default_rng(1)
    user = np.repeat(np.arange(40), 6)
    item = np.concatenate([rng.choice(25, 6, replace=False) for _ in range(40)])
    events = pd.DataFrame({"client": user, "sku": item, "age": 20 + user, "kind": rng.choice(["view", "buy"], 240)})
    items = pd.DataFrame({"sku": range(25), "title": [f"Thing {j}" for j in range(25)], "sort": list("abcde") * 5})
    items["for age"] = [20 + j for j in range(25)]
    paths = folder / "events.csv", folder / "things.csv"
    for frame, path in zip((events, items), paths, strict=True):
        frame.to_csv(path, index=False)
    return paths


def test_a_manifest_of_ones_own_is_written_edited_and_run(tmp_path: Path) -> None:
    from xattn import read_interactions

    events, things = shop(tmp_path)
    columns = {"user": "client", "item": "sku", "kind": "kind"}
    data = read_interactions(str(events), str(things), columns=columns)
    reading = {"columns": [f"{role}={header}" for role, header in columns.items()]}
    text = new_manifest(data, name="mine", ratings="events.csv", items="things.csv", words="shop", reading=reading)
    text = text.replace("sensitive = []", 'sensitive = ["age", "for age"]')
    (tmp_path / "mine.toml").write_text(text, "utf-8")
    scenario = load(tmp_path / "mine.toml")
    assert [event.type for event in scenario.manifest.events] == ["buy", "view"]
    assert scenario.manifest.groups == ("length", "sort")
    outcome = scenario.run()
    assert outcome.found.kind == "own"
    assert "you bought" in outcome.text("en", "sentence") or "popular" in outcome.text("en", "sentence")
    assert list(outcome.found.data.items.frame) == ["sort"]
    assert outcome.model.get_params()["event_weights"] == {"buy": 1.0, "view": 1.0}


def test_a_new_manifest_of_health_has_its_warning(tmp_path: Path) -> None:
    from xattn import read_interactions

    data = read_interactions(str(shop(tmp_path)[0]), columns={"user": "client", "item": "sku"})
    text = new_manifest(data, name="mine", ratings="events.csv", words="health")
    assert manifest_in(text, "mine.toml").warnings[0].en.startswith("No advice")
    with pytest.raises(InputError, match="`name` must be of small letters"):
        new_manifest(data, name="My Shop", ratings="events.csv")
    with pytest.raises(InputError, match="`words` must be one of"):
        new_manifest(data, name="mine", ratings="events.csv", words="banking")


def test_odd_names_of_files_and_types_survive_the_manifest(tmp_path: Path) -> None:
    from xattn import Interactions

    frame = pd.DataFrame({"user": ["u", "u", "v"], "item": ["a", "b", "a"], "kind": ['"buy"\\', "看", "x = 1 # no"]})
    data = Interactions.from_frame(frame, columns={"user": "user", "item": "item", "kind": "kind"})
    text = new_manifest(data, name="odd", ratings='odd "name"\\ of\tfile.csv')
    manifest = manifest_in(text, "odd.toml")
    assert {event.type for event in manifest.events} == set(frame["kind"])
    assert manifest.own is not None
    assert manifest.own.ratings == 'odd "name"\\ of\tfile.csv'
