// Sorts and filters tables, and opens a row on what refutes it; the address keeps all of that (address.js). Without
// script all of it is still there to read.
(() => {
  "use strict";
  document.documentElement.classList.add("scripted");
  const number = (text) => { const found = text.replace("≥ ", "").match(/^[-+]?\d+(\.\d+)?/); return found ? parseFloat(found[0]) : null; };
  const rowsOf = (table) => [...table.tBodies[0].rows].filter((row) => !row.classList.contains("opened"));
  const close = (table) => table.querySelectorAll("[data-opens][open]").forEach((details) => { details.open = false; });

  function sort(table, index, descending) {
    close(table);
    const key = (row) => row.cells[index].textContent.trim();
    const numeric = table.tHead.rows[0].cells[index].classList.contains("n");
    const compare = (a, b) => {
      if (!numeric) return key(a).localeCompare(key(b), "en", { numeric: true }) * (descending ? -1 : 1);
      const [x, y] = [number(key(a)), number(key(b))];
      if (x === null || y === null) return (x === null) - (y === null); // the unknown last, either way
      return (x - y) * (descending ? -1 : 1);
    };
    table.tBodies[0].append(...rowsOf(table).sort(compare));
    [...table.tHead.rows[0].cells].forEach((cell, other) => {
      if (other === index) cell.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    });
  }

  const all = (selector) => address.named([...document.querySelectorAll(selector)]);
  const details = all("details"); // named while every row is where it was written

  for (const [table, name] of all("table")) {
    if (rowsOf(table).length < 2) continue;
    [...table.tHead.rows[0].cells].forEach((cell, index) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...cell.childNodes);
      cell.append(button);
      button.addEventListener("click", () => {
        const descending = cell.getAttribute("aria-sort") === "ascending";
        sort(table, index, descending);
        address.keep("sort", name, `${index}${descending ? "d" : "a"}`);
      });
    });
    const [, index, order] = address.kept("sort", name)?.match(/^(\d+)([ad])$/) ?? [];
    if (index < table.tHead.rows[0].cells.length) sort(table, Number(index), order === "d");
  }

  for (const [form, name] of all(".filter")) {
    const table = form.parentElement.querySelector("table.filtered");
    const [words, state, said] = [form.querySelector("input"), form.querySelector("select"), form.querySelector("output")];
    const apply = () => {
      close(table);
      const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rowsOf(table)) {
        const text = row.textContent.toLowerCase();
        const its = row.className || "ranked";
        row.hidden = !(wanted.every((word) => text.includes(word)) && (!state?.value || state.value === its));
        shown += !row.hidden;
      }
      said.textContent = `${shown} of ${rowsOf(table).length} ${form.dataset.rows}`;
    };
    for (const [kind, field] of [["words", words], ["state", state]]) {
      if (!field) continue;
      field.value = address.kept(kind, name) ?? "";
      field.addEventListener("input", () => { apply(); address.keep(kind, name, field.value); });
    }
    form.hidden = false;
    apply();
  }

  for (const details of document.querySelectorAll("[data-opens]")) {
    details.addEventListener("toggle", () => {
      const row = details.closest("tr");
      if (row.nextElementSibling?.classList.contains("opened")) row.nextElementSibling.remove();
      if (!details.open) return;
      const cell = document.createElement("td");
      cell.colSpan = row.cells.length;
      const shown = document.getElementById(details.dataset.opens).cloneNode(true);
      shown.removeAttribute("id");
      cell.append(shown);
      const opened = document.createElement("tr");
      opened.className = "opened";
      opened.append(cell);
      row.after(opened);
    });
  }

  for (const [one, name] of details) {
    one.open ||= address.kept("open", name) !== null;
    one.addEventListener("toggle", () => address.keep("open", name, one.open ? "1" : ""));
  }
})();
