"""What is asked of a deck in a browser."""

# Goes through all slides and says what is not wholly on them.
WALK = """() => {
  const wrong = {};
  const total = Reveal.getTotalSlides();
  for (let number = 1; number <= total; number += 1) {
    const bad = [];
    const frame = Reveal.getCurrentSlide().querySelector(".frame");
    if (frame.scrollHeight > frame.clientHeight || frame.scrollWidth > frame.clientWidth) bad.push("frame");
    if (Reveal.getSlidePastCount() !== number - 1) bad.push("not in its turn");
    for (const part of frame.querySelectorAll("*")) {
      if (part.closest("aside, mjx-assistive-mml")) continue;
      const box = part.getBoundingClientRect();
      if (box.right > innerWidth + 1 || box.bottom > innerHeight + 1 || box.left < -1 || box.top < -1)
        bad.push(part.outerHTML.slice(0, 120));
    }
    for (const image of frame.querySelectorAll("img"))
      if (!image.naturalWidth || image.clientHeight < 150) bad.push("picture not seen");
    if (parseFloat(getComputedStyle(frame).fontSize) < 17) bad.push("too small to be read");
    if (bad.length) wrong[number] = bad;
    Reveal.next();
  }
  return wrong;
}"""
