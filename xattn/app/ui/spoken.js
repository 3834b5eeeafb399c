(code, table) => {
  // The page is in the language `code`; words of Streamlit's own in its controls give way to ours. Each line of `table`
  // is [where, attribute or "", what Streamlit wrote, what stands there instead]: a whole text, nothing inside of one.
  document.documentElement.lang = code;
  window.xattnSpoken?.disconnect();
  const lines = table.map(([where, what, from, to]) => [where, what, new RegExp(`^${from}$`), to]);
  const texts = (element) => {
    const walk = document.createTreeWalker(element, NodeFilter.SHOW_TEXT), found = [];
    while (walk.nextNode()) found.push(walk.currentNode);
    return found;
  };
  const say = () => {
    for (const [where, what, from, to] of lines) {
      for (const element of document.querySelectorAll(where)) {
        if (what) {
          const said = element.getAttribute(what);
          if (said && from.test(said)) element.setAttribute(what, said.replace(from, to));
        } else {
          for (const node of texts(element)) if (from.test(node.data)) node.data = node.data.replace(from, to);
        }
      }
    }
  };
  say();
  if (code === "en") return; // Streamlit writes English itself
  window.xattnSpoken = new MutationObserver(say);
  window.xattnSpoken.observe(document.body, {
    subtree: true, childList: true, characterData: true, attributes: true,
    attributeFilter: ["aria-label", "placeholder", "title"],
  });
}
