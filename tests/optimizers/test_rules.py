"""Every rule with its options against Keras: ten steps on the same gradients."""

import keras
import pytest

import lamina

# The wheel turns its own variables into arrays in the way NumPy has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

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
]


@pytest.mark.parametrize(("name", "arguments"), RULES, ids=lambda value: str(value))
def test_rule_moves_as_in_keras(pair, name, arguments):
    arguments = {**arguments, "name": "rule"}
    ours, theirs = getattr(lamina.optimizers, name)(**arguments), getattr(keras.optimizers, name)(**arguments)
    assert ours.get_config() == theirs.get_config()
    paths = pair.assert_same(ours, theirs, pair.variables(lamina), pair.variables(keras), pair.gradients())
    assert paths[0] == paths[1]
