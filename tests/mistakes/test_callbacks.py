"""Mistakes with callbacks, and whether the fixes printed for them work."""

from tests.mistakes import everyday, first_hour, notebooks, ordinary, unseen
from tests.mistakes.mistake import Mistake, fixes_are_tried, fixes_work

MISTAKES = [
    Mistake(
        "from lamina.callbacks.run_record import read_run; read_run('run1')",
        "model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)]); model.compile('sgd', 'mse'); "
        "x, y = np.ones((8, 4)), np.ones(8); model.fit(x, y, resume='run1', verbose=0); "
        "from lamina.callbacks.run_record import read_run; read_run('run1')",
        'model.fit(x, y, resume="run1")',
        prose=True,
    ),
    Mistake(
        wrong="keras.callbacks.EarlyStopping(patient=3)",
        right="keras.callbacks.EarlyStopping(patience=3)",
        says="EarlyStopping(patience=3)",
    ),
    Mistake(
        wrong="keras.callbacks.EarlyStopping(patience='3')",
        right="keras.callbacks.EarlyStopping(patience=3)",
        says="EarlyStopping(patience=3)",
    ),
    Mistake(
        wrong="keras.callbacks.ReduceLROnPlateau(monitr='loss')",
        right="keras.callbacks.ReduceLROnPlateau(monitor='loss')",
        says="ReduceLROnPlateau(monitor='loss')",
    ),
    Mistake(
        wrong="keras.callbacks.ReduceLROnPlateau(factor=2)",
        right="keras.callbacks.ReduceLROnPlateau(factor=0.1)",
        says="factor=0.1",
    ),
    Mistake(
        wrong="x, y = np.ones((8, 2)), np.ones(8); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); m.fit(x, y, verbose=0, "
        "callbacks=[keras.callbacks.LearningRateScheduler(lambda e: 'a')])",
        right="x, y = np.ones((8, 2)), np.ones(8); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); m.fit(x, y, verbose=0, "
        "callbacks=[keras.callbacks.LearningRateScheduler(lambda epoch, rate: float(rate * 0.9))])",
        says="LearningRateScheduler(lambda epoch, rate: float(rate * 0.9))",
    ),
    Mistake(
        wrong="keras.callbacks.ModelCheckpoint()",
        right="keras.callbacks.ModelCheckpoint('best.weights.h5', save_weights_only=True)",
        says="ModelCheckpoint('best.weights.h5')",
        prose=True,
    ),
    Mistake(
        wrong="keras.callbacks.ModelCheckpoint('m.keras', save_freq='batch')",
        right="keras.callbacks.ModelCheckpoint('m.keras', save_freq=\"epoch\")",
        says='save_freq="epoch"',
    ),
    Mistake(
        wrong="keras.callbacks.ModelCheckpoint('m.ckpt')",
        right="keras.callbacks.ModelCheckpoint(filepath='m.keras')",
        says="filepath='m.keras'",
    ),
    Mistake(
        wrong="x, y = np.ones((8, 2)), np.ones(8); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); m.fit(x, y, verbose=0, "
        "callbacks=[keras.callbacks.ModelCheckpoint('{acuracy}.keras')])",
        right="x, y = np.ones((8, 2)), np.ones(8); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); m.fit(x, y, verbose=0, "
        "callbacks=[keras.callbacks.ModelCheckpoint(filepath='model-{epoch}.keras')])",
        says="filepath='model-{epoch}.keras'",
    ),
    Mistake(
        wrong="import os; os.makedirs('d.keras'); x, y = np.ones((8, 2)), np.ones(8); m = "
        "keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]); m.compile('sgd', 'mse'); m.fit(x, "
        "y, verbose=0, callbacks=[keras.callbacks.ModelCheckpoint('d.keras')])",
        right="x, y = np.ones((8, 2)), np.ones(8); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); m.fit(x, y, verbose=0, "
        "callbacks=[keras.callbacks.ModelCheckpoint('e.keras')])",
        says="name of a file",
        prose=True,
    ),
    Mistake(
        wrong="import orbax.checkpoint; keras.callbacks.OrbaxCheckpoint('d', save_freq='batch')",
        right="keras.callbacks.OrbaxCheckpoint('d', save_freq=\"epoch\")",
        says='save_freq="epoch"',
    ),
    Mistake(
        wrong="keras.callbacks.TensorBoard(update_freq='step')",
        right='keras.callbacks.TensorBoard(update_freq="epoch")',
        says='update_freq="epoch"',
    ),
    Mistake(
        wrong="keras.callbacks.TensorBoard(profile_batch='all')",
        right="keras.callbacks.TensorBoard(profile_batch=(10, 20))",
        says="(10, 20)",
    ),
    Mistake(
        wrong="x, y = np.ones((8, 2)), np.ones(8); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); m.fit(x, y, verbose=0, "
        "callbacks=[keras.callbacks.TensorBoard(embeddings_freq=1, embeddings_metadata={'a': 'b'})])",
        right="x, y = np.ones((8, 2)), np.ones(8); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); [layer.name for layer in m.layers]",
        says="[layer.name for layer in model.layers]",
        prose=True,
    ),
    Mistake(
        wrong="keras.callbacks.BackupAndRestore('')",
        right='keras.callbacks.BackupAndRestore("backup")',
        says='BackupAndRestore("backup")',
    ),
    Mistake(
        wrong="keras.callbacks.BackupAndRestore('b', save_freq='batch')",
        right="keras.callbacks.BackupAndRestore('b', save_freq=\"epoch\")",
        says='save_freq="epoch"',
    ),
    Mistake(
        wrong="x, y = np.ones((8, 2)), np.ones(8); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); m.fit(x, y, verbose=0, "
        "callbacks=[keras.callbacks.EarlyStopping])",
        right="x, y = np.ones((8, 2)), np.ones(8); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); m.fit(x, y, verbose=0, "
        "callbacks=[keras.callbacks.EarlyStopping('loss')])",
        says="EarlyStopping()",
        prose=True,
    ),
    Mistake(
        wrong="x, y = np.ones((8, 2)), np.ones(8); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); m.fit(x, y, verbose=0, callbacks=[3])",
        right="x, y = np.ones((8, 2)), np.ones(8); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); m.fit(x, y, verbose=0, "
        "callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda e, logs: None)])",
        says="keras.callbacks.LambdaCallback(on_epoch_end=",
        prose=True,
    ),
    Mistake(
        wrong="keras.callbacks.History().plot()",
        right="x, y = np.ones((8, 2)), np.ones(8); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); m.fit(x, y, verbose=0, epochs=2).plot()",
        says="Call fit first",
        prose=True,
    ),
    Mistake(
        wrong="x, y = np.ones((8, 2)), np.ones(8); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); thing = lambda a, b: keras.ops.mean(a - b); "
        "thing.__name__ = 'thing'; m.compile('sgd', 'mse', metrics=[thing]); m.fit(x, y, verbose=0, "
        "epochs=2, callbacks=[keras.callbacks.EarlyStopping('thing')])",
        right="x, y = np.ones((8, 2)), np.ones(8); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); thing = lambda a, b: keras.ops.mean(a - b); "
        "thing.__name__ = 'thing'; m.compile('sgd', 'mse', metrics=[thing]); m.fit(x, y, verbose=0, "
        "epochs=2, callbacks=[keras.callbacks.EarlyStopping('thing', mode='max')])",
        says="mode='max'",
    ),
    Mistake(
        wrong="keras.callbacks.Resume('run', max_to_keep=0)",
        right="keras.callbacks.Resume('run', max_to_keep=3)",
        says="max_to_keep=3",
    ),
    Mistake(
        wrong="keras.callbacks.RemoteMonitor('file:///etc')",
        right="keras.callbacks.RemoteMonitor('http://localhost:9000')",
        says="http://localhost:9000",
    ),
    Mistake(
        wrong="x, y = np.ones((8, 2)), np.ones(8); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); m.evaluate(x, y, verbose=0, "
        "callbacks=[keras.callbacks.SwapEMAWeights()])",
        right="x, y = np.ones((8, 2)), np.ones(8); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile(keras.optimizers.Adam(use_ema=True), 'mse'); m.fit(x, y, "
        "verbose=0, callbacks=[keras.callbacks.SwapEMAWeights()])",
        says="Adam(use_ema=True)",
    ),
]

MISTAKES += [*first_hour.CALLBACKS, *everyday.CALLBACKS, *notebooks.CALLBACKS, *ordinary.CALLBACKS, *unseen.CALLBACKS]

test_fixes_work = fixes_work(MISTAKES)
test_fixes_are_tried = fixes_are_tried(
    "lamina/callbacks",
    MISTAKES,
    but=[
        ("The backup", "tests/callbacks/test_resume.py interrupts runs."),
        ("The history has no", "tests/mistakes/test_own_functions.py has it."),
    ],
)
