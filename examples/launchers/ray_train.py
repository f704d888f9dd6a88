"""Ray Train: workers that train one model. Ray starts all of them again if one ends.

`python ray_train.py /shared/folder 4` starts four workers. Alone, on one machine: `python ray_train.py /tmp/ray_run 2`.
"""

import sys

import ray.train  # pyright: ignore[reportMissingImports]
import ray.train.v2.jax  # pyright: ignore[reportMissingImports]


def train(config):
    """What each worker runs."""
    import lamina as keras

    keras.distribution.initialize()
    keras.distribution.set_distribution(keras.distribution.DataParallel())
    (x, y), _ = keras.datasets.digits.load_data()
    model = keras.Sequential([keras.Input((8, 8)), keras.layers.Flatten(), keras.layers.Dense(10)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit(x / 16, y, batch_size=64, epochs=2, verbose=2, resume=config["folder"])
    found = {"loss": history.history["loss"][-1], "devices": len(keras.distribution.list_devices())}
    print(found)
    ray.train.report(found)


if __name__ == "__main__":
    folder, workers = sys.argv[1], int(sys.argv[2])
    trainer = ray.train.v2.jax.JaxTrainer(
        train,
        train_loop_config={"folder": f"{folder}/run"},
        scaling_config=ray.train.ScalingConfig(num_workers=workers),
        run_config=ray.train.RunConfig(
            storage_path=f"{folder}/ray", failure_config=ray.train.FailureConfig(max_failures=100)
        ),
    )
    trainer.fit()
