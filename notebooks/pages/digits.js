// The lesson's small set in a page: scikit-learn's digits of 8x8 numbers, made into 28x28 pixels.

/** What each of 8 pixels gives to each of 20: rows of 8 weights, bicubic as torch has it. */
const CUBIC = Array.from({ length: 20 }, (_, i) => {
  const weights = new Float64Array(8), at = 0.4 * (i + 0.5) - 0.5;
  for (let pixel = Math.floor(at) - 1; pixel < at + 2; pixel++) {
    const x = Math.abs(at - pixel);
    weights[Math.min(Math.max(pixel, 0), 7)] +=
      x < 1 ? (1.25 * x - 2.25) * x * x + 1 : ((3.75 - 0.75 * x) * x - 6) * x + 3;
  }
  return weights;
});

/** A digit of 8x8 numbers from 0 to 16 in MNIST's style, as `lh.sklearn_digits()` has it: 20x20
 * pixels in the middle of 28x28, 784 numbers from 0 to 1. */
function enlarge(small) {
  const image = new Float32Array(784), line = new Float64Array(8);
  CUBIC.forEach((vertical, i) => {
    line.fill(0);
    small.forEach((value, k) => { line[k % 8] += vertical[k >> 3] * value * 255 / 16; });
    CUBIC.forEach((horizontal, j) => {
      let level = 1e-7; // halves are rounded up
      for (let k = 0; k < 8; k++) level += horizontal[k] * line[k];
      image[28 * (i + 4) + j + 4] = Math.round(Math.min(Math.max(level, 0), 255)) / 255;
    });
  });
  return image;
}

/** A generator that returns {train, test}, lists of {image, label}. Of each digit, the text has 64
 * letters, "0" to "g" for 0 to 16, and its label; the first `n_train` are to learn from, the
 * others for the test. */
export function* readDigits({ pixels, labels, n_train }) {
  const digits = [];
  for (const [k, label] of Array.from(labels).entries()) {
    const small = Array.from(pixels.slice(64 * k, 64 * k + 64), letter => parseInt(letter, 17));
    digits.push({ image: enlarge(small), label: Number(label) });
    yield null;
  }
  return { train: digits.slice(0, n_train), test: digits.slice(n_train) };
}
