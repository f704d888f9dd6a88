"""Mistakes with metrics, and whether the fixes printed for them work."""

from tests.mistakes import everyday, first_hour
from tests.mistakes.mistake import Mistake, fixes_are_tried, fixes_work
from tests.mistakes.unfinished import UNFINISHED

MISTAKES = [
    Mistake(
        wrong="keras.metrics.get('acuracy')",
        right="keras.Sequential().compile(metrics=['accuracy'])",
        says="metrics=['accuracy']",
    ),
    Mistake(
        wrong="keras.metrics.AUC(curve='ROCK')",
        right="keras.metrics.AUC(curve='ROC')",
        says="curve='ROC'",
    ),
    Mistake(
        wrong="keras.metrics.AUC(num_thresholds=1)",
        right="keras.metrics.AUC(num_thresholds=200)",
        says="num_thresholds=200",
    ),
    Mistake(
        wrong="keras.metrics.AUC(thresholds=[0.5, 2])",
        right="keras.metrics.AUC(thresholds=[0.25, 0.5, 0.75])",
        says="thresholds=[0.25, 0.5, 0.75]",
    ),
    Mistake(
        wrong="keras.metrics.AUC(multi_label=True)(np.ones(4), np.ones(4))",
        right="keras.metrics.AUC(multi_label=False)(np.ones(4), np.ones(4))",
        says="multi_label=False",
    ),
    Mistake(
        wrong="keras.metrics.Precision(thresholds=2)",
        right="keras.metrics.Precision(thresholds=0.5)",
        says="thresholds=0.5",
    ),
    Mistake(
        wrong="keras.metrics.Precision(class_id=1)(np.ones(4), np.ones(4))",
        right="keras.metrics.Precision()(np.ones(4), np.ones(4))",
        says="Leave class_id out",
        prose=True,
    ),
    Mistake(
        wrong="keras.metrics.FBetaScore(average='all')",
        right='keras.metrics.FBetaScore(average="macro")',
        says='average="macro"',
    ),
    Mistake(
        wrong="keras.metrics.FBetaScore(beta=2)",
        right="keras.metrics.FBetaScore(beta=2.0)",
        says="beta=2.0",
    ),
    Mistake(
        wrong="keras.metrics.F1Score(threshold=2)",
        right="keras.metrics.F1Score(threshold=0.5)",
        says="threshold=0.5",
    ),
    Mistake(
        wrong="y = np.ones(4); keras.metrics.F1Score()(y, y)",
        right="y = np.ones(4); keras.metrics.F1Score(threshold=0.5)(y[:, None], y[:, None])",
        says="y[:, None]",
    ),
    Mistake(
        wrong="keras.metrics.IoU(num_classes=2, target_class_ids=[5])",
        right="keras.metrics.IoU(num_classes=2, target_class_ids=[0])",
        says="target_class_ids=[0]",
    ),
    Mistake(
        wrong="keras.metrics.MeanIoU(2)(np.array([0, 1]), np.eye(2))",
        right="keras.metrics.MeanIoU(2, sparse_y_pred=False)(np.array([0, 1]), np.eye(2))",
        says="sparse_y_pred=False",
    ),
    Mistake(
        wrong="keras.metrics.SensitivityAtSpecificity(2)",
        right="keras.metrics.SensitivityAtSpecificity(specificity=0.5)",
        says="specificity=0.5",
    ),
    Mistake(
        wrong="keras.metrics.SensitivityAtSpecificity(0.5, num_thresholds=0)",
        right="keras.metrics.SensitivityAtSpecificity(0.5, num_thresholds=200)",
        says="num_thresholds=200",
    ),
    Mistake(
        wrong="keras.metrics.R2Score(class_aggregation='all')",
        right='keras.metrics.R2Score(class_aggregation="uniform_average")',
        says='class_aggregation="uniform_average"',
    ),
    Mistake(
        wrong="keras.metrics.R2Score(num_regressors=-1)",
        right="keras.metrics.R2Score(num_regressors=0)",
        says="num_regressors=0",
    ),
    Mistake(
        wrong="y = np.arange(4.0); keras.metrics.R2Score()(y, y)",
        right="y = np.arange(4.0); keras.metrics.R2Score()(y[:, None], y[:, None])",
        says="y[:, None]",
    ),
    Mistake(
        wrong="m = keras.metrics.Mean(); m.stateless_result([1])",
        right="m = keras.metrics.Mean(); m.stateless_result([v.value for v in m.variables])",
        says="metric.variables",
        prose=True,
    ),
    Mistake(
        wrong="class Mine(keras.metrics.Metric):\n"
        "    def __init__(self, name=None):\n"
        "        self.add_weight(name='n')\n"
        "Mine()",
        right="class Mine(keras.metrics.Metric):\n"
        "    def __init__(self, name=None):\n"
        "        super().__init__(name=name)\n"
        "        self.add_weight(name='n')\n"
        "Mine()",
        says="Call super().__init__() first.",
        prose=True,
    ),
    Mistake(
        wrong="keras.metrics.Mean()(np.ones((4, 2)), sample_weight=np.ones(3))",
        right="keras.metrics.Mean()(np.ones((4, 2)), sample_weight=np.ones(4))",
        says="one weight per sample",
        prose=True,
    ),
]

MISTAKES += UNFINISHED["metrics"]

MISTAKES += [*first_hour.METRICS, *everyday.METRICS]

test_fixes_work = fixes_work(MISTAKES)
test_fixes_are_tried = fixes_are_tried("lamina/metrics", MISTAKES)
