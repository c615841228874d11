"""The classification report: precision, recall, F1 and support of every label and their averages, as text."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from maas_engine.errors import InvalidArgument
from maas_engine.metrics._checks import Array
from maas_engine.metrics._labels import PairCounts
from maas_engine.metrics._set_scores import check_averaging, read_targets, score_sums, set_sums

_SCORES = ("precision", "recall", "f-score")
_HEADERS = ("precision", "recall", "f1-score", "support")


def classification_report(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    target_names: Any = None,
    sample_weight: Any = None,
    digits: int = 2,
    output_dict: bool = False,
    zero_division: Any = "warn",
) -> str | dict[str, Any]:
    """Precision, recall, F1 score and support of each label and their averages.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,), or indicators of shape (n, k), dense or sparse
    labels : array-like of shape (m,), optional
        Labels, or columns of indicators, to report, in this order. Default: all present, sorted.
    target_names : array-like of shape (m,), optional
        Names to print for them.
    sample_weight : array-like of shape (n,), optional
    digits : int
        Digits after the point.
    output_dict : bool
        Return the figures as a dict of dicts.
    zero_division : {"warn", 0, 1, nan}

    Returns
    -------
    str or dict
        The text is scikit-learn's, character for character.
    """
    check_averaging(None, zero_division, "classification_report")
    targets = read_targets(y_true, y_pred, sample_weight)
    wanted, all_wanted = _wanted(targets, labels)
    names = _names(wanted, target_names, given=labels is not None)
    sums = set_sums(targets, wanted)
    columns = score_sums(sums, 1.0, None, _SCORES, zero_division)
    rows = [(name, *figures) for name, *figures in zip(names, *columns, strict=False)]
    support = np.sum(columns[3])
    averages = []
    for average in ("micro", "macro", "weighted", "samples"):
        if average == "samples":
            if isinstance(targets, PairCounts):
                break
            sums = set_sums(targets, wanted, samplewise=True)
        scores = score_sums(sums, 1.0, average, _SCORES, zero_division)[:3]
        accuracy = average == "micro" and all_wanted
        averages.append(("accuracy" if accuracy else f"{average} avg", *scores, support))
    return _as_dict(rows, averages) if output_dict else _as_text(rows, averages, names, digits)


def _wanted(targets: Any, labels: Any) -> tuple[Array, bool]:
    """The labels to report, and whether they are all of single labels: their micro average is the accuracy."""
    if not isinstance(targets, PairCounts):
        return np.arange(targets.labels) if labels is None else np.asarray(labels), False
    if labels is None:
        return targets.labels, True
    wanted = np.asarray(labels)
    return wanted, set(wanted.tolist()) >= set(targets.labels.tolist())


def _names(wanted: Array, target_names: Any, *, given: bool) -> list[Any]:
    if target_names is None:
        return [f"{label}" for label in wanted]
    if len(wanted) != len(target_names):
        if not given:
            raise InvalidArgument(
                f"Number of classes, {len(wanted)}, does not match size of target_names, {len(target_names)}. Try "
                "specifying the labels parameter"
            )
        warnings.warn(
            f"labels size, {len(wanted)}, does not match size of target_names, {len(target_names)}",
            UserWarning,
            stacklevel=3,
        )
    return list(target_names)


def _as_dict(rows: list[Any], averages: list[Any]) -> dict[str, Any]:
    report: dict[str, Any] = {
        name: dict(zip(_HEADERS, map(float, figures), strict=True)) for name, *figures in [*rows, *averages]
    }
    if "accuracy" in report:
        report["accuracy"] = report["accuracy"]["precision"]
    return report


def _as_text(rows: list[Any], averages: list[Any], names: list[Any], digits: int) -> str:
    width = max(max(len(name) for name in names), len("weighted avg"), digits)
    head = f"{'':>{width}s} " + "".join(f" {header:>9}" for header in _HEADERS)

    def line(name: str, precision: float, recall: float, f1: float, support: Any) -> str:
        if name == "accuracy":
            scores = f" {'':>9} {'':>9} {f1:>9.{digits}f}"
        else:
            scores = f" {precision:>9.{digits}f} {recall:>9.{digits}f} {f1:>9.{digits}f}"
        return f"{name:>{width}s} {scores} {support:>9}\n"

    return f"{head}\n\n{''.join(line(*row) for row in rows)}\n{''.join(line(*row) for row in averages)}"
