"""Training of the models that score contracts declare: split in time, evaluated, exported to ONNX."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from contracts.parsing.load import load_domain
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.runs.ledger import code_version
from lakehouse.runs.lock import lock_domain
from lakehouse.storage.publications import published
from lakehouse.storage.tables import Tables
from platinum.training import examples, metrics
from platinum.training.model_store import ModelStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

    from contracts.model.contract import Contract
    from lakehouse.settings import Settings
    from lakehouse.storage.tables import TableName
    from platinum.training.examples import Examples

# ONNX computes with 32 bits; sums over a few hundred leaves differ in the seventh digit.
TOLERANCE = 1e-5
OPSET = {"": 17, "ai.onnx.ml": 3}


def train(
    settings: Settings, domain: str, progress: Callable[[str], None] | None = None
) -> dict[str, Any]:
    """Return, by model, the manifest of each model the domain declares; see `train_one`.

    Raises:
        UsageError: no contract declares a score, or there is too little to learn from.
        LakehouseError: the exported model's scores differ from the trained one's.
    """
    contracts = load_domain(settings.contracts, domain)
    scored = [contract for contract in contracts.values() if contract.score]
    if not scored:
        raise UsageError(f"domain '{domain}' declares no model: add a contract with `score`")
    pins = published(Tables.at(settings), domain)
    report = progress or (lambda _: None)
    with lock_domain(settings.home, f"{domain}-train", "train"):
        return {c.dataset: train_one(settings, c, contracts, pins, report) for c in scored}


def train_one(
    settings: Settings,
    contract: Contract,
    contracts: Mapping[str, Contract],
    pins: Mapping[TableName, int],
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Return the model's manifest, with `trained` false where the same inputs were trained before.

    The version is a hash of the examples, the parameters and the code, so the same inputs give
    the same version, and nothing is written again.
    """
    start = time.monotonic()
    progress(f"{contract.dataset}: reading examples")
    data = examples.read(Tables.at(settings), contract, contracts, pins)
    module, function = _trainer(contract)
    version = _version(contract, data, module)
    store = ModelStore.of(settings, contract.domain, contract.dataset)
    if store.has(version):
        return {**(store.manifest() or {}), "trained": False, "seconds": time.monotonic() - start}
    split_at, train_rows, test_rows = split(data, contract.score["examples"]["testShare"])
    _require_both(contract, data, train_rows, test_rows)
    progress(f"{contract.dataset}: fitting on {train_rows.sum():,} examples")
    fitted = getattr(module, function)(contract.score["seed"])
    fitted.fit(data.features[train_rows], data.labels[train_rows])
    onnx = export(fitted, len(data.columns))
    scores = _checked(contract, fitted, onnx, data.features)[test_rows]
    progress(f"{contract.dataset}: evaluating on {test_rows.sum():,} later examples")
    figures = metrics.metrics(data.labels[test_rows], scores, contract.score["seed"])
    manifest = {
        "name": contract.dataset,
        "version": version,
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "code_version": code_version(),
        "contract_version": contract.version,
        "columns": list(data.columns),
        "feature_sets": data.feature_sets,
        "table_versions": data.versions,
        "rows_train": int(train_rows.sum()),
        "rows_test": int(test_rows.sum()),
        "rows_left_out": {
            "not_final": data.not_final,
            "without_features": data.without_features,
            "across_the_split": int((~train_rows & ~test_rows).sum()),
        },
        "split_at": split_at.isoformat(),
        "metrics": figures,
        "outcome": _outcome(figures),
        "onnx_sha256": hashlib.sha256(onnx).hexdigest(),
        "threshold": metrics.threshold(scores, contract.score["actions"]["share"]),
    }
    store.write(manifest, onnx)
    progress(f"{contract.dataset}: {manifest['outcome']}")
    return {**manifest, "trained": True, "seconds": time.monotonic() - start}


def split(data: Examples, share: float) -> tuple[datetime, np.ndarray, np.ndarray]:
    """Return the instant of the split, the training rows and the test rows.

    The newest `share` of examples, whole instants only, are the test rows. Training rows are those
    whose label was final by then: one that was still open would leak the time after the split.
    """
    instants = np.unique(data.times)
    counts = np.array([(data.times >= instant).sum() for instant in instants])
    small = instants[counts <= share * len(data.times)]
    at = small[0] if len(small) else instants[-1]
    when = datetime.fromtimestamp(int(at) / 1e6, UTC)
    return when, data.final_from <= at, data.times >= at


def export(fitted: Any, width: int) -> bytes:
    """Return the ONNX model: input `features` (rows x width, float32), output probabilities."""
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    shape: Any = [("features", FloatTensorType([None, width]))]
    model = to_onnx(fitted, initial_types=shape, options={"zipmap": False}, target_opset=OPSET)
    return model.SerializeToString()


def _checked(
    contract: Contract,
    fitted: Any,
    onnx: bytes,
    features: np.ndarray,
) -> np.ndarray:
    """Return the exported model's scores; raise LakehouseError where the trained one's differ."""
    from platinum.scoring.onnx_scorer import probabilities

    scores = probabilities(onnx, features)
    gap = float(np.abs(scores - fitted.predict_proba(features)[:, 1]).max())
    if not gap <= TOLERANCE:
        raise LakehouseError(
            f"{contract.dataset}: the ONNX export differs from the trained model by {gap:.2g} "
            f"(allowed {TOLERANCE}): a step of the estimator has no faithful converter"
        )
    return scores


def _trainer(contract: Contract) -> tuple[ModuleType, str]:
    name, _, function = contract.score["trainer"].partition(":")
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise LakehouseError(f"{contract.file}: trainer: {error}") from None
    if not hasattr(module, function):
        raise LakehouseError(f"{contract.file}: trainer: {name} has no function '{function}'")
    return module, function


def _version(contract: Contract, data: Examples, module: ModuleType) -> str:
    """Return the hash of everything the model follows from, 16 hexadecimal digits."""
    import sklearn

    source = [
        inspect.getsource(part) for part in (module, metrics, importlib.import_module(__name__))
    ]
    parts = [data.digest(), contract.score, source, sklearn.__version__]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _require_both(contract: Contract, data: Examples, *parts: np.ndarray) -> None:
    for rows, purpose in zip(parts, ("train on", "test on"), strict=True):
        labels = data.labels[rows]
        if len(labels) == 0 or labels.min() == labels.max():
            raise UsageError(
                f"{contract.dataset}: {len(labels)} examples to {purpose}, all with one outcome or none: "
                "more history is needed"
            )


def _outcome(figures: dict[str, Any]) -> str:
    span = f"{figures['pr_auc_low']:.3f} to {figures['pr_auc_high']:.3f}"
    relation = "beats" if figures["beats_base_rate"] else "does NOT clearly beat"
    return f"PR-AUC {figures['pr_auc']:.3f} ({span}) {relation} the base rate {figures['base_rate']:.3f}"
