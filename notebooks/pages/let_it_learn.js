// "Let it learn": LeNet-5 trains in the page. What one sets, the panel (panel.js, as in the
// notebook), and what the network in training makes of the drawing on the pad.

const DRAW_EVERY = 250; // milliseconds
const BATCHES = 10; // to a point of the loss curve

const tenths = share => `${(100 * share).toFixed(1)}%`; // of an accuracy

/** The learning rate at a place of the slider, from -3 to 0: two digits of its power of ten. */
export const rateAt = place => Number((10 ** place).toPrecision(2));

/** What one sets before a start: {element, rate(), guess(), button}; a guess that was left out is
 * null. */
function settings(texts, { rate, n_test }) {
  const guess = make("input", { type: "number", min: 0, max: 100, inputmode: "decimal" });
  const slider = make("input", { type: "range", min: -3, max: 0, step: 0.1, class: "lh-learn-rate",
    value: Math.log10(rate).toFixed(1) });
  const shown = make("output"), button = make("button", { type: "button", "data-learn": "" });
  const show = () => {
    shown.textContent = rateAt(slider.value);
    slider.setAttribute("aria-valuetext", shown.textContent);
  };
  slider.oninput = show;
  show();
  const element = make("div", { class: "lh-learn-settings" },
    make("label", {}, make("span", {}, fill(texts.guess, { n_test })), guess, "%"),
    make("label", {}, make("span", {}, texts.rate), slider, shown),
    button);
  return {
    element, button,
    rate: () => rateAt(slider.value),
    guess: () => (guess.value === "" ? null : Math.min(Math.max(guess.value, 0), 100)),
  };
}

/** Trains in slices and keeps the panel's `model` up to date, until `work`, a training of learn.js,
 * is over; `epochOver`, which gives C1's weights, and `over` are called when it is so. Gives a
 * function that ends it with a state. */
function follow({ inSlices }, work, model, steps, { epochOver, over }) {
  const began = performance.now(), epochs = model.get("epochs"), losses = [], accuracies = [];
  const kernels = [...epochOver()]; // it can be asked before the first, too
  let recent = [], step = 0;
  const show = (state = "running") => {
    const seconds = (performance.now() - began) / 1000, fraction = step / steps;
    const left = step ? seconds * (1 / fraction - 1) : null;
    model.set({ state, seconds, fraction, left, losses: [...losses], accuracies: [...accuracies],
      kernels: { shape: [6, 5, 5], values: Float32Array.from(kernels) } });
  };
  const end = state => {
    stop();
    clearInterval(timer);
    show(state);
    over();
  };
  const hear = ({ loss, accuracy }) => {
    if (accuracy !== undefined) {
      accuracies.push(accuracy);
      kernels.push(...epochOver());
      return;
    }
    step++;
    recent.push(loss);
    if (recent.length < BATCHES && Number.isFinite(loss)) return;
    const mean = recent.reduce((a, b) => a + b) / recent.length;
    losses.push([step / steps * epochs, Number.isFinite(mean) ? mean : null]);
    recent = [];
  };
  const stop = inSlices(work, hear, () => end(accuracies.length < epochs ? "failed" : "done"));
  const timer = setInterval(() => show(), DRAW_EVERY);
  show();
  return end;
}

/** What is to be said of a training that has ended. */
function remarks(texts, state, accuracies, guess, n_test) {
  const last = accuracies.at(-1);
  if (state === "failed") return texts.nan;
  if (last === undefined) return "";
  const values = { right: Math.round(last * n_test), n: n_test, guess, accuracy: tenths(last) };
  const sentences = [fill(texts.result, values)];
  if (guess !== null) sentences.push(fill(texts.guessed, values));
  if (last < 0.3) sentences.push(texts.guessing);
  return sentences.join("");
}

/** The section: {element, readPad}. `data`: the small set, `texts`, and the panel's own in `run`;
 * `modules`: lenet5, learn, digits and panel; `standIn` and `parts`: page.js's. After each epoch
 * `learned(weights)` is called, to go to the pad `visit()`; `guess(weights)` gives {digit,
 * probability} for the drawing on it, or null. `readPad()`: when there is another drawing. */
export function learnSection(data, modules, standIn, { parts, learned, visit, guess }) {
  const { lenet5: { readWeights }, learn, digits, panel } = modules, { texts, n_train } = data;
  const { RECIPE } = learn, n_test = data.labels.length - n_train;
  const values = { ...RECIPE, n_train: n_train.toLocaleString("en"), n_test };
  const set = settings(texts, values);
  const panelPlace = make("div"), said = make("p", { class: "lh-learn-said", role: "status" });
  const reading = make("span"), toPad = make("button", { type: "button" }, texts.to_pad);
  const results = make("div", { class: "lh-learn-results" }, panelPlace, said,
    make("p", {}, reading, " ", toPad));
  const element = make("section", { id: "learn", "aria-labelledby": "learn-title" },
    ...parts("learn", texts.title, fill(texts.intro, values)), set.element, results,
    make("p", {}, fill(texts.why, values)));
  let small = null, latest = null, end = () => {};
  results.hidden = true;
  set.button.textContent = texts.start;
  toPad.onclick = visit;

  function readPad() {
    const seen = latest && guess(latest);
    reading.textContent = seen ? fill(texts.reads, seen) : texts.reads_nothing;
  }
  function begin() {
    end("stopped");
    const guessed = set.guess(), rate = set.rate(), numbers = learn.newNumbers(readWeights);
    const network = learn.makeNetwork(readWeights, numbers);
    const model = standIn({ texts: data.run, state: "running", epochs: RECIPE.epochs, fraction: 0,
      seconds: 0, left: null, losses: [], accuracies: [], note: "", error: "", log: "",
      kernels: {}, watched: [], answers: [] },
    () => {}, ({ stop }) => { if (stop) end("stopped"); });
    const epochOver = () => {
      latest = readWeights(numbers.slice());
      learned(latest);
      readPad();
      return latest.c1.weight;
    };
    function* work() {
      small ??= yield* digits.readDigits(data);
      yield* learn.learn(network, small, { rate });
    }
    for (const name of ["done", "accuracy", "rate"]) delete element.dataset[name];
    said.textContent = "";
    set.button.textContent = texts.again;
    results.hidden = false;
    panelPlace.replaceChildren();
    panel.default.render({ model, el: panelPlace });
    end = follow(learn, work(), model, RECIPE.epochs * Math.ceil(n_train / RECIPE.batch), {
      epochOver,
      over() {
        end = () => {};
        epochOver();
        const [state, accuracies, fraction, seconds] =
          ["state", "accuracies", "fraction", "seconds"].map(model.get);
        said.textContent = remarks(texts, state, accuracies, guessed, n_test);
        element.dataset.accuracy = accuracies.at(-1) ?? 0;
        element.dataset.rate = fraction * RECIPE.epochs * n_train / seconds;
        element.dataset.done = state;
      },
    });
  }
  set.button.onclick = begin;
  return { element, readPad };
}
