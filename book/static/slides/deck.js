// Starts a deck: first the formulas are set, then whatever is taller than its slide is made smaller.
(async () => {
  "use strict";
  const SMALLEST = 0.55;
  const STEP = 0.05;

  function fits(frame) {
    const parts = [...frame.querySelectorAll(".deck-table")];
    return frame.scrollHeight <= frame.clientHeight && parts.every((part) => part.scrollWidth <= part.clientWidth);
  }

  // a formula that is too wide is made smaller by itself, the text beside it is not
  function narrow(formula) {
    const column = formula.closest(".prose");
    const share = column.clientWidth / column.scrollWidth;
    if (share < 1) formula.style.fontSize = `${Math.floor(parseFloat(getComputedStyle(formula).fontSize) * share)}px`;
  }

  function shrink(frame) {
    for (let scale = 1; scale >= SMALLEST && !fits(frame); scale -= STEP) {
      frame.style.setProperty("--scale", scale.toFixed(2));
    }
  }

  // a deck that was copied without the book has no MathJax; its formulas then show their source
  await window.MathJax?.startup?.promise;
  await document.fonts.ready;
  document.body.classList.add("measuring");
  document.querySelectorAll('.prose mjx-container[display="true"]').forEach(narrow);
  document.querySelectorAll(".frame").forEach(shrink);
  document.body.classList.remove("measuring");

  await Reveal.initialize({
    width: 1280,
    height: 720,
    margin: 0,
    center: false,
    hash: true,
    navigationMode: "linear",
    slideNumber: "c/t",
    transition: "none",
    backgroundTransition: "none",
    controlsTutorial: false,
    pdfSeparateFragments: false,
    pdfMaxPagesPerSlide: 1,
    plugins: [RevealNotes],
  });
})();
