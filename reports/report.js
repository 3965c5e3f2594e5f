"use strict";
/* The only thing done here is to copy a command; where it is not allowed to run, no button is shown. */
(() => {
  const select = (code) => {
    const range = document.createRange();
    range.selectNodeContents(code);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    return document.execCommand("copy");
  };
  const copy = async (code) => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      return true;
    } catch {
      return select(code);
    }
  };
  const said = document.getElementById("said");
  for (const button of document.querySelectorAll("button.copy")) {
    const word = button.querySelector(".word");
    const usual = word.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const done = await copy(document.getElementById(button.dataset.copies));
      word.textContent = said.textContent = done ? button.dataset.done : button.dataset.failed;
      setTimeout(() => {
        word.textContent = usual;
        said.textContent = "";
      }, 2000);
    });
  }
})();
