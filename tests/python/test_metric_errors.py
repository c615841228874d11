"""Bad arguments and undefined figures: the exceptions and warnings of scikit-learn."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from metric_peer import agree

from maas_engine import metrics
from maas_engine.errors import InvalidArgument, MaasError

BAD = [
    ([], []),
    ([0, 1], [0, 1, 1]),
    ([0.5, 1.0], [0, 1]),
    ([0, 1], [0.5, 1.0]),
    ([0.5, 1.0], [0.5, 1.0]),
    ([np.nan, 1.0], [0.0, 1.0]),
    ([np.inf, 1.0], [0.0, 1.0]),
    (["a", "b"], [0, 1]),
    ([0, 1], ["a", "b"]),
    ([[0, 1], [2, 3]], [[0, 1], [2, 3]]),
    ([[0, 1], [1, 1]], [0, 1]),
    (np.array([1j, 2]), np.array([1j, 2])),
    (np.array([b"a", b"b"]), np.array([b"a", b"b"])),
    (np.zeros((2, 2, 2)), np.zeros((2, 2, 2))),
    (1, 1),
    (None, [1]),
    ("ab", "ab"),
]


@pytest.mark.parametrize(("truth", "predicted"), BAD)
@pytest.mark.parametrize("name", ["accuracy_score", "confusion_matrix", "f1_score", "precision_score"])
def test_bad_labels_are_refused_as_by_sklearn(name: str, truth: Any, predicted: Any) -> None:
    result = agree(name, truth, predicted)
    assert isinstance(result, (ValueError, TypeError))


@pytest.mark.parametrize("mixed", [[1, "a"], np.array([1, "a"], dtype=object)])
def test_labels_of_mixed_type_are_refused(mixed: Any) -> None:
    with pytest.raises(InvalidArgument, match="Mix of label input types"):
        metrics.accuracy_score(mixed, mixed)


@pytest.mark.parametrize(
    ("name", "args", "options"),
    [
        ("accuracy_score", ([0, 1], [0, 1]), {"sample_weight": [0, 0]}),
        ("accuracy_score", ([0, 1], [0, 1]), {"sample_weight": [1, np.nan]}),
        ("accuracy_score", ([0, 1], [0, 1]), {"sample_weight": [1, 2, 3]}),
        ("accuracy_score", ([0, 1], [0, 1]), {"sample_weight": [[1, 2]]}),
        ("confusion_matrix", ([0, 1], [0, 1]), {"normalize": "rows"}),
        ("confusion_matrix", ([0, 1], [0, 1]), {"labels": []}),
        ("confusion_matrix", ([0, 1], [0, 1]), {"labels": [7]}),
        ("f1_score", ([0, 1], [0, 1]), {"average": "mean"}),
        ("f1_score", ([0, 1, 2], [0, 1, 2]), {}),
        ("f1_score", ([0, 1], [0, 1]), {"pos_label": 5}),
        ("f1_score", (["a", "b"], ["a", "b"]), {}),
        ("f1_score", ([0, 1], [0, 1]), {"zero_division": 0.5}),
        ("f1_score", ([0, 1], [0, 1]), {"zero_division": "nan"}),
        ("f1_score", ([0, 1, 2], [0, 1, 2]), {"average": "samples"}),
        ("precision_recall_fscore_support", ([0, 1], [0, 1]), {"beta": -1}),
        ("roc_auc_score", ([0, 1], [0.1, np.nan]), {}),
        ("roc_auc_score", ([0, 1], [0.1, np.inf]), {}),
        ("roc_auc_score", ([0, 1], [[0.1, 0.2], [0.3, 0.4]]), {}),
        ("roc_auc_score", ([0, 1], [0.1, 0.2]), {"max_fpr": 0}),
        ("roc_auc_score", ([0, 1], [0.1, 0.2]), {"max_fpr": 1.5}),
        ("roc_auc_score", ([0, 1], [0.1, 0.2]), {"average": "mean"}),
        ("roc_auc_score", ([0.5, 1], [0.1, 0.2]), {}),
        ("average_precision_score", ([0, 1], [0.1, 0.2]), {"pos_label": 7}),
        ("average_precision_score", (["a", "b"], [0.1, 0.2]), {}),
        ("mean_squared_error", ([1.0, np.nan], [1.0, 2.0]), {}),
        ("mean_squared_error", ([1.0, 2.0], [1.0, np.inf]), {}),
        ("mean_squared_error", ([1.0, 2.0], [[1.0, 2.0], [3.0, 4.0]]), {}),
        ("mean_squared_error", ([1.0, 2.0], [1.0]), {}),
        ("mean_squared_error", ([], []), {}),
        ("mean_squared_error", ([1.0], [1.0]), {"multioutput": "mean"}),
        ("mean_squared_error", ([1.0], [1.0]), {"multioutput": [1.0]}),
        ("mean_squared_error", ([1.0], [1.0]), {"multioutput": "variance_weighted"}),
        ("mean_squared_error", (["a"], ["b"]), {}),
        ("r2_score", ([[1.0, 2.0]] * 3, [[1.0, 2.0]] * 3), {"multioutput": [1.0]}),
    ],
)
def test_bad_arguments_are_refused_as_by_sklearn(name: str, args: Any, options: Any) -> None:
    result = agree(name, *args, **options)
    assert isinstance(result, (MaasError, TypeError)), result


@pytest.mark.parametrize(
    ("name", "args", "options"),
    [
        ("roc_auc_score", ([1, 1], [0.1, 0.2]), {}),
        ("roc_auc_score", ([0, 1], [0.1, 0.2]), {"sample_weight": [0, 1]}),
        ("roc_auc_score", ([0, 1], [0.1, 0.2]), {"sample_weight": [1, 0]}),
        ("average_precision_score", ([0, 0], [0.1, 0.2]), {}),
        ("r2_score", ([1.0], [1.0]), {}),
        ("confusion_matrix", ([1, 1], [1, 1]), {}),
        ("f1_score", ([0, 0], [0, 0]), {}),
        ("f1_score", ([0, 1, 1], [0, 1, 1]), {"average": "macro", "pos_label": 0}),
        ("recall_score", ([0, 0, 2], [0, 1, 2]), {"average": None}),
        ("precision_score", ([0, 1, 2], [0, 0, 2]), {"average": "weighted"}),
        ("precision_recall_fscore_support", ([0, 0, 3], [0, 1, 1]), {"labels": [7, 0]}),
    ],
)
def test_the_same_warnings(name: str, args: Any, options: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        agree(name, *args, **options)
