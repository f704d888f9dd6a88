"""Mistakes with layers, and whether the fixes printed for them work."""

from tests.mistakes.mistake import Mistake, fixes_are_tried, fixes_work

MISTAKES = [
    Mistake("keras.layers.Dense(8.0)", "keras.layers.Dense(32)", says="Dense(32)"),
]

test_fixes_work = fixes_work(MISTAKES)
test_fixes_are_tried = fixes_are_tried("lamina/layers/dense.py", MISTAKES)
