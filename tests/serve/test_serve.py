"""`lamina serve` in a process of its own, asked by clients over sockets."""

import asyncio
import http.client
import io
import json
import re
import signal
import socket
import struct
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest
from PIL import Image

import lamina as keras
from lamina import layers
from lamina.cli import main
from lamina.serve import Limits, make_app
from lamina.serve.bodies import read_body
from lamina.serve.errors import Refused
from lamina.serve.served import ServedModel

resource = pytest.importorskip("resource", reason="needs limits of POSIX")
pytest.importorskip("uvicorn")
MODEL = "/v2/models/two_in"
SECONDS, MIB = 60, 1


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    image, word = keras.Input((4, 4, 1), name="pixels"), keras.Input((2,), dtype="int32")  # keys are the names
    found = layers.Flatten()(layers.Embedding(10, 2)(word))
    hidden = layers.Concatenate()([layers.Flatten()(image), found])
    outputs = {"score": layers.Dense(1)(hidden), "kind": layers.Dense(2, name="score")(hidden)}
    return keras.Model({"image": image, "word": word}, outputs)


@pytest.fixture(scope="module")
def server(model, tmp_path_factory):
    """(process, port) of the server, which takes 1 MiB and a minute."""
    folder = tmp_path_factory.mktemp("served")
    model.save(folder / "two_in.keras")
    (folder / "keys").write_text("first\nsecond\n")
    most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4096 if most[1] == resource.RLIM_INFINITY else min(4096, most[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(most[0], wanted), most[1]))  # 1,000 sockets on each side
    process = subprocess.Popen(
        [sys.executable, "-m", "lamina", "serve", folder / "two_in.keras", "--port", "0", "--keys", folder / "keys",
         "--timeout", str(SECONDS), "--max-body", str(MIB), "--max-wait", "2"],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    lines = iter(process.stderr.readline, "")
    yield process, next(int(found[1]) for line in lines if (found := re.search(r"http://127.0.0.1:(\d+)", line)))
    process.kill()
    process.wait()
    process.stderr.close()


@pytest.fixture(scope="module")
def ask(server):
    connection = http.client.HTTPConnection("127.0.0.1", server[1], timeout=30)

    def ask(path, body=None, key="second", **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()} | {
            "authorization": f"Bearer {key}"
        }
        connection.request("GET" if body is None else "POST", path, body, headers)
        answer = connection.getresponse()
        body = answer.read()
        is_json = answer.getheader("content-type", "").startswith("application/json")
        return answer.status, json.loads(body) if is_json and not answer.getheader("x-raw") else body, answer.headers

    yield ask
    connection.close()


def inputs_of(seed=0, count=2):
    rng = np.random.default_rng(seed)
    return {
        "image": rng.normal(size=(count, 4, 4, 1)).astype("float32"),
        "word": rng.integers(0, 10, (count, 2)).astype("int32"),
    }


def as_json(arrays):
    return json.dumps({"inputs": {name: array.tolist() for name, array in arrays.items()}})


def npy(array):
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def npz(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return file.getvalue()


def v2(arrays, **more):
    types = {"float32": "FP32", "int32": "INT32"}
    tensors = [
        {"name": name, "shape": list(array.shape), "datatype": types[str(array.dtype)], "data": array.ravel().tolist()}
        for name, array in arrays.items()
    ]
    return {"inputs": tensors, **more}


def test_each_kind_of_body_gets_the_numbers_of_predict(ask, model):
    arrays = inputs_of()
    want = {name: value.tolist() for name, value in model.predict(arrays, verbose=0).items()}

    def same(found):
        assert found.keys() == want.keys()
        for name in want:
            np.testing.assert_allclose(found[name], want[name], atol=1e-6)

    same(ask("/predict", as_json(arrays))[1]["outputs"])
    rows = [{"image": arrays["image"][i].tolist(), "word": arrays["word"][i].tolist()} for i in range(2)]
    for path in ("/predict", "/v1/models/two_in:predict"):
        found = ask(path, json.dumps({"instances": rows}))[1]["predictions"]
        same({name: [row[name] for row in found] for name in want})
    packed = npz(**{name: npy(array) for name, array in arrays.items()})
    _, body, _ = ask("/predict", packed, accept="application/x-npz")
    same({name: value.tolist() for name, value in np.load(io.BytesIO(body)).items()})
    answer = ask(f"{MODEL}/infer", json.dumps(v2(arrays, id="a")))[1]
    assert answer["id"] == "a" and answer["model_name"] == "two_in"
    same({one["name"]: np.reshape(one["data"], one["shape"]) for one in answer["outputs"]})


def test_binary_tensors_of_kserve(ask, model):
    arrays = inputs_of()
    head = v2(arrays, outputs=[{"name": "score", "parameters": {"binary_data": True}}])
    for tensor, array in zip(head["inputs"], arrays.values(), strict=True):
        del tensor["data"]
        tensor["parameters"] = {"binary_data_size": array.nbytes}
    text = json.dumps(head).encode()
    body = b"".join([text, *(array.tobytes() for array in arrays.values())])
    _, found, headers = ask(f"{MODEL}/infer", body, Inference_Header_Content_Length=str(len(text)))
    size = int(headers["inference-header-content-length"])
    tensor = json.loads(found[:size])["outputs"][0]
    assert tensor["datatype"] == "FP32" and tensor["parameters"]["binary_data_size"] == len(found) - size == 8
    score = np.frombuffer(found[size:], "float32").reshape(tensor["shape"])
    np.testing.assert_allclose(score, model.predict(arrays, verbose=0)["score"], atol=1e-6)


def test_what_is_not_finite_is_named(ask):
    arrays = {**inputs_of(count=1), "image": np.full((1, 4, 4, 1), np.inf, "float32")}
    status, found, _ = ask("/predict", as_json(arrays).replace("Infinity", '"Infinity"', 1))
    assert status == 200
    assert json.dumps(found, allow_nan=False) and found["outputs"]["score"][0][0] in ("NaN", "Infinity", "-Infinity")


GOOD = {name: array.tolist() for name, array in inputs_of(count=1).items()}
BOMB = npz(image=b"0" * (MIB * 2**21), word=npy(np.zeros((1, 2), "int32")))
LIE = (
    b"\x93NUMPY\x01\x00"
    + struct.pack("<H", 80)
    + b"{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999,), }".ljust(79)
    + b"\n"
)
WRONG = [
    (b"", 415, "empty body"),
    (b"\x00\x01", 415, "2 bytes that begin with"),
    (b"hello", 400, "no JSON"),
    (b'{"inputs": "\xff"}', 400, "byte 12 of the body is not"),
    (b'--boundary\r\nContent-Disposition: form-data; name="file"', 415, "got a form"),
    (b'{"inputs": [1], "inputs": [2]}', 400, "'inputs' twice"),
    (b'{"inputs": [1], "parameters": {"temperature": 1}}', 400, "got 'parameters'"),
    (b'{"inputs": {"image": [1e999]}}', 400, "got 1e999"),
    (json.dumps({"inputs": {**GOOD, "word": [[1, True]]}}).encode(), 400, "got bool, int"),
    (b"[" * 100_000, 400, "nested too deeply"),
    (b"{}", 400, '"instances" or "inputs"'),
    (b'{"instances": 3}', 400, "a list with an entry for each sample"),
    (b'{"instances": [{"image": 1}, {"word": 2}]}', 400, "the same names"),
    (json.dumps({"inputs": [[1, 2]]}).encode(), 400, "'image', 'word'; got one array"),
    (json.dumps({"inputs": {**GOOD, "text": [1]}}).encode(), 400, "'text'"),
    (json.dumps({"inputs": {**GOOD, "word": [[1, 2, 3]]}}).encode(), 400, "int32(batch, 2); got the shape (1, 3)"),
    (json.dumps({"inputs": {**GOOD, "word": [[1, 2.5]]}}).encode(), 400, "got 2.5 at [0, 1]"),
    (json.dumps({"inputs": {**GOOD, "word": [[1, 2**40]]}}).encode(), 400, "got 1099511627776 at [0, 1]"),
    (json.dumps({"inputs": {**GOOD, "word": [["a", "b"]]}}).encode(), 400, "got text"),
    (json.dumps({"inputs": {**GOOD, "word": [[1, None]]}}).encode(), 400, "got int, null"),
    (json.dumps({"inputs": {**GOOD, "word": [[1, 2], [3]]}}).encode(), 400, "rows of different lengths"),
    (json.dumps({"inputs": {**GOOD, "word": [[1, 2], [3, 4]]}}).encode(), 400, "the same number of samples"),
    (npz(image=npy(np.array([print], object))), 400, "got object"),  # a pickle, which is not read
    (npz(image=npy(np.zeros(3))[:-4]), 400, "has another size"),
    (npz(image=LIE), 400, "has another size"),
    (BOMB, 413, "when it is unpacked"),
    (b"PK\x03\x04nothing", 400, ".npz file cannot be read"),
    (b"\x89PNG\r\n\x1a\nnothing", 415, "no image"),
    (b"1" * (MIB * 2**20 + 1), 413, "at most 1048576 bytes"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "status", "says"), WRONG, ids=[says for *_, says in WRONG])
def test_wrong_bodies_say_what_was_expected_and_what_came(ask, body, status, says):
    found, answer, _ = ask("/predict", body)
    assert found == status and says in answer["error"], answer


def test_wrong_requests_of_kserve(ask):
    good = v2(inputs_of(count=1))
    first = good["inputs"][0]
    for change, says in [
        ({"datatype": "FP31"}, "'FP31'"), ({"shape": [2, 16]}, "32 values; got 16"),
        ({"shape": [-1]}, "a list of sizes"),
        ({"name": 3}, "has a name"), ({"data": None}, "null"), ({"name": "word"}, "comes twice"),
        ({"parameters": {"binary_data_size": 99}}, "99 bytes of binary data; 0 came"),
    ]:  # fmt: skip
        status, answer, _ = ask(f"{MODEL}/infer", json.dumps({"inputs": [{**first, **change}, good["inputs"][1]]}))
        assert status == 400 and says in answer["error"], answer
    status, answer, _ = ask(f"{MODEL}/infer", json.dumps(good), Inference_Header_Content_Length="99999")
    assert status == 400 and "99999" in answer["error"]
    status, answer, _ = ask(f"{MODEL}/infer", json.dumps({**good, "outputs": [{"name": "other"}]}))
    assert status == 400 and "'score'" in answer["error"]
    status, answer, _ = ask(
        f"{MODEL}/infer", json.dumps({**good, "outputs": [{"name": "score", "parameters": {"classification": 2}}]})
    )
    assert status == 400 and "'classification'" in answer["error"]


def test_keys_and_addresses(ask):
    for key, says in [("third", "a wrong one"), ("", "none"), ("seco", "a wrong one")]:
        status, answer, headers = ask("/predict", b"{}", key=key)
        assert status == 401 and says in answer["error"] and headers["www-authenticate"] == "Bearer"
    assert ask("/metrics", key="")[0] == 401
    for path in ("/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready"):
        assert ask(path, key="")[0] == 200
    assert ask(f"{MODEL}/ready")[1] == {"name": "two_in", "ready": True}
    assert {one["name"]: one["shape"] for one in ask(MODEL)[1]["inputs"]} == {"image": [-1, 4, 4, 1], "word": [-1, 2]}
    for path in (
        "/predict",
        "/../../etc/passwd",
        "/%2e%2e/etc/passwd",
        "/v2/models/..%2fother/infer",
        "/predict/\x7f%00",
    ):
        status, answer, _ = ask(path.replace("\x7f", ""))
        assert status in (404, 405) and "is not served" in answer["error"]


def test_the_page_and_its_description(ask):
    page = ask("/docs", key="")[1]
    assert b"two_in" in page and b"http" not in page.replace(b"http-equiv", b"") and b"float32(batch, 4, 4, 1)" in page
    described = ask("/openapi.json", key="")[1]
    assert described["openapi"] == "3.1.0" and described["security"] == [{"key": []}]
    example = described["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert ask("/predict", json.dumps(example))[0] == 200


def test_requests_one_after_the_other_on_one_connection(server):
    body = as_json(inputs_of()).encode()
    head = b"POST /predict HTTP/1.1\r\nhost: a\r\nx-api-key: first\r\ncontent-length: %d\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server[1])) as connection:
        connection.sendall((head % len(body) + body) * 3)
        found = b""
        while found.count(b'"outputs"') < 3:
            found += connection.recv(65536)
        assert found.count(b"HTTP/1.1 200") == 3


def test_clients_that_are_slow_or_go(model):
    app = make_app(model, limits=Limits(seconds=0.2))
    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": [], "query_string": b"", "root_path": ""}

    async def slow():
        await asyncio.sleep(60)

    async def gone():
        return {"type": "http.disconnect"}

    for receive, status in [(slow, 504), (gone, 499)]:
        sent = []

        async def send(message, sent=sent):
            sent.append(message)

        asyncio.run(app(scope, receive, send))
        assert sent[0]["status"] == status


def test_a_thousand_requests_at_once(server, model, ask):
    arrays = [inputs_of(seed, 1) for seed in range(1000)]
    want = model.predict({name: np.concatenate([one[name] for one in arrays]) for name in arrays[0]}, verbose=0)

    async def one(index):
        body = as_json(arrays[index]).encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", server[1])
        head = (
            f"POST /predict HTTP/1.1\r\nhost: a\r\nx-api-key: first\r\nconnection: close\r\ncontent-length: {len(body)}"
        )
        writer.write(head.encode() + b"\r\n\r\n" + body)
        answer = await reader.read()
        writer.close()
        return json.loads(answer.partition(b"\r\n\r\n")[2])["outputs"]

    async def all_of_them():
        return await asyncio.gather(*map(one, range(1000)))

    found = asyncio.run(all_of_them())
    for name in want:
        np.testing.assert_allclose([answer[name][0] for answer in found], want[name], atol=1e-5)
    counts = dict(re.findall(r"^(\w+) (\d+)", ask("/metrics")[1].decode(), re.MULTILINE))
    assert int(counts["lamina_batch_samples_count"]) < 700  # predictions for more than 1,000 requests


def test_sigterm_answers_what_is_in_flight(server):  # the last: it ends the server
    process, port = server
    body = as_json(inputs_of()).encode()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(
            b"POST /predict HTTP/1.1\r\nhost: a\r\nx-api-key: first\r\ncontent-length: %d\r\n\r\n" % len(body)
        )
        time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        connection.sendall(body)
        assert b"HTTP/1.1 200" in connection.recv(65536)
    assert process.wait(10) == 0
    assert not any(word in process.stderr.read() for word in ("Traceback", "ERROR"))
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), 1).close()


def test_images_are_as_large_as_the_input():
    file = io.BytesIO()
    Image.new("RGB", (20, 10), (255, 0, 0)).save(file, "PNG")
    for shape, found in [
        ((4, 6, 3), (1, 4, 6, 3)),
        ((5, 5), (1, 5, 5)),
        ((None, None, 1), (1, 10, 20, 1)),
        ((3, 8, 9), (1, 3, 8, 9)),
    ]:
        served = ServedModel(keras.Sequential([keras.Input(shape), layers.Activation("relu")]))
        array, kind = read_body(file.getvalue(), served, 10**6)
        assert kind == "image" and array.shape == found and array.max() == (255 if 3 in found else 76)
    wide = io.BytesIO()
    Image.new("I;16", (8, 8), 4096).save(wide, "PNG")
    with pytest.raises(Refused, match="8 bits for each channel"):
        read_body(wide.getvalue(), served, 10**6)


def test_help_names_the_limits(capsys):
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    said = capsys.readouterr().out
    assert "--max-body MIB" in said and "LAMINA_SERVE_KEYS" in said
