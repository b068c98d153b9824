// Sorts and filters tables, and opens a row on what refutes it. Without script all of it is still there to read.
(() => {
  "use strict";
  document.documentElement.classList.add("scripted");
  const number = (text) => { const found = text.replace("≥ ", "").match(/^[-+]?\d+(\.\d+)?/); return found ? parseFloat(found[0]) : null; };
  const rowsOf = (table) => [...table.tBodies[0].rows].filter((row) => !row.classList.contains("opened"));
  const close = (table) => table.querySelectorAll("tr.opened").forEach((row) => row.previousElementSibling.querySelector("details").open = false);

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

  for (const table of document.querySelectorAll("table")) {
    if (rowsOf(table).length < 2) continue;
    [...table.tHead.rows[0].cells].forEach((cell, index) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...cell.childNodes);
      cell.append(button);
      button.addEventListener("click", () => sort(table, index, cell.getAttribute("aria-sort") === "ascending"));
    });
  }

  for (const form of document.querySelectorAll(".filter")) {
    const table = form.parentElement.querySelector("table.filtered");
    const [words, state, said] = [form.querySelector("input"), form.querySelector("select"), form.querySelector("output")];
    const apply = () => {
      close(table);
      const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rowsOf(table)) {
        const text = row.textContent.toLowerCase();
        const its = row.className || "ranked";
        row.hidden = !(wanted.every((word) => text.includes(word)) && (!state.value || state.value === its));
        shown += !row.hidden;
      }
      said.textContent = `${shown} of ${rowsOf(table).length} trials`;
    };
    words.addEventListener("input", apply);
    state.addEventListener("change", apply);
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
})();
