"""Training: which examples it learns from, how the model is evaluated, what is left on disk."""

import json
import subprocess
import sys

import numpy as np
import pytest

from contracts.parsing.load import load_domain
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.point_in_time import FeatureSet
from lakehouse.storage.tables import Tables
from platinum.scoring.onnx_scorer import probabilities
from platinum.training import examples, metrics, training
from platinum.training.model_store import ModelStore
from tests.integration.platinum.shop import copied, day, write_history


def read(settings):
    """Return the examples of the small domain."""
    contracts = load_domain(settings.contracts, "shop")
    return examples.read(Tables.at(settings), contracts["taste"], contracts, {})


def test_a_predictive_feature_is_learnt(trained):
    """The PR-AUC of later examples beats the base rate, and the manifest names the tables read."""
    manifest = ModelStore.of(trained, "shop", "taste").manifest()
    figures = manifest["metrics"]
    assert figures["beats_base_rate"]
    assert figures["pr_auc_low"] > figures["base_rate"]
    assert figures["brier"] < figures["brier_of_base_rate"]
    assert sum(row["count"] for row in figures["calibration"]) == manifest["rows_test"]
    assert manifest["feature_sets"]["habits"] == {"version": 0, "columns": ["visits", "spend"]}
    assert manifest["table_versions"] == dict.fromkeys(
        ("gold.shop__targets", "gold.shop__habits", "gold.shop__offers"), 0
    )


def test_noise_is_called_noise(settings):
    """Where no feature predicts the label, the outcome says so."""
    write_history(settings, predictive=False)
    manifest = training.train(settings, "shop")["taste"]
    assert not manifest["metrics"]["beats_base_rate"]
    assert "does NOT clearly beat the base rate" in manifest["outcome"]


def test_only_examples_with_final_labels_and_features_count(settings):
    """An open campaign has no final label; a person without features cannot be learnt from."""
    write_history(settings, people=120, campaigns=10)
    data = read(settings)
    # Features end on day 98: the tenth campaign ends on day 99. Person 120 is never known, person
    # 1 not yet when the first two campaigns began.
    assert data.not_final == 120
    assert data.without_features == 9 + 2
    assert len(data.labels) == 9 * 119 - 2


def test_training_and_test_share_no_time(settings):
    """Every label trained on was final before the first test example began."""
    write_history(settings)
    data = read(settings)
    split_at, train, test = training.split(data, 0.3)
    assert data.final_from[train].max() <= data.times[test].min()
    assert not (train & test).any()
    assert split_at == day(70)
    assert test.sum() == 2 * 119


def test_the_same_inputs_give_the_same_version_and_nothing_new(settings, trained):
    """Another home gets the same version, a second training writes nothing, new examples give another."""
    write_history(settings)
    first = training.train(settings, "shop")["taste"]
    assert first["version"] == ModelStore.of(trained, "shop", "taste").manifest()["version"]
    folder = ModelStore.of(settings, "shop", "taste").folder
    stamps = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    again = training.train(settings, "shop")["taste"]
    assert (first["trained"], again["trained"]) == (True, False)
    assert again["version"] == first["version"]
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == stamps
    write_history(settings, people=5, seed=2)
    assert training.train(settings, "shop")["taste"]["version"] != first["version"]


def test_the_exported_model_scores_as_the_trained_one(settings):
    """ONNX gives scikit-learn's probabilities for anything, missing values too."""
    write_history(settings)
    data = read(settings)
    fitted = training._trainer(load_domain(settings.contracts, "shop")["taste"])
    fitted = getattr(*fitted)(3).fit(data.features, data.labels)
    draw = np.random.default_rng(0)
    features = draw.normal(10, 20, (5000, 3)).astype(np.float32)
    features[draw.random(features.shape) < 0.1] = np.nan
    scores = probabilities(training.export(fitted, 3), features)
    assert np.abs(scores - fitted.predict_proba(features)[:, 1]).max() < training.TOLERANCE


def test_an_export_that_differs_is_refused(settings, monkeypatch):
    """A model whose ONNX export gives other scores is not written."""
    write_history(settings)
    faithful = training.export
    other = {}

    def swapped(fitted, width):
        other.setdefault("onnx", faithful(fitted, width))
        fitted.steps[-1][1].estimators_[0].tree_.value[:] = 0.5
        return other["onnx"]

    monkeypatch.setattr(training, "export", swapped)
    with pytest.raises(LakehouseError, match="differs from the trained model by"):
        training.train(settings, "shop")
    assert ModelStore.of(settings, "shop", "taste").manifest() is None


def test_missing_gold_and_too_short_a_history_are_refused(settings):
    """The error names the table that does not exist yet, or that more history is needed."""
    with pytest.raises(UsageError, match=r"gold.shop__targets does not exist yet"):
        training.train(settings, "shop")
    write_history(settings, campaigns=2)
    with pytest.raises(UsageError, match="more history is needed"):
        training.train(settings, "shop")


def test_a_changed_model_file_is_refused(trained, tmp_path):
    """A model that is not the one in the manifest is not used, and is trained again."""
    settings = copied(trained, tmp_path / "home")
    store = ModelStore.of(settings, "shop", "taste")
    (store.folder / store.manifest()["version"] / "model.onnx").write_bytes(b"x")
    with pytest.raises(LakehouseError, match="is not the file that was trained"):
        store.current()
    assert training.train(settings, "shop")["taste"]["trained"]
    assert json.loads((store.folder / "manifest.json").read_text()) == store.current().manifest


def test_calibration_and_threshold_follow_the_scores():
    """Tenths by score, in order; the threshold lets through the share that was asked for."""
    scores = np.linspace(0, 1, 1000)
    labels = (np.arange(1000) % 2).astype(np.int8)
    data = metrics.calibration(labels, scores)
    assert [row["count"] for row in data] == [100] * 10
    assert [round(row["predicted"], 2) for row in data][:2] == [0.05, 0.15]
    assert (scores >= metrics.threshold(scores, 0.2)).sum() == 200


def test_features_are_those_of_the_contract(settings):
    """A feature set offers what its contract lists, without keys and engine columns."""
    habits = FeatureSet.of(load_domain(settings.contracts, "shop")["habits"])
    assert habits.columns == ("visits", "spend")


def test_models_and_contracts_of_former_versions_are_read(trained, tmp_path):
    """A manifest with the former key of the outcome, and a contract with that of `finalFrom`."""
    settings = copied(trained, tmp_path / "home")
    store = ModelStore.of(settings, "shop", "taste")
    path = store.folder / "manifest.json"
    former = json.loads(path.read_text())
    outcome = former["verdict"] = former.pop("outcome")
    path.write_text(json.dumps(former))
    manifest = store.manifest()
    assert (manifest["outcome"], "verdict" in manifest) == (outcome, False)
    contract = settings.contracts / "shop" / "taste.yaml"
    contract.write_text(contract.read_text().replace("finalFrom: ", "settled: "))
    assert read(settings).not_final == 120


def test_no_spark_is_loaded():
    """Training imports no pyspark, so it starts no JVM."""
    program = "import sys, platinum.training.training; sys.exit('pyspark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
