// Run in the document before it is printed. Waits for the formulas, makes what is wider than the
// column smaller, and returns a sentence for everything that can't be printed as it is.
async () => {
  const SMALLEST = 0.5;
  // what may be made smaller as a whole; anything else that is too wide is a fault
  const WIDE = "table, pre, div.math, img, svg";
  const problems = [];
  const describe = (element) => `<${element.tagName.toLowerCase()}> ${element.textContent.trim().slice(0, 60)}`;

  await window.MathJax?.startup?.promise;
  await document.fonts.ready;
  for (const article of document.querySelectorAll("article")) {
    const say = (what) => problems.push(`${article.id}: ${what}`);
    article.querySelectorAll("mjx-merror").forEach((error) => say(`a formula has an error: ${error.dataset.mjxError}`));
    for (const image of article.querySelectorAll("img")) {
      if (!image.complete || !image.naturalWidth) say(`a picture is missing: ${image.alt || image.src.slice(0, 80)}`);
    }
    const edge = article.getBoundingClientRect().right + 1;
    for (const element of article.querySelectorAll(WIDE)) {
      const room = edge - element.getBoundingClientRect().left;
      const width = Math.max(element.scrollWidth, element.getBoundingClientRect().width);
      if (width > room) element.style.zoom = Math.max(SMALLEST, (room - 2) / width);
    }
    for (const element of article.querySelectorAll("*")) {
      // a screen reader's copy of a formula is invisible, and wide
      if (!element.closest("mjx-assistive-mml") && element.getBoundingClientRect().right > edge + 1) {
        say(`wider than the paper: ${describe(element)}`);
        break;
      }
    }
  }
  const maths = document.querySelector(".math");
  if (maths && !document.querySelector("mjx-container")) problems.push("the formulas were not set: is there a mathjax folder in the book?");
  return problems;
}
