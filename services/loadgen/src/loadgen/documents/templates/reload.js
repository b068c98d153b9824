// The page of a run that goes on is loaded anew every few seconds; the browser keeps the place, the address the rest.
// Not while a reader writes or marks something, or looks elsewhere.
(() => {
  "use strict";
  const busy = () => document.hidden || document.activeElement?.matches("input, select, textarea") || !getSelection().isCollapsed;
  setInterval(() => { if (!busy()) location.reload(); }, 1000 * Number(document.querySelector("[data-reload-s]").dataset.reloadS));
})();
