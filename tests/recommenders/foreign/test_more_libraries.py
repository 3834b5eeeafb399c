"""RecTools, RecBole and ONNX Runtime, wrapped: the real ones where they are installed, their shapes everywhere."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from tests.recommenders.foreign.models import data, ease, neighbours, table
from tests.recommenders.foreign.test_libraries import assert_the_bar
from xattn import InputError, wrap
from xattn.recommenders import Recommender

FEW = 20


def of_library(module: str, name: str, **held: Any) -> Any:
    """An object of a class that says that it comes from a library."""
    made = type(name, (), {"__module__": module})()
    vars(made).update(held)
    return made


# --- what each library holds ------------------------------------------------------------------------------------------


def test_the_matrix_of_rectools_is_turned() -> None:
    turned = of_library("rectools.models.ease", "EASEModel", weight=ease(data()).T)
    np.testing.assert_array_equal(wrap(turned, data()).score("u3"), wrap(ease(data()), data()).score("u3"))


def test_a_cover_of_rectools_is_opened() -> None:
    inner = of_library("implicit.nearest_neighbours", "CosineRecommender", similarity=neighbours(data()))
    cover = of_library("rectools.models.implicit_knn", "ImplicitItemKNNWrapperModel", model=inner)
    np.testing.assert_array_equal(wrap(cover, data()).score("u3"), wrap(neighbours(data()), data()).score("u3"))


@pytest.mark.parametrize("dense", [True, False])
def test_row_and_column_0_of_recbole_are_no_item(dense: bool) -> None:
    B = np.zeros((41, 41))
    B[1:, 1:] = ease(data())
    held: dict[str, Any] = {"item_similarity": B} if dense else {"w": sparse.csr_matrix(B), "method": "item"}
    model = wrap(of_library("recbole.model.general_recommender.ease", "EASE", **held), data())
    np.testing.assert_allclose(model.score("u3"), wrap(ease(data()), data()).score("u3"), atol=1e-12)


def test_neighbours_of_users_are_no_terms_of_a_history() -> None:
    of_users = of_library("recbole.model.general_recommender.itemknn", "ItemKNN", w=np.eye(41), method="user")
    with pytest.raises(InputError, match="`model` must be a matrix of items × items"):
        wrap(of_users, data())


@pytest.mark.parametrize("module", ["rectools.models.lightfm", "lightfm.lightfm"])
def test_a_vector_of_each_user_is_refused(module: str) -> None:
    name = "LightFM" if module.startswith("lightfm") else "LightFMWrapperModel"
    with pytest.raises(InputError, match="whose fitted vector of each user says nothing of single events"):
        wrap(of_library(module, name), data())


# --- ONNX -------------------------------------------------------------------------------------------------------------


def onnx_file(path: Path, of_table: bool, rows: int | str = "R", length: int | str = "L") -> Path:
    """Bent sums of item vectors against item vectors: of sequences padded with 0, or of a table of counts."""
    onnx = pytest.importorskip("onnx")
    h, kinds, array = onnx.helper, onnx.TensorProto, onnx.numpy_helper.from_array
    _, sizes, singular = np.linalg.svd(table(data()), full_matrices=False)
    vectors = (singular[:8].T * np.sqrt(sizes[:8])).astype(np.float32)
    tables = [array(vectors.T.copy(), "right")]
    if of_table:
        given = h.make_tensor_value_info("X", kinds.FLOAT, [rows, 40])
        first = [h.make_node("MatMul", ["X", "left"], ["sum"])]
        tables.append(array(vectors, "left"))
    else:
        given = h.make_tensor_value_info("items", kinds.INT64, [rows, length])
        first = [
            h.make_node("Gather", ["left", "items"], ["each"]),
            h.make_node("ReduceSum", ["each", "axis"], ["sum"], keepdims=0),
        ]
        tables += [array(np.vstack([0 * vectors[:1], vectors]), "left"), array(np.array([1]), "axis")]
    last = [h.make_node("Tanh", ["sum"], ["bent"]), h.make_node("MatMul", ["bent", "right"], ["scores"])]
    answer = h.make_tensor_value_info("scores", kinds.FLOAT, [rows, 40])
    graph = h.make_graph([*first, *last], "bent", [given], [answer], tables)
    onnx.save(h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=9), path)
    return path


def evaluated(path: Path) -> Any:
    """The file under ONNX's own evaluator, with the methods of a session."""
    reference = pytest.importorskip("onnx.reference")
    evaluator = reference.ReferenceEvaluator(str(path))
    value = evaluator.proto_.graph.input[0]
    shape = [one.dim_value or one.dim_param for one in value.type.tensor_type.shape.dim]
    kind = "tensor(int64)" if value.type.tensor_type.elem_type == 7 else "tensor(float)"
    given = [SimpleNamespace(name=value.name, shape=shape, type=kind)]
    return of_library("onnxruntime.like", "InferenceSession", get_inputs=lambda: given, run=evaluator.run)


def bent(user: int) -> np.ndarray:
    """What the files answer, worked out here."""
    _, sizes, singular = np.linalg.svd(table(data()), full_matrices=False)
    vectors = singular[:8].T * np.sqrt(sizes[:8])
    return np.asarray(np.tanh(vectors[data().item[data().events_of(user)]].sum(axis=0)) @ vectors.T)


@pytest.mark.parametrize("shape", [{"of_table": True}, {"of_table": False}, {"of_table": False, "rows": 3}])
def test_an_onnx_file(shape: dict[str, Any], tmp_path: Path) -> None:
    model = wrap(evaluated(onnx_file(tmp_path / "bent.onnx", **shape)), data())
    assert_the_bar(model, FEW)
    for user in range(FEW):
        np.testing.assert_allclose(model.score(data().user_ids[user]), bent(user), atol=1e-4)


def test_a_length_that_an_onnx_file_fixes_is_kept(tmp_path: Path) -> None:
    model = wrap(evaluated(onnx_file(tmp_path / "bent.onnx", of_table=False, rows=1, length=4)), data())
    long = [data().items.ids[j] for j in data().item[data().events_of(3)]]
    np.testing.assert_allclose(model.score(history=long), model.score(history=long[-4:]), atol=1e-6)


def test_an_onnx_file_of_two_inputs_is_refused(tmp_path: Path) -> None:
    session = evaluated(onnx_file(tmp_path / "bent.onnx", of_table=False))
    session.get_inputs = lambda: [SimpleNamespace(name=name, shape=["R", "L"], type="tensor(int64)") for name in "ab"]
    with pytest.raises(InputError, match="an ONNX file must have one input, .*; got 'a"):
        wrap(session, data())


def test_onnx_runtime_reads_the_file(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    model = wrap(onnx_file(tmp_path / "bent.onnx", of_table=False), data())
    assert_the_bar(model)
    np.testing.assert_allclose(model.score("u3"), bent(3), atol=1e-4)
    (tmp_path / "odd.onnx").write_bytes(b"no")
    with pytest.raises(InputError, match="`model` must be an ONNX file that ONNX Runtime reads; got InvalidProtobuf"):
        wrap(tmp_path / "odd.onnx", data())


# --- the real ones ----------------------------------------------------------------------------------------------------


def rectools_set() -> Any:
    rectools = pytest.importorskip("rectools.dataset")
    if int(pd.__version__.partition(".")[0]) > 2:
        pytest.skip("RecTools reads pandas 2")
    events = data()
    frame = pd.DataFrame(
        {
            "user_id": np.array(events.user_ids, object)[events.user],
            "item_id": np.array(events.items.ids, object)[events.item],
            "weight": 1.0,
            "datetime": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(events.n_events), unit="min"),
        }
    )
    return rectools.Dataset.construct(frame)


def assert_they_recommend_the_same(theirs: Any, ours: Recommender, given: Any) -> None:
    listed = theirs.recommend(users=list(data().user_ids[:FEW]), dataset=given, k=40, filter_viewed=False)
    for user, rows in listed.groupby("user_id"):
        own = dict(zip(data().items.ids, ours.score(user), strict=True))
        np.testing.assert_allclose([own[item] for item in rows["item_id"]], rows["score"], atol=1e-5)


def test_models_of_rectools() -> None:
    given = rectools_set()
    from implicit.als import AlternatingLeastSquares
    from implicit.nearest_neighbours import CosineRecommender
    from rectools.models import EASEModel, ImplicitALSWrapperModel, ImplicitItemKNNWrapperModel

    ids = given.item_id_map.external_ids
    for model in (EASEModel(regularization=10.0), ImplicitItemKNNWrapperModel(CosineRecommender(K=6, num_threads=1))):
        wrapped = wrap(model.fit(given), data(), items=ids)
        assert_the_bar(wrapped)
        assert_they_recommend_the_same(model, wrapped, given)
    als = AlternatingLeastSquares(factors=8, iterations=3, num_threads=1, random_state=0)
    assert_the_bar(wrap(ImplicitALSWrapperModel(als).fit(given), data(), items=ids))


def test_sasrec_of_rectools_holds_its_ids() -> None:
    given = rectools_set()
    pytest.importorskip("pytorch_lightning")
    from pytorch_lightning import Trainer
    from rectools.models import SASRecModel

    def trainer() -> Any:
        quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
        return Trainer(max_epochs=3, accelerator="cpu", **quiet)

    model = SASRecModel(
        session_max_len=12, n_factors=8, n_blocks=1, n_heads=1, get_trainer_func=trainer, recommend_torch_device="cpu"
    ).fit(given)
    wrapped = wrap(model, data())
    assert_the_bar(wrapped)
    assert_they_recommend_the_same(model, wrapped, given)


@pytest.mark.parametrize("name", ["EASE", "ItemKNN", "SASRec", "BPR"])
def test_models_of_recbole(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("recbole")
    for old, new in {"float_": np.float64, "complex_": np.complex128, "unicode_": np.str_}.items():
        monkeypatch.setattr(np, old, new, raising=False)  # names that it sets at its start, and NumPy 2 lacks
    import torch
    from recbole.config import Config
    from recbole.data import create_dataset
    from recbole.utils import get_model

    events = data()
    (tmp_path / "planted").mkdir()
    met = zip(events.user.tolist(), events.item.tolist(), strict=True)
    lines = [f"{events.user_ids[u]}\t{events.items.ids[j]}\t{n}" for n, (u, j) in enumerate(met)]
    head = "user_id:token\titem_id:token\ttimestamp:float"
    (tmp_path / "planted" / "planted.inter").write_text("\n".join([head, *lines]), "utf-8")
    settings = {
        "data_path": str(tmp_path),
        "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
        "device": "cpu",
        "use_gpu": False,
        "state": "ERROR",
        **{"hidden_size": 8, "inner_size": 16, "n_layers": 1, "n_heads": 1, "MAX_ITEM_LIST_LENGTH": 12},
        **({"loss_type": "CE", "train_neg_sample_args": None} if name == "SASRec" else {}),
    }
    config = Config(model=name, dataset="planted", config_dict=settings)
    given = create_dataset(config)
    torch.manual_seed(0)
    model, ids = get_model(name)(config, given), given.field2id_token["item_id"][1:]
    if name == "BPR":
        with pytest.raises(InputError, match="whose fitted vector of each user says nothing of single events"):
            wrap(model, data(), items=ids)
        return
    options = {"base": np.zeros(40)} if name == "SASRec" else {}
    wrapped = wrap(model, data(), items=ids, **options)
    assert_the_bar(wrapped)
    for user in range(FEW):
        rows = [given.token2id("item_id", events.items.ids[j]) for j in events.item[events.events_of(user)]][-12:]
        asked = {
            "user_id": torch.tensor([given.token2id("user_id", events.user_ids[user])]),
            "item_id_list": torch.tensor([rows + [0] * (12 - len(rows))]),
            "item_length": torch.tensor([len(rows)]),
        }
        theirs = model.eval().full_sort_predict(asked).detach().numpy().reshape(-1)[1:]
        own = dict(zip(events.items.ids, wrapped.score(events.user_ids[user]), strict=True))
        np.testing.assert_allclose([own[item] for item in ids], theirs, atol=1e-5)
