"""A model in the browser

A model exported to TensorFlow.js is a JSON file of layers and a file of weights. A page with a few lines of JavaScript
computes it where it is drawn: no server, no network, nothing to install.
"""

import base64
import html
import json
import pathlib

import lamina as keras
from lamina import layers

keras.utils.set_random_seed(0)
(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
model = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        layers.RandomTranslation(0.1, 0.1, fill_mode="constant"),
        layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.Flatten(),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
x_train, x_test = x_train[..., None] / 16, x_test[..., None] / 16
history = model.fit(x_train, y_train, epochs=12, validation_data=(x_test, y_test), verbose=0)
history.plot()

# %%
# Augmentation is for training, so the model for the page is made of the other layers.

served = keras.Sequential([keras.Input((8, 8, 1)), *model.layers[1:]])
served.export("digits", format="tfjs")

# %%
# The page. It draws on 32 x 32 points, moves and scales what was drawn as in the data, and counts 4 x 4 points each.

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Draw a digit</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; color-scheme: light dark; margin: 1rem }
canvas { border: 1px solid #888; background: #fff; touch-action: none; cursor: crosshair; width: 256px; height: 256px }
main { display: flex; flex-wrap: wrap; gap: 1.5rem }
meter { width: 10rem }
#digit { font-size: 3rem; line-height: 1; min-height: 3rem }
</style></head><body><main>
<div><p>Draw a digit with the mouse. <button id="clear">Clear</button></p>
<canvas id="board" width="32" height="32" role="img" aria-label="Board to draw a digit on"></canvas></div>
<div><div id="digit" aria-live="polite"></div><table id="bars"></table></div></main>
<script>@LIBRARY@</script>
<script>
const MODEL = @MODEL@, BYTES = Uint8Array.from(atob("@WEIGHTS@"), (one) => one.charCodeAt(0)).buffer;

// The weights by name: float32 one after the other, as the manifest of TensorFlow.js lists them.
const weights = {};
let place = 0;
for (const { name, shape } of MODEL.weightsManifest.flatMap((group) => group.weights)) {
  const size = shape.reduce((a, b) => a * b, 1);
  weights[name] = { shape, data: new Float32Array(BYTES, place, size) };
  place += 4 * size;
}

const activations = {
  linear: (x) => x,
  relu: (x) => x.map((value) => Math.max(value, 0)),
  softmax: (x) => {
    const top = Math.max(...x), powers = x.map((value) => Math.exp(value - top)), sum = powers.reduce((a, b) => a + b);
    return powers.map((value) => value / sum);
  },
};

// Each layer maps { shape: [height, width, channels] or [size], data }.
const layers = {
  InputLayer: (x) => x,
  Flatten: (x) => ({ shape: [x.data.length], data: x.data }),
  Dense: (x, config, kernel, bias) => {
    const [inputs, units] = kernel.shape, data = new Float32Array(units);
    for (let j = 0; j < units; j++) {
      let sum = bias ? bias.data[j] : 0;
      for (let i = 0; i < inputs; i++) sum += x.data[i] * kernel.data[i * units + j];
      data[j] = sum;
    }
    return { shape: [units], data: activations[config.activation](data) };
  },
  Conv2D: (x, config, kernel, bias) => {
    const [height, width, channels] = x.shape, [rows, columns, , filters] = kernel.shape;
    const [top, left] = config.padding === "same" ? [(rows - 1) >> 1, (columns - 1) >> 1] : [0, 0];
    const high = config.padding === "same" ? height : height - rows + 1;
    const wide = config.padding === "same" ? width : width - columns + 1;
    const data = new Float32Array(high * wide * filters);
    for (let r = 0; r < high; r++) for (let c = 0; c < wide; c++) for (let f = 0; f < filters; f++) {
      let sum = bias ? bias.data[f] : 0;
      for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) {
        const y = r + i - top, z = c + j - left;
        if (y < 0 || z < 0 || y >= height || z >= width) continue;
        for (let k = 0; k < channels; k++)
          sum += x.data[(y * width + z) * channels + k] * kernel.data[((i * columns + j) * channels + k) * filters + f];
      }
      data[(r * wide + c) * filters + f] = sum;
    }
    return { shape: [high, wide, filters], data: activations[config.activation](data) };
  },
  MaxPooling2D: (x, config) => {
    const [height, width, channels] = x.shape, [h, w] = config.pool_size, high = Math.floor(height / h);
    const wide = Math.floor(width / w), data = new Float32Array(high * wide * channels).fill(-Infinity);
    for (let r = 0; r < high * h; r++) for (let c = 0; c < wide * w; c++) for (let k = 0; k < channels; k++) {
      const at = (Math.floor(r / h) * wide + Math.floor(c / w)) * channels + k;
      data[at] = Math.max(data[at], x.data[(r * width + c) * channels + k]);
    }
    return { shape: [high, wide, channels], data };
  },
};

const topology = MODEL.modelTopology.model_config || MODEL.modelTopology;
function predict(image) {
  let x = { shape: [8, 8, 1], data: Float32Array.from(image) };
  for (const { class_name, config } of topology.config.layers) {
    if (!layers[class_name]) throw new Error(`This page has no layer ${class_name}.`);
    x = layers[class_name](x, config, weights[`${config.name}/kernel`], weights[`${config.name}/bias`]);
  }
  return [...x.data];
}

// With TensorFlow.js in the page, it computes the model from the same files.
const ready = window.tf ? tf.setBackend("cpu").then(() => tf.loadLayersModel(tf.io.fromMemory({
  modelTopology: MODEL.modelTopology, weightData: BYTES,
  weightSpecs: MODEL.weightsManifest.flatMap((group) => group.weights),
}))).then((loaded) => {
  predict = (image) => tf.tidy(() => [...loaded.predict(tf.tensor4d(image, [1, 8, 8, 1])).dataSync()]);
}) : null;

const board = document.getElementById("board"), pen = board.getContext("2d", { willReadFrequently: true });
Object.assign(pen, { lineWidth: 3.2, lineCap: "round", lineJoin: "round" });
const bars = Array.from({ length: 10 }, (_, digit) => {
  const row = document.getElementById("bars").insertRow();
  row.innerHTML = `<td>${digit}</td><td><meter aria-label="Probability of ${digit}" max="1" value="0"></meter></td>`;
  return row.querySelector("meter");
});

// What was drawn as 8 x 8 numbers from 0 to 1: fitted into the square, then the mean of 4 x 4 points.
function image() {
  const dark = pen.getImageData(0, 0, 32, 32).data.filter((_, index) => index % 4 === 3);
  const points = [...dark.keys()].filter((index) => dark[index] > 64), xs = points.map((index) => index % 32);
  if (!points.length) return null;
  const ys = points.map((index) => index >> 5), [x0, y0] = [Math.min(...xs), Math.min(...ys)];
  const [w, h] = [Math.max(...xs) - x0 + 1, Math.max(...ys) - y0 + 1], scale = Math.min(32 / h, 26 / w);
  const fitted = new OffscreenCanvas(32, 32).getContext("2d");
  fitted.drawImage(board, x0, y0, w, h, 16 - (w * scale) / 2, 16 - (h * scale) / 2, w * scale, h * scale);
  const alpha = fitted.getImageData(0, 0, 32, 32).data, cells = new Array(64).fill(0);
  for (let y = 0; y < 32; y++) for (let x = 0; x < 32; x++)
    cells[(y >> 2) * 8 + (x >> 2)] += alpha[(y * 32 + x) * 4 + 3] / 255 / 16;
  return cells;
}

function show() {
  const drawn = image(), answer = drawn ? predict(drawn) : new Array(10).fill(0);
  bars.forEach((bar, digit) => { bar.value = answer[digit]; });
  document.getElementById("digit").textContent = drawn ? answer.indexOf(Math.max(...answer)) : "";
}

const at = (event) => [(event.offsetX * 32) / board.clientWidth, (event.offsetY * 32) / board.clientHeight];
board.onpointerdown = (event) => {
  board.setPointerCapture(event.pointerId);
  pen.beginPath();
  pen.moveTo(...at(event));
};
board.onpointermove = (event) => {
  if (!event.buttons) return;
  pen.lineTo(...at(event));
  pen.stroke();
  pen.beginPath();
  pen.moveTo(...at(event));
  show();
};
document.getElementById("clear").onclick = () => { pen.clearRect(0, 0, 32, 32); show(); };
</script></body></html>
"""


def page_of(folder, library=None):
    """The page with the files of a model in it, so that it also works where a page may not read files; with the file
    `tf.min.js` of TensorFlow.js (from npm, @tensorflow/tfjs) in it too, if that is given."""
    folder = pathlib.Path(folder)
    described = json.loads((folder / "model.json").read_text())
    data = b"".join((folder / path).read_bytes() for group in described["weightsManifest"] for path in group["paths"])
    text = json.dumps(described).replace("<", "\\u003c")
    code = pathlib.Path(library).read_text(encoding="utf-8").replace("</script", "<\\/script") if library else ""
    page = PAGE.replace("@MODEL@", text).replace("@WEIGHTS@", base64.b64encode(data).decode())
    return page.replace("@LIBRARY@", code)


page = page_of("digits")
pathlib.Path("digits.html").write_text(page)
print(f"digits.html: {len(page) / 1024:.0f} KiB with the model")


# %%
# Draw here. The page is one file, `digits.html`, which works from a disk or any web server too.
# `page_of("digits", "tf.min.js")` lets TensorFlow.js compute it.


class Shown:
    """A page inside a page."""

    def _repr_html_(self):
        style = "width: 100%; height: 26rem; border: 0"
        return f'<iframe title="Draw a digit" style="{style}" srcdoc="{html.escape(page)}"></iframe>'


Shown()
