// The text twin of the picture: a table of the same numbers, one line an item, one column an event. It is open or closed as
// the reader left it; a closed one is filled too, so that what is read aloud or searched for is there.

function twin(details, data) {
  const words = data.words;
  if (!details.firstChild) details.append(make("summary"), make("div", "scroll"));
  details.firstChild.textContent = words.table;
  const table = make("table"), head = make("tr");
  table.append(make("caption", "", words.table_says), make("thead"), make("tbody"));
  head.append(cell("th", words.items, "col"));
  for (const row of data.rows) {
    const one = cell("th", row.title, "col");
    if (row.note) one.append(make("small", "", row.note));
    head.append(one);
  }
  table.tHead.append(head);
  data.items.forEach((item, at) => {
    const line = make("tr");
    line.append(cell("th", `${item.rank} · ${item.title}`, "row"));
    data.rows.forEach((row, n) => {
      const share = data.shares[n][at], one = cell("td", share || "–");
      one.className = share.startsWith("−") ? "against" : "";
      if (data.then[n][at]) one.append(make("small", "", data.then[n][at]));
      line.append(one);
    });
    table.tBodies[0].append(line);
  });
  const scroll = details.lastChild;
  scroll.tabIndex = 0;  // what scrolls is reached by keys
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", words.table);
  scroll.replaceChildren(table);
}

function cell(tag, text, scope) {
  const one = make(tag, "", text);
  if (scope) one.scope = scope;
  return one;
}
