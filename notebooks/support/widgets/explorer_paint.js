// How the explorer's grids look: their sizes, colours and cells.

const POSITIVE = "#e69f00", NEGATIVE = "#56b4e9", GREY = "#888", LIT = "#009e73", FRAME = "#cc3311";
const EDGE = 2; // device pixels around a grid, for its outer lines
const TITLE = 44, SIGN = 26; // px: above grids; before two, for ∗ and =
const LARGEST = 84, READABLE = 20; // px of a cell at most; px from which it shows its number
const LETTER = 0.61, LINE = 1.3; // width of a monospaced letter, height of a line, in font sizes
const SMALL = 12, MOST = 234; // px: the smallest font of a sum; what a long one takes at most

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
  const size = Math.min(30 * scale, cell * 0.48, cell / longest(texts.flat()) / 0.72);
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

/** How many lines texts take, of so many letters each. */
const wrapped = (lines, letters) =>
  lines.reduce((n, line) => n + Math.ceil(line.length / letters), 0);

/** Each grid's cells in px, and the room [width, height] for a sum of such `lines`. `layout`: where
 * the sum is, see explorer.css. */
function arrange(layout, isPicture, { padded, n_out: n }, k, lines, width, height) {
  const isNarrow = layout === "narrow", isBeside = layout === "beside";
  const weight = Math.max(READABLE, Math.min(40, 150 / k)), across = width - 2 * SIGN - 12;
  const [fixed, weights] = isPicture ? [k * weight, 0] : [0, k], tallest = Math.max(weights, n);
  const cells = isNarrow ? padded + tallest : isBeside ? tallest : padded; // above the sum
  const room = height - TITLE * (isNarrow ? 2 + isPicture : 1) - 8;
  const smallest = isNarrow ? SMALL * LINE * wrapped(lines, width / SMALL / LETTER) : 0;
  const free = room - 16 - Math.max(18 * lines.length, Math.min(MOST, smallest));
  const title = isPicture ? 130 : 80; // px of the output's title, for a small output
  const cell = Math.max(1, Math.min(isPicture ? Infinity : LARGEST, ...(isNarrow
    ? [(width - 4) / padded, across / (weights + n), (across - title) / weights,
      (free - fixed) / cells]
    : [(across - fixed) / (padded + weights + n), (across - fixed - title) / (padded + weights),
      room / padded, free / cells]),
  isBeside ? Math.max(READABLE, (across - 13 * LETTER * longest(lines)) / padded) : Infinity));
  const used = isNarrow ? fixed + cells * cell : Math.max(fixed, cells * cell);
  const sum = [width - (isBeside ? padded * cell + 2 * SIGN : 0), room - used - 12];
  return { input: cell, kernel: isPicture ? weight : cell, output: cell, sum };
}

/** How the grids look when a cell is shown. */
function looksOf(state, { name, i, j }, isPicture) {
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
