// The explorer: draws what the package computed, and lets a reader choose, search and open items.
// Names, problems and traces are text from elsewhere: they become text nodes, never markup.
(function () {
  "use strict";

  const GOLDEN = 0.618034;
  const FAINT = 0.12;
  const PAUSE = 700; // ms after which typing in the list begins a new search
  const KEYS = ["study", "task", "model", "with", "find", "item"];

  function element(tag, properties, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(properties || {})) {
      if (name in made && !name.startsWith("aria")) made[name] = value;
      else made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  }

  // Plotly reads a small markup in its texts
  const literal = (text) =>
    String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/[\r\n]+/g, " ");
  const shown = (value) => (value === null ? "not available" : value.toLocaleString("en-GB", { maximumFractionDigits: 4 }));
  const number = (values) => values.filter((value) => value !== null && value !== undefined);
  const matches = (name, find) => name.toLowerCase().includes(find.trim().toLowerCase());
  const has = (object, key) => Object.prototype.hasOwnProperty.call(object, key);

  class Explorer {
    constructor(root, data) {
      this.root = root;
      this.data = data;
      this.typed = { text: "", at: 0 };
      this.active = -1;
      this.build();
      this.restore(true);
      window.addEventListener("hashchange", () => this.restore(false));
      new MutationObserver(() => this.draw()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
      document.addEventListener("keydown", (event) => this.escape(event));
    }

    // ---- parts of the page

    build() {
      this.selects = {};
      const chooser = (name, label) => {
        const select = element("select", { id: `explorer-${name}`, onchange: () => this.choose(name, select.value) });
        this.selects[name] = select;
        return element("div", {}, element("label", { htmlFor: select.id }, label), select);
      };
      this.search = element("input", { id: "explorer-find", type: "search", autocomplete: "off", spellcheck: false });
      this.search.addEventListener("input", () => this.choose("find", this.search.value));
      const find = element("div", {}, element("label", { htmlFor: "explorer-find" }, "Find items"), this.search);
      const controls = element("div", { className: "explorer-controls", role: "group", "aria-label": "Choose what is shown" },
        chooser("study", "Study"), chooser("task", "Task"), chooser("model", "Model"), chooser("with", "Compare with"), find);
      this.about = element("p", { className: "explorer-about" });
      this.numbers = element("div", { className: "explorer-numbers", role: "status", "aria-live": "polite" });
      this.count = element("p", { className: "explorer-count", role: "status", "aria-live": "polite" });
      this.plot = element("div", { className: "explorer-plot", role: "img" });
      this.told = element("p", { className: "explorer-told", role: "status", "aria-live": "polite" });
      this.list = element("ul", { className: "explorer-list", role: "listbox", tabIndex: 0, id: "explorer-items" });
      this.list.setAttribute("aria-label", "Items");
      this.list.addEventListener("keydown", (event) => this.key(event));
      this.list.addEventListener("focus", () => this.active < 0 && this.move(0));
      this.list.addEventListener("click", (event) => {
        const option = event.target.closest("[role=option]");
        if (option) this.open(Number(option.dataset.k));
      });
      this.detail = element("section", { className: "explorer-detail", "aria-label": "The opened item" });
      const side = element("div", { className: "explorer-side" }, this.list, this.count, this.told);
      this.root.replaceChildren(controls, this.numbers,
        element("div", { className: "explorer-main" }, this.plot, side), this.about, this.detail);
      this.root.classList.add("explorer-ready");
    }

    fill(name, entries, value) {
      const made = entries.map(([key, text]) => element("option", { value: key }, text));
      this.selects[name].replaceChildren(...made);
      this.selects[name].value = value;
    }

    // ---- what is chosen

    choose(name, value) {
      const next = { ...this.state, [name]: value };
      if (name === "study" || name === "task") next.item = "";
      if (name === "study") for (const key of ["find", "model", "with"]) delete next[key];
      this.set(next);
    }

    // A view that names what is not there becomes the nearest one that is.
    set(wanted) {
      const named = (list, name, otherwise) => list.find((one) => one.name === name) || list.find((one) => one.name === otherwise) || list[0];
      const before = this.state || {};
      this.study = named(this.data.studies, wanted.study);
      this.task = named(this.study.tasks, wanted.task);
      const cells = this.task.cells;
      const models = this.study.models.filter(([name]) => has(cells, name)).map(([name]) => name);
      const [first, second] = this.study.start;
      const model = [wanted.model, first].find((name) => models.includes(name)) || models[0];
      const kept = wanted.with === "" || models.includes(wanted.with) ? wanted.with : second;
      const other = models.includes(kept) && kept !== model ? kept : "";
      const find = wanted.find || "";
      const item = this.task.items.includes(wanted.item) && matches(wanted.item, find) ? wanted.item : "";
      this.state = { study: this.study.name, task: this.task.name, model, with: other, find, item };
      const moved = before.study !== this.state.study || before.task !== this.state.task;
      if (moved) this.active = -1;
      this.refresh(models);
    }

    refresh(models) {
      const role = Object.fromEntries(this.study.models);
      const entries = models.map((name) => [name, `${name} (${role[name]})`]);
      this.fill("study", this.data.studies.map((one) => [one.name, one.name]), this.state.study);
      this.fill("task", this.study.tasks.map((one) => [one.name, one.name]), this.state.task);
      this.fill("model", entries, this.state.model);
      this.fill("with", [["", "nothing"], ...entries.filter(([name]) => name !== this.state.model)], this.state.with);
      if (this.search.value !== this.state.find) this.search.value = this.state.find;
      this.about.textContent = `${this.study.title}. ${this.study.about}`;
      this.say();
      this.items();
      this.draw();
      this.describe();
      this.remember();
    }

    chosen() {
      return [this.state.model, this.state.with].filter((name) => name !== "");
    }

    say() {
      const lines = this.chosen().map((name) => element("p", {}, this.task.cells[name].says));
      // the same words are not announced again
      if (this.numbers.textContent !== lines.map((line) => line.textContent).join("")) this.numbers.replaceChildren(...lines);
    }

    // ---- the list of items

    items() {
      const { find } = this.state;
      const all = this.task.items.map((_, k) => k);
      this.found = all.filter((k) => matches(this.task.items[k], find));
      const option = (k) => element("li", {
        role: "option", id: `explorer-item-${k}`, "data-k": String(k), "aria-selected": String(this.task.items[k] === this.state.item),
      }, this.task.items[k]);
      this.list.replaceChildren(...this.found.map(option));
      if (!this.found.includes(this.active)) this.active = -1;
      const open = this.task.items.indexOf(this.state.item);
      if (this.active < 0 && this.found.includes(open)) this.active = open;
      this.mark();
      this.count.textContent = find.trim() ? `${this.found.length} of ${all.length} items match.` : `${all.length} items.`;
    }

    mark() {
      for (const old of this.list.querySelectorAll(".active")) old.classList.remove("active");
      const option = this.active < 0 ? null : document.getElementById(`explorer-item-${this.active}`);
      if (!option) return this.list.removeAttribute("aria-activedescendant");
      option.classList.add("active");
      this.list.setAttribute("aria-activedescendant", option.id);
      // scrollIntoView would move the page as well
      const [inner, outer] = [option.getBoundingClientRect(), this.list.getBoundingClientRect()];
      if (inner.top < outer.top) this.list.scrollTop -= outer.top - inner.top;
      else if (inner.bottom > outer.bottom) this.list.scrollTop += inner.bottom - outer.bottom;
    }

    move(place) {
      if (!this.found.length) return;
      this.active = this.found[Math.max(0, Math.min(place, this.found.length - 1))];
      this.mark();
      this.draw();
    }

    key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const here = this.found.indexOf(this.active);
      const page = 10;
      const places = { ArrowDown: here + 1, ArrowUp: here - 1, PageDown: here + page, PageUp: here - page, Home: 0, End: this.found.length };
      if (has(places, event.key)) this.move(places[event.key]);
      else if (event.key === "Enter" || (event.key === " " && !this.typing())) this.open(this.active);
      else if (event.key.length === 1) this.type(event.key);
      else return;
      event.preventDefault();
    }

    typing() {
      return this.typed.text !== "" && performance.now() - this.typed.at < PAUSE;
    }

    type(character) {
      const text = (this.typing() ? this.typed.text : "") + character.toLowerCase();
      this.typed = { text, at: performance.now() };
      const place = this.found.findIndex((k) => this.task.items[k].toLowerCase().startsWith(text));
      if (place >= 0) this.move(place);
    }

    open(k) {
      if (!has(this.task.items, k)) return;
      this.active = k;
      this.set({ ...this.state, item: this.task.items[k] });
      // arrow keys go on from here, after a click in the plot as well
      this.list.focus({ preventScroll: true });
      const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
      this.detail.querySelector("h3").scrollIntoView({ block: "nearest", behavior: still ? "instant" : "smooth" });
    }

    // The key belongs to menus, to a search that it empties, and to the rest of the page where the panel is out of sight.
    escape(event) {
      // Sphinx prevents the default of every Escape, so that says nothing here
      if (event.key !== "Escape" || this.state.item === "") return;
      const { target } = event;
      if (target.tagName === "SELECT" || (target === this.search && this.search.value !== "")) return;
      const { top, bottom } = this.detail.getBoundingClientRect();
      const loose = target === document.body && bottom > 0 && top < window.innerHeight;
      if (!loose && !this.root.contains(target)) return;
      this.active = this.task.items.indexOf(this.state.item);
      this.set({ ...this.state, item: "" });
      this.list.focus();
    }

    // ---- the plot

    // Levels and steps are whole numbers: points are spread sideways, so that they don't hide each other.
    across() {
      const { human } = this.task;
      if (this.study.timed || !human.every((value) => value === null || Number.isInteger(value))) return human;
      return human.map((value, k) => (value === null ? null : value + 0.6 * (((k * GOLDEN) % 1) - 0.5)));
    }

    look(place) {
      const role = Object.fromEntries(this.study.models);
      const [first, second] = this.chosen().map((name) => role[name]);
      return place && first === second ? this.data.second : this.data.looks[place ? second : first];
    }

    points(name, place, across) {
      const { cost } = this.task.cells[name];
      const there = this.task.items.map((_, k) => k).filter((k) => cost[k] !== null && cost[k] !== undefined && across[k] !== null);
      const inside = new Set(this.found);
      const split = [there.filter((k) => inside.has(k)), there.filter((k) => !inside.has(k))];
      return split.map((part, faint) => this.cloud(name, place, part, across, Boolean(faint)));
    }

    // Markers of the second model are hollow: they lie on top of the first one's.
    cloud(name, place, part, across, faint) {
      const [color, shape] = this.look(place);
      const symbol = place ? `${shape}-open` : shape;
      const { items, human, cells } = this.task;
      const about = literal(cells[name].says.slice(`${name}, ${this.task.name}: `.length));
      const unit = this.study.timed ? " s" : "";
      return {
        type: "scatter", mode: "markers", name: literal(name), showlegend: !faint, legendgroup: String(place),
        x: part.map((k) => across[k]), y: part.map((k) => cells[name].cost[k]), customdata: part,
        hoverinfo: faint ? "skip" : undefined,
        text: part.map((k) => `<b>${literal(items[k])}</b><br>${literal(this.study.measure)}: ${shown(human[k])}${unit}<br>` +
          `${literal(name)}: ${shown(cells[name].cost[k])}<br>${about.replace(/, (?=noise|not recorded)/g, "<br>")}`),
        hovertemplate: faint ? undefined : "%{text}<extra></extra>",
        marker: { color, symbol, size: 8, opacity: faint ? FAINT : place ? 1 : 0.75, line: { width: place ? 1.5 : 0.5, color: this.ink() } },
      };
    }

    ring(across) {
      const here = this.chosen().filter((name) => this.active >= 0 && this.task.cells[name].cost[this.active] != null);
      return {
        type: "scatter", mode: "markers", showlegend: false, hoverinfo: "skip",
        x: here.map(() => across[this.active]), y: here.map((name) => this.task.cells[name].cost[this.active]),
        marker: { symbol: "circle-open", size: 17, color: this.ink(), line: { width: 2.5 } },
      };
    }

    ink() {
      return getComputedStyle(this.root).color;
    }

    style(name, otherwise) {
      return getComputedStyle(this.root).getPropertyValue(name).trim() || otherwise;
    }

    // Plotly labels the steps between powers of ten by their first digit alone
    ticks(values) {
      const known = number(values);
      const span = known.length ? Math.log10(Math.max(...known) / Math.min(...known)) : 0;
      const steps = span > 1.3 ? [1, 2, 5] : span > 0.7 ? [1, 2, 3, 5, 7] : [1, 1.2, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9];
      const powers = [-3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7];
      const tickvals = powers.flatMap((power) => steps.map((step) => Number((step * 10 ** power).toPrecision(3))));
      return { type: "log", tickmode: "array", tickvals, ticktext: tickvals.map(shown) };
    }

    layout() {
      const grid = this.style("--pst-color-border", "#ccc");
      const axis = { gridcolor: grid, linecolor: grid, zeroline: false, automargin: true };
      const costs = this.chosen().flatMap((name) => this.task.cells[name].cost);
      const people = this.study.timed ? `${this.study.measure} (s, log scale)` : this.study.label;
      return {
        autosize: true, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", hovermode: "closest",
        dragmode: window.matchMedia("(pointer: fine)").matches ? "zoom" : false, uirevision: `${this.state.study}/${this.state.task}`,
        font: { family: getComputedStyle(this.root).fontFamily, size: 13, color: this.ink() }, margin: { l: 10, r: 10, t: 10, b: 10 },
        xaxis: { ...axis, ...(this.study.timed ? this.ticks(this.task.human) : { type: "linear" }), title: { text: literal(people) } },
        yaxis: { ...axis, ...this.ticks(costs), title: { text: `${literal(this.study.unit)} (log scale)` } },
        legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0, itemclick: false, itemdoubleclick: false },
        hoverlabel: { align: "left", bgcolor: this.style("--pst-color-surface", "#f5f5f5"), bordercolor: this.ink(), font: { color: this.ink() } },
        showlegend: true,
      };
    }

    draw() {
      const across = this.across();
      const traces = this.chosen().flatMap((name, place) => this.points(name, place, across));
      const config = { displayModeBar: false, displaylogo: false, responsive: true, typesetMath: false };
      window.Plotly.react(this.plot, [...traces, this.ring(across)], this.layout(), config);
      const what = `Scatter plot, ${this.state.study}, ${this.state.task}: ${this.study.unit} of ${this.chosen().join(" and ")}`;
      this.plot.setAttribute("aria-label", `${what} against ${this.study.measure}. The list of items holds the same points.`);
      if (this.listens) return;
      this.listens = true;
      this.plot.on("plotly_click", ({ points: [point] }) => point && this.open(point.customdata));
    }

    // ---- the opened item

    describe() {
      const k = this.task.items.indexOf(this.state.item);
      const told = k < 0 ? "" : `Opened: ${this.state.item}`;
      if (this.told.textContent !== told) this.told.textContent = told;
      if (k < 0) return this.detail.replaceChildren(element("p", {}, "Open an item to see its problem."));
      const unit = this.study.timed ? " s" : "";
      const facts = [[this.study.measure, `${shown(this.task.human[k])}${unit}`]];
      for (const name of this.chosen()) facts.push([`${name}, ${this.study.unit}`, shown(this.task.cells[name].cost[k] ?? null)]);
      const list = element("dl", {}, ...facts.flatMap(([term, value]) => [element("dt", {}, term), element("dd", {}, value)]));
      const { head, texts, tail, why } = this.task;
      const problem = texts.length ? this.text(head + texts[k] + tail, "Problem") : element("p", {}, why);
      const hint = element("p", { className: "explorer-hint" }, "Escape closes it.");
      this.detail.replaceChildren(element("h3", {}, this.state.item), hint, list, problem, ...this.traces());
    }

    text(content, label) {
      return element("pre", { tabIndex: 0, role: "region", "aria-label": label }, content);
    }

    traces() {
      const told = has(this.task.traces, this.state.item) ? this.task.traces[this.state.item] : [];
      if (!told.length) return [];
      const role = Object.fromEntries(this.study.models);
      const side = told.map(([model, text, tokens, cut, correct]) => {
        const verdict = correct === null ? "not graded" : correct ? "right" : "wrong";
        const facts = `${role[model]}, ${tokens} tokens, ${cut ? "cut at the limit" : verdict}`;
        return element("div", { className: "explorer-trace" },
          element("h4", {}, model), element("p", {}, facts), this.text(text, `Trace of ${model}`));
      });
      const note = "What these tiny models wrote, once each; a point of the plot is the mean of several such traces. " +
        "They read the item's code in place of the wording above.";
      return [element("p", {}, note), element("div", { className: "explorer-traces" }, ...side)];
    }

    // ---- the address

    remember() {
      const hash = new URLSearchParams(KEYS.filter((key) => key === "with" || this.state[key] !== "").map((key) => [key, this.state[key]]));
      if (this.restored) window.history.replaceState(null, "", `#${hash}`);
    }

    restore(first) {
      const hash = new URLSearchParams(window.location.hash.slice(1));
      // other addresses lead to a heading of the page
      const ours = hash.has("study");
      if (ours) this.set(Object.fromEntries(KEYS.filter((key) => hash.has(key)).map((key) => [key, hash.get(key)])));
      else if (first) this.set({});
      this.restored = true;
      if (ours && first) this.root.scrollIntoView({ block: "start" });
    }
  }

  function start() {
    const root = document.querySelector(".handan-explorer");
    const block = root && root.querySelector("script[type='application/json']");
    if (!block || !window.Plotly) return;
    root.explorer = new Explorer(root, JSON.parse(block.textContent));
  }

  if (document.readyState === "complete") start();
  else window.addEventListener("load", start);
})();
