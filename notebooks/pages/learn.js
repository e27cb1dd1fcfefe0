// LeNet-5 learns: notebook 04's five steps in JavaScript, checked against torch by
// tests/test_learn.py. From top to bottom: the layers, forward and backward; the network; the
// training; and how the page has time to answer meanwhile.

/** How it learns unless told otherwise; `rate` is the highest of the one-cycle schedule. */
export const RECIPE = { epochs: 8, batch: 16, rate: 0.02, momentum: 0.9 };

// --------------------------------------------------------------- the layers, forward and backward
// Backward adds to `gradient`: a batch's is the sum over its pictures.

/** Convolution (5x5, no padding), ReLU and pooling of `input` (channels, n, n). The four cells of a
 * pooling window are computed together, and the five products of a kernel's row written out, which
 * is several times as fast. `winners`: the corner in `input` of the largest cell's window. */
function convolve(input, n, { weight, bias }, output, winners) {
  const half = (n - 4) / 2, channels = input.length / (n * n);
  for (let m = 0, k = 0; m < bias.length; m++) {
    for (let i = 0; i < half; i++) for (let j = 0; j < half; j++, k++) {
      const corner = 2 * i * n + 2 * j;
      let a = bias[m], b = a, c = a, d = a; // a b
      for (let channel = 0, w = m * channels * 25; channel < channels; channel++) { // c d
        let x = channel * n * n + corner, y = x + n;
        for (let row = 0; row < 5; row++, x += n, y += n, w += 5) {
          const w0 = weight[w], w1 = weight[w + 1], w2 = weight[w + 2], w3 = weight[w + 3];
          const w4 = weight[w + 4];
          const x1 = input[x + 1], x2 = input[x + 2], x3 = input[x + 3], x4 = input[x + 4];
          const y1 = input[y + 1], y2 = input[y + 2], y3 = input[y + 3], y4 = input[y + 4];
          a += w0 * input[x] + w1 * x1 + w2 * x2 + w3 * x3 + w4 * x4;
          b += w0 * x1 + w1 * x2 + w2 * x3 + w3 * x4 + w4 * input[x + 5];
          c += w0 * input[y] + w1 * y1 + w2 * y2 + w3 * y3 + w4 * y4;
          d += w0 * y1 + w1 * y2 + w2 * y3 + w3 * y4 + w4 * input[y + 5];
        }
      }
      const most = Math.max(a, b, c, d);
      winners[k] = corner + (most === a ? 0 : most === b ? 1 : most === c ? n : n + 1);
      output[k] = Math.max(0, most);
    }
  }
}

/** Back through all three. Only the cells that pooling chose had a part in the loss: a quarter.
 * `toOutput`, `toInput`: the gradients of the loss for output and input; a picture needs none. */
function convolveBack(input, n, { weight, bias }, output, winners, toOutput, gradient, toInput) {
  const channels = input.length / (n * n), cells = output.length / bias.length;
  toInput?.fill(0);
  for (let m = 0, k = 0; m < bias.length; m++) for (const end = k + cells; k < end; k++) {
    const d = toOutput[k];
    if (output[k] === 0 || d === 0) continue; // ReLU lets nothing through
    gradient.bias[m] += d;
    for (let channel = 0, w = m * channels * 25; channel < channels; channel++) {
      for (let row = 0, x = channel * n * n + winners[k]; row < 5; row++, x += n, w += 5) {
        gradient.weight[w] += d * input[x];
        gradient.weight[w + 1] += d * input[x + 1];
        gradient.weight[w + 2] += d * input[x + 2];
        gradient.weight[w + 3] += d * input[x + 3];
        gradient.weight[w + 4] += d * input[x + 4];
        if (!toInput) continue;
        toInput[x] += d * weight[w];
        toInput[x + 1] += d * weight[w + 1];
        toInput[x + 2] += d * weight[w + 2];
        toInput[x + 3] += d * weight[w + 3];
        toInput[x + 4] += d * weight[w + 4];
      }
    }
  }
}

/** weight (outputs, inputs) times input, plus bias; with ReLU, negative sums become 0. */
function connect(input, { weight, bias }, output, relu = true) {
  for (let m = 0, w = 0; m < output.length; m++) {
    let sum = bias[m];
    for (let i = 0; i < input.length; i++, w++) sum += weight[w] * input[i];
    output[m] = relu ? Math.max(0, sum) : sum;
  }
}

function connectBack(input, { weight }, output, toOutput, gradient, toInput, relu = true) {
  toInput.fill(0);
  for (let m = 0; m < output.length; m++) {
    const d = toOutput[m];
    if (relu && output[m] === 0) continue;
    gradient.bias[m] += d;
    for (let i = 0, w = m * input.length; i < input.length; i++, w++) {
      gradient.weight[w] += d * input[i];
      toInput[i] += d * weight[w];
    }
  }
}

// ----------------------------------------------------------------------------------- the network

/** LeNet-5 with `numbers` as its weights and biases, shared out by `readWeights` of lenet5.js, and
 * with their gradients in the same order. */
export function makeNetwork(readWeights, numbers) {
  const gradients = new Float32Array(numbers.length), speeds = new Float32Array(numbers.length);
  const weights = readWeights(numbers), gradient = readWeights(gradients);
  const tables = () => Object.fromEntries(Object.entries(
    { input: 1024, s2: 1176, s4: 400, fc1: 120, fc2: 84, fc3: 10 }
  ).map(([name, size]) => [name, new Float32Array(size)]));
  const at = tables(), to = tables(); // what each layer hands on; the loss's gradients for it
  const winners = { s2: new Uint16Array(1176), s4: new Uint16Array(400) };
  return {
    numbers, gradients,
    forward(image) { // 784 numbers; gives the ten logits
      for (let i = 0; i < 28; i++) { // C1 has a padding of 2
        at.input.set(image.subarray(28 * i, 28 * i + 28), 32 * (i + 2) + 2);
      }
      convolve(at.input, 32, weights.c1, at.s2, winners.s2);
      convolve(at.s2, 14, weights.c3, at.s4, winners.s4);
      connect(at.s4, weights.fc1, at.fc1);
      connect(at.fc1, weights.fc2, at.fc2);
      connect(at.fc2, weights.fc3, at.fc3, false);
      return at.fc3;
    },
    backward(toLogits) { // of the picture that went forward last
      connectBack(at.fc2, weights.fc3, at.fc3, toLogits, gradient.fc3, to.fc2, false);
      connectBack(at.fc1, weights.fc2, at.fc2, to.fc2, gradient.fc2, to.fc1);
      connectBack(at.s4, weights.fc1, at.fc1, to.fc1, gradient.fc1, to.s4);
      convolveBack(at.s2, 14, weights.c3, at.s4, winners.s4, to.s4, gradient.c3, to.s2);
      convolveBack(at.input, 32, weights.c1, at.s2, winners.s2, to.s2, gradient.c1);
    },
    step(rate, momentum) { // SGD
      for (let k = 0; k < numbers.length; k++) {
        speeds[k] = momentum * speeds[k] + gradients[k];
        numbers[k] -= rate * speeds[k];
      }
    },
  };
}

/** A new network's numbers: He's start as in lenet_helpers.LeNet5, biases 0. */
export function newNumbers(readWeights, random = Math.random) {
  const numbers = new Float32Array(61_706);
  for (const [name, { weight, bias }] of Object.entries(readWeights(numbers))) {
    const inputs = { c1: 25, c3: 150 }[name] ?? weight.length / bias.length;
    const spread = Math.sqrt((name === "fc3" ? 1 / 3 : 2) / inputs); // no ReLU comes after fc3
    for (let k = 0; k < weight.length; k++) { // normally distributed, by Box and Muller
      const radius = Math.sqrt(-2 * Math.log(1 - random()));
      weight[k] = spread * radius * Math.cos(2 * Math.PI * random());
    }
  }
  return numbers;
}

// ---------------------------------------------------------------------------------- the training

/** Cross-entropy of the logits; puts its gradients for them into `toLogits`. */
function crossEntropy(logits, label, toLogits) {
  const top = Math.max(...logits); // taken away, so that no power is infinite
  const powers = Array.from(logits, logit => Math.exp(logit - top));
  const sum = powers.reduce((a, b) => a + b);
  powers.forEach((power, k) => { toLogits[k] = power / sum - (k === label ? 1 : 0); });
  return Math.log(sum) + top - logits[label];
}

/** The learning rate of step 0, 1, ..., steps - 1: up to the highest and down again by cosines, as
 * torch's OneCycleLR. */
export function oneCycle(highest, step, steps) {
  const peak = 0.3 * steps - 1, lowest = highest / 25;
  const [from, to, share] = step <= peak ? [lowest, highest, step / peak]
    : [highest, lowest / 1e4, (step - peak) / (steps - 1 - peak)];
  return to + (from - to) * (1 + Math.cos(Math.PI * share)) / 2;
}

function shuffle(list, random) {
  const order = [...list];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

/** A generator that trains; gives null after a picture, {loss} after a batch, {accuracy} after an
 * epoch. It ends early when the loss is no number any more. */
export function* learn(network, { train, test }, options = {}) {
  const { epochs, batch, rate, momentum, random } = { ...RECIPE, random: Math.random, ...options };
  const steps = epochs * Math.ceil(train.length / batch), toLogits = new Float32Array(10);
  for (let epoch = 0, step = 0; epoch < epochs; epoch++) {
    const order = shuffle(train, random);
    for (let first = 0; first < order.length; first += batch, step++) {
      const digits = order.slice(first, first + batch);
      let loss = 0;
      network.gradients.fill(0); // 1. forget the last batch's gradients
      for (const { image, label } of digits) {
        const logits = network.forward(image); // 2. forward
        loss += crossEntropy(logits, label, toLogits) / digits.length; // 3. the loss
        network.backward(toLogits.map(value => value / digits.length)); // 4. backward
        yield null;
      }
      network.step(oneCycle(rate, step, steps), momentum); // 5. a step downhill
      yield { loss };
      if (!Number.isFinite(loss)) return;
    }
    let right = 0;
    for (const { image, label } of test) {
      const logits = network.forward(image);
      if (logits[label] === Math.max(...logits)) right++;
      yield null;
    }
    yield { accuracy: right / test.length };
  }
}

/** Runs a generator in slices of 10 ms, between which the page answers; `hear` is given what it
 * yields but null, `end` what it returns. Gives a function that stops it for good. */
export function inSlices(work, hear, end) {
  const { port1, port2 } = new MessageChannel();
  let isStopped = false;
  port1.onmessage = () => {
    for (const until = performance.now() + 10; !isStopped && performance.now() < until;) {
      const { value, done } = work.next();
      if (done) return end(value);
      if (value) hear(value);
    }
    if (!isStopped) port2.postMessage(null);
  };
  port2.postMessage(null);
  return () => { isStopped = true; };
}
