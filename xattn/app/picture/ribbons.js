// The ribbons between events and items: as wide as what an event gives, whole or by head or by feature.

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
