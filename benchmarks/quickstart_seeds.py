"""The accuracy of examples/quickstart.py with other seeds and other splits: the figures below it in README.md.

.venv/bin/python benchmarks/quickstart_seeds.py
"""

import pathlib
import re

import lamina as keras

SOURCE = (pathlib.Path(__file__).parents[1] / "examples" / "quickstart.py").read_text(encoding="utf-8")
PROGRAM = (
    SOURCE[: SOURCE.index("model.save(")].replace("model.summary()\n", "").replace("epochs=20", "epochs=20, verbose=0")
)


def accuracy(seed: int, split: str = "") -> float:
    """The test accuracy with a seed and the arguments of `load_data`."""
    keras.utils.clear_session()
    names: dict = {"print": lambda *words: None}
    exec(
        re.sub(r"set_random_seed\(0\)", f"set_random_seed({seed})", PROGRAM).replace(
            "load_data()", f"load_data({split})"
        ),
        names,
    )
    return names["accuracy"]


if __name__ == "__main__":
    seeds = [accuracy(seed) for seed in range(1, 7)]
    print(f"seeds 1 to 6:                    {min(seeds):.4f} to {max(seeds):.4f}")
    splits = [accuracy(0, f"seed={seed}") for seed in range(1, 7)]
    print(f"seed 0, splits of seeds 1 to 6:  {min(splits):.4f} to {max(splits):.4f}, mean {sum(splits) / 6:.4f}")
