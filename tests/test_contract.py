"""Every exported layer, loss, metric, optimizer, initializer, regularizer and constraint keeps its contract."""

import pytest

from tests import contract


@pytest.mark.parametrize("name", contract.LAYERS)
@pytest.mark.parametrize("check", contract.checks("layer"), ids=lambda check: check.__name__)
def test_layer(check, name):
    check(contract.example_of_layer(name))


def others():
    kinds = {
        "loss": contract.LOSSES,
        "metric": contract.METRICS,
        "optimizer": contract.OPTIMIZERS,
        "initializer": contract.INITIALIZERS,
        "regularizer": contract.REGULARIZERS,
        "constraint": contract.CONSTRAINTS,
    }
    return [
        pytest.param(check, cls, id=f"{check.__name__}-{cls.__name__}")
        for kind, classes in kinds.items()
        for check in contract.checks(kind)
        for cls in classes.values()
    ]


@pytest.mark.parametrize(("check", "cls"), others())
def test_other(check, cls):
    check(cls)


def test_a_class_cannot_be_forgotten():
    """The tables hold only what is exported: an example that nothing uses is a name that was misspelt."""
    assert set(contract.LOSS_EXAMPLES) <= set(contract.LOSSES)
    assert set(contract.METRIC_EXAMPLES) <= set(contract.METRICS)
    assert set(contract.OPTIMIZER_EXAMPLES) <= set(contract.OPTIMIZERS)
    with pytest.raises(pytest.fail.Exception, match="EXAMPLES"):
        contract.example_of_layer("NoSuchLayer")
