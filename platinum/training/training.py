"""Trains what a domain's score contracts declare: split in time, judged, exported to ONNX."""

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
from lakehouse.runs.lock import exclusive
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
        LakehouseError: the exported model does not answer as the trained one.
    """
    contracts = load_domain(settings.contracts, domain)
    scored = [contract for contract in contracts.values() if contract.score]
    if not scored:
        raise UsageError(f"domain '{domain}' declares no model: add a contract with `score`")
    pins = published(Tables.at(settings), domain)
    say = progress or (lambda _: None)
    with exclusive(settings.home, f"{domain}-train", "train"):
        return {c.dataset: train_one(settings, c, contracts, pins, say) for c in scored}


def train_one(
    settings: Settings,
    contract: Contract,
    contracts: Mapping[str, Contract],
    pins: Mapping[TableName, int],
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Return the model's manifest, with `trained` false where the same inputs were trained before.

    The version is a hash of the examples, the parameters and the code, so the same inputs give
    the same version, and nothing is written again.
    """
    start = time.monotonic()
    say(f"{contract.dataset}: reading examples")
    found = examples.read(Tables.at(settings), contract, contracts, pins)
    module, function = _trainer(contract)
    version = _version(contract, found, module)
    store = ModelStore.of(settings, contract.domain, contract.dataset)
    if store.has(version):
        return {**(store.manifest() or {}), "trained": False, "seconds": time.monotonic() - start}
    split_at, train_rows, test_rows = split(found, contract.score["examples"]["testShare"])
    _require_both(contract, found, train_rows, test_rows)
    say(f"{contract.dataset}: fitting on {train_rows.sum():,} examples")
    fitted = getattr(module, function)(contract.score["seed"])
    fitted.fit(found.features[train_rows], found.labels[train_rows])
    onnx = export(fitted, len(found.columns))
    scores = _checked(contract, fitted, onnx, found.features)[test_rows]
    say(f"{contract.dataset}: judging on {test_rows.sum():,} later examples")
    figures = metrics.metrics(found.labels[test_rows], scores, contract.score["seed"])
    manifest = {
        "name": contract.dataset,
        "version": version,
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "code_version": code_version(),
        "contract_version": contract.version,
        "columns": list(found.columns),
        "feature_sets": found.feature_sets,
        "table_versions": found.versions,
        "rows_train": int(train_rows.sum()),
        "rows_test": int(test_rows.sum()),
        "rows_left_out": {
            "unsettled": found.unsettled,
            "without_features": found.without_features,
            "across_the_split": int((~train_rows & ~test_rows).sum()),
        },
        "split_at": split_at.isoformat(),
        "metrics": figures,
        "verdict": _verdict(figures),
        "onnx_sha256": hashlib.sha256(onnx).hexdigest(),
        "threshold": metrics.threshold(scores, contract.score["actions"]["share"]),
    }
    store.write(manifest, onnx)
    say(f"{contract.dataset}: {manifest['verdict']}")
    return {**manifest, "trained": True, "seconds": time.monotonic() - start}


def split(found: Examples, share: float) -> tuple[datetime, np.ndarray, np.ndarray]:
    """Return the instant of the split, the rows to learn from and the rows to judge by.

    The newest `share` of examples, whole instants only, judge. Learnt from is what was settled
    by then: an example whose label was still open at the split would tell of the time after.
    """
    instants = np.unique(found.times)
    counts = np.array([(found.times >= instant).sum() for instant in instants])
    small = instants[counts <= share * len(found.times)]
    at = small[0] if len(small) else instants[-1]
    when = datetime.fromtimestamp(int(at) / 1e6, UTC)
    return when, found.settled <= at, found.times >= at


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


def _version(contract: Contract, found: Examples, module: ModuleType) -> str:
    """Return the hash of everything the model follows from, 16 hexadecimal digits."""
    import sklearn

    source = [
        inspect.getsource(part) for part in (module, metrics, importlib.import_module(__name__))
    ]
    parts = [found.digest(), contract.score, source, sklearn.__version__]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _require_both(contract: Contract, found: Examples, *parts: np.ndarray) -> None:
    for rows, what in zip(parts, ("learn from", "judge by"), strict=True):
        labels = found.labels[rows]
        if len(labels) == 0 or labels.min() == labels.max():
            raise UsageError(
                f"{contract.dataset}: {len(labels)} examples to {what}, all with one outcome or none: "
                "more history is needed"
            )


def _verdict(figures: dict[str, Any]) -> str:
    span = f"{figures['pr_auc_low']:.3f} to {figures['pr_auc_high']:.3f}"
    says = "beats" if figures["beats_base_rate"] else "does NOT clearly beat"
    return (
        f"PR-AUC {figures['pr_auc']:.3f} ({span}) {says} the base rate {figures['base_rate']:.3f}"
    )
