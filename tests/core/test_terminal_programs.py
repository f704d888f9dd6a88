"""Everything that prints text runs in terminals without UTF-8."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import sys, numpy as np, lamina as keras
from lamina.cli import main
inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="слой")], name="inner")
model = keras.Sequential([inner, keras.layers.Dense(1, activation="sigmoid")])
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
x, y = np.random.default_rng(0).random((64, 4)), np.arange(64) % 2
history = model.fit(x, y, epochs=2, verbose=2, validation_split=0.5)
print(history, history.plot(), model, inner.layers)
model.summary(expand_nested=True)
model.summary(print_fn=print)
model.explain().print(), model.check(x, y).print(), print(model.explain(), model.check(x, y), model.compilations())
for name in ("confusion_matrix", "roc", "calibration", "residuals", "worst_samples"):
    print(getattr(keras.visualization, f"plot_{name}")(model, x, y))
model.fit(x, y, verbose=1)
model.save("m.keras")
for command in ("summary", "explain", "check"):
    print(main([command, "m.keras"]))
print(main(["explain", "m.keras", "--format", "html"]))
"""


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_text_is_printed_in_any_terminal(encoding, tmp_path):
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", PROGRAM],
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": encoding},
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    text = done.stdout.decode(encoding)
    assert "<History of 2 epochs: accuracy" in text and " -> " in text and r"\u0441\u043b\u043e\u0439" in text
    assert "Layer (type)" in text and "+---" in text and "\u2501" not in text
