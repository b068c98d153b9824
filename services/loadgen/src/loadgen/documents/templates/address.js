// The page's address keeps what a reader has opened, sorted, filtered and asked, behind the section: #trials?sort=…
// Whoever opens the copied address, or loads the page anew, sees the same.
const address = (() => {
  "use strict";
  const [section, kept] = split();
  const state = new URLSearchParams(kept);
  let at = section;

  function split() {
    const [, anchor, words] = location.hash.match(/^#?([^?]*)\??(.*)$/s);
    return [anchor, words];
  }

  function show() {
    const words = state.toString();
    const fragment = at + (words && `?${words}`);
    history.replaceState(history.state, "", location.href.split("#")[0] + (fragment && `#${fragment}`));
  }

  // A link to a section changes where the reader is, and nothing else; another address of this page is to be shown whole.
  addEventListener("hashchange", () => {
    const [anchor, words] = split();
    if (words && words !== state.toString()) return location.reload();
    at = anchor;
    show();
  });

  // The browser finds no section whose name has more behind it; where a page that was loaded anew stood it knows itself.
  addEventListener("load", () => {
    const again = performance.getEntriesByType("navigation")[0]?.type === "reload";
    if (kept && section && !again) document.getElementById(section)?.scrollIntoView();
  });

  const key = (kind, name) => `${kind}.${name}`;
  return {
    // What was kept of this kind under this name; null: nothing.
    kept: (kind, name) => state.get(key(kind, name)),
    // Keep it; an empty value: nothing is to be kept.
    keep(kind, name, value) {
      if (value === "") state.delete(key(kind, name)); else state.set(key(kind, name), value);
      show();
    },
    // Name each of these by the section that it is in and its number there.
    named(elements) {
      const counts = new Map();
      return elements.map((element) => {
        const section = element.closest("section")?.id ?? "";
        counts.set(section, (counts.get(section) ?? 0) + 1);
        return [element, `${section}-${counts.get(section)}`];
      });
    },
  };
})();
