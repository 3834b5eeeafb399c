// The living picture of a list. Drawn from `data` (xattn/app/picture/scene.py) alone; every text is a text node.
// One state for each place in the page: what is lit, the layer, and the elements by their keys, so that a new list
// moves what is there already. Lighting something touches classes and texts, and asks nobody.

const SVG = "http://www.w3.org/2000/svg";
const GAP = 4, PAD = 8, THIN = 1, DROPPED = 3;
const states = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".xp");
  if (!root || !data) return;
  if (!states.has(root)) states.set(root, build(root));
  const state = states.get(root);
  state.send = setTriggerValue;
  state.data = { ...data, ...(removalsOf(data) || unknown(data)) };
  state.pinned = data.open;
  state.watch.observe(root);
  document.addEventListener("xattn-removals", state.follow);
  const start = performance.now();
  draw(state);
  root.dataset.ms = (performance.now() - start).toFixed(1);
  return () => {
    state.watch.disconnect();
    document.removeEventListener("xattn-removals", state.follow);
  };
}

// What the removals do comes later, from removals.js: of this picture, or of another one that was asked for before.
function removalsOf(data) {
  const found = window.xattnRemovals;
  return found && found.stamp === data.stamp ? found : null;
}

function unknown(data) {
  return { then: data.rows.map(() => data.items.map(() => "")), odd: {}, events: data.rows.map(() => "") };
}

function follow(state) {
  const found = state.data && removalsOf(state.data);
  if (!found) return;
  state.data = { ...state.data, ...found };
  twin(state.part.twin, state.data);
  apply(state);
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
    ["div", "foot"], ["details", "twin"]]) root.append(part[name] = make(tag, name));
  part.foot.append(part.legend = make("p", "legend"), part.proof = make("div", "proof"));
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
  state.follow = () => follow(state);
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
  part.proof.className = "proof " + (data.proof && data.proof.same ? "same" : "wrong");
  part.legend.style.visibility = data.proof ? "hidden" : "";  // the proof takes its place, so nothing below moves
  part.proof.replaceChildren(...(data.proof ? [make("strong", "", data.proof.say), make("span", "all", data.proof.all)] : []));
  part.proof.style.display = data.proof ? "" : "none";
  twin(part.twin, data);
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

// Heights of the rows, so that the ribbons of both sides have one scale and both sides are about equally high. Three
// lines are kept free for items that drop out; where there are more, or one item more is shown, the items draw together.
function place(state) {
  const { data, part } = state, line = state.isNarrow ? 34 : 24, tall = state.isNarrow ? 54 : 42;
  const least = state.isNarrow ? 40 : 34;
  const out = data.rows.map(() => 0), into = data.items.map(() => 0);
  for (const [row, item, amount] of data.flows) { out[row] += Math.abs(amount); into[item] += Math.abs(amount); }
  const keys = data.rows.map(row => row.key).join(" ") + state.isNarrow, isOut = data.rows.some(row => row.out);
  const wanted = Math.max(Math.max(data.items.length, 6) * (tall + GAP) + DROPPED * line, (least + GAP) * out.length + 60);
  if (!isOut || !state.room || state.isNarrow !== state.wasNarrow) state.room = wanted;
  state.wasNarrow = state.isNarrow;
  const room = state.room;
  const high = Math.max(24, Math.min(tall, (room - data.gone.length * line) / Math.max(data.items.length, 1) - GAP));
  const heights = scale => out.map(x => Math.max(least, x * scale + PAD));
  const sum = list => list.reduce((a, b) => a + b, 0);
  const most = (high - PAD) / Math.max(...into, 1e-12);
  let low = 0, up = most;
  for (let n = 0; n < 30; n++) {
    const middle = (low + up) / 2;
    if (sum(heights(middle)) + GAP * out.length <= room) low = middle;
    else up = middle;
  }
  // What was clicked stays where it is: while the same rows are shown, their heights are kept, and the scale gives way.
  if (keys !== state.keys || !isOut) { state.keys = keys; state.heights = heights(low); }
  state.scale = Math.min(low, most, ...out.map((x, at) => x ? (state.heights[at] - PAD / 2) / x : Infinity));
  state.rowAt = []; state.itemAt = [];
  let y = 0;
  for (const h of state.heights) { state.rowAt.push([y, h]); y += h + GAP; }
  let z = 0;
  for (const item of data.items) { state.itemAt.push([z, high]); z += high + GAP; }
  state.goneAt = data.gone.map((_, n) => z + n * line);
  state.high = Math.max(room, y, z + data.gone.length * line);
  part.stage.classList.toggle("tight", high < tall - 6);
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
  let say;
  if (item) { say = item.say; sub.push(item.sub); }
  else if (data.proof && data.rows[lit.row].key === data.proof.row) {  // it was left out just now
    say = data.proof.say; sub.push(data.proof.all);
  } else { say = data.events[lit.row] || data.rows[lit.row].title; }
  if (part.say.textContent !== say) part.say.textContent = say;  // what is the same is not read aloud again
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
