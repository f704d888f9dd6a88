"""Latency and throughput of serving one model by lamina, ONNX Runtime and TensorFlow, in one run.

    python benchmarks/serving.py --tensorflow PYTHON

Each engine computes the same convolutional model of digits (8x8) with the same weights, behind Starlette and uvicorn,
each in a process of its own. lamina's is `lamina serve` with its checks, limits and batching; the others have the
least that answers: read the array, predict, write the array. Clients send .npy bodies of one sample over loopback:
one after the other for the latency, and from many connections for the throughput. The engines take turns; the best of
`--rounds` is shown. PYTHON is an interpreter that has TensorFlow, Starlette and uvicorn; without it TensorFlow is
left out.
"""

import argparse
import asyncio
import io
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).parents[1]
SERVER = """
import io, sys
import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
engine, path, port = sys.argv[1:]
if engine == "ONNX Runtime":
    import onnxruntime
    session = onnxruntime.InferenceSession(path)
    name = session.get_inputs()[0].name
    predict = lambda x: session.run(None, {name: x})[0]
else:
    import tensorflow as tf
    w = dict(np.load(path))
    @tf.function(input_signature=[tf.TensorSpec((None, 8, 8, 1))], jit_compile=engine.endswith("XLA"))
    def run(x):
        x = tf.nn.relu(tf.nn.conv2d(x, w["k0"], 1, "SAME") + w["b0"])
        x = tf.nn.relu(tf.nn.conv2d(tf.nn.max_pool2d(x, 2, 2, "VALID"), w["k1"], 1, "SAME") + w["b1"])
        return tf.nn.softmax(tf.reshape(x, (-1, 512)) @ w["k2"] + w["b2"])
    predict = lambda x: run(tf.constant(x)).numpy()
predict(np.zeros((1, 8, 8, 1), "float32"))
async def answer(request):
    result, file = predict(np.load(io.BytesIO(await request.body()))), io.BytesIO()
    np.save(file, result)
    return Response(file.getvalue(), media_type="application/x-npy")
async def ready(request):
    return Response("ready")
app = Starlette(routes=[Route("/predict", answer, methods=["POST"]), Route("/health/ready", ready)])
uvicorn.run(app, port=int(port), log_level="error", access_log=False)
"""


def make_model(folder):
    """Write the model for each engine; returns its inputs and outputs."""
    import lamina as keras
    from lamina import layers

    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.save(folder / "model.keras")
    model.export(folder / "model.onnx", verbose=False)
    values = model.get_weights()
    np.savez(folder / "weights.npz", **dict(zip(("k0", "b0", "k1", "b1", "k2", "b2"), values, strict=True)))
    x = np.random.default_rng(0).normal(size=(64, 8, 8, 1)).astype("float32")
    return x, model.predict(x, verbose=0)


def request_of(x):
    """The bytes of a request."""
    file = io.BytesIO()
    np.save(file, x)
    body = file.getvalue()
    head = f"POST /predict HTTP/1.1\r\nhost: a\r\naccept: application/x-npy\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def ask(reader, writer, request):
    """Send a request and read its answer."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    assert b" 200 " in head[:20], head
    return await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))


async def latencies(port, requests, count):
    """Milliseconds of requests one after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = []
    for index in range(count):
        start = time.perf_counter()
        await ask(reader, writer, requests[index % len(requests)])
        found.append((time.perf_counter() - start) * 1000)
    writer.close()
    return sorted(found[count // 10 :])


async def throughput(port, requests, connections, count):
    """Answers a second to many connections, each of which sends one request after the other."""

    async def one(number):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for index in range(count // connections):
            await ask(reader, writer, requests[(number + index) % len(requests)])
        writer.close()

    start = time.perf_counter()
    await asyncio.gather(*map(one, range(connections)))
    return count / (time.perf_counter() - start)


def start(engine, folder, port, tensorflow):
    """The process of an engine."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3"}
    if engine.startswith("lamina"):
        more = ["--max-wait", "2"] if engine.endswith("2 ms") else []
        command = [sys.executable, "-m", "lamina", "serve", str(folder / "model.keras"), "--port", str(port), *more]
    else:
        python, file = (sys.executable, "model.onnx") if engine == "ONNX Runtime" else (tensorflow, "weights.npz")
        command = [python, "-c", SERVER, engine, str(folder / file), str(port)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)


async def wait_until_ready(process, port):
    """Wait until a server answers."""
    while process.poll() is None:
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.2)
    raise SystemExit(f"A server ended with the code {process.returncode}.")


def main():
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--tensorflow", metavar="PYTHON", help="an interpreter that has TensorFlow, Starlette and uvicorn"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--count", type=int, default=1000, help="requests of a round")
    parser.add_argument("--connections", type=int, default=64)
    args = parser.parse_args()
    engines = ["lamina", "lamina, 2 ms", "ONNX Runtime", *(["TensorFlow"] if args.tensorflow else [])]
    with tempfile.TemporaryDirectory() as path:
        folder = pathlib.Path(path)
        x, want = make_model(folder)
        requests = [request_of(x[i : i + 1]) for i in range(len(x))]
        ports = {engine: 8201 + index for index, engine in enumerate(engines)}
        servers = {engine: start(engine, folder, port, args.tensorflow) for engine, port in ports.items()}
        try:
            print(json.dumps(asyncio.run(measure(servers, ports, requests, want, args)), indent=1))
        finally:
            for server in servers.values():
                server.terminate()


async def measure(servers, ports, requests, want, args):
    """{engine: figures} of the best round; the first answers are compared with `predict`."""
    found = {engine: {"median ms": [], "99 % ms": [], "requests/s": []} for engine in servers}
    for engine, server in servers.items():
        reader, writer = await wait_until_ready(server, ports[engine])
        for index in range(4):
            answer = np.load(io.BytesIO(await ask(reader, writer, requests[index])))
            np.testing.assert_allclose(answer[0], want[index], atol=1e-5)
        writer.close()
    for _ in range(args.rounds):
        for engine in servers:
            times = await latencies(ports[engine], requests, args.count)
            found[engine]["median ms"].append(statistics.median(times))
            found[engine]["99 % ms"].append(times[int(len(times) * 0.99)])
            rate = await throughput(ports[engine], requests, args.connections, args.count)
            found[engine]["requests/s"].append(rate)
    best = {"requests/s": max}
    return {
        engine: {name: round(best.get(name, min)(values), 2) for name, values in one.items()}
        for engine, one in found.items()
    }


if __name__ == "__main__":
    main()
