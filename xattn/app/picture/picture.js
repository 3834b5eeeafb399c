// The living picture of a list. Drawn from `data` (xattn/app/picture/scene.py) alone; every text is a text node.
// One state for each place in the page: what is lit, the layer, and the elements by their keys, so that a new list
// moves what is there already. Lighting something touches classes and texts, and asks nobody.

const SVG = "http://www.w3.org/2000/svg";
const GAP = 4, PAD = 8, THIN = 1;
const states = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".xp");
  if (!root || !data) return;
  if (!states.has(root)) states.set(root, build(root));
  const state = states.get(root);
  state.send = setTriggerValue;
  state.data = data;
  state.pinned = data.open;
  state.watch.observe(root);
  const start = performance.now();
  draw(state);
  root.dataset.ms = (performance.now() - start).toFixed(1);
  return () => state.watch.disconnect();
}

function make(tag, name, text) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text !== undefined) element.textContent = text;
  return element;
}

// What stands there whatever the data is.
function build(root) {
  const part = {};
  for (const [tag, name] of [["p", "say"], ["p", "sub"], ["div", "heads"], ["div", "stage"],
    ["p", "legend"], ["div", "proof"]]) root.append(part[name] = make(tag, name));
  part.say.setAttribute("aria-live", "polite");
  part.say.setAttribute("role", "heading"); part.say.setAttribute("aria-level", "2");
  part.proof.setAttribute("role", "status");
  part.events = make("ul"); part.items = make("ol"); part.nodes = make("div", "nodes");
  part.tools = make("div", "tools"); part.done = make("span"); part.follows = make("span");
  part.heads.append(part.done, part.tools, part.follows);
  part.svg = document.createElementNS(SVG, "svg");
  part.svg.setAttribute("preserveAspectRatio", "none");
  part.svg.setAttribute("aria-hidden", "true");
  part.stage.append(part.events, part.svg, part.items, part.nodes);
  const state = { root, part, rows: new Map(), items: new Map(), paths: new Map(), gone: new Map(), layer: "whole",
    pinned: -1, under: null, width: root.clientWidth };
  part.stage.addEventListener("mouseleave", () => light(state, null));
  part.stage.addEventListener("focusout", event => {
    if (!part.stage.contains(event.relatedTarget)) light(state, null);
  });
  part.stage.addEventListener("keydown", event => { if (event.key === "Escape") light(state, null); });
  state.watch = new ResizeObserver(() => {
    const isNarrow = root.clientWidth <= 600;
    if (isNarrow !== state.isNarrow && state.data) draw(state);
  });
  state.watch.observe(root);
  return state;
}

// --- drawing ---------------------------------------------------------------------------------------------------------

function draw(state) {
  const { data, part, root } = state;
  state.isNarrow = root.clientWidth <= 600 && root.clientWidth > 0;
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", data.words.title);
  tools(state);
  part.done.replaceChildren(data.words.events, make("small", "", data.words.events_of || ""));
  part.legend.replaceChildren(...[["", "legend_for"], ["against", "legend_against"], ["base", "base"]].map(([name, word]) => {
    const one = make("span"); one.append(make("i", name), data.words[word]); return one;
  }), data.words.legend_width);
  part.proof.hidden = !data.proof;
  part.proof.className = "proof " + (data.proof && data.proof.same ? "same" : "wrong");
  part.proof.replaceChildren(...(data.proof ? [make("strong", "", data.proof.say), make("span", "all", data.proof.all)] : []));
  part.proof.style.display = data.proof ? "" : "none";
  place(state);
  list(state, part.events, state.rows, data.rows, "key", eventRow);
  list(state, part.items, state.items, data.items, "id", itemRow);
  list(state, part.items, state.gone, data.gone, "id", goneRow);
  ribbons(state);
  apply(state);
}

function tools(state) {
  const { data, part } = state, words = data.words;
  if (state.language === words.layer) return;
  state.language = words.layer;
  const set = make("fieldset");
  set.append(make("legend", "", words.layer));
  for (const layer of ["whole", "head", "feature"]) {
    const label = make("label"), input = make("input");
    input.type = "radio"; input.name = "layer"; input.value = layer; input.checked = layer === state.layer;
    input.onchange = () => { state.layer = layer; ribbons(state); apply(state); };
    label.append(input, words["layer_" + layer]); set.append(label);
  }
  part.tools.replaceChildren(set);
}

// Heights of the rows, so that the ribbons of both sides have one scale and both sides are about equally high.
function place(state) {
  const { data, part } = state, high = state.isNarrow ? 54 : 42;
  const least = state.isNarrow ? 40 : 34;
  const out = data.rows.map(() => 0), into = data.items.map(() => 0);
  for (const [row, item, amount] of data.flows) { out[row] += Math.abs(amount); into[item] += Math.abs(amount); }
  const room = Math.max(data.items.length, 6) * (high + GAP);
  const heights = scale => out.map(x => Math.max(least, x * scale + PAD));
  const sum = list => list.reduce((a, b) => a + b, 0);
  const most = (high - PAD) / Math.max(...into, 1e-12);
  let low = 0, up = most;
  for (let n = 0; n < 30; n++) {
    const middle = (low + up) / 2;
    if (sum(heights(middle)) + GAP * out.length <= Math.max(room, (least + GAP) * out.length + 60)) low = middle;
    else up = middle;
  }
  // What was clicked stays where it is: while the same rows are shown, their heights are kept, and the scale gives way.
  const keys = data.rows.map(row => row.key).join(" ") + state.isNarrow;
  if (keys !== state.keys || !data.rows.some(row => row.out)) { state.keys = keys; state.heights = heights(low); }
  state.scale = Math.min(low, most, ...out.map((x, at) => x ? (state.heights[at] - PAD / 2) / x : Infinity));
  state.rowAt = []; state.itemAt = [];
  let y = 0;
  for (const h of state.heights) { state.rowAt.push([y, h]); y += h + GAP; }
  let z = 0;
  for (const item of data.items) { state.itemAt.push([z, high]); z += high + GAP; }
  state.goneAt = data.gone.map((_, n) => z + n * (state.isNarrow ? 34 : 24));
  state.high = Math.max(y, z + data.gone.length * (state.isNarrow ? 34 : 24));
  part.stage.style.height = state.high + "px";
  part.svg.setAttribute("viewBox", `0 0 100 ${state.high}`);
  part.svg.style.height = state.high + "px";
}

// Elements by key: those that stay are moved, new ones come, others go.
function list(state, parent, held, entries, name, fill) {
  const keys = new Set(entries.map(entry => entry[name]));
  for (const [key, element] of held) if (!keys.has(key)) { element.remove(); held.delete(key); }
  entries.forEach((entry, at) => {
    let element = held.get(entry[name]);
    const isNew = !element;
    if (isNew) { element = make("li"); held.set(entry[name], element); }
    fill(state, element, entry, at);
    if (isNew) parent.append(element);
  });
  const order = entries.map(entry => held.get(entry[name]));  // the order in which they are read
  const children = [...parent.children].filter(child => order.includes(child));
  if (children.some((child, at) => child !== order[at])) {
    const focused = parent.getRootNode().activeElement;
    order.forEach(element => parent.append(element));
    if (focused && focused !== parent.getRootNode().activeElement) focused.focus({ preventScroll: true });
  }
}

function put(element, [y, h]) {
  element.style.height = h + "px";
  element.style.transform = `translateY(${y}px)`;
}

function eventRow(state, element, row, at) {
  put(element, state.rowAt[at]);
  element.classList.remove("busy");
  if (!element.firstChild) {
    const box = make(row.label ? "label" : "div", "row");
    if (row.label) {
      const input = make("input"); input.type = "checkbox";
      box.append(input);
      input.onfocus = () => light(state, { row: element.at });
    }
    box.append(make("span", "title"), make("span", "note"), make("span", "amount"));
    element.append(box);
    element.onmouseenter = () => light(state, { row: element.at });
  }
  element.at = at;
  const box = element.firstChild, input = box.querySelector("input");
  box.className = "row" + (row.label ? "" : " plain") + (row.out ? " out" : "");
  box.querySelector(".title").textContent = row.title;
  box.title = row.title;
  box.querySelector(".note").textContent = row.note;
  if (input) {
    input.checked = !row.out;
    input.setAttribute("aria-label", row.label);
    input.onchange = () => { element.classList.add("busy"); state.send("keep", { row: row.key, keep: input.checked }); };
  }
}

function itemRow(state, element, item, at) {
  put(element, state.itemAt[at]);
  if (!element.firstChild) {
    const button = make("button", "item"), what = make("span", "what"), end = make("span", "end");
    button.type = "button";
    what.append(make("span", "title"), make("span", "facts"));
    end.append(make("span", "amount"), make("span", "note"));
    button.append(make("span", "rank"), what, end);
    element.append(button);
    element.onmouseenter = () => light(state, { item: element.at });
    button.onfocus = () => light(state, { item: element.at });
  }
  element.at = at;
  const button = element.firstChild;
  button.querySelector(".rank").textContent = item.rank;
  button.querySelector(".title").textContent = item.title;
  button.querySelector(".facts").textContent = item.facts;
  button.title = item.title;
  button.onclick = () => {
    state.pinned = state.pinned === at ? -1 : at;
    state.send("choose", { item: state.pinned < 0 ? null : item.id });
    apply(state);
  };
}

function goneRow(state, element, item, at) {
  put(element, [state.goneAt[at], state.isNarrow ? 34 : 24]);
  if (!element.firstChild) { element.className = "gone"; element.append(make("span", "title"), make("span", "note")); }
  element.querySelector(".title").textContent = item.title;
  element.querySelector(".note").textContent = item.note;
}

// --- ribbons ---------------------------------------------------------------------------------------------------------

const kind = (state, row, amount) => amount < 0 ? "against" : state.data.rows[row].key === "base" ? "base" : "for";

function band(x0, y0, x1, y1, w) {
  const m = (x0 + x1) / 2;
  return `M${x0} ${y0}C${m} ${y0} ${m} ${y1} ${x1} ${y1}L${x1} ${y1 + w}C${m} ${y1 + w} ${m} ${y0 + w} ${x0} ${y0 + w}Z`;
}

// Where the next band begins at each side: bands lie below each other, the whole in the middle of its row.
function starts(state, places, totals) {
  return places.map(([y, h], at) => y + Math.max(0, (h - totals[at] * state.scale) / 2));
}

function ribbons(state) {
  const { data, part } = state;
  const wanted = state.layer === "whole" ? whole(state) : through(state, data.layers[state.layer]);
  for (const [key, path] of state.paths) if (!wanted.has(key)) { path.remove(); state.paths.delete(key); }
  for (const [key, one] of wanted) {
    let path = state.paths.get(key);
    if (!path) { path = document.createElementNS(SVG, "path"); state.paths.set(key, path); part.svg.append(path); }
    path.setAttribute("d", one.d);
    path.kind = one.kind; path.row = one.row; path.item = one.item;
  }
}

function whole(state) {
  const { data, scale } = state, wanted = new Map();
  const out = data.rows.map(() => 0), into = data.items.map(() => 0);
  for (const [row, item, amount] of data.flows) { out[row] += Math.abs(amount); into[item] += Math.abs(amount); }
  const left = starts(state, state.rowAt, out), right = starts(state, state.itemAt, into);
  const sorted = [...data.flows].sort((a, b) => (a[2] < 0) - (b[2] < 0) || a[0] - b[0] || a[1] - b[1]);
  for (const [row, item, amount] of sorted) {
    const w = Math.abs(amount) * scale;
    if (w > 0.15) wanted.set(`${data.rows[row].key} ${data.items[item].id}`,
      { d: band(0, left[row], 100, right[item], Math.max(w, THIN)), kind: kind(state, row, amount), row, item });
    left[row] += w; right[item] += w;
  }
  state.part.nodes.replaceChildren();
  return wanted;
}

// Event → head or feature → item, for what is lit alone.
function through(state, layer) {
  const { data, part, scale } = state, wanted = new Map(), lit = focus(state);
  const flows = layer.flows.filter(([row, , item]) => lit.row === undefined ? item === lit.item : row === lit.row);
  const ins = new Map(), outs = new Map();
  const add = (map, key, entry, amount) => {
    const one = map.get(key) || { ...entry, amount: 0 };
    one.amount += Math.abs(amount); map.set(key, one);
  };
  for (const [row, node, item, amount] of flows) {
    const sign = amount < 0 ? -1 : 1;
    add(ins, `${row} ${node} ${sign}`, { row, node, sign }, amount);
    add(outs, `${node} ${item} ${sign}`, { node, item, sign }, amount);
  }
  const tall = layer.nodes.map(() => 0), rows = data.rows.map(() => 0), items = data.items.map(() => 0);
  for (const one of ins.values()) { tall[one.node] += one.amount; rows[one.row] += one.amount; }
  for (const one of outs.values()) items[one.item] += one.amount;
  const step = state.high / layer.nodes.length, middle = layer.nodes.map((_, n) => (n + .5) * step);
  const left = starts(state, state.rowAt, rows), right = starts(state, state.itemAt, items);
  const entry = middle.map((y, n) => y - tall[n] * scale / 2), leave = [...entry];
  for (const [key, one] of ins) {
    const w = one.amount * scale;
    if (w > 0.15) wanted.set(`in ${key}`, { d: band(0, left[one.row], 50, entry[one.node], Math.max(w, THIN)),
      kind: one.sign < 0 ? "against" : "for", row: one.row });
    left[one.row] += w; entry[one.node] += w;
  }
  for (const [key, one] of outs) {
    const w = one.amount * scale;
    if (w > 0.15) wanted.set(`out ${key}`, { d: band(50, leave[one.node], 100, right[one.item], Math.max(w, THIN)),
      kind: one.sign < 0 ? "against" : "for", item: one.item });
    leave[one.node] += w; right[one.item] += w;
  }
  part.nodes.replaceChildren(...layer.nodes.map((name, n) => {
    const label = make("span", "", lit.item === undefined ? name : `${name} ${layer.shares[lit.item][n]}`);
    label.style.top = middle[n] + "px"; return label;
  }));
  return wanted;
}

// --- what is lit -----------------------------------------------------------------------------------------------------

function focus(state) {
  if (state.under) return state.under;
  const { data } = state;
  return { item: state.pinned >= 0 && state.pinned < data.items.length ? state.pinned : 0 };
}

function light(state, what) {
  const same = JSON.stringify(what) === JSON.stringify(state.under);
  state.under = what;
  if (same) return;
  if (state.layer !== "whole") ribbons(state);
  apply(state);
}

function apply(state) {
  const { data, part } = state, lit = focus(state), inLayer = state.layer !== "whole";
  if (!data.items.length) return;
  const item = lit.item === undefined ? null : data.items[lit.item];
  const sub = [];
  if (item) { part.say.textContent = item.say; sub.push(item.sub); }
  else if (data.proof && data.rows[lit.row].key === data.proof.row) {  // it was left out just now
    part.say.textContent = data.proof.say; sub.push(data.proof.all);
  } else { part.say.textContent = data.events[lit.row] || data.rows[lit.row].title; }
  const out = !item && data.rows[lit.row].out;
  part.follows.textContent = item || out || !data.events[lit.row] ? data.words.items : data.words.items_without;
  const odd = Object.entries(data.odd).filter(([key]) => {
    const [row, at] = key.split(" ").map(Number);
    return item ? at === lit.item : row === lit.row && at === (state.pinned < 0 ? 0 : state.pinned);
  }).slice(0, 1).map(([, text]) => text);
  if (inLayer && item) sub.splice(0, 1, data.layers[state.layer].says[lit.item]); else sub.push(...odd);
  part.sub.textContent = sub.filter(Boolean).join(" ");
  const reached = new Set(data.flows.filter(([row, at]) => item ? at === lit.item : row === lit.row)
    .map(([row, at]) => item ? row : at));
  data.rows.forEach((row, at) => {
    const element = state.rows.get(row.key), amount = element.querySelector(".amount");
    const share = item ? data.shares[at][lit.item] : "";
    element.classList.toggle("lit", item ? false : at === lit.row);
    amount.textContent = share;
    amount.className = "amount " + (share.startsWith("−") ? "against" : row.key === "base" ? "base" : "for");
  });
  data.items.forEach((one, at) => {
    const element = state.items.get(one.id), end = element.querySelector(".end");
    const share = item ? "" : data.shares[lit.row][at], amount = end.querySelector(".amount");
    element.classList.toggle("lit", item ? at === lit.item : false);
    element.firstChild.setAttribute("aria-pressed", String(at === state.pinned));
    amount.textContent = share;
    amount.className = "amount " + (share.startsWith("−") ? "against" : "for");
    end.querySelector(".note").textContent = item || out ? one.note : data.then[lit.row][at];
  });
  for (const path of state.paths.values()) {
    const isLit = inLayer || (item ? path.item === lit.item : path.row === lit.row);
    path.setAttribute("class", path.kind + (isLit ? " lit" : ""));
    if (isLit && !inLayer) part.svg.append(path);
  }
}
