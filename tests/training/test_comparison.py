"""What several processes compare of a model after each epoch."""

from types import SimpleNamespace

from lamina.training import comparison


def test_large_values_are_compared_in_turn(monkeypatch):
    monkeypatch.setattr(comparison, "_IN_TURN", 5000)
    sizes = [2000, 10, 2000, 9000, 1024, 1500, 3000]
    variables = [SimpleNamespace(size=size) for size in sizes]
    compared = comparison.Comparison()
    after = [[one.size for one in compared._due(variables)] for _ in range(4)]
    assert [sizes[:2] for sizes in after] == 4 * [[10, 1024]]  # the small ones after each epoch
    assert [sizes[2:] for sizes in after] == [[2000, 2000], [9000], [1500, 3000], [2000, 2000]]


def test_a_model_without_large_values_compares_all():
    variables = [SimpleNamespace(size=3), SimpleNamespace()]  # the second is a seed
    compared = comparison.Comparison()
    assert [compared._due(variables) for _ in range(2)] == 2 * [variables[::-1]]
