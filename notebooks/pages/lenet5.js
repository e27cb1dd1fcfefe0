// LeNet-5 and MNIST's style for a page without Python: what lenet_helpers.LeNet5, drawing.py and
// inference.py compute, checked against them by tests/test_page.py.

/** float16 numbers, little-endian bytes in base64, as a Float32Array: every browser can do it. */
export function decodeFloat16(text) {
  const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  return Float32Array.from({ length: bytes.length / 2 }, (_, i) => {
    const bits = bytes[2 * i] | bytes[2 * i + 1] << 8;
    const sign = bits >> 15 ? -1 : 1, exponent = bits >> 10 & 31, fraction = bits & 1023;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
}

/** Python's round: halves go to the even neighbour. */
export function roundHalfEven(x) {
  const floor = Math.floor(x);
  return x - floor !== 0.5 ? Math.round(x) : floor % 2 ? floor + 1 : floor;
}

/** For each of n_out pixels, the first of n_in pixels that it takes and their weights: a triangle
 * as wide as the reduction, as torch's bilinear interpolation with antialias=True. */
function triangles(n_in, n_out) {
  const scale = n_in / n_out, support = Math.max(scale, 1);
  return Array.from({ length: n_out }, (_, i) => {
    const centre = scale * (i + 0.5);
    const first = Math.max(Math.trunc(centre - support + 0.5), 0);
    const end = Math.min(Math.trunc(centre + support + 0.5), n_in);
    const weights = Array.from({ length: end - first },
      (_, j) => Math.max(0, 1 - Math.abs((first + j - centre + 0.5) / support)));
    const sum = weights.reduce((a, b) => a + b);
    return { first, weights: weights.map(weight => weight / sum) };
  });
}

const average = (row, { first, weights }) =>
  weights.reduce((sum, weight, j) => sum + weight * row[first + j], 0);
const transpose = rows => rows[0].map((_, j) => rows.map(row => row[j]));
const resizeRows = (rows, n) => {
  const windows = triangles(rows[0].length, n);
  return rows.map(row => windows.map(window => average(row, window)));
};

/** Empty pixels before a profile of ink that put its centre of mass at 14 of 28, losing none. */
function margin(profile) {
  const total = profile.reduce((a, b) => a + b);
  const mass = profile.reduce((sum, ink, i) => sum + i * ink, 0) / total;
  return Math.min(Math.max(roundHalfEven(14 - mass), 0), 28 - profile.length);
}

/** A drawing, side x side levels from 0 to 255, as MNIST's makers would have stored it: 784 numbers
 * from 0 to 1. The drawing must not be empty. */
export function toMnistStyle(levels, side) {
  const ink = Array.from({ length: side }, (_, i) =>
    Array.from(levels.subarray(i * side, (i + 1) * side), level => Math.fround(level / 255)));
  const faint = Math.fround(Math.max(...ink.map(row => Math.max(...row))) / 10); // is no ink
  const ends = rows => {
    const dark = rows.map(row => row.some(value => value > faint));
    return [dark.indexOf(true), dark.lastIndexOf(true) + 1];
  };
  const [top, bottom] = ends(ink), [left, right] = ends(transpose(ink));
  const cropped = ink.slice(top, bottom).map(row => row.slice(left, right));
  const longer = Math.max(bottom - top, right - left);
  const [height, width] = [bottom - top, right - left].map(
    n => Math.max(1, roundHalfEven(20 * n / longer)));
  const small = transpose(resizeRows(transpose(resizeRows(cropped, width)), height))
    .map(row => row.map(value => Math.min(Math.max(value, 0), 1)));
  const profile = rows => rows.map(row => row.reduce((a, b) => a + b));
  const y = margin(profile(small)), x = margin(profile(transpose(small)));
  const image = new Float32Array(784);
  small.forEach((row, i) => image.set(row, 28 * (y + i) + x));
  return image;
}

/** A drawing scaled to 28x28 as it is, each pixel the mean of a square: 784 numbers from 0 to 1. */
export function asDrawn(levels, side) {
  const k = side / 28;
  return Float32Array.from({ length: 784 }, (_, i) => {
    const corner = Math.floor(i / 28) * k * side + i % 28 * k;
    let sum = 0;
    for (let r = 0; r < k; r++) for (let c = 0; c < k; c++) sum += levels[corner + r * side + c];
    return sum / (255 * k * k);
  });
}

/** n x n maps, after ReLU, of maps (channels, n_in, n_in) with `padding` zeros around them.
 * weight: (maps, channels, k, k); bias: (maps). */
function convolve(input, channels, n_in, { weight, bias }, k, padding) {
  const n = n_in + 2 * padding - k + 1, output = new Float32Array(bias.length * n * n);
  for (let m = 0; m < bias.length; m++) {
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) {
      let sum = bias[m];
      for (let c = 0; c < channels; c++) for (let a = 0; a < k; a++) {
        const row = i + a - padding;
        if (row < 0 || row >= n_in) continue;
        const from = Math.max(0, padding - j), to = Math.min(k, n_in + padding - j);
        const here = (c * n_in + row) * n_in + j - padding;
        const there = ((m * channels + c) * k + a) * k;
        for (let b = from; b < to; b++) sum += weight[there + b] * input[here + b];
      }
      output[(m * n + i) * n + j] = Math.max(0, sum);
    }
  }
  return output;
}

/** The largest of each 2x2 window of maps (maps, n, n). */
function pool(input, maps, n) {
  const half = n / 2;
  return Float32Array.from({ length: maps * half * half }, (_, index) => {
    const m = Math.floor(index / half ** 2), i = Math.floor(index / half) % half, j = index % half;
    const corner = (m * n + 2 * i) * n + 2 * j;
    return Math.max(input[corner], input[corner + 1], input[corner + n], input[corner + n + 1]);
  });
}

/** weight (outputs, inputs) times input, plus bias. */
function connect(input, { weight, bias }) {
  return Float32Array.from(bias, (start, m) =>
    input.reduce((sum, value, i) => sum + weight[m * input.length + i] * value, start));
}

/** The layers' weights and biases, {c1: {weight, bias}, ...}, out of all numbers in that order. */
export function readWeights(numbers) {
  const sizes = { c1: [150, 6], c3: [2400, 16], // weights, biases
    fc1: [48000, 120], fc2: [10080, 84], fc3: [840, 10] };
  let start = 0;
  const next = n => numbers.subarray(start, start += n);
  return Object.fromEntries(Object.entries(sizes).map(
    ([name, [weights, biases]]) => [name, { weight: next(weights), bias: next(biases) }]));
}

export const SHAPES = {
  input: [1, 28, 28], c1: [6, 28, 28], s2: [6, 14, 14], c3: [16, 10, 10], s4: [16, 5, 5],
  fc1: [120], fc2: [84], fc3: [10],
};

export const AFTER = { c1: "ReLU", c3: "ReLU", fc1: "ReLU", fc2: "ReLU" };

/** What each layer hands on for an image of 784 numbers: {input, c1, s2, ..., fc3}, the ten logits,
 * those of AFTER after ReLU. */
export function activations(weights, input) {
  const relu = values => values.map(value => Math.max(0, value));
  const c1 = convolve(input, 1, 28, weights.c1, 5, 2), s2 = pool(c1, 6, 28);
  const c3 = convolve(s2, 6, 14, weights.c3, 5, 0), s4 = pool(c3, 16, 10);
  const fc1 = relu(connect(s4, weights.fc1)), fc2 = relu(connect(fc1, weights.fc2));
  return { input, c1, s2, c3, s4, fc1, fc2, fc3: connect(fc2, weights.fc3) };
}

/** Why a drawing is not worth a guess, as in draw_pad.py: "empty", "dot" or "full"; else "". */
export function noGuess(levels, side, pen) {
  if (levels.every(level => !level)) return "empty";
  const dark = [...levels.keys()].filter(i => levels[i] > 25);
  const reach = places => Math.max(...places) - Math.min(...places);
  const size = dark.length ? Math.max(reach(dark.map(i => i % side)),
    reach(dark.map(i => Math.floor(i / side)))) : 0;
  if (size < 2 * pen) return "dot";
  return levels.reduce((a, b) => a + b) / levels.length > 255 / 2 ? "full" : "";
}
