// 00_demo.html: draw pad and explorer without Python, and the sum behind a cell of C1 or C3.
// page.py puts kit.js before the other modules and wraps them, so that `lenet5`, `draw_pad` and
// `explorer` are their exports, and calls `start` with the data: texts, weights, and the traits
// that Python gives each widget.

const BELOW = { c1: "input", c3: "s2" };
const STEPS = { map: "−+", row: "↑↓", column: "←→" }; // on buttons that go to a neighbour
const SIDE = 112, POSITIVE = "#e69f00", NEGATIVE = "#56b4e9";

/** What a widget's render() needs of a model; `react(name)` is called for what the page has set,
 * `hear(message)` for what it sends. */
export function standIn(traits, react = () => {}, hear = () => {}) {
  const listeners = {}, state = { ...traits };
  const tell = event => { for (const act of listeners[event] ?? []) act(); };
  return {
    get: name => state[name],
    set(name, value) { // or several, {name: value}
      const values = typeof name === "string" ? { [name]: value } : name;
      const news = Object.keys(values).filter(key => state[key] !== values[key]);
      Object.assign(state, values);
      for (const key of news) tell(`change:${key}`);
      if (news.length) tell("change");
      for (const key of news) react(key);
    },
    on(events, act) {
      for (const event of events.split(" ")) (listeners[event] ??= new Set()).add(act);
    },
    off(events, act) {
      for (const event of events.split(" ")) listeners[event]?.delete(act);
    },
    send: hear,
    save_changes() {},
  };
}

const signed = value => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(3);
const plain = value => fixed(value, 3);

/** The draw pad's answer to a drawing. */
export function answer(lenet5, weights, levels, centre, pen) {
  const noGuess = lenet5.noGuess(levels, SIDE, pen), centred = centre && noGuess !== "empty";
  const image = centred ? lenet5.toMnistStyle(levels, SIDE) : lenet5.asDrawn(levels, SIDE);
  const steps = lenet5.activations(weights, image);
  const problem = noGuess || (steps.fc3.every(Number.isFinite) ? "" : "nan");
  const values = new Float32Array(Object.keys(lenet5.SHAPES).flatMap(name => [...steps[name]]));
  const { SHAPES: shapes, AFTER: after } = lenet5;
  return { steps, problem, fault: "", shapes, after, values: new DataView(values.buffer) };
}

/** The most probable {digit, probability} of an answer, or null. */
function guess({ softmax }, { steps, problem }) {
  if (problem) return null;
  const probabilities = softmax(steps.fc3), most = Math.max(...probabilities);
  return { digit: probabilities.indexOf(most), probability: percent(most) };
}

/** What a cell of C1 or C3 is made of: for each map below, patch, kernel and products (25 numbers
 * each) and their sum; the bias, the sum of all, and the cell's value. */
export function explain({ steps, weights, shapes }, { layer, map, row, column }) {
  const [channels, n] = shapes[BELOW[layer]], padding = layer === "c1" ? 2 : 0;
  const source = steps[BELOW[layer]], { weight, bias } = weights[layer];
  const at = (c, i, j) => (i < 0 || j < 0 || i >= n || j >= n ? 0 : source[(c * n + i) * n + j]);
  const parts = Array.from({ length: channels }, (_, c) => {
    const cells = Array.from({ length: 25 }, (_, k) => k);
    const patch = cells.map(k =>
      at(c, row - padding + Math.floor(k / 5), column - padding + k % 5));
    const kernel = cells.map(k => weight[(map * channels + c) * 25 + k]);
    const products = patch.map((value, k) => value * kernel[k]);
    return { patch, kernel, products, sum: products.reduce((a, b) => a + b) };
  });
  const total = parts.reduce((sum, part) => sum + part.sum, bias[map]);
  return { parts, bias: bias[map], total, value: Math.max(0, total), n, padding };
}

/** Numbers in thousandths, each rounded up or down, so that they add up to `whole` as they are
 * shown. */
export function addingUp(numbers, whole) {
  const exact = numbers.map(number => 1000 * number), shown = exact.map(Math.floor);
  const missing = whole - shown.reduce((a, b) => a + b);
  [...exact.keys()].sort((a, b) => exact[b] - shown[b] - exact[a] + shown[a])
    .slice(0, missing).forEach(k => { shown[k]++; });
  return shown.map(number => number / 1000);
}

/** A square table of numbers as pixels, with the window of `size` cells at (row, column) framed. */
function picture(values, n, zoom, frame) {
  const canvas = make("canvas", { width: n * zoom, height: n * zoom });
  const context = canvas.getContext("2d"), limit = Math.max(...values) || 1;
  values.forEach((value, k) => {
    context.fillStyle = `rgb(0 0 0 / ${Math.max(0, value) / limit})`;
    context.fillRect(k % n * zoom, Math.floor(k / n) * zoom, zoom, zoom);
  });
  context.strokeStyle = "#d55e00";
  context.lineWidth = Math.max(2, zoom / 3);
  const { row, column, size } = frame;
  context.strokeRect(column * zoom, row * zoom, size * zoom, size * zoom);
  return canvas;
}

/** 25 numbers as a table of 5x5, coloured by sign; they are to be seen where `written`, else there
 * for a screen reader only. */
function numbers(values, limit, label, written, caption = label) {
  const rows = Array.from({ length: 5 }, (_, i) => make("tr", {}, ...values.slice(5 * i, 5 * i + 5)
    .map(value => {
      const strength = Math.round(65 * Math.abs(value) / limit);
      const color = `color-mix(in srgb, ${value < 0 ? NEGATIVE : POSITIVE} ${strength}%, white)`;
      const look = { style: `background: ${color}`, title: plain(value) };
      return make("td", look, fixed(value, 2));
    })));
  const table = make("table", { "aria-label": label, class: written ? "lh-written" : "" }, ...rows);
  return make("figure", {}, make("figcaption", {}, caption), table);
}

/** Row and column of the largest value of a cell's map. */
function darkest(steps, { layer, map }, shapes) {
  const n = shapes[layer][1], values = steps[layer].subarray(map * n * n, (map + 1) * n * n);
  const at = values.indexOf(Math.max(...values));
  return { row: Math.floor(at / n), column: at % n };
}

/** Where a cell is, to be chosen: a select and three sliders, `inputs`, with their `outputs`, in
 * `elements`. `move(name, place)` is called by what steps and slides. */
function cellControls(texts, move) {
  const inputs = { layer: make("select", { "aria-label": texts.layer }, ...Object.keys(BELOW)
    .map(name => make("option", { value: name }, name.toUpperCase()))) };
  const outputs = {}, elements = [make("label", {}, make("span", {}, texts.layer), inputs.layer)];
  for (const [name, signs] of Object.entries(STEPS)) {
    const look = { type: "range", min: 0, "aria-label": texts[name] };
    const input = inputs[name] = make("input", look);
    outputs[name] = make("output");
    input.oninput = () => move(name, Number(input.value));
    const [back, forth] = ["−1", "+1"].map((by, k) => {
      const label = `${texts[name]} ${by}`;
      const button = make("button", { type: "button", "aria-label": label }, signs[k]);
      button.onclick = () => move(name, Number(input.value) + 2 * k - 1);
      return button;
    });
    elements.push(make("div", {}, make("label", {}, make("span", {}, texts[name]), input),
      back, outputs[name], forth));
  }
  return { inputs, outputs, elements };
}

/** What `told` says of a cell, in pictures: for each map below, its window, patch, kernel and
 * products, with their sum as in `sums`; and the cell's own map. */
function sumPictures(texts, { steps }, cell, n, told, sums) {
  const { parts } = told, alone = parts.length === 1, below = steps[BELOW[cell.layer]];
  const frame = { size: 5, row: cell.row - told.padding, column: cell.column - told.padding };
  const limit = name => Math.max(...parts.flatMap(part => part[name].map(Math.abs))) || 1;
  const source = c => {
    const name = alone ? texts.input : fill(texts.map_of, { layer: "S2", map: c });
    const values = below.subarray(c * told.n ** 2, (c + 1) * told.n ** 2);
    return make("figure", {}, make("figcaption", {}, name),
      picture(values, told.n, alone ? 5 : 6, frame));
  };
  const own = steps[cell.layer].subarray(cell.map * n * n, (cell.map + 1) * n * n);
  const map = picture(own, n, n > 20 ? 5 : 14, { row: cell.row, column: cell.column, size: 1 });
  const name = fill(texts.map_of, { layer: cell.layer.toUpperCase(), map: cell.map });
  const term = (sign, part, values, ...words) => make("div", { class: "lh-cell-term" }, sign,
    numbers(part[values], limit(values), ...words));
  const products = sum => {
    const label = fill(texts.products, { sum });
    return [label, alone, alone ? label : fill(texts.product_sum, { sum })];
  };
  map.dataset.layer = cell.layer;
  map.dataset.map = cell.map;
  return [...parts.map((part, c) => make("div", { class: "lh-cell-row" }, source(c),
    term("", part, "patch", texts.patch, alone),
    term("×", part, "kernel", texts.kernel, alone),
    term("=", part, "products", ...products(sums[c])))),
  make("figure", {}, make("figcaption", {}, name), map)];
}

/** The section that explains a cell: `show(state, problem)` draws it anew for other activations,
 * or says why there are none; `choose(cell)` for another cell; `drawn(cell)`: called each time. */
function explanation(texts, shapes, drawn) {
  const cell = { layer: "c1", map: 2, row: 0, column: 0 };
  let state = null, isChosen = false;
  const { inputs, outputs, elements } = cellControls(texts, move);
  const shown = make("div", { class: "lh-cell-body" });
  const said = make("p", { class: "lh-cell-sum" });
  const element = make("div", { class: "lh-cell-explained" },
    make("div", { class: "lh-cell-controls" }, ...elements), said,
    make("p", { class: "lh-cell-legend" }, texts.legend), shown);

  function draw() {
    const [maps, n] = shapes[cell.layer];
    const limits = { map: maps - 1, row: n - 1, column: n - 1 };
    cell.map = Math.min(cell.map, maps - 1);
    if (!isChosen && state) Object.assign(cell, darkest(state.steps, cell, shapes));
    inputs.layer.value = cell.layer;
    for (const [name, most] of Object.entries(limits)) {
      inputs[name].max = most;
      inputs[name].value = outputs[name].textContent = cell[name];
    }
    if (!state) return;
    const told = explain(state, cell), { parts } = told;
    const thousandths = number => Math.round(1000 * number);
    const sums = addingUp(parts.map(part => part.sum),
      thousandths(told.total) - thousandths(told.bias)).map(signed);
    shown.replaceChildren(...sumPictures(texts, state, cell, n, told, sums));
    said.textContent = (parts.length === 1 ? "" : fill(texts.sums_of, { n: parts.length }))
      + fill(texts.sum, { sums: sums.join(" "),
        bias: signed(told.bias), total: plain(told.total), value: plain(told.value) });
    drawn(cell);
  }
  function asked() { // a stroke changes the sum, too, but it is announced to who asks for it
    said.setAttribute("aria-live", "polite");
    draw();
  }
  function move(name, place) {
    isChosen = true;
    cell[name] = Math.max(0, Math.min(place, inputs[name].max));
    asked();
  }
  inputs.layer.oninput = () => {
    isChosen = false; // the darkest cell of that layer's map
    cell.layer = inputs.layer.value;
    asked();
  };
  draw();
  return {
    element,
    show(now, problem) {
      state = problem ? null : now;
      said.setAttribute("aria-live", "off");
      said.textContent = problem;
      element.classList.toggle("lh-nothing", Boolean(problem));
      draw();
    },
    choose(chosen) {
      isChosen = true;
      Object.assign(cell, chosen);
      asked();
    },
  };
}

/** Calls `act` with the cell of a map of C1 or C3 that is tapped in `place`. */
function onTap(place, shapes, act) {
  place.addEventListener("click", ({ target, offsetX, offsetY }) => {
    const { layer, map } = target.dataset;
    if (!(layer in BELOW)) return;
    const n = shapes[layer][1];
    const [row, column] = [offsetY / target.clientHeight, offsetX / target.clientWidth]
      .map(share => Math.max(0, Math.min(n - 1, Math.floor(share * n))));
    act({ layer, map: Number(map), row, column });
  });
}

/** Until a button of the pad is used, the first stroke begins a drawing of its own. */
function clearForFirstStroke(pad) {
  let isUntouched = true;
  pad.addEventListener("click", ({ target }) => {
    if (target.matches("button")) isUntouched = false;
  });
  pad.addEventListener("pointerdown", ({ target, button }) => {
    const isStroke = target.matches(".lh-pad-canvas") && button === 0;
    if (isUntouched && isStroke) pad.querySelector(".lh-pad-clear").click();
  }, { capture: true });
}

/** What the network sees as a table for the explorer, of two decimals as it writes them. */
function table({ input }) {
  const rounded = Array.from(input, value => Math.round(100 * value) / 100);
  return Array.from({ length: 28 }, (_, i) => rounded.slice(28 * i, 28 * i + 28));
}

/** A function that calls `act` if `place` is on the screen, else once it is. */
function whenSeen(place, act) {
  let isSeen = false, isDue = false;
  const settle = () => {
    if (!isSeen || !isDue) return;
    isDue = false;
    act();
  };
  new IntersectionObserver(changes => {
    isSeen = changes.at(-1).isIntersecting;
    settle();
  }).observe(place);
  return () => {
    isDue = true;
    settle();
  };
}

/** What makes sections: `parts` gives a heading, the way back and an introduction; `folded` is a
 * section that is closed at first where the screen is small. */
function sectionsOf(texts) {
  const parts = (name, title = texts[`${name}_title`], intro = texts[`${name}_intro`]) => [
    make("h2", { id: `${name}-title` }, title),
    make("p", {}, make("a", { href: "#title" }, texts.back)),
    make("p", {}, intro)];
  const section = (name, ...children) =>
    make("section", { "aria-labelledby": `${name}-title` }, ...children);
  const folded = (name, place) => {
    const [title, ...others] = parts(name);
    const details = make("details", {}, make("summary", {}, title), ...others, place);
    details.open = matchMedia("(min-width: 560px)").matches;
    return section(name, details);
  };
  return { parts, section, folded };
}

/** Builds the page in `root`; returns the pad's model. `modules`: what each of them exports. */
export function start(root, modules, data) {
  const { lenet5, draw_pad, explorer, let_it_learn } = modules, { texts } = data;
  const networks = { // what may read the pad
    [texts.before]: lenet5.readWeights(lenet5.decodeFloat16(data.weights)), [texts.now]: null };
  const { parts, section, folded } = sectionsOf(texts);
  const places = ["pad", "convolution", "kernels"].map(() => make("div"));
  const [padPlace, convolutionPlace, kernelsPlace] = places;
  const cells = explanation(texts, lenet5.SHAPES, ({ layer, map }) => {
    padPlace.querySelector(".lh-chosen")?.classList.remove("lh-chosen");
    padPlace.querySelector(`[data-layer=${layer}][data-map="${map}"]`)?.classList.add("lh-chosen");
  });
  const cellSection = section("cell", ...parts("cell"), cells.element);
  const learning = let_it_learn.learnSection(data.learn, modules, standIn, {
    parts,
    learned(weights) {
      networks[texts.now] = weights;
      padPlace.querySelector(".lh-pad-network").parentElement.hidden = false;
      if (pad.get("network") === texts.now) think();
    },
    visit() {
      pad.set("network", texts.now);
      padPlace.scrollIntoView({ behavior: "smooth" });
    },
    guess: weights => guess(draw_pad, answerOf(weights)),
  });
  root.replaceChildren(make("main", {},
    make("section", { class: "lh-page-draw", "aria-labelledby": "title" },
      make("h1", { id: "title" }, texts.title), make("p", {}, texts.draw_intro), padPlace),
    cellSection, learning.element,
    folded("kernels", kernelsPlace), folded("convolution", convolutionPlace)),
  make("footer", {}, make("p", {}, texts.intro), make("p", {}, texts.footer)));

  let latest = null, turn = 0;
  const kernels = standIn(data.kernels);
  const showKernels = () => kernels.set("images", { 28: table(latest) });
  const kernelsFollow = whenSeen(kernelsPlace, showKernels); // 6 ms: too much for each stroke
  const pad = standIn({ ...data.pad, _ink: new DataView(new ArrayBuffer(SIDE * SIDE)),
    _networks: Object.keys(networks), network: texts.before,
  }, name => { if (["_ink", "centre", "network"].includes(name)) think(); });
  const answerOf = weights => {
    const { buffer, byteOffset, byteLength } = pad.get("_ink");
    const levels = new Uint8Array(buffer, byteOffset, byteLength);
    return answer(lenet5, weights, levels, pad.get("centre"), pad.get("_pen"));
  };
  function think() {
    const weights = networks[pad.get("network")], { steps, ...told } = answerOf(weights);
    pad.set("_answer", { turn: ++turn, ...told });
    cells.show({ steps, weights, shapes: lenet5.SHAPES }, data.pad.texts[told.problem] ?? "");
    latest = steps;
    kernelsFollow();
    learning.readPad();
  }
  think();
  draw_pad.default.render({ model: pad, el: padPlace });
  padPlace.querySelector(".lh-pad-network").parentElement.hidden = true; // one has not learned yet
  padPlace.querySelector('[data-sample="3"]').click();
  clearForFirstStroke(padPlace);
  const padIsTapped = cell => {
    cells.choose(cell);
    cellSection.scrollIntoView({ block: "nearest", behavior: "smooth" });
  };
  onTap(padPlace, lenet5.SHAPES, padIsTapped);
  onTap(cells.element, lenet5.SHAPES, cells.choose);

  showKernels();
  explorer.default.render({ model: kernels, el: kernelsPlace });
  explorer.default.render({ model: standIn(data.explorer), el: convolutionPlace });
  root.dataset.built = "";
  return { pad };
}
