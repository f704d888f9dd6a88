"use strict";
// Draws the boxes that Python has put into rows: it stacks the rows, since their heights change as boxes fold.

const data = JSON.parse(document.getElementById("data").textContent);
const boxes = data.boxes; // the id of a box is its index; boxes[0] is the model
const BOX = 46, HEAD = 30, FOOT = 16, GAP = 40, EDGE = 24; // pixels
const $ = (id) => document.getElementById(id);
const training = $("training"); // the curves that Python drew: part of the panel about the model

for (const box of boxes) {
  box.children = boxes.filter((other) => other.parent === box.id);
  box.targets = [];
}
for (const box of boxes) for (const [source] of box.inputs) boxes[source].targets.push(box.id);

let zoom = 1, selected = null, held = null, found = [], foundAt = -1;

// What boxes can be coloured by

const scaled = (units) => (value) => {
  let at = 0;
  while (value >= 1000 && at < units.length - 1) [value, at] = [value / 1000, at + 1];
  return `${at ? value.toPrecision(3) : Math.round(value)} ${units[at]}`.trim();
};
const COSTS = {
  time: { title: "Time", about: () => data.time, text: (value) => `${value.toPrecision(3)} ms` },
  memory: { title: "Memory", text: scaled(["B", "kB", "MB", "GB", "TB"]),
    about: () => "Memory in a training step of 32 samples: weights, gradients, optimizer, outputs." },
  flops: { title: "FLOPs", about: () => "Operations (FLOPs) for one sample.", text: scaled(["", "k", "M", "G", "T"]) },
  weights: { title: "Weights", about: () => "Numbers in the weights.", text: (value) => value.toLocaleString("en") },
};
// How far the two models of a comparison are apart, layer by layer
const APART = {
  structure: { title: "Structure", about: "Layers with other arguments, and layers that one model alone has" },
  apartWeights: { title: "Weights apart", of: "weights", about: "How far the weights are apart, as a part of their length" },
  apartOutputs: { title: "Outputs apart", of: "outputs", about: "How far the outputs for the same inputs are apart, as a part of their length" },
};
const pairs = data.comparison || [];
for (const pair of pairs) for (const id of pair.boxes) if (id !== null) boxes[id].pair = pair;
let colour = "";

/** The share that a box has of what its model costs. */
function shareOf(box, cost) {
  const model = (pairs.length && lineage(box)[1]) || boxes[0];
  return model.costs[cost] ? (box.costs[cost] || 0) / model.costs[cost] : 0;
}

/** The pair of a box; of a folded one the pair that is furthest apart. */
function pairOf(box, field) {
  const found = (box.open || !box.count ? [box] : [box, ...inside(box)]).map((one) => one.pair).filter(Boolean);
  return found.sort((a, b) => (field ? (b[field] || 0) - (a[field] || 0) : (b.status !== "same") - (a.status !== "same")))[0];
}

function inside(box) {
  return box.children.flatMap((child) => [child, ...inside(child)]);
}

function apart(value) {
  return value === null ? "" : value === 0 ? "equal" : value < 1e-4 ? "< 0.01%" : `${Number((100 * value).toPrecision(3))}%`;
}

function percent(share) {
  return share >= 0.1 || share === 0 ? `${Math.round(share * 100)}%` : share >= 0.001 ? `${(share * 100).toFixed(1)}%` : "< 0.1%";
}

function setColour(value) {
  colour = value;
  $("canvas").classList.toggle("heated", value !== "");
  const [cost, between] = [COSTS[value], APART[value]];
  $("legend").hidden = value === "";
  const scale = () => [make("span", {}, "0%"),
    make("span", { class: "ramp", role: "img", "aria-label": "from pale to strong" }), make("span", {}, "100%")];
  $("legend").replaceChildren(...(cost
    ? [make("span", {}, `${cost.about()} All layers: ${cost.text(boxes[0].costs[value])}.`), ...scale()]
    : between ? [make("span", {}, `${between.about}.`), ...(between.of ? scale() : [])]
    : [make("span", {}, data.findings.length ? "✖ error, ▲ warning, ● info" : "No findings.")]));
  render();
}

// Elements: text is always text, never markup.

function make(tag, settings = {}, ...children) {
  return fill(document.createElement(tag), settings, children);
}

function draw(tag, settings = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), settings, children);
}

function fill(element, settings, children) {
  for (const [name, value] of Object.entries(settings)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// Positions

function lineage(box) {
  return box.parent === null ? [box] : [...lineage(boxes[box.parent]), box];
}

function isShown(box) {
  return lineage(box).slice(0, -1).every((around) => around.open);
}

/** The innermost visible box that holds this one, or is it. */
function shownFor(box) {
  return lineage(box).find((around) => around.id && !around.open) || box;
}

/** Heights, from the inside out. */
function stack(box) {
  if (!box.open) {
    box.height = BOX;
    return;
  }
  const heights = new Array(box.rows).fill(0);
  for (const child of box.children) {
    stack(child);
    heights[child.row] = Math.max(heights[child.row], child.height);
  }
  let y = box.id ? HEAD : EDGE;
  box.begins = [];
  box.ends = [];
  heights.forEach((height, row) => {
    const isPort = height === 0 && (row === 0 || row === box.rows - 1);
    box.begins[row] = y;
    box.ends[row] = y + height;
    y += height + (isPort && row === 0 ? GAP * 0.6 : GAP);
  });
  box.height = y - GAP + (heights[box.rows - 1] ? FOOT : 0) + (box.id ? 0 : EDGE);
}

/** Positions on the drawing, from the outside in. */
function place(box, middle, top) {
  box.middle = middle;
  box.top = top;
  if (!box.open) return;
  for (const child of box.children) {
    const [begin, end] = [box.begins[child.row], box.ends[child.row]];
    const down = pairs.length && !box.id ? 0 : (end - begin - child.height) / 2; // the models of a comparison begin together
    place(child, middle + child.x, top + begin + down);
  }
}

function pathOf(box, arrow) {
  const { from, to, source, row, xs } = arrow;
  const port = (child, side) => child.middle + (child.open ? child.ports[`${side} ${source}`] ?? 0 : 0);
  const last = row + xs.length - 1;
  const start = from === null ? [box.middle + xs[0], box.top + (box.id ? HEAD : 0)]
    : [port(boxes[from], "out"), boxes[from].top + boxes[from].height];
  const end = to === null ? [box.middle + xs.at(-1), box.id ? box.top + box.height : box.top + box.begins[last]]
    : [port(boxes[to], "in"), boxes[to].top];
  // It leaves its row before it bends, so that it avoids taller boxes in that row.
  const points = [from === null ? start : [start[0], box.top + box.ends[row]]];
  for (let step = 1; step < xs.length - 1; step++) {
    const x = box.middle + xs[step];
    points.push([x, box.top + box.begins[row + step]], [x, box.top + box.ends[row + step]]);
  }
  points.push(to === null ? end : [end[0], box.top + box.begins[last]]);
  let path = `M${start}L${points[0]}`;
  for (let step = 0; step < points.length; step += 2) {
    const [[x, y], [toX, toY]] = [points[step], points[step + 1]];
    const bend = (y + toY) / 2;
    path += `${step ? `L${x},${y}` : ""}C${x},${bend} ${toX},${bend} ${toX},${toY}`;
  }
  if (end[1] - points.at(-1)[1] > 1) path += `L${end}`; // a piece of no length would turn the tip
  return { path, start };
}

// The graph

function render() {
  const focused = document.activeElement?.dataset?.id;
  stack(boxes[0]);
  place(boxes[0], 0, 0);
  const [frames, arrows, faces] = [[], [], []];
  for (const box of boxes) {
    if (box.id && isShown(box)) (box.open ? frames : faces).push(drawBox(box));
    if (box.open && isShown(box)) arrows.push(...drawArrows(box));
  }
  $("frames").replaceChildren(...frames);
  $("arrows").replaceChildren(...arrows);
  $("boxes").replaceChildren(...faces);
  const width = boxes[0].width + 2 * EDGE;
  $("graph").setAttribute("viewBox", `${-width / 2} 0 ${width} ${boxes[0].height}`);
  scale();
  if (held === null || !isShown(boxes[held])) held = boxes[0].children[0]?.id ?? null;
  hold(held);
  mark();
  if (focused) elementOf(boxes[focused])?.focus({ preventScroll: true });
}

function scale() {
  const [, , width, height] = $("graph").getAttribute("viewBox").split(" ").map(Number);
  $("graph").setAttribute("width", width * zoom);
  $("graph").setAttribute("height", height * zoom);
}

function drawBox(box) {
  const width = box.open ? box.width : box.boxWidth;
  const left = box.middle - width / 2;
  const worst = worstOf(box);
  const label = [box.name, heatOf(box, worst)[1], box.shape && `gives ${box.shape}`, box.frozen && "frozen",
    worst && `${worst.count} ${worst.severity}`].filter(Boolean).join(", ");
  const [heat, second] = heatOf(box, worst);
  const group = draw("g", {
    class: `box ${heat === null ? box.family : worst && colour === "findings" ? worst.severity : ""} ${box.open ? "frame" : ""}`,
    style: heat === null ? null : `--heat: ${heat}`, role: "button", tabindex: -1, "data-id": box.id,
    "aria-label": label, "aria-expanded": box.count ? String(box.open) : null,
    transform: `translate(${left} ${box.top})`,
    onclick: (event) => (event.target.classList.contains("sign") ? toggle(box) : select(box)),
    ondblclick: () => box.count && toggle(box),
    onfocus: () => hold(box.id),
  });
  if (box.count && !box.open) {
    group.append(draw("path", { class: "stack", d: `M6 ${BOX}v3h${width - 8}v${5 - BOX}h-4` }));
  }
  group.append(draw("rect", { class: "face", width, height: box.height, rx: 6 }));
  if (box.open) group.append(draw("path", { class: "bar", d: `M1 ${HEAD}v-23q0-6 6-6h${width - 14}q6 0 6 6v23z` }));
  else group.append(draw("path", { class: "stripe", d: `M5 0.5v${BOX - 1}q-4.5 0-4.5-6v-${BOX - 13}q0-6 4.5-6z` }));
  const textLeft = box.count ? 28 : 14;
  group.append(draw("text", { class: "name", x: textLeft, y: 19 }, shorten(box.name, 40)));
  if (!box.open) group.append(draw("text", { class: "detail", x: textLeft, y: 36 }, shorten(second, 46)));
  if (box.count) {
    group.append(draw("text", { class: "sign", x: 11, y: 19, "aria-hidden": "true" }, box.open ? "▾" : "▸"));
    group.append(draw("rect", { class: "sign hit", width: 26, height: HEAD }));
  }
  if (worst) {
    const sign = { error: "✖", warning: "▲", info: "●" }[worst.severity];
    group.append(draw("text", { class: `badge ${worst.severity}`, x: width - 8, y: 18, "text-anchor": "end" }, sign));
  } else if (box.frozen) {
    group.append(draw("text", { class: "detail", x: width - 8, y: 18, "text-anchor": "end" }, "❄"));
  }
  return group;
}

function drawArrows(box) {
  const drawn = [], labels = [], said = new Set();
  for (const arrow of box.arrows) {
    const { path, start } = pathOf(box, arrow);
    const ends = `${arrow.from ?? ""} ${arrow.to ?? ""}`.trim();
    drawn.push(draw("path", { class: "arrow", d: path, "data-ends": ends }));
    const key = `${arrow.from} ${arrow.shape}`;
    if (arrow.from !== null && !said.has(key)) {
      labels.push(draw("text", { class: "shape", x: start[0] + 7, y: start[1] + 16 }, shorten(arrow.shape, 30)));
      said.add(key);
    }
    if (arrow.to === null && !box.id) {
      const [x, y] = [box.middle + arrow.xs.at(-1), box.top + box.begins[box.rows - 1]];
      labels.push(draw("text", { class: "detail", x, y: y + 15, "text-anchor": "middle" }, "output"));
    }
  }
  return [...drawn, ...labels];
}

/** How strongly a box is coloured, from 0 to 1, null for the colour of its family; and its second line. */
function heatOf(box, worst) {
  if (colour === "") return [null, box.detail];
  if (colour === "findings") return [0, worst ? `${worst.count} ${worst.severity}${worst.count > 1 ? "s" : ""}` : box.detail];
  if (colour in APART) {
    const { of } = APART[colour], pair = pairOf(box, of);
    if (!pair) return [0, box.detail];
    return of ? [Math.sqrt(Math.min(1, pair[of] || 0)).toFixed(3), apart(pair[of]) || box.detail]
      : [pair.status === "same" ? 0 : pair.status === "changed" ? 0.6 : 1, pair.status === "same" ? box.detail : pair.status];
  }
  const share = shareOf(box, colour);
  return [Math.sqrt(share).toFixed(3), share ? `${percent(share)}, ${COSTS[colour].text(box.costs[colour])}` : box.detail];
}

/** The most severe finding of a box and, while it is folded, of those inside. */
function worstOf(box) {
  const inside = (one) => [...one.findings, ...(one.open ? [] : one.children.flatMap(inside))];
  const findings = [...new Set(inside(box))].map((number) => data.findings[number]);
  const severity = ["error", "warning", "info"].find((one) => findings.some((finding) => finding.severity === one));
  return severity && { severity, count: findings.filter((finding) => finding.severity === severity).length };
}

function shorten(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

function elementOf(box) {
  return $("graph").querySelector(`[data-id="${box.id}"]`);
}

/** One box can be reached with the tab key: the one that had the focus last. */
function hold(id) {
  for (const element of $("graph").querySelectorAll('[tabindex="0"]')) element.setAttribute("tabindex", -1);
  held = id;
  if (id !== null) elementOf(boxes[id])?.setAttribute("tabindex", 0);
}

/** Mark the selected box and the matches of the search. */
function mark() {
  const matches = new Set(found.map((box) => shownFor(box).id));
  const other = selected !== null && boxes[selected].pair?.boxes.find((id) => id !== selected && id !== null);
  const shownPair = typeof other === "number" ? shownFor(boxes[other]).id : null;
  $("canvas").classList.toggle("searching", $("search").value.trim() !== "");
  for (const element of $("graph").querySelectorAll(".box")) {
    const id = Number(element.dataset.id);
    element.classList.toggle("match", matches.has(id));
    element.classList.toggle("paired", selected !== null && id !== selected && shownPair === id);
    if (id === selected) element.setAttribute("aria-current", "true");
    else element.removeAttribute("aria-current");
  }
  for (const arrow of $("arrows").querySelectorAll(".arrow")) {
    arrow.classList.toggle("lit", selected !== null && arrow.dataset.ends.split(" ").includes(String(selected)));
  }
}

function toggle(box, open = !box.open) {
  box.open = open;
  render();
  say(`${box.name} ${open ? "unfolded" : "folded"}`);
}

function toggleAll(open) {
  for (const box of boxes.slice(1)) if (box.count) box.open = open;
  render();
  say(open ? "All unfolded" : "All folded");
}

function show(box) {
  for (const around of lineage(box).slice(0, -1)) around.open = true;
  render();
  const canvas = $("canvas");
  const [x, y] = [(box.middle + boxes[0].width / 2 + EDGE) * zoom, (box.top + box.height / 2) * zoom];
  const left = Math.max(0, (canvas.clientWidth - boxes[0].width * zoom) / 2);
  canvas.scrollTo(x + left - canvas.clientWidth / 2, y - canvas.clientHeight / 2);
}

function setZoom(value) {
  const canvas = $("canvas");
  const before = zoom;
  zoom = Math.min(2.5, Math.max(SMALLEST, value));
  const [x, y] = [canvas.scrollLeft + canvas.clientWidth / 2, canvas.scrollTop + canvas.clientHeight / 2];
  scale();
  const part = zoom / before;
  canvas.scrollTo({ left: x * part - canvas.clientWidth / 2, top: y * part - canvas.clientHeight / 2, behavior: "instant" });
}

// The zoom at which a graph of ten thousand lines is seen whole.
const SMALLEST = 0.01;

function fit(least = SMALLEST) {
  const canvas = $("canvas");
  zoom = Math.max(least, Math.min(1.2, canvas.clientWidth / (boxes[0].width + 2 * EDGE + 20),
    canvas.clientHeight / boxes[0].height));
  scale();
}
