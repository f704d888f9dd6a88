"""Every rule with its options against Keras: ten steps on the same gradients."""

import keras
import pytest

import lamina

# The wheel turns its own variables into arrays in the way NumPy has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

# Keras gives Nadam's product the name "variable", and Adafactor's rows and columns one and the same path.
NAMED_ANEW = ("Nadam", "Adafactor")

RULES = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9, "weight_decay": 0.1}),
    ("SGD", {"momentum": 0.9, "nesterov": True, "clipnorm": 0.5}),
    ("SGD", {"learning_rate": 0.1, "global_clipnorm": 1.0}),
    ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.9, "centered": True, "clipvalue": 0.3}),
    ("Adam", {}),
    ("Adam", {"amsgrad": True, "learning_rate": 0.1}),
    ("Adam", {"learning_rate": 0.1, "gradient_accumulation_steps": 3, "weight_decay": 0.1, "global_clipnorm": 1.0}),
    ("Adam", {"learning_rate": 0.1, "use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 4}),
    ("Adam", {"use_ema": True, "gradient_accumulation_steps": 2, "ema_overwrite_frequency": 2, "learning_rate": 0.1}),
    ("Adam", {"loss_scale_factor": 8.0, "epsilon": 1e-3}),
    ("AdamW", {"learning_rate": 0.1}),
    ("Adagrad", {"learning_rate": 0.1}),
    ("Adadelta", {"learning_rate": 1.0, "epsilon": 1e-3}),
    ("Adamax", {"learning_rate": 0.1}),
    ("Nadam", {"learning_rate": 0.1}),
    ("Adafactor", {"learning_rate": 0.1}),
    ("Adafactor", {"relative_step": False, "learning_rate": 0.9}),
    ("Adafactor", {"relative_step": False, "clip_threshold": 0.5, "weight_decay": 0.1}),
    ("Ftrl", {"learning_rate": 0.1}),
    (
        "Ftrl",
        {
            "learning_rate": 0.1,
            "learning_rate_power": -0.7,
            "l1_regularization_strength": 0.1,
            "l2_regularization_strength": 0.2,
            "l2_shrinkage_regularization_strength": 0.3,
            "beta": 0.4,
        },
    ),
    ("Lamb", {"learning_rate": 0.1}),
    ("Lion", {"learning_rate": 0.1, "weight_decay": 0.1}),
    ("Muon", {"learning_rate": 0.1}),
    ("Muon", {"weight_decay": None, "adam_lr_ratio": 0.5, "nesterov": False, "rms_rate": None, "ns_steps": 3}),
    ("Muon", {"exclude_layers": ["dense"], "adam_weight_decay": 0.5}),
    ("ScheduleFreeAdamW", {"learning_rate": 0.1}),
    ("ScheduleFreeAdamW", {"learning_rate": 0.1, "warmup_steps": 4, "weight_decay": 0.1}),
]


@pytest.mark.parametrize(("name", "arguments"), RULES, ids=lambda value: str(value))
def test_rule_moves_as_in_keras(pair, name, arguments):
    arguments = {**arguments, "name": "rule"}
    ours, theirs = getattr(lamina.optimizers, name)(**arguments), getattr(keras.optimizers, name)(**arguments)
    assert ours.get_config() == theirs.get_config()
    paths = pair.assert_same(ours, theirs, pair.variables(lamina), pair.variables(keras), pair.gradients())
    if name not in NAMED_ANEW:
        assert paths[0] == paths[1]
