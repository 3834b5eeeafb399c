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

from tests.scenarios.audit import shuffled
from xattn.data import leave_last_out
from xattn.data.simulate import NO_EVENT
from xattn.data.split import as_of
from xattn.errors import InputError
from xattn.explain import DEPTHS, SCENARIOS
from xattn.i18n import LANGUAGES, t
from xattn.scenarios import Outcome, ScenarioSet, check_claims, convert, load, names, new_manifest, sets
from xattn.scenarios.fetch.home import SAMPLES
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
        found = {name: load(name).run(data="simulated") for name in FIELDS}
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
    told = outcome.found.told(), outcome.found.told("zh")
    if name == "cars":
        assert told[0].startswith("Simulated people over the real items of fueleconomy-cars")
    else:
        assert told[0].startswith("Simulated data, no real people and no real items")
        assert told[1].startswith("模拟数据")
    document = outcome.to_dict()
    assert document["data"]["kind"] == "simulated"
    assert document["data"]["licence"] is None
    assert document["at_hand"] == (["real", "simulated"] if name in ("e-commerce", "finance") else ["simulated"])


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
    for depth in DEPTHS:
        spoken = re.sub("《[^《》]*》", "", outcome.why.text("zh", depth, outcome.found.words))
        assert not re.search("推荐|建议|应该|保证|治愈|收益", spoken)


@pytest.mark.parametrize("name", FIELDS)
def test_simulated_items_have_titles_in_chinese_that_no_model_sees(name: str, outcomes: dict[str, Outcome]) -> None:
    data = outcomes[name].found.data
    spoken = data.in_language("zh")
    if name == "cars":  # real ones, whose makers write themselves in Latin letters
        assert spoken is data
        return
    assert all(re.search("[\u4e00-\u9fff]", title) for title in spoken.items.titles)
    assert len(set(spoken.items.titles)) == len(set(data.items.titles))
    assert spoken.checksum == data.checksum
    assert list(spoken.items.frame) == list(data.items.frame)
    column = load(name).manifest.simulated.columns[0].name  # type: ignore[union-attr]
    assert column in data.items.frame


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


def scores(found: ScenarioSet) -> np.ndarray:
    model = load(found.manifest.name).model().fit(found.data)
    return np.array([model.scores_of(model.history(user=user)) for user in found.data.user_ids[:20]])


@pytest.mark.parametrize("name", FIELDS)
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
    if name in ("e-commerce", "health", "finance"):  # equal data sets have equal scores; here they are looked at
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


@has_sets
def test_scores_stay_when_classes_of_real_households_are_shuffled() -> None:
    manifest = load("finance").manifest
    frames = convert.converted("scf", Path(os.environ["XATTN_TEST_DATA"]) / "scf2019-households")
    other = shuffled(frames, manifest.sensitive)
    assert not other.events["INCCAT"].equals(frames.events["INCCAT"])
    one, two = (sets.read_frames(manifest, tables) for tables in (frames, other))
    assert one.checksum == two.checksum
    found = [ScenarioSet(manifest, "real", data, manifest.words) for data in (one, two)]
    assert np.array_equal(scores(found[0]), scores(found[1]))


# --- groups and claims ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["travel", "health"])
def test_groups_are_reported_under_the_protocol_of_the_scenario(name: str, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[name]
    scenario, found = outcome.scenario, outcome.found
    assert found.people is not None
    assert scenario.groups_of(found) == [*scenario.manifest.groups, "age", "sex"]
    for by in ("length", "age"):
        report = scenario.groups(found, by, model=outcome.model, sample=12)
        assert sum(row["n"] for row in report["rows"]) == found.data.n_users
        if by == "age":
            assert [row["group"] for row in report["rows"]] == sorted(set(found.people["age"]))
            assert [row["n"] for row in report["rows"]] == found.people["age"].value_counts().sort_index().tolist()
    with pytest.raises(InputError, match="`by` must be one of length, "):
        scenario.groups(found, "income")


def test_claims_are_what_ledgers_say(outcomes: dict[str, Outcome]) -> None:
    """The three figures, worked out again for the same people by other ways through the same ledgers."""
    outcome = outcomes["education"]
    model, data = outcome.model, outcome.found.data
    found = check_claims(model, people=15, seed=3)
    fitting = [u for u in range(data.n_users) if len(set(data.item[data.events_of(u)].tolist())) >= 3]
    chosen = np.sort(np.random.default_rng(3).permutation(np.array(fitting))[:15])
    popular = set(np.argsort(-data.counts(), kind="stable")[: data.n_items // 10].tolist())
    points, base, leaning = [], [], []
    for row in chosen.tolist():
        user = data.user_ids[row]
        listed = model.recommend(user=user, k=10)
        leaning.append(np.mean([data.item_row(item) in popular for item in listed["item"]]))
        why = model.explain(user=user, item=listed["item"].iloc[0])
        events = why.events().set_index("event")
        scores = {
            event: model.explain(user=user, item=why.item, without=[event]).score for event in events.index.tolist()
        }
        points.append(events["weight"].idxmax() == min(scores, key=lambda event: scores[event]))
        base.append(why.base / (why.base + events["contribution"].clip(lower=0).sum()))
    assert found.points["value"] == pytest.approx(np.mean(points))
    assert found.base["value"] == pytest.approx(np.mean(base))
    assert found.leaning["value"] == pytest.approx(np.mean(leaning))
    assert 0 < found.chance < 1 / 3 + 1e-9


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


@pytest.mark.parametrize(("name", "folder"), [("e-commerce", "complete-journey"), ("finance", "scf2019-households")])
def test_without_public_sets_a_sample_of_the_package_is_taken(
    name: str, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = os.environ.get("XATTN_TEST_DATA")
    monkeypatch.delenv("XATTN_TEST_DATA", raising=False)
    found = load(name).data()
    assert (found.kind, found.sample, found.set_name) == ("real", True, folder)
    assert found.told().startswith(f"A sample of real data, which comes with the package: {folder} (")
    assert found.told("zh").startswith("随软件包提供的真实数据样本")
    assert (SAMPLES / folder / "TERMS.md").read_text("utf-8").count("Source: ") == 1
    if whole is not None:
        assert found.manifest.real is not None
        converter = found.manifest.real.converter
        own, other = (convert.converted(converter, root / folder).events for root in (SAMPLES, Path(whole)))
        assert len(own.merge(other.drop_duplicates())) == len(own) > 30_000, "each line of the sample stands in the set"


def test_samples_are_small_and_each_has_its_terms() -> None:
    folders = sorted(path for path in SAMPLES.iterdir() if path.is_dir())
    assert [path.name for path in folders] == ["complete-journey", "fueleconomy-cars", "scf2019-households"]
    assert all((path / "TERMS.md").is_file() for path in folders)
    assert sum(path.stat().st_size for path in SAMPLES.rglob("*")) < 1_000_000


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


def test_an_article_that_nobody_has_read_is_listed_with_its_reasons_on_its_first_day() -> None:
    """News on the simulated stream: the model as of the moment at which each of some articles appears."""
    scenario = load("news")
    found = scenario.data("simulated")
    truth, data = found.truth, found.data
    assert truth is not None
    assert data.time is not None
    order = np.argsort(truth.born, kind="stable")
    some = [row for row in order.tolist() if truth.born[row] > truth.born.min()][10:60:10]
    served, forgetting = scenario.model(found), {"half_life": None}
    assert served.get_params()["half_life"] == 0.5
    counts = []
    for model in (served, scenario.model(found).set_params(**forgetting)):
        visits = listed = 0
        for article in some:
            moment, item = float(truth.born[article]), data.items.ids[article]
            known = as_of(data, moment, truth.born)
            assert not (known.item == known.item_row(item)).any()
            model.fit(known)
            soon = np.unique(data.user[(data.time >= moment) & (data.time < moment + 86_400)])
            for user in soon[np.diff(known.indptr)[soon] > 0].tolist():
                visits += 1
                best = model.recommend(user=known.user_ids[user], k=10)
                if item not in best["item"].tolist():
                    continue
                listed += 1
                why = model.explain(user=known.user_ids[user], item=item, k=10)
                assert why.base + why.cells["contribution"].sum() == pytest.approx(why.score, abs=1e-12)
                own = set(known.items.frame.loc[known.item_row(item), ["subject", "form"]])
                of_features = {name.partition(": ")[2] for name in why.by("feature")["feature"]}
                assert own <= of_features
                assert why.rank == best["item"].tolist().index(item) + 1
        counts.append((visits, listed))
    (visits, listed), (_, before) = counts
    assert listed > visits / 3  # benchmarks/news.py: 56 % over all articles
    assert listed > 3 * before


def test_settings_of_a_manifest_belong_to_their_data() -> None:
    scenario = load("news")
    values = {(one["of"], one["name"]): one["value"] for one in scenario.to_dict()["settings"]}
    assert values == {("real", "half_life"): 1.0, ("simulated", "half_life"): 0.5}
    assert scenario.model().get_params()["half_life"] is None
    found = scenario.data("simulated")
    assert scenario.model(found).get_params()["half_life"] == 0.5
    fitted = scenario.model(found).fit(found.data)
    plain = scenario.model(found).set_params(half_life=None).fit(found.data)
    rows = [scenario.groups(found, "length", model=model, sample=2)["rows"] for model in (fitted, plain)]
    assert rows[0] == rows[1]  # everybody is asked as of the own last event
    assert fitted.get_params()["half_life"] == 0.5  # what was handed in stays as it is


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
