// The training panel: how far it is, the curves of loss and accuracy, Stop; after each epoch, to be
// gone through with a slider, the first layer's kernels and what the network makes of the reader's
// digits. The numbers: panel.py.

const POSITIVE = [230, 159, 0], NEGATIVE = [86, 180, 233], WHITE = [255, 255, 255]; // as SIGNS

/** Seconds as m:ss. */
export function minutes(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** At most six whole numbers from 0 to n, in steps of 1, 2, 5, 10, 20, ... */
export function wholeTicks(n) {
  let step = 1;
  while (n / step > 5) step *= String(step).startsWith("2") ? 2.5 : 2;
  return range(Math.floor(n / step) + 1).map((i) => i * step);
}

/** The logarithmic axis of losses: `height` of a value in percent, [height, label] of its ticks.
 * From 0.001 to 3, and further where the losses need it. */
export function lossAxis(losses) {
  const exponent = (loss) => Math.min(Math.max(Math.log10(loss), -6), 6);
  const known = losses.filter((loss) => loss !== null).map(exponent);
  const low = Math.floor(Math.min(-3, ...known)), high = Math.max(0.5, ...known);
  const height = (loss) => 100 * (exponent(loss) - low) / (high - low);
  const label = (e) => (Math.abs(e) > 3 ? `1e${e}` : String(10 ** e));
  const ticks = [];
  for (let e = low; e <= high; e += high - low > 6 ? 2 : 1) ticks.push([height(10 ** e), label(e)]);
  return { height, ticks };
}

/** The same for accuracies: up to 100%, from 90% or the tenth below the lowest. */
export function accuracyAxis(accuracies) {
  const low = Math.min(9, ...accuracies.map((accuracy) => Math.floor(accuracy * 10))) / 10;
  const height = (accuracy) => 100 * (accuracy - low) / (1 - low);
  const ticks = [low, (1 + low) / 2, 1].map((y) => [height(y), `${Math.round(100 * y)}%`]);
  return { height, ticks };
}

/** An SVG path through points [x, y]; where y is null, a gap. A point between two gaps is a dot. */
export function curve(points) {
  let connected = false;
  return points.map(([x, y]) => {
    const start = connected ? "L" : "M";
    connected = y !== null;
    return connected ? `${start}${x.toFixed(2)} ${y.toFixed(2)}h0` : "";
  }).join("");
}

/** A loss in few characters; null is NaN, undefined nothing. */
export function number(loss) {
  if (loss === undefined) return "";
  if (loss === null) return "NaN";
  return loss > 0 && loss < 1e-4 ? loss.toExponential(2) : loss.toPrecision(3);
}

/** An accuracy. */
const percentOf = (accuracy) => `${(100 * accuracy).toFixed(2)}%`;

/** A probability; null is NaN, undefined nothing. */
const share = (p) => (p === undefined ? "" : p === null ? "NaN" : percent(p));

/** A chart's HTML. The picture is stretched to any size; its labels, which must not be, stand
 * beside it. */
const chart = (name, epoch) => `<figure class="lh-run-chart lh-run-${name}">
  <figcaption class="lh-run-caption"></figcaption><div class="lh-run-plot">
    <svg class="lh-run-svg" viewBox="0 0 100 100" preserveAspectRatio="none" role="img">
      <path class="lh-run-grid"/><path class="lh-run-line"/><path class="lh-run-here"/>
      <path class="lh-run-dots"/></svg>
    <div class="lh-run-labels" aria-hidden="true"></div></div>
  <div class="lh-run-epoch" aria-hidden="true">${epoch}</div></figure>`;

/** Draws a chart. `marks`: from which point on there are dots; `here`: the point that is marked. */
function drawChart(figure, title, points, { height, ticks }, epochs, { marks, here }) {
  const at = points.map(([x, y]) => [100 * x / epochs, y === null ? null : 100 - height(y)]);
  const known = at.filter(([, y]) => y !== null), chosen = at.slice(here, here + 1);
  const lines = { grid: ticks.map(([y]) => `M0 ${(100 - y).toFixed(2)}H100`).join(""),
    line: curve(at), here: curve(chosen),
    dots: [...known.slice(marks), ...chosen].map((point) => curve([point])).join("") };
  for (const [name, path] of Object.entries(lines)) {
    figure.querySelector(`.lh-run-${name}`).setAttribute("d", path);
  }
  const label = (axis, side, share, text) =>
    make("span", { class: `lh-run-${axis}`, style: `${side}: ${share}%` }, text);
  figure.querySelector(".lh-run-caption").textContent = title;
  figure.querySelector("svg").setAttribute("aria-label", title);
  figure.querySelector(".lh-run-labels").replaceChildren(
    ...ticks.map(([y, text]) => label("y", "bottom", y, text)),
    ...wholeTicks(epochs).map((x) => label("x", "left", 100 * x / epochs, x)));
}

/** Draws the first layer's kernels after an epoch, white at 0, on one scale for all epochs. */
function drawKernels(figure, { shape = [0, 0, 0], values }, epoch, caption) {
  const [n, height, width] = shape, size = height * width;
  figure.hidden = !n;
  if (!n) return;
  const all = floats(values), row = figure.querySelector(".lh-run-row");
  const most = all.filter(Number.isFinite).reduce((a, b) => Math.max(a, Math.abs(b)), 1e-9);
  const start = Math.min(n * size * epoch, all.length - n * size);
  if (!row.firstChild) row.append(...range(n).map(() => make("canvas", { width, height })));
  [...row.children].forEach((canvas, m) => {
    const picture = new ImageData(width, height), from = start + m * size;
    all.subarray(from, from + size).forEach((value, k) => {
      const ink = value < 0 ? NEGATIVE : POSITIVE, strength = Math.abs(value) / most;
      const colour = WHITE.map((white, c) => white + strength * (ink[c] - white));
      picture.data.set([...colour, Number.isFinite(value) ? 255 : 0], 4 * k);
    });
    canvas.getContext("2d").putImageData(picture, 0, 0);
  });
  figure.querySelector("figcaption").textContent = fill(caption, { most: number(most) });
}

/** Draws the reader's digits with the probability of each label after an epoch, and its curve;
 * returns what it says, [sentence]. */
function drawAnswers(figure, watched, answers, epoch, epochs) {
  const row = figure.querySelector(".lh-run-row");
  figure.hidden = !watched.length;
  if (!row.firstChild) {
    row.innerHTML = watched.map(() => `<div class="lh-run-digit">
      <canvas width="28" height="28"></canvas><span></span>
      <svg class="lh-run-svg" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
        <path class="lh-run-grid" d="M0 0H100M0 100H100"/><path class="lh-run-line"/>
        <path class="lh-run-here"/><path class="lh-run-dots"/></svg></div>`).join("");
    row.querySelectorAll("canvas").forEach((canvas, i) => canvas.getContext("2d")
      .putImageData(inkPicture(bytes(watched[i].image), 28, 28), 0, 0));
  }
  return watched.map(({ label }, i) => {
    const points = answers.map((shares, x) =>
      [100 * x / epochs, shares[i] === null ? null : 100 - 100 * shares[i]]);
    const dot = curve(points.slice(epoch, epoch + 1)), digit = row.children[i];
    for (const [name, path] of [["line", curve(points)], ["here", dot], ["dots", dot]]) {
      digit.querySelector(`.lh-run-${name}`).setAttribute("d", path);
    }
    const said = `${label}: ${share(answers[epoch]?.[i])}`;
    digit.querySelector("span").textContent = said;
    return said;
  });
}

/** A slider through the finished epochs: {show(done, epochs), say(sentences)}; `show` gives the
 * epoch to be seen: the newest, until the reader has moved to another. `moved` is called then. */
function epochSlider(slider, reading, moved) {
  let picked = null, newest = 0;
  slider.addEventListener("input", () => {
    picked = Number(slider.value) < newest ? Number(slider.value) : null;
    moved();
  });
  return {
    show(done, epochs) {
      newest = done;
      slider.max = epochs; // as long as the curves: it does not move under a finger
      slider.value = picked ?? done;
      slider.disabled = !done;
      return picked ?? done;
    },
    say([text, ...more]) {
      reading.textContent = text;
      slider.setAttribute("aria-valuetext", [text, ...more].join("; "));
    },
  };
}

const learned = (name, caption = "") => `<figure class="lh-run-${name}">
  <figcaption>${caption}</figcaption><div class="lh-run-row"></div></figure>`;

const shell = (texts) => `<div class="lh-run-panel lh-run"><div class="lh-run-head">
    <b class="lh-run-status"></b>${buttonOf("lh-run-stop", texts.stop)}</div>
  <div class="lh-run-bar" role="progressbar" aria-label="${texts.progress}" aria-valuemin="0"
    aria-valuemax="100"><div class="lh-run-filled"></div></div>
  <p class="lh-run-note"></p><pre class="lh-run-fault"></pre>
  <div class="lh-run-body"><div class="lh-run-charts">
    ${chart("loss", texts.epoch)}${chart("accuracy", texts.epoch)}</div><div class="lh-run-learned">
    ${learned("kernels")}${learned("answers", texts.answers)}</div></div>
  <label class="lh-run-pick"><span>${texts.pick}</span>
    <input type="range" class="lh-run-slider" min="0" ${NO_SHORTCUTS}></label>
  <p class="lh-run-reading"></p>
  <pre class="lh-run-log"></pre><div class="lh-run-live" aria-live="polite"></div></div>`;

/** Returns what is called at every drawing and tells a screen reader what is new: the state, that
 * there is a note, and epochs as fast as they can be heard. */
function announcer(live, texts) {
  let said = {};
  return (state, status, note, values, now = performance.now()) => {
    const noted = Boolean(note), news = state !== said.state || noted && !said.noted;
    if (!news && (values.done === said.done || now - said.at < 5000)) return;
    live.textContent = news ? `${status} ${note}` : fill(texts.epoch_done, values);
    said = { state, noted, done: values.done, at: now };
  };
}

function render({ model, el }) {
  const texts = model.get("texts");
  el.innerHTML = shell(texts);
  const find = (name) => el.querySelector(`.lh-run-${name}`);
  const put = (name, text) => { find(name).textContent = text; };
  const stop = find("stop"), bar = find("bar"), say = announcer(find("live"), texts);
  const slider = epochSlider(find("slider"), find("reading"), () => draw());
  let stopping = false, gone = false;

  function draw() {
    const [state, epochs, fraction, left, losses, accuracies] = [
      "state", "epochs", "fraction", "left", "losses", "accuracies",
    ].map((name) => model.get(name));
    const lost = gone || state === "gone", running = state === "running" && !lost;
    const done = accuracies.length;
    const accuracy = done ? percentOf(accuracies.at(-1)) : "";
    const values = { epochs, done, epoch: Math.min(done + 1, epochs), accuracy,
      left: minutes(left), time: minutes(model.get("seconds")) };
    const shown = !running ? (["done", "failed"].includes(state) ? state : "stopped")
      : stopping ? "stopping" : left === null ? "starting" : "running";
    const status = fill(texts[shown], values), note = lost ? texts.python_gone : model.get("note");
    put("status", status);
    put("note", note);
    put("fault", model.get("error"));
    put("log", model.get("log"));
    stop.disabled = !running || stopping;
    bar.setAttribute("aria-valuenow", Math.floor(100 * fraction));
    find("filled").style.width = `${100 * fraction}%`;
    drawEpochs(done, epochs, losses, accuracies, accuracy);
    say(lost ? "gone" : shown === "starting" ? "running" : shown, status, note, values);
  }

  function drawEpochs(done, epochs, losses, accuracies, accuracy) {
    const epoch = slider.show(done, epochs);
    const before = losses.filter(([x]) => x < epoch + 1e-4).length - 1; // of the curve's points
    const here = epoch ? Math.max(before, 0) : losses.length;
    drawChart(find("loss"), `${texts.loss} ${number(losses.at(-1)?.[1])}`, losses,
      lossAxis(losses.map(([, loss]) => loss)), epochs, { marks: -1, here });
    drawChart(find("accuracy"), `${texts.accuracy} ${accuracy}`,
      accuracies.map((value, i) => [i + 1, value]), accuracyAxis(accuracies), epochs,
      { marks: epochs > 40 ? -1 : 0, here: epoch ? epoch - 1 : done });
    drawKernels(find("kernels"), model.get("kernels"), epoch, texts.kernels);
    const digits = drawAnswers(find("answers"), model.get("watched"), model.get("answers"), epoch,
      epochs);
    slider.say([fill(epoch ? texts.after : texts.before, { epoch, loss: number(losses[here]?.[1]),
      accuracy: epoch ? percentOf(accuracies[epoch - 1]) : "" }), ...digits]);
  }

  stop.addEventListener("click", () => {
    stopping = true;
    model.send({ stop: true });
    draw();
  });
  draw();
  return listen(model, { change: draw }, () => {
    gone = true;
    draw();
  });
}

export default { render };
