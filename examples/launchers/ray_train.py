"""Ray Train: four workers train one model. Ray starts all of them again if one ends."""

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
    ray.train.report({"loss": history.history["loss"][-1]})


if __name__ == "__main__":
    trainer = ray.train.v2.jax.JaxTrainer(
        train,
        train_loop_config={"folder": "/shared/run"},
        scaling_config=ray.train.ScalingConfig(num_workers=4),
        run_config=ray.train.RunConfig(
            storage_path="/shared/ray", failure_config=ray.train.FailureConfig(max_failures=100)
        ),
    )
    print(trainer.fit().metrics)
