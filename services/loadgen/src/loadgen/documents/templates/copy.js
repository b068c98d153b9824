// Every table can be copied as Markdown: as it is sorted and filtered, its numbers to the right, its caption below it.
(() => {
  "use strict";
  // As loadgen's own Markdown (documents/markdown.py): a reader's words are shown as they are written.
  const line = (text) => text.trim().split(/\s+/).join(" ");
  const literal = (text) => line(text).replace(/[\\`*<|~&]|(?<=\])\(|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, "\\$&");

  function code(text) {
    const words = line(text).replaceAll("|", "\\|");
    const longest = Math.max(0, ...(words.match(/`+/g) ?? []).map((run) => run.length));
    const [fence, space] = ["`".repeat(longest + 1), longest ? " " : ""];
    return fence + space + words + space + fence;
  }

  function words(cell) {
    const shown = cell.querySelector("summary") ?? cell;
    const [only] = shown.children;
    if (only?.matches("svg")) return literal(only.getAttribute("aria-label"));
    if (only?.matches("code")) return code(only.textContent);
    if (only?.matches("a")) return `[${literal(only.textContent)}](<${only.getAttribute("href")}>)`;
    return literal(shown.textContent);
  }

  function markdown(table) {
    const heads = [...table.tHead.rows[0].cells];
    const rows = [...table.tBodies[0].rows].filter((row) => !row.hidden && !row.classList.contains("opened"));
    const lines = [heads.map(words), heads.map((head) => head.classList.contains("n") ? "---:" : "---"), ...rows.map((row) => [...row.cells].map(words))];
    const text = lines.map((cells) => `| ${cells.join(" | ")} |\n`).join("");
    const caption = table.caption ? literal(table.caption.textContent) : "";
    return caption ? `${text}\n${caption}\n` : text;
  }

  // Where the page may not write the clipboard by itself, what is selected can be copied; by hand at the worst.
  function copySelected(text, button) {
    const field = document.createElement("textarea");
    field.value = text;
    field.readOnly = true;
    field.rows = 6;
    field.setAttribute("aria-label", "The table as Markdown");
    button.after(field);
    field.select();
    if (!document.execCommand("copy")) return "Copy what is selected";
    field.remove();
    button.focus();
    return "Copied";
  }

  for (const table of document.querySelectorAll("table")) {
    const button = document.createElement("button");
    [button.type, button.className, button.textContent] = ["button", "copy", "Copy as Markdown"];
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", async () => {
      const text = markdown(table);
      button.parentElement.querySelector("textarea")?.remove();
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = "Copied";
      } catch {
        button.textContent = copySelected(text, button);
      }
      setTimeout(() => { button.textContent = "Copy as Markdown"; }, 2000);
    });
    table.parentElement.prepend(button);
  }
})();
