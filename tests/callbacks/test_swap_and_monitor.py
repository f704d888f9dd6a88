"""SwapEMAWeights against Keras, and RemoteMonitor against a server."""

import http.server
import json
import threading
import urllib.parse

import keras as oracle
import numpy as np
import pytest

import lamina as keras

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
Y = X.sum(-1, keepdims=True)


def make_model(keras, **kwargs):
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(0.1, **kwargs), "mse")
    return model


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own with NumPy 2
@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_figures_and_weights_are_those_of_keras(swap_on_epoch):
    def train(keras):
        model = make_model(keras, use_ema=True, ema_momentum=0.5)
        seen = []
        watch = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(model.get_weights()[0]))
        swap = keras.callbacks.SwapEMAWeights(swap_on_epoch)
        history = model.fit(
            X, Y, batch_size=4, epochs=2, verbose=0, shuffle=False, validation_data=(X, Y), callbacks=[swap, watch]
        )
        return history.history, seen, model.get_weights()

    (history, seen, weights), (expected, expected_seen, expected_weights) = train(keras), train(oracle)
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(history[name], expected[name], rtol=1e-5)
    np.testing.assert_allclose(seen, expected_seen, rtol=1e-5)
    for one, other in zip(weights, expected_weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_evaluate_and_predict_leave_the_weights():
    model = make_model(keras, use_ema=True, ema_momentum=0.9)
    model.train_on_batch(X, Y)
    model.train_on_batch(X, Y)
    before, plain = model.get_weights(), model.predict(X, verbose=0)
    swap = keras.callbacks.SwapEMAWeights()
    assert not np.allclose(model.predict(X, verbose=0, callbacks=[swap]), plain)
    assert model.evaluate(X, Y, verbose=0, callbacks=[swap]) != model.evaluate(X, Y, verbose=0)
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_optimizer_inside_another_keeps_averages():
    model = make_model(keras)
    inner = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5)
    model.compile(keras.optimizers.LossScaleOptimizer(inner), "mse")
    model.fit(X, Y, verbose=0, validation_data=(X, Y), callbacks=[keras.callbacks.SwapEMAWeights()])
    kernel, average = model.weights[0], inner._slots[model.weights[0]]["average"]
    np.testing.assert_array_equal(kernel, average)


def test_an_optimizer_without_averages_is_an_error():
    for library in (keras, oracle):
        with pytest.raises(ValueError, match="use_ema"):
            make_model(library).evaluate(X, Y, verbose=0, callbacks=[library.callbacks.SwapEMAWeights()])


@pytest.fixture
def server():
    """A server on this machine alone that keeps what it is sent; it answers 404 below /missing."""
    received = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            received.append((self.path, dict(self.headers), body))
            self.send_response(404 if self.path.startswith("/missing") else 200)
            self.end_headers()

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", received
        running.shutdown()
        thread.join()


@pytest.mark.parametrize("send_as_json", [False, True])
def test_remote_monitor_sends_figures(server, send_as_json):
    root, received = server
    monitor = keras.callbacks.RemoteMonitor(root, headers={"X-Run": "7"}, send_as_json=send_as_json)
    monitor.on_epoch_end(3, {"loss": np.float32(0.5), "each": np.array([1.0, 2.0])})
    monitor.on_epoch_end(4)
    (path, headers, body), (_, _, last) = received
    assert (path, headers["X-Run"]) == ("/publish/epoch/end/", "7")
    if not send_as_json:
        body, last = (urllib.parse.parse_qs(text)["data"][0] for text in (body, last))
    assert json.loads(body) == {"epoch": 3, "loss": 0.5, "each": [1.0, 2.0]}
    assert json.loads(last) == {"epoch": 4}
    assert headers["Content-Type"] == ("application/json" if send_as_json else "application/x-www-form-urlencoded")


def test_remote_monitor_warns_and_training_goes_on(server):
    root, _ = server
    with pytest.warns(UserWarning, match="404"):
        keras.callbacks.RemoteMonitor(root, path="/missing").on_epoch_end(0)
    with pytest.warns(UserWarning, match="could not reach"):
        keras.callbacks.RemoteMonitor("http://127.0.0.1:1").on_epoch_end(0, {"loss": 1.0})
    with pytest.raises(ValueError, match="HTTP"):
        keras.callbacks.RemoteMonitor("file:///etc")
