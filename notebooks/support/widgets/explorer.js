// The page of explorer.py: sliders, formula, and three grids of cells that show what makes them.

const SLIDERS = ["n_in", "kernel_size", "stride", "padding", "dilation"];
const GRIDS = ["input", "kernel", "output"];
const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
  Home: [0, -Infinity], End: [0, Infinity] };
const POSITIVE = "#e69f00", NEGATIVE = "#56b4e9", GREY = "#888", LIT = "#009e73", FRAME = "#cc3311";
const EDGE = 2; // device pixels around a grid, for its outer lines
const TITLE = 44, SIGN = 26, SUM = 246; // px: above grids; before two, for ∗ and =; for the sum
const LARGEST = 64, READABLE = 20; // px of a cell at most; px from which it shows its number
const HEAVIEST = 1e6; // the largest weight that can be typed
const FRACTION = /^\s*([-+]?(?=\.?\d)\d*\.?\d*(?:e[-+]?\d+)?)\s*(?:\/\s*(\d+\.?\d*)\s*)?$/i;
const LETTER = 0.61, LINE = 1.3; // width of a monospaced letter, height of a line, in font sizes

/** The sizes along one axis, as ConvGeometry in sizes.py has them. */
export function geometry({ n_in, kernel_size, stride, padding, dilation }) {
  const padded = n_in + 2 * padding, span = dilation * (kernel_size - 1) + 1, free = padded - span;
  const fits = free >= 0, n_out = fits ? Math.floor(free / stride) + 1 : 0;
  const window = (i) => range(kernel_size).map((a) => i * stride + a * dilation);
  const feeds = (j) => range(n_out).filter((i) => window(i).includes(j + padding));
  return { n_out, span, padded, free, unused: fits ? free % stride : 0, fits, window, feeds };
}

/** The output (n_out, n_out) of an image (n_in, n_in) and a kernel (kernel_size, kernel_size). */
export function convolve(image, kernel, settings) {
  const { n_out, window } = geometry(settings), padded = pad(image, settings.padding);
  const windows = range(n_out).map(window);
  return windows.map((rows) => windows.map((columns) => {
    let sum = 0;
    rows.forEach((r, a) => columns.forEach((c, b) => { sum += padded[r][c] * kernel[a][b]; }));
    return sum;
  }));
}

/** A table of n x n numbers, its centre (row and column n // 2) that of `table`, new cells 0. */
function resized(table, n) {
  const shift = (n >> 1) - (table.length >> 1);
  return range(n).map((i) => range(n).map((j) => table[i - shift]?.[j - shift] ?? 0));
}

/** A number in few characters, as number_text in images.py: 3, −2, 0.13, 12.5, −4e−3. */
export function numberText(value) {
  const size = Math.abs(value), digits = size < 10 ? 2 : size < 100 ? 1 : 0;
  const text = Number.isInteger(value) && size < 1e5 ? String(value)
    : size >= 0.01 && size < 1e5 ? String(Number(value.toFixed(digits)))
    : value.toExponential(0).replace("+", "");
  return text.replaceAll("-", "−");
}

/** The weight that was typed: 0.5, 1,5, −2 or 1/9; null for what is no number or too large. */
export function weightOf(typed) {
  const signs = { "−": "-", "⁄": "/", ",": "." };
  const text = typed.normalize("NFKC").replace(/[−⁄,]/g, (sign) => signs[sign]);
  const [, above, below = 1] = text.match(FRACTION) ?? [], weight = above / below;
  return Math.abs(weight) <= HEAVIEST ? weight : null;
}

const range = (n) => Array.from({ length: n }, (_, i) => i);
const cross = (rows, columns) => rows.flatMap((i) => columns.map((j) => [i, j]));
const extreme = (of, table) => of(...table.map((row) => of(...row)));
const largest = (table) => Math.max(extreme(Math.max, table), -extreme(Math.min, table)) || 1;
const longest = (texts) => Math.max(...texts.map((text) => text.length));
const put = (element, text) => element.textContent === text || element.replaceChildren(text);
const pad = (image, padding) => resized(image, image.length + 2 * padding);

/** A sum of products: a line for each row of the kernel, in columns, and one for the result. */
function productLines(window, kernel, value) {
  const xs = window.map((row) => row.map(numberText));
  const ws = kernel.map((row) => row.map((w) => `×${numberText(w)}`.replace(/−.*/, "($&)")));
  const wideX = longest(xs.flat()), wideW = longest(ws.flat());
  const lines = xs.map((row, a) => (a ? "+ " : "  ")
    + row.map((x, b) => x.padStart(wideX) + ws[a][b].padEnd(wideW)).join(" + "));
  const exact = [...window, ...kernel].flat().every(Number.isInteger); // others are shown rounded
  return [...lines, `${exact ? "=" : "≈"} ${numberText(value)}`];
}

function sizeText({ n_in, kernel_size: k, stride, padding, dilation: d }, { free, unused }) {
  const [left, right] = unused ? "⌊⌋" : ["", ""], taken = d === 1 ? k : `${d}×(${k} − 1) − 1`;
  return `n_out = ${left}(${n_in} + 2×${padding} − ${taken}) / ${stride}${right} + 1`
    + ` = ${left}${free} / ${stride}${right} + 1 =`;
}

const layerText = ({ kernel_size, stride, padding, dilation }) => "nn.Conv2d(1, 1, kernel_size="
  + `${kernel_size}, stride=${stride}, padding=${padding}, dilation=${dilation}, bias=False)`;

/** Colour and opacity of a table's numbers: orange, or blue below 0; grey inputs; black pixels. */
function tintOf(table, isPicture, isInput) {
  const limit = largest(table), hasSigns = extreme(Math.min, table) < 0;
  return (value) => {
    const share = Math.abs(value) / limit, sign = value > 0 ? POSITIVE : NEGATIVE;
    if (isPicture) return [hasSigns ? sign : "#000", share];
    if (isInput) return [GREY, 0.5 * share];
    return value ? [sign, 0.15 + 0.5 * share] : [GREY, 0.08];
  };
}

function hatching(context) {
  const tile = Object.assign(document.createElement("canvas"), { width: 8, height: 8 });
  const lines = Object.assign(tile.getContext("2d"), { strokeStyle: GREY, lineWidth: 2 });
  lines.stroke(new Path2D("M-2 2 2 -2M0 8 8 0M6 10 10 6"));
  return context.createPattern(tile, "repeat");
}

/** Draws a table in cells of `cell` device pixels, `scale` to a px. `unread`: rows and columns
 * that no window reaches; `lit`: cells [row, column]; `frame`: [row, column, cells]. */
function paint(canvas, table, cell, scale, style,
  { tint, lit = [], unread = [], padding = 0, frame, isPicture = false }) {
  const n = table.length, at = (i) => EDGE + Math.round(i * cell), side = at(n) + EDGE;
  if (canvas.width !== side) canvas.width = canvas.height = side;
  canvas.style.width = canvas.style.height = `${side / scale}px`;
  const context = canvas.getContext("2d");
  const box = (i, j, rows, columns) =>
    [at(j), at(i), at(j + columns) - at(j), at(i + rows) - at(i)];
  const fill = ([fillStyle, globalAlpha], ...place) =>
    Object.assign(context, { fillStyle, globalAlpha }).fillRect(...box(...place));
  const lines = (first, last, step, isDashed) => {
    const from = at(first), to = at(last), count = (last - first) / step + 1;
    const places = range(count).map((i) => at(first + i * step) - 0.5);
    const paths = places.map((place) => `M${from} ${place}H${to}M${place} ${from}V${to}`);
    context.setLineDash(isDashed ? [3 * scale, 3 * scale] : []);
    context.stroke(new Path2D(paths.join("")));
  };

  context.clearRect(0, 0, side, side);
  if (isPicture) fill(["#fff", 1], 0, 0, n, n);
  table.forEach((row, i) => row.forEach((value, j) => fill(tint(value, i, j), i, j, 1, 1)));
  for (const [i, j] of lit) fill([LIT, 0.5], i, j, 1, 1);
  const hatch = unread.length && [hatching(context), 1];
  for (const i of unread) fill(hatch, i, 0, 1, n), fill(hatch, 0, i, n, 1);
  Object.assign(context, { globalAlpha: 1, lineWidth: 1, strokeStyle: style.outlineColor });
  if (isPicture) lines(0, n, n, false);
  if (padding) lines(...(isPicture ? [padding, n - padding, n - 2 * padding] : [0, n, 1]), true);
  if (!isPicture) lines(padding, n - padding, 1, false);
  context.setLineDash([]);

  const texts = isPicture ? [[""]] : table.map((row) => row.map(numberText));
  const size = Math.min(24 * scale, cell * 0.48, cell / longest(texts.flat()) / 0.66);
  Object.assign(context, { font: `${size}px ${style.fontFamily}`, textAlign: "center",
    fillStyle: style.color, strokeStyle: style.backgroundColor, lineWidth: 4 * scale });
  const isReadable = cell >= READABLE * scale && size >= 8 * scale;
  if (isReadable) texts.forEach((row, i) => row.forEach((text, j) => {
    const place = [at(j) + cell / 2, at(i) + cell / 2 + size * 0.36];
    if (unread.includes(i) || unread.includes(j)) context.strokeText(text, ...place);
    context.fillText(text, ...place);
  }));
  Object.assign(context, { lineWidth: 2.5 * scale, strokeStyle: isPicture ? FRAME : style.color });
  if (frame) context.strokeRect(...box(frame[0], frame[1], frame[2], frame[2]));
}

/** Each grid's cells in px, and the room [width, height] for a sum of such `lines`. */
function arrange(isNarrow, isPicture, { padded, n_out: n }, k, lines, width, height) {
  const weight = Math.max(READABLE, Math.min(40, 150 / k)), across = width - 2 * SIGN - 12;
  const [fixed, weights] = isPicture ? [k * weight, 0] : [0, k], tallest = Math.max(weights, n);
  const room = height - TITLE * (isNarrow ? 2 + isPicture : 1) - 8;
  const title = isPicture ? 130 : 80; // px of the output's title, for a small output
  const cell = Math.max(1, Math.min(isPicture ? Infinity : LARGEST, ...(isNarrow
    ? [(width - 4) / padded, across / (weights + n), (across - title) / weights,
      (room - SUM - fixed) / (padded + tallest)]
    : [(across - fixed) / (padded + weights + n), (across - fixed - title) / (padded + weights),
      room / padded, (room - 18 * lines.length - 16) / tallest,
      Math.max(READABLE, (across - 13 * LETTER * longest(lines)) / padded)])));
  const sum = isNarrow ? [width, SUM - 8]
    : [width - padded * cell - 2 * SIGN, room - Math.max(fixed, tallest * cell) - 12];
  return { input: cell, kernel: isPicture ? weight : cell, output: cell, sum };
}

function render({ model, el }) {
  const texts = model.get("texts"), choices = model.get("choices");
  const say = (key, values) => texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const isPicture = choices.n_in.length === 1, hint = isPicture ? "hint_picture" : "hint";
  const id = `lh-${Math.random().toString(36).slice(2)}`; // another for each view
  const keys = 'data-lm-suppress-shortcuts="true"'; // typing here is no command to JupyterLab
  const named = (name) => `<span>${texts[name] ?? name}</span>`;
  const formulaParts = '<div class="lh-size"><span></span> <b></b></div><span></span><code></code>';
  const most = Object.fromEntries(SLIDERS.map((name) => [name, choices[name].at(-1)]));

  el.insertAdjacentHTML("beforeend", `<div class="lh-explorer ${isPicture ? "lh-picture" : ""}"
    role="group" aria-label="${say("title")}" style="--lh-title: ${TITLE}px; --lh-sign: ${SIGN}px">
  <div class="lh-controls">${SLIDERS.filter((name) => choices[name].length > 1).map((name) => `
    <label>${named(name)}<input type="range" name="${name}" min="${choices[name][0]}"
      max="${most[name]}" ${keys}><output></output></label>`).join("")}
    <label>${named("preset")}<select name="preset" ${keys}>${choices.preset.map((name) =>
      `<option value="${name}">${say(`preset_${name}`)}</option>`).join("")}</select></label>
    <button type="button" ${keys}></button></div>
  <div class="lh-formula"><div>${formulaParts}</div>
    <div aria-hidden="true">${formulaParts}</div></div>
  <div class="lh-board">${GRIDS.map((name) => `<figure class="lh-${name}"><figcaption></figcaption>
      <canvas role="grid" tabindex="0" data-grid="${name}" aria-activedescendant="${id}-${name}"
        aria-describedby="${id}-hint" ${keys}><div role="row">
        <div role="gridcell" id="${id}-${name}"></div></div></canvas></figure>`).join("")}
    <div class="lh-sum"></div><div class="lh-message"></div></div>
  <div class="lh-notice" role="status"></div><div id="${id}-hint" class="lh-hint">
    <span>${say(hint)}</span><span>${say(`${hint}_touch`)}</span></div>
  <div class="lh-gone" role="status"></div><div class="lh-live" aria-live="polite"></div></div>`);
  const root = el.lastElementChild;
  const [controls, formula, board, notice, , gone, live] = root.children;
  const [sum, message] = [...board.children].slice(GRIDS.length);
  const chosen = controls.querySelectorAll("[name]"), play = controls.lastElementChild, grids = {};
  for (const name of GRIDS) {
    const [title, canvas] = board.querySelector(`.lh-${name}`).children;
    const cell = canvas.querySelector("[id]"), cursor = { name, i: 0, j: 0 };
    grids[name] = { title, canvas, cell, size: 1, cursor };
  }

  // the settings, and what follows from them
  let state = compute(), isStale = true, frame = 0;

  function compute() {
    const kernel = model.get("kernel");
    const settings = Object.fromEntries(SLIDERS.map((name) => [name, model.get(name)]));
    settings.kernel_size = kernel.length; // Python's changes come one after another
    const image = model.get("images")[settings.n_in], g = geometry(settings);
    const read = new Set(range(g.n_out).flatMap(g.window));
    return { settings, g, kernel, unread: range(g.padded).filter((i) => !read.has(i)),
      input: pad(image, settings.padding), output: convolve(image, kernel, settings) };
  }

  function set(values) {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    if (!gone.textContent) model.save_changes();
  }

  function choose(name, value) {
    const now = (trait) => (trait === name ? value : model.get(trait));
    const k = now("kernel_size"), made = model.get("kernels")[now("preset")]; // none are one's own
    set({ [name]: value, kernel: made ? made[k] : resized(model.get("kernel"), k) });
  }

  function edit({ i, j }) {
    const { canvas, size } = grids.kernel;
    const [left, top] = [canvas.offsetLeft + (j + 0.5) * size, canvas.offsetTop + (i + 0.5) * size];
    canvas.insertAdjacentHTML("afterend", `<input autocomplete="off" enterkeyhint="done" ${keys}
      style="left: ${left}px; top: ${top}px" aria-label="${say("edit", { i, j })}">`);
    const box = canvas.nextSibling, close = (keep) => {
      const kernel = structuredClone(model.get("kernel")), weight = weightOf(box.value);
      box.onblur = null; // removing it would be one
      box.remove();
      if (!keep || kernel[i]?.[j] === undefined) return;
      const values = { typed: box.value, value: numberText(kernel[i][j]) };
      put(notice, weight === null ? say("unreadable", values) : "");
      kernel[i][j] = weight;
      if (weight !== null) set({ preset: "own", kernel });
    };
    box.onblur = () => close(true);
    box.onkeydown = (event) => {
      event.stopPropagation();
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault();
      close(event.key === "Enter");
      canvas.focus();
    };
    box.value = state.kernel[i][j];
    box.select();
  }

  // the cell that is shown: where the pointer is, else the focus, else the pin, else Play
  let pointed = null, pinned = null, step = 0, timer = 0;
  const isThere = (cell) => cell && state[cell.name][cell.i]?.[cell.j] !== undefined;

  function moved({ name, i, j }, [down, right] = [0, 0]) {
    const inside = (at) => Math.max(0, Math.min(at, state[name].length - 1));
    return { name, i: inside(i + down), j: inside(j + right) };
  }

  function shown() {
    const n = state.g.n_out, at = step % n ** 2;
    const played = { name: "output", i: Math.floor(at / n), j: at % n };
    const focused = grids[board.querySelector("canvas:focus")?.dataset.grid];
    return [pointed, focused && moved(focused.cursor), pinned].find(isThere) ?? played;
  }

  /** What is said of a cell: of an output its sum in lines, of others a sentence. */
  function said({ name, i, j }) {
    const { g, input, kernel, output, settings: { padding } } = state;
    if (name === "kernel") return [say(isPicture ? "uses_picture" : "uses", { n: g.n_out ** 2 })];
    const window = () => g.window(i).map((r) => g.window(j).map((c) => input[r][c]));
    if (name === "output") return productLines(window(), kernel, output[i][j]);
    const n = g.feeds(i - padding).length * g.feeds(j - padding).length;
    return [say(n ? "feeds" : "feeds_none", { n })];
  }

  function labelOf(cell) {
    const { name } = cell, { padding, n_in } = state.settings;
    const [i, j] = [cell.i, cell.j].map((at) => (name === "input" ? at - padding : at));
    const isPadding = name === "input" && [i, j].some((at) => at < 0 || at >= n_in);
    const value = numberText(state[name][cell.i][cell.j]);
    return say(`${isPadding ? "padding" : name}_cell`, { i, j, value, said: said(cell)[0] });
  }

  /** How the grids look when a cell is shown. */
  function looksOf({ name, i, j }) {
    const { g, settings: { stride, padding, dilation }, input, kernel, output, unread } = state;
    const inputTint = tintOf(input, isPicture, true), weightTint = tintOf(kernel, false, false);
    const looks = { input: { tint: inputTint, padding, unread, isPicture },
      kernel: { tint: weightTint }, output: { tint: tintOf(output, isPicture, false), isPicture } };
    looks[name].frame = [i, j, 1];
    if (name === "input") looks.output.lit = cross(g.feeds(i - padding), g.feeds(j - padding));
    else if (name === "kernel") {
      const met = (at) => range(g.n_out).map((out) => out * stride + at * dilation);
      if (isPicture) looks.input.frame = [met(i)[0], met(j)[0], (g.n_out - 1) * stride + 1];
      else looks.input.lit = cross(met(i), met(j));
    } else {
      const rows = g.window(i), columns = g.window(j);
      looks.input.frame = [rows[0], columns[0], g.span];
      if (!isPicture) looks.input.tint = (value, r, c) => { // of the weight that it meets
        const weight = kernel[rows.indexOf(r)]?.[columns.indexOf(c)];
        return weight === undefined ? inputTint(value) : weightTint(weight);
      };
    }
    return looks;
  }

  const schedule = () => { frame ||= requestAnimationFrame(draw); }; // once a frame
  function draw() {
    frame = 0;
    const [width, height] = [board.clientWidth, board.clientHeight];
    if (!width) return; // hidden: the observer calls when it is not
    if (isStale) write();
    put(play, say(timer ? "pause" : "play"));
    const { g, kernel } = state, style = getComputedStyle(board), scale = window.devicePixelRatio;
    if (!g.fits) return;
    const cell = shown(), looks = looksOf(cell), first = said({ name: "output", i: 0, j: 0 });
    const isNarrow = style.getPropertyValue("--lh-narrow").trim() === "1";
    const sizes = arrange(isNarrow, isPicture, g, kernel.length, first, width, height);
    for (const name of GRIDS) {
      const grid = grids[name], { isPicture } = looks[name], at = moved(grid.cursor);
      const pixels = isPicture ? sizes[name] * scale : Math.floor(sizes[name] * scale);
      grid.size = pixels / scale;
      paint(grid.canvas, state[name], pixels, scale, style, looks[name]);
      Object.assign(grid.cell,
        { ariaLabel: labelOf(at), ariaRowIndex: at.i + 1, ariaColIndex: at.j + 1 });
    }
    board.style.setProperty("--lh-middle", `${TITLE + kernel.length * grids.kernel.size / 2}px`);
    writeSum(said(cell), cell.name === "output", ...sizes.sum);
  }

  function writeFormula(parts, settings, g) {
    const key = g.unused ? "remainder" : "no_remainder";
    const remainder = say(key, { ...settings, ...g, quotient: g.n_out - 1 });
    const lines = [sizeText(settings, g), `${g.n_out}`, remainder, layerText(settings)];
    parts.querySelectorAll("span, b, code").forEach((part, i) => put(part, lines[i]));
  }

  function write() {
    const before = state.settings.padding;
    state = compute();
    isStale = false;
    const { settings, g, output } = state, by = settings.padding - before;
    const strongest = output.flat().map(Math.abs).indexOf(largest(output));
    step = isPicture ? Math.max(0, strongest) : 0; // a picture's corner is empty
    for (const cell of new Set([pinned, grids.input.cursor])) { // the same input, further in
      if (cell?.name === "input") cell.i += by, cell.j += by;
    }
    for (const control of chosen) {
      control.value = model.get(control.name);
      if (control.nextElementSibling) put(control.nextElementSibling, control.value);
    }
    root.classList.toggle("lh-misfit", !g.fits);
    const reducible = ["kernel_size", "dilation"].filter((name) => settings[name] > 1)
      .map((name) => `${name} (${settings[name]})`).join(" / ");
    put(message, g.fits ? "" : say("does_not_fit", { ...settings, ...g, reducible }));
    put(live, message.textContent);
    if (!g.fits) return;
    writeFormula(formula.firstElementChild, settings, g);
    const [low, high] = [Math.min, Math.max].map((of) => numberText(extreme(of, output)));
    const titles = [settings.padding ? "padded_input" : "input", "kernel",
      isPicture ? "feature_map" : "output"];
    GRIDS.forEach((name, index) => {
      const { title, canvas } = grids[name], n = state[name].length;
      put(title, say(titles[index], { ...settings, ...g, low, high }));
      Object.assign(canvas, { ariaLabel: title.textContent, ariaRowCount: n, ariaColCount: n });
    });
    if (root.matches(":focus-within")) put(live, grids.output.title.textContent);
  }

  function writeSum(lines, isSum, width, height) {
    const size = Math.min(20, width / longest(lines) / LETTER, height / lines.length / LINE);
    const isWrapped = isSum && size < 12, letters = width / 12 / LETTER;
    const needed = lines.reduce((total, line) => total + Math.ceil(line.length / letters), 0);
    if (isWrapped && needed * 12 * LINE > height) lines = [lines[0], "+ …", lines.at(-1)];
    sum.className = `lh-sum ${!isSum ? "lh-sentence" : isWrapped ? "lh-wrapped" : ""}`;
    sum.style.fontSize = isSum ? `${Math.max(12, size)}px` : "";
    put(sum, lines.join("\n"));
  }

  // pointing, pinning, walking
  function cellAt({ target, offsetX, offsetY }) {
    const { grid: name } = target.dataset, edge = EDGE / window.devicePixelRatio;
    const [i, j] = [offsetY, offsetX].map((at) => Math.floor((at - edge) / grids[name]?.size));
    return name && isThere({ name, i, j }) ? { name, i, j } : null;
  }

  const point = (cell) => { pointed = cell; schedule(); };
  const release = (canvas) => { pinned = null; canvas.blur(); point(null); };

  function hold(cell, isPin) {
    grids[cell.name].cursor = cell;
    if (isPin || pinned) pinned = cell;
    put(live, labelOf(cell));
    point(null);
  }

  board.onpointermove = (event) => event.pointerType === "touch" || point(cellAt(event));
  board.addEventListener("pointerleave", () => point(null));
  board.addEventListener("click", (event) => {
    const cell = cellAt(event);
    if (!cell) return;
    if (["name", "i", "j"].some((key) => cell[key] !== pinned?.[key])) hold(cell, true);
    else if (cell.name === "kernel") edit(cell);
    else release(event.target);
  });
  board.addEventListener("keydown", (event) => {
    const { key, target } = event, grid = grids[target.dataset.grid];
    if (!grid || !state.g.fits || event.ctrlKey || event.altKey || event.metaKey) return;
    const cell = moved(grid.cursor, MOVES[key]), isWeight = cell.name === "kernel";
    const isTyped = isWeight && /^[-.\d]$/.test(key); // the key goes on into the box
    if (MOVES[key]) hold(cell, false);
    else if (key === "Escape") release(target);
    else if (isTyped || (isWeight && (key === "Enter" || key === "F2"))) edit(cell);
    else if (key === "Enter" || key === " ") hold(cell, true);
    else return;
    event.stopPropagation();
    if (!isTyped) event.preventDefault();
  });
  for (const type of ["focusin", "focusout"]) board.addEventListener(type, schedule);
  controls.addEventListener("input", ({ target: { name, value } }) =>
    choose(name, name === "preset" ? value : Number(value)));
  play.addEventListener("click", () => {
    pinned = null;
    clearInterval(timer);
    const pace = Math.max(50, Math.min(800, 16000 / state.g.n_out ** 2)); // ms
    timer = timer ? 0 : setInterval(() => { step++; schedule(); }, pace);
    schedule();
  });

  // what comes from outside: values from Python and its end, another theme, another width
  const renew = () => { isStale = true; schedule(); };
  for (const name of [...SLIDERS, "preset", "kernel", "images"]) model.on(`change:${name}`, renew);
  const leave = () => put(gone, say("python_gone")), ended = model.widget_manager?.kernel?.disposed;
  ended?.connect(leave); // JupyterLab's: a shutdown closes no comm
  model.on("comm_live_update", leave);
  root.addEventListener("transitionend", schedule); // of its colour: see explorer.css
  writeFormula(formula.lastElementChild, most, geometry(most)); // hidden, keeps the room
  const observers = [new ResizeObserver(draw), new IntersectionObserver(schedule)]; // the second:
  observers.forEach((each) => each.observe(board)); // out of sight a new theme goes unnoticed
  const end = () => { ended?.disconnect(leave); clearInterval(timer); };
  return () => { observers.forEach((each) => each.disconnect()); end(); };
}

export default { render };
