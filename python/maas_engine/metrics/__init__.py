"""Metrics with scikit-learn's names, arguments, results, warnings and errors, and their mergeable states.

Each function scores arrays in one call. Each class is a state of the same metric: ``update`` it batch by batch,
``merge`` states made elsewhere, send them as bytes; ``compute`` gives the same bits however the rows were split.
"""

from __future__ import annotations

from maas_engine.metrics._classification import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
    precision_score,
    recall_score,
)
from maas_engine.metrics._label_states import (
    F1,
    ConfusionMatrix,
    Precision,
    PrecisionRecallFScoreSupport,
    Recall,
)
from maas_engine.metrics._log_loss import log_loss
from maas_engine.metrics._ranking import average_precision_score, roc_auc_score
from maas_engine.metrics._regression import mean_absolute_error, mean_squared_error, r2_score
from maas_engine.metrics._states import (
    R2,
    Accuracy,
    AveragePrecision,
    LogLoss,
    MeanAbsoluteError,
    MeanSquaredError,
    RocAuc,
)

__all__ = [
    "F1",
    "R2",
    "Accuracy",
    "AveragePrecision",
    "ConfusionMatrix",
    "LogLoss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Precision",
    "PrecisionRecallFScoreSupport",
    "Recall",
    "RocAuc",
    "accuracy_score",
    "average_precision_score",
    "confusion_matrix",
    "f1_score",
    "log_loss",
    "mean_absolute_error",
    "mean_squared_error",
    "precision_recall_fscore_support",
    "precision_score",
    "r2_score",
    "recall_score",
    "roc_auc_score",
]
