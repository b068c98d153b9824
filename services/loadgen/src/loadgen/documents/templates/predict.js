// The sliders of the section "Your own load": the laws of predict_laws.js for every stack of the run.
// After the page's own script, which makes the tables that it finds filled sortable.
addEventListener("DOMContentLoaded", () => {
  "use strict";
  const panel = document.getElementById("predict-panel");
  const { stacks, start } = JSON.parse(document.getElementById("predict-data").textContent);
  const body = panel.querySelector("tbody");
  const said = panel.querySelector("output");

  // A slider's place is the logarithm of its number: from 1 to 10 is as far as from 1000 to 10 000.
  const fields = [...panel.querySelectorAll("[data-asks]")].map((box) => {
    const [slider, exact] = [box.querySelector("[type=range]"), box.querySelector("[type=number]")];
    const [least, most] = [Number(exact.min), Number(exact.max)];
    const place = (value) => 1000 * Math.log(value / least) / Math.log(most / least);
    const value = (at) => Math.round(least * (most / least) ** (at / 1000));
    const name = box.dataset.asks;
    const asked = Number(address.kept("asked", name)); // 0 where nothing was kept
    const field = { name, value: asked || start[name] };
    const set = (number) => {
      field.value = Math.min(most, Math.max(least, number));
      slider.value = place(field.value);
      slider.setAttribute("aria-valuetext", `${field.value} ${box.dataset.unit}`);
    };
    const ask = (number) => { set(number); address.keep("asked", name, `${field.value}`); show(); };
    slider.addEventListener("input", () => { ask(value(Number(slider.value))); exact.value = field.value; });
    exact.addEventListener("input", () => { if (exact.validity.valid && exact.value) ask(Math.round(Number(exact.value))); });
    set(field.value);
    exact.value = field.value;
    return field;
  });

  function range({ fewest, most }) {
    if (fewest === null) return "no load that was measured fits this delay";
    if (most === null) return `measured for ${fewest} users and more`;
    return fewest === most ? `measured for ${fewest} users` : `measured for ${fewest} to ${most} users`;
  }

  function cell(row, text, kind = "td") {
    const made = document.createElement(kind);
    if (kind === "th") made.scope = "row";
    made.textContent = text;
    row.append(made);
    return made;
  }

  function show() {
    const { users, delay_ms, cpus } = Object.fromEntries(fields.map((field) => [field.name, field.value]));
    const answers = stacks.map((stack) => [stack, predictionLaws.predict(stack, users, delay_ms / 1000, cpus)]);
    answers.sort(([, a], [, b]) => a.refused - b.refused || (a.refused ? 0 : b.rps - a.rps));
    body.replaceChildren(...answers.map(([stack, found]) => {
      const row = document.createElement("tr");
      cell(row, stack.label, "th");
      if (found.refused) {
        row.className = "unranked";
        Object.assign(cell(row, `Not predicted: ${range(found)}.`), { className: "w", colSpan: 6 });
        return row;
      }
      const memory = found.memory_mib === null ? "–" : found.memory_mib.toFixed(0);
      const figures = [found.rps.toFixed(1), found.latency_ms.toFixed(0), `${(100 * found.cpu_share).toFixed(0)} %`, found.cpu_ms_per_view.toFixed(1), memory];
      for (const figure of figures) cell(row, figure);
      cell(row, found.bound_by).className = "w";
      return row;
    }));
    const count = answers.filter(([, found]) => !found.refused).length;
    said.textContent = `${count} of ${stacks.length} predicted.` + (cpus > 1 ? ` Assumed, not measured: ${cpus} CPUs with one process each do ${cpus} times as much as one, and users spread evenly.` : "");
  }

  panel.hidden = false;
  show();
});
