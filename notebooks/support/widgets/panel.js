// The training panel: how far it is, the curves of loss and accuracy, Stop. The numbers: panel.py.

const PYTHON_GONE = ["restarting", "autorestarting", "terminating", "dead"]; // in JupyterLab

/** Puts values into a sentence: fill("{a} of {b}", {a: 1, b: 2}) is "1 of 2". */
export function fill(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** Seconds as m:ss. */
export function minutes(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** At most six whole numbers from 0 to n, in steps of 1, 2, 5, 10, 20, ... */
export function wholeTicks(n) {
  let step = 1;
  while (n / step > 5) step *= String(step).startsWith("2") ? 2.5 : 2;
  return Array.from({ length: Math.floor(n / step) + 1 }, (_, i) => i * step);
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

function add(parent, tag, name, attributes = {}) {
  const space = ["svg", "path"].includes(tag) ? "2000/svg" : "1999/xhtml";
  const child = document.createElementNS(`http://www.w3.org/${space}`, tag);
  child.setAttribute("class", `lh-run-${name}`);
  for (const [key, value] of Object.entries(attributes)) child.setAttribute(key, value);
  parent.append(child);
  return child;
}

/** A chart in `parent`; returns the function that draws it. The picture is stretched to any size,
 * its labels, which must not be, stand beside it; `epoch` below it. `marks`: from which point on
 * there are dots. */
function chart(parent, name, epoch) {
  const figure = add(parent, "figure", `chart lh-run-${name}`);
  const caption = add(figure, "figcaption", "caption");
  const plot = add(figure, "div", "plot");
  const box = { viewBox: "0 0 100 100", preserveAspectRatio: "none", role: "img" };
  const svg = add(plot, "svg", "svg", box);
  const [grid, line, dots] = ["grid", "line", "dots"].map((part) => add(svg, "path", part));
  const labels = add(plot, "div", "labels", { "aria-hidden": "true" });
  add(figure, "div", "epoch", { "aria-hidden": "true" }).textContent = epoch;

  return function draw(title, points, { height, ticks }, epochs, marks) {
    const at = points.map(([x, y]) => [100 * x / epochs, y === null ? null : 100 - height(y)]);
    const known = at.filter(([, y]) => y !== null);
    const label = (axis, style, text) => add(labels, "span", axis, { style }).append(text);
    caption.textContent = title;
    svg.setAttribute("aria-label", title);
    grid.setAttribute("d", ticks.map(([y]) => `M0 ${(100 - y).toFixed(2)}H100`).join(""));
    line.setAttribute("d", curve(at));
    dots.setAttribute("d", known.slice(marks).map((point) => curve([point])).join(""));
    labels.replaceChildren();
    for (const [y, text] of ticks) label("y", `bottom: ${y}%`, text);
    for (const x of wholeTicks(epochs)) label("x", `left: ${100 * x / epochs}%`, x);
  };
}

function render({ model, el }) {
  const texts = model.get("texts");
  const root = add(el, "div", "panel lh-run");
  const head = add(root, "div", "head");
  const status = add(head, "b", "status");
  const stop = add(head, "button", "stop", {
    type: "button", "data-lm-suppress-shortcuts": "true",
  });
  stop.textContent = texts.stop;
  const bar = add(root, "div", "bar", {
    role: "progressbar", "aria-label": texts.progress, "aria-valuemin": 0, "aria-valuemax": 100,
  });
  const filled = add(bar, "div", "filled");
  const note = add(root, "p", "note");
  const fault = add(root, "pre", "fault");
  const charts = add(root, "div", "charts");
  const drawLoss = chart(charts, "loss", texts.epoch);
  const drawAccuracy = chart(charts, "accuracy", texts.epoch);
  const log = add(root, "pre", "log");
  const live = add(root, "div", "live", { "aria-live": "polite" });
  let stopping = false, gone = false, said = {};

  /** What a screen reader says: every state, that there is a note, and epochs as fast as they can
   * be heard. */
  function say(state, values, now = performance.now()) {
    const noted = Boolean(note.textContent), news = state !== said.state || noted && !said.noted;
    if (!news && (values.done === said.done || now - said.at < 5000)) return;
    live.textContent = news ? `${status.textContent} ${note.textContent}`
      : fill(texts.epoch_done, values);
    said = { state, noted, done: values.done, at: now };
  }

  function draw() {
    const [state, epochs, fraction, left, losses, accuracies] = [
      "state", "epochs", "fraction", "left", "losses", "accuracies",
    ].map((name) => model.get(name));
    const lost = gone || state === "gone", running = state === "running" && !lost;
    const done = accuracies.length;
    const accuracy = done ? `${(100 * accuracies.at(-1)).toFixed(2)}%` : "";
    const values = { epochs, done, epoch: Math.min(done + 1, epochs), accuracy,
      left: minutes(left), time: minutes(model.get("seconds")) };
    const shown = !running ? (["done", "failed"].includes(state) ? state : "stopped")
      : stopping ? "stopping" : left === null ? "starting" : "running";
    status.textContent = fill(texts[shown], values);
    stop.disabled = !running || stopping;
    bar.setAttribute("aria-valuenow", Math.floor(100 * fraction));
    filled.style.width = `${100 * fraction}%`;
    note.textContent = lost ? texts.gone : model.get("note");
    fault.textContent = model.get("error");
    log.textContent = model.get("log");
    drawLoss(`${texts.loss} ${number(losses.at(-1)?.[1])}`, losses,
      lossAxis(losses.map(([, loss]) => loss)), epochs, -1);
    drawAccuracy(`${texts.accuracy} ${accuracy}`, accuracies.map((value, i) => [i + 1, value]),
      accuracyAxis(accuracies), epochs, epochs > 40 ? -1 : 0);
    say(lost ? "gone" : shown === "starting" ? "running" : shown, values);
  }

  function leave() {
    gone = true;
    draw();
  }
  const follow = (_, kernelStatus) => { if (PYTHON_GONE.includes(kernelStatus)) leave(); };
  const kernel = model.widget_manager?.kernel; // JupyterLab's: a shutdown alone closes no comm
  stop.addEventListener("click", () => {
    stopping = true;
    model.send({ stop: true });
    draw();
  });
  model.on("change", draw);
  model.on("comm_live_update", leave);
  kernel?.statusChanged?.connect(follow);
  kernel?.disposed?.connect(leave);
  draw();
  return () => {
    model.off("change", draw);
    model.off("comm_live_update", leave);
    kernel?.statusChanged?.disconnect(follow);
    kernel?.disposed?.disconnect(leave);
  };
}

export default { render };
