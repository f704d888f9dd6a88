// The panel, the search and the keys of the page; graph.js before it draws the graph.

// The panel

function select(box) {
  selected = box.id;
  hold(box.id);
  mark();
  showBox(box);
  say(`Details of ${box.name}`);
}

function panel(title, ...parts) {
  $("panel-title").textContent = title;
  $("panel-body").replaceChildren(...parts.flat().filter(Boolean));
  $("panel").scrollTop = 0;
}

function showModel() {
  selected = null;
  mark();
  const findings = data.findings.map(findingOf);
  panel(data.title, make("p", { class: "soft" }, data.about),
    comparisonOf(), make("h3", {}, "Findings"), findings.length ? findings : make("p", {}, "None."), training,
    costsOf(boxes[0]), data.time ? make("p", { class: "soft" }, data.time) : null,
    data.saliency.flatMap(saliencyOf),
    data.answers.flatMap(({ question, text }) => [make("h3", {}, question), make("p", {}, text)]));
}

function showBox(box) {
  const tags = make("p", {}, ...[box.kind, box.frozen && "frozen", box.count && `${box.count} layers`].filter(Boolean)
    .map((text) => make("span", { class: "tag" }, text)));
  panel(box.name, tags,
    box.count ? make("button", { type: "button", onclick: () => { toggle(box); showBox(box); } },
      box.open ? "Fold" : "Unfold") : null,
    box.findings.map((number) => findingOf(data.findings[number])),
    box.pair ? besides(box) : null,
    box.shapes ? make("p", {}, make("code", {}, box.shapes)) : null,
    (box.sentences || []).map((sentence) => make("p", {}, sentence)),
    costsOf(box),
    box.sum ? [make("h3", {}, "Weights"), make("p", {}, box.sum)] : null,
    box.filters ? filtersOf(box.filters) : null,
    (box.weights || []).map(histogramOf),
    box.attention ? attentionOf(box.attention) : null,
    box.activity ? activityOf(box.activity) : null,
    (box.origin === "run" ? box.children : []).flatMap((child) => [
      make("h3", {}, child.name), ...(child.sentences || []).map((sentence) => make("p", {}, sentence))]),
    linksTo("Comes from", box.inputs.map(([id]) => boxes[id])),
    linksTo("Goes to", box.targets.map((id) => boxes[id])),
    linksTo("Inside", box.children));
}

function isUnknown(value) {
  if (value in COSTS) return !boxes[0].costs[value];
  return Boolean(APART[value]?.of) && pairs.every((pair) => pair[APART[value].of] === null);
}

function tableOf(heads, rows) {
  return make("table", {}, make("thead", {}, make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)))),
    make("tbody", {}, ...rows.map((cells) => make("tr", {}, ...cells.map((cell) => make("td", {}, cell ?? ""))))));
}

/** The layers of both models beside each other. */
function comparisonOf() {
  if (!pairs.length) return null;
  const link = (pair, side) => (pair.boxes[side] === null ? "" : linkTo(boxes[pair.boxes[side]]).firstChild);
  const rows = pairs.map((pair) => [link(pair, 0), link(pair, 1), pair.status === "same" ? "" : pair.status,
    apart(pair.weights), apart(pair.outputs)]);
  return make("div", { class: "wide" }, tableOf(["A", "B", "", "Weights apart", "Outputs apart"], rows));
}

/** How a layer differs from the one in the other model. */
function besides(box) {
  const { pair } = box;
  const other = boxes[pair.boxes[pair.boxes[0] === box.id ? 1 : 0]];
  const rows = [["Weights apart", apart(pair.weights)], ["Outputs apart", apart(pair.outputs)],
    ["Correlation of outputs", pair.correlation?.toFixed(4)]].filter(([, value]) => value);
  return make("div", { class: "beside" }, ...(other ? linksTo("In the other model", [other]) : [make("p", {}, `${pair.status} has this layer.`)]),
    pair.settings.length ? tableOf(["Argument", "A", "B"], pair.settings) : null,
    rows.length ? tableOf(["", ""], rows) : null,
    other?.weights?.length ? make("details", {}, make("summary", {}, "Weights of the other"), ...other.weights.map(histogramOf)) : null,
    other?.activity ? make("details", {}, make("summary", {}, "Outputs of the other"), ...activityOf(other.activity)) : null);
}

function costsOf(box) {
  const rows = Object.keys(COSTS).filter((cost) => box.costs[cost]).map((cost) => make("tr", {},
    make("th", { scope: "row" }, COSTS[cost].title), make("td", {}, COSTS[cost].text(box.costs[cost])),
    make("td", {}, percent(shareOf(box, cost)))));
  return rows.length ? [make("h3", {}, "What it costs"), make("table", {}, ...rows)] : null;
}

function findingOf(finding) {
  const box = finding.layer && boxes.find((one) => one.name === finding.layer && one.findings.includes(data.findings.indexOf(finding)));
  return make("div", { class: `finding ${finding.severity}` },
    make("p", {}, make("strong", {}, finding.severity), ` ${finding.code}`),
    make("p", {}, finding.message), make("p", { class: "soft" }, finding.why), make("p", {}, make("code", {}, finding.fix)),
    box && box.id !== selected ? make("ul", { class: "links" }, linkTo(box)) : null);
}

function linksTo(title, targets) {
  return targets.length ? [make("h3", {}, title), make("ul", { class: "links" }, ...targets.map(linkTo))] : null;
}

function linkTo(box) {
  const go = () => {
    show(box);
    select(box);
    $("panel-title").focus();
  };
  return make("li", {}, make("button", { type: "button", onclick: go }, box.name));
}

function histogramOf(numbers) {
  const title = `${numbers.name} ${numbers.shape}${numbers.trainable === false ? ", not trained" : ""}`;
  return make("div", {}, make("div", { class: "soft" }, title), ...bars(numbers, numbers.name));
}

function bars(numbers, name) {
  const { counts, low, high, mean, deviation, zeros } = numbers;
  const top = Math.max(...counts);
  const label = `Histogram of ${name}: ${low} to ${high}, mean ${mean}, deviation ${deviation}`;
  const image = draw("svg", { class: "histogram", role: "img", "aria-label": label, viewBox: `0 0 ${counts.length} 100`,
    preserveAspectRatio: "none" });
  counts.forEach((count, place) => {
    const height = count ? Math.max(1.5, (count / top) * 98) : 0;
    image.append(draw("rect", { x: place + 0.06, y: 100 - height, width: 0.88, height }));
  });
  const middle = `mean ${mean}, deviation ${deviation}${zeros ? `, ${(zeros * 100).toFixed(0)}% zeros` : ""}`;
  return [image, make("div", { class: "scale" }, ...[low, middle, high].map((text) => make("span", {}, String(text))))];
}

function activityOf(activity) {
  const parts = [make("h3", {}, "On this data"), ...bars(activity, "outputs")];
  if (activity.maps) {
    const [width, height, count] = activity.mapSize;
    const bytes = bytesOf(activity.maps);
    const maps = Array.from({ length: count }, (_, number) =>
      imageOf(bytes.subarray(number * width * height, (number + 1) * width * height), width, height,
        count > 1 ? `Feature map ${number + 1} of the first sample` : "Outputs of the first sample, steps from left to right"));
    for (const map of maps) map.style.width = `${count > 1 ? 86 : 380}px`;
    parts.push(make("p", { class: "soft" }, count > 1
      ? `The first sample: ${count} of ${activity.channels} feature maps` : "The first sample"), make("div", { class: "maps" }, ...maps));
  } else if (activity.bars) {
    const bytes = bytesOf(activity.bars);
    const image = imageOf(bytes, bytes.length, 1, "Outputs of the first sample");
    image.classList.add("bars");
    parts.push(make("p", { class: "soft" }, "The first sample"), image);
  }
  return parts;
}

/** Maps one after the other, each a picture of its own. */
function mapsOf({ maps, size: [width, height, count], colours = 1 }, label, pixels) {
  const bytes = bytesOf(maps), length = width * height * colours;
  return make("div", { class: "maps" }, ...Array.from({ length: count }, (_, number) => {
    const image = imageOf(bytes.subarray(number * length, (number + 1) * length), width, height, `${label} ${number + 1}`, colours);
    image.style.width = `${pixels}px`;
    return image;
  }));
}

function filtersOf(filters) {
  const of = filters.colours === 3 ? "in colour" : "the mean over the channels of the input";
  return [make("h3", {}, "Filters"), make("p", { class: "soft" }, `${filters.size[2]} of ${filters.all}, ${of}`), mapsOf(filters, "Filter", 56)];
}

function attentionOf(attention) {
  const [keys, queries, count] = attention.size;
  return [make("h3", {}, "Attention"), make("p", { class: "soft" }, `The first sample: ${count} of ${attention.all} heads; `
    + `a row for each of ${queries} queries, a column for each of ${keys} keys, yellow where it looks most`), mapsOf(attention, "Attention of head", 170)];
}

/** How much each part of the first sample adds to the output. */
function saliencyOf({ about, inputs }) {
  if (!about) return [];
  return [make("h3", {}, "Saliency"), make("p", { class: "soft" }, about), ...inputs.map((input) => {
    if (input.kind === "text") return wordsOf(input);
    const images = [input.maps && [input.maps, input.colours, "The first sample"], [input.heat, 1, "Saliency of the first sample, yellow where it counts most"]];
    return make("div", { class: "maps" }, ...images.filter(Boolean).map(([text, colours, label]) => {
      const image = imageOf(bytesOf(text), ...input.size, label, colours, input.maps && colours === 1 && label.startsWith("The"));
      image.style.width = input.kind === "picture" ? "170px" : "100%";
      return image;
    }));
  })];
}

function wordsOf({ words, scores }) {
  const most = Math.max(...scores.map(Math.abs)) || 1;
  return make("p", { class: "words" }, ...words.flatMap((word, place) => {
    const part = scores[place] / most;
    return [make("span", { style: `--part: ${Math.abs(part).toFixed(3)}`, class: part < 0 ? "against" : "for",
      title: `${part < 0 ? "against" : "for"}, ${percent(Math.abs(part))} of the strongest` }, word), " "];
  }));
}

function bytesOf(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** Bytes as colours from dark blue over green to yellow, which also differ in lightness; or as they are, red, green and
 *  blue, or shades of grey. */
function imageOf(bytes, width, height, label, colours = 1, grey = false) {
  const ramp = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
  const canvas = make("canvas", { width, height, role: "img", "aria-label": label });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let place = 0; colours === 3 && place < width * height; place++) {
    image.data.set([...bytes.subarray(3 * place, 3 * place + 3), 255], 4 * place);
  }
  if (colours === 1) bytes.forEach((byte, place) => {
    if (grey) return image.data.set([byte, byte, byte, 255], 4 * place);
    const at = (byte / 255) * 4, below = Math.min(3, Math.floor(at));
    for (let channel = 0; channel < 3; channel++) {
      image.data[4 * place + channel] = ramp[below][channel] + (ramp[below + 1][channel] - ramp[below][channel]) * (at - below);
    }
    image.data[4 * place + 3] = 255;
  });
  context.putImageData(image, 0, 0);
  return canvas;
}

function say(text) {
  $("said").textContent = text;
}

// Search

function search() {
  const words = $("search").value.trim().toLowerCase();
  found = words ? boxes.filter((box) => box.id && box.origin !== "run"
    && `${box.name} ${box.detail} ${box.kind}`.toLowerCase().includes(words)) : [];
  foundAt = -1;
  $("matches").textContent = words ? `${found.length} found` : "";
  if (found.length) show(found[0]);
  mark();
}

function nextFound(step) {
  if (!found.length) return;
  foundAt = (foundAt + step + found.length) % found.length;
  const box = found[foundAt];
  show(box);
  select(box);
  $("matches").textContent = `${foundAt + 1} of ${found.length}`;
}

// Keys and pointer

function neighbour(box, key) {
  const shown = (ids) => ids.map((id) => shownFor(boxes[id])).find((other) => other !== box && !lineage(other).includes(box));
  const leaves = (one) => (one.count ? one.children.flatMap(leaves) : [one]);
  if (key === "ArrowDown" && box.open) return box.children[0];
  if (key === "ArrowDown") return shown(leaves(box).flatMap((leaf) => leaf.targets));
  if (key === "ArrowUp") {
    return shown(leaves(box).flatMap((leaf) => leaf.inputs.map(([id]) => id))) || (box.parent ? boxes[box.parent] : null);
  }
  const row = boxes[box.parent].children.filter((other) => other.row === box.row).sort((a, b) => a.x - b.x);
  return row[row.indexOf(box) + (key === "ArrowLeft" ? -1 : 1)];
}

function onGraphKey(event) {
  const id = event.target.dataset?.id;
  if (id === undefined) return;
  const box = boxes[id];
  if (event.key.startsWith("Arrow")) {
    const next = neighbour(box, event.key);
    if (next) {
      show(next);
      elementOf(next).focus({ preventScroll: true });
    }
  } else if (event.key === "Enter") select(box);
  else if (event.key === " ") (box.count ? toggle : select)(box);
  else if (event.key === "Home") elementOf(boxes[0].children[0]).focus();
  else return;
  event.preventDefault();
}

function onKey(event) {
  const typing = event.target.tagName === "INPUT";
  if (event.key === "/" && !typing) {
    $("search").focus();
    event.preventDefault();
  } else if (event.key === "Escape") {
    if (typing && $("search").value) {
      $("search").value = "";
      search();
    } else if (held !== null) elementOf(boxes[held])?.focus();
  } else if (event.key === "Enter" && typing) nextFound(event.shiftKey ? -1 : 1);
}

function drag(event) {
  if (event.button !== 0 || event.target.closest(".box")) return;
  const canvas = $("canvas");
  const start = [canvas.scrollLeft + event.clientX, canvas.scrollTop + event.clientY];
  const move = (at) => canvas.scrollTo({ left: start[0] - at.clientX, top: start[1] - at.clientY, behavior: "instant" });
  canvas.classList.add("dragged");
  addEventListener("pointermove", move);
  addEventListener("pointerup", () => {
    removeEventListener("pointermove", move);
    canvas.classList.remove("dragged");
  }, { once: true });
}

function setTheme(dark) {
  document.documentElement.style.colorScheme = dark ? "dark" : "light";
  $("theme").textContent = dark ? "Light" : "Dark";
  $("theme").onclick = () => setTheme(!dark);
}

function start() {
  $("title").textContent = data.title;
  $("about").textContent = data.about;
  const worst = worstOf({ findings: data.findings.map((_, number) => number), children: [] });
  $("show-model").textContent = worst ? `${data.findings.length} finding${data.findings.length > 1 ? "s" : ""}` : "Model";
  $("show-model").className = worst ? worst.severity : "";
  $("show-model").onclick = showModel;
  const between = pairs.length ? Object.entries(APART) : [];
  const kinds = [["", "kinds"], ["findings", "findings"], ...[...between, ...Object.entries(COSTS)].map(([value, { title }]) => [value, title])];
  $("colour").append(...kinds.map(([value, text]) =>
    make("option", { value, disabled: isUnknown(value) }, text.toLowerCase().replace("flops", "FLOPs"))));
  $("colour").onchange = () => setColour($("colour").value);
  $("unfold").onclick = () => toggleAll(true);
  $("fold").onclick = () => toggleAll(false);
  $("larger").onclick = () => setZoom(zoom * 1.2);
  $("smaller").onclick = () => setZoom(zoom / 1.2);
  $("fit").onclick = () => fit();
  $("search").oninput = search;
  $("graph").addEventListener("keydown", onGraphKey);
  document.addEventListener("keydown", onKey);
  $("canvas").addEventListener("pointerdown", drag);
  $("canvas").addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    setZoom(zoom * (event.deltaY < 0 ? 1.1 : 1 / 1.1));
  }, { passive: false });
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  $("theme").textContent = dark ? "Light" : "Dark";
  $("theme").onclick = () => setTheme(!dark);
  if (pairs.length) setColour($("colour").value = "structure");
  else render();
  fit(0.75);
  $("canvas").scrollLeft = ($("canvas").scrollWidth - $("canvas").clientWidth) / 2;
  showModel();
}

start();
