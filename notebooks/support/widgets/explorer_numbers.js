// The explorer's numbers, and the words for them: sizes, sums, what a cell is made of and feeds.

const SLIDERS = ["n_in", "kernel_size", "stride", "padding", "dilation"];
const HEAVIEST = 1e6; // the largest weight that can be typed
const FRACTION = /^\s*([-+]?(?=\.?\d)\d*\.?\d*(?:e[-+]?\d+)?)\s*(?:\/\s*(\d+\.?\d*)\s*)?$/i;

const cross = (rows, columns) => rows.flatMap((i) => columns.map((j) => [i, j]));
const extreme = (of, table) => of(...table.map((row) => of(...row)));
const largest = (table) => Math.max(extreme(Math.max, table), -extreme(Math.min, table)) || 1;
const longest = (texts) => Math.max(...texts.map((text) => text.length));
const pad = (image, padding) => resized(image, image.length + 2 * padding);

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
    : value.toExponential(0);
  return readable(text);
}

/** The weight that was typed: 0.5, 1,5, −2 or 1/9; null for what is no number or too large. */
export function weightOf(typed) {
  const signs = { "−": "-", "⁄": "/", ",": "." };
  const text = typed.normalize("NFKC").replace(/[−⁄,]/g, (sign) => signs[sign]);
  const [, above, below = 1] = text.match(FRACTION) ?? [], weight = above / below;
  return Math.abs(weight) <= HEAVIEST ? weight : null;
}

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

/** All that follows from a model's settings: {settings, g, kernel, unread, input, output}. */
function compute(model) {
  const kernel = model.get("kernel");
  const settings = Object.fromEntries(SLIDERS.map((name) => [name, model.get(name)]));
  settings.kernel_size = kernel.length; // Python's changes come one after another
  const image = model.get("images")[settings.n_in], g = geometry(settings);
  const read = new Set(range(g.n_out).flatMap(g.window));
  return { settings, g, kernel, unread: range(g.padded).filter((i) => !read.has(i)),
    input: pad(image, settings.padding), output: convolve(image, kernel, settings) };
}

/** What is said of a cell: of an output its sum in lines, of others a sentence. */
function said({ g, input, kernel, output, settings: { padding } }, { name, i, j }, isPicture, say) {
  if (name === "kernel") return [say(isPicture ? "uses_picture" : "uses", { n: g.n_out ** 2 })];
  const window = () => g.window(i).map((r) => g.window(j).map((c) => input[r][c]));
  if (name === "output") return productLines(window(), kernel, output[i][j]);
  const n = g.feeds(i - padding).length * g.feeds(j - padding).length;
  return [say(n ? "feeds" : "feeds_none", { n })];
}

/** A cell's name, value and what is said of it, for a screen reader. */
function labelOf(state, cell, isPicture, say) {
  const { name } = cell, { padding, n_in } = state.settings;
  const [i, j] = [cell.i, cell.j].map((at) => (name === "input" ? at - padding : at));
  const isPadding = name === "input" && [i, j].some((at) => at < 0 || at >= n_in);
  const value = numberText(state[name][cell.i][cell.j]);
  const [first] = said(state, cell, isPicture, say);
  return say(`${isPadding ? "padding" : name}_cell`, { i, j, value, said: first });
}
