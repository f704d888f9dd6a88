// Runs TensorFlow.js models: for each folder, predict on in0.json and in1.json into out0.json and out1.json.
const tf = require("@tensorflow/tfjs");
const fs = require("fs");
const path = require("path");

async function run(folder) {
  const read = (name) => fs.readFileSync(path.join(folder, name));
  const { modelTopology, weightsManifest, format } = JSON.parse(read("model.json"));
  const bytes = Buffer.concat(weightsManifest.flatMap((group) => group.paths.map(read)));
  const weightData = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  const weightSpecs = weightsManifest.flatMap((group) => group.weights);
  const model = await tf.loadLayersModel({ load: async () => ({ modelTopology, weightSpecs, weightData, format }) });
  for (const number of [0, 1]) {
    const inputs = JSON.parse(read(`in${number}.json`)).map(({ data, shape }) => tf.tensor(data, shape, "float32"));
    model.resetStates(); // of layers that are stateful
    const outputs = [model.predict(inputs.length === 1 ? inputs[0] : inputs)].flat();
    const results = outputs.map((tensor) => ({ shape: tensor.shape, data: Array.from(tensor.dataSync()) }));
    fs.writeFileSync(path.join(folder, `out${number}.json`), JSON.stringify(results));
  }
}

(async () => {
  await tf.setBackend("cpu");
  for (const folder of process.argv.slice(2)) await run(folder);
})();
