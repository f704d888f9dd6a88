"""Mistakes with metrics, and whether the fixes printed for them work."""

from tests.mistakes.mistake import Mistake, fixes_are_tried, fixes_work

M = "keras.metrics."
ONE = "y, p = np.ones((4, 1)), np.ones((4, 1)); "

MISTAKES = [
    Mistake(M + "get('acuracy')", "keras.Sequential().compile(metrics=['accuracy'])", says="metrics=['accuracy']"),
    Mistake(M + "AUC(curve='ROCK')", M + "AUC(curve='ROC')", says="curve='ROC'"),
    Mistake(M + "AUC(num_thresholds=1)", M + "AUC(num_thresholds=200)", says="num_thresholds=200"),
    Mistake(M + "AUC(thresholds=[0.5, 2])", M + "AUC(thresholds=[0.25, 0.5, 0.75])", says="thresholds=[0.25, 0.5, 0.75]"),
    Mistake(M + "AUC(multi_label=True)(np.ones(4), np.ones(4))", M + "AUC(multi_label=False)(np.ones(4), np.ones(4))", says="multi_label=False"),
    Mistake(M + "Precision(thresholds=2)", M + "Precision(thresholds=0.5)", says="thresholds=0.5"),
    Mistake(M + "Precision(class_id=1)(np.ones(4), np.ones(4))", M + "Precision()(np.ones(4), np.ones(4))", says="Leave class_id out", prose=True),
    Mistake(M + "FBetaScore(average='all')", M + "FBetaScore(average=\"macro\")", says='average="macro"'),
    Mistake(M + "FBetaScore(beta=2)", M + "FBetaScore(beta=2.0)", says="beta=2.0"),
    Mistake(M + "F1Score(threshold=2)", M + "F1Score(threshold=0.5)", says="threshold=0.5"),
    Mistake("y = np.ones(4); " + M + "F1Score()(y, y)", "y = np.ones(4); " + M + "F1Score(threshold=0.5)(y[:, None], y[:, None])", says="y[:, None]"),
    Mistake(M + "IoU(num_classes=2, target_class_ids=[5])", M + "IoU(num_classes=2, target_class_ids=[0])", says="target_class_ids=[0]"),
    Mistake(M + "MeanIoU(2)(np.array([0, 1]), np.eye(2))", M + "MeanIoU(2, sparse_y_pred=False)(np.array([0, 1]), np.eye(2))", says="sparse_y_pred=False"),
    Mistake(M + "SensitivityAtSpecificity(2)", M + "SensitivityAtSpecificity(specificity=0.5)", says="specificity=0.5"),
    Mistake(M + "SensitivityAtSpecificity(0.5, num_thresholds=0)", M + "SensitivityAtSpecificity(0.5, num_thresholds=200)", says="num_thresholds=200"),
    Mistake(M + "R2Score(class_aggregation='all')", M + "R2Score(class_aggregation=\"uniform_average\")", says='class_aggregation="uniform_average"'),
    Mistake(M + "R2Score(num_regressors=-1)", M + "R2Score(num_regressors=0)", says="num_regressors=0"),
    Mistake("y = np.arange(4.0); " + M + "R2Score()(y, y)", "y = np.arange(4.0); " + M + "R2Score()(y[:, None], y[:, None])", says="y[:, None]"),
    Mistake("m = keras.metrics.Mean(); m.stateless_result([1])", "m = keras.metrics.Mean(); m.stateless_result([v.value for v in m.variables])", says="metric.variables", prose=True),
    Mistake("class Mine(keras.metrics.Metric):\n    def __init__(self, name=None):\n        self.add_weight(name='n')\nMine()", "class Mine(keras.metrics.Metric):\n    def __init__(self, name=None):\n        super().__init__(name=name)\n        self.add_weight(name='n')\nMine()", says="super().__init__(name=name)"),
    Mistake(M + "Mean()(np.ones((4, 2)), sample_weight=np.ones(3))", M + "Mean()(np.ones((4, 2)), sample_weight=np.ones(4))", says="one weight per sample", prose=True),
]  # fmt: skip

test_fixes_work = fixes_work(MISTAKES)
test_fixes_are_tried = fixes_are_tried("lamina/metrics", MISTAKES)
