"""How good a classifier is: metrics of its scores over examples it was not trained on."""

from __future__ import annotations

from typing import Any

import numpy as np

BINS = 10
RESAMPLES = 200


def metrics(labels: np.ndarray, scores: np.ndarray, seed: int) -> dict[str, Any]:
    """Return PR-AUC with its 95% interval, base rate, Brier, ROC-AUC, lift and calibration.

    PR-AUC is average precision: a model that knows nothing gets the base rate. The interval is
    by resampling the test rows (percentile bootstrap, Efron 1979). `lift_10` is the share of
    positives among the tenth with the highest scores, over the base rate.
    """
    from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

    base = float(labels.mean())
    low, high = _interval(labels, scores, seed)
    return {
        "pr_auc": float(average_precision_score(labels, scores)),
        "pr_auc_low": low,
        "pr_auc_high": high,
        "base_rate": base,
        "beats_base_rate": low > base,
        "brier": float(brier_score_loss(labels, scores)),
        "brier_of_base_rate": base * (1 - base),
        "roc_auc": float(roc_auc_score(labels, scores)),
        "lift_10": float(labels[_best(scores, 0.1)].mean()) / base,
        "calibration": calibration(labels, scores),
    }


def calibration(labels: np.ndarray, scores: np.ndarray) -> list[dict[str, Any]]:
    """Return one row a tenth of the examples by score: mean prediction, observed share, count."""
    parts = np.array_split(np.argsort(scores, kind="stable"), min(BINS, len(scores)))
    return [
        {
            "predicted": float(scores[part].mean()),
            "observed": float(labels[part].mean()),
            "count": len(part),
        }
        for part in parts
    ]


def threshold(scores: np.ndarray, share: float) -> float:
    """Return the lowest score of the best `share` of examples, at least one."""
    return float(scores[_best(scores, share)].min())


def _best(scores: np.ndarray, share: float) -> np.ndarray:
    count = max(1, int(len(scores) * share))
    return np.argsort(-scores, kind="stable")[:count]


def _interval(labels: np.ndarray, scores: np.ndarray, seed: int) -> tuple[float, float]:
    from sklearn.metrics import average_precision_score

    draw = np.random.default_rng(seed)
    samples = []
    for _ in range(RESAMPLES):
        rows = draw.integers(0, len(labels), len(labels))
        if labels[rows].any():
            samples.append(average_precision_score(labels[rows], scores[rows]))
    low, high = np.quantile(samples, [0.025, 0.975])
    return float(low), float(high)
