import numpy as np

import lamina


def test_quickstart_reaches_its_bar_and_its_file_predicts_the_same(run, capsys, tmp_path):
    names = run("quickstart")
    assert names["accuracy"] >= 0.97
    printed = capsys.readouterr().out
    for text in ("Total params", "Epoch 20/20", f"Test accuracy: {names['accuracy']:.4f}", "Predicted: 1 0 9"):
        assert text in printed
    loaded = lamina.models.load_model(tmp_path / "digits.keras")
    x = names["x_test"]
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), names["model"].predict(x, verbose=0))
