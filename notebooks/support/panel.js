// The training panel: how far it is, the curves of loss and accuracy, Stop. panel.py sends the numbers.

const PYTHON_GONE = ["restarting", "autorestarting", "terminating", "dead"]; // a kernel's status in JupyterLab

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

/** The logarithmic axis of the losses: `height` of a value in percent, and [height, label] of the ticks.
 * From 0.001 to 3, and further by decades where the losses need it. */
export function lossAxis(losses) {
  const exponent = (loss) => Math.min(Math.max(Math.log10(loss), -6), 6);
  const known = losses.filter((loss) => loss !== null).map(exponent);
  const low = Math.floor(Math.min(-3, ...known)), high = Math.max(0.5, ...known);
  const height = (loss) => 100 * (exponent(loss) - low) / (high - low);
  const label = (e) => Math.abs(e) > 3 ? `1e${e}` : String(10 ** e);
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

function add(parent, tag, name, attributes = {}) {
  const svg = tag === "svg" || tag === "path";
  const child = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  child.setAttribute("class", `lh-run-${name}`);
  for (const [key, value] of Object.entries(attributes)) child.setAttribute(key, value);
  parent.append(child);
  return child;
}

/** A chart in `parent`. The picture is stretched to any size; its labels are text beside it, which is not. */
function chart(parent, name) {
  const figure = add(parent, "figure", `chart lh-run-${name}`);
  const caption = add(figure, "figcaption", "caption");
  const plot = add(figure, "div", "plot");
  const svg = add(plot, "svg", "svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", role: "img" });
  const [grid, line, dots] = ["grid", "line", "dots"].map((part) => add(svg, "path", part));
  const labels = add(plot, "div", "labels", { "aria-hidden": "true" });
  add(figure, "div", "epoch", { "aria-hidden": "true" }).textContent = "epoch";

  return function draw(title, points, { height, ticks }, epochs, marks) {
    caption.textContent = title;
    svg.setAttribute("aria-label", title);
    const at = points.map(([x, y]) => [100 * x / epochs, y === null ? null : 100 - height(y)]);
    grid.setAttribute("d", ticks.map(([y]) => `M0 ${(100 - y).toFixed(2)}H100`).join(""));
    line.setAttribute("d", curve(at));
    dots.setAttribute("d", at.filter(([, y]) => y !== null).slice(marks).map((point) => curve([point])).join(""));
    labels.replaceChildren();
    for (const [y, label] of ticks) add(labels, "span", "y", { style: `bottom: ${y}%` }).textContent = label;
    for (const x of wholeTicks(epochs)) {
      add(labels, "span", "x", { style: `left: ${100 * x / epochs}%` }).textContent = x;
    }
  };
}

function render({ model, el }) {
  const texts = model.get("texts");
  const root = add(el, "div", "panel");
  root.classList.add("lh-run");
  const head = add(root, "div", "head");
  const status = add(head, "b", "status");
  const stop = add(head, "button", "stop", { type: "button", "data-lm-suppress-shortcuts": "true" });
  stop.textContent = texts.stop;
  const bar = add(root, "div", "bar", {
    role: "progressbar", "aria-label": texts.progress, "aria-valuemin": 0, "aria-valuemax": 100,
  });
  const filled = add(bar, "div", "filled");
  const note = add(root, "p", "note");
  const fault = add(root, "pre", "fault");
  const charts = add(root, "div", "charts");
  const drawLoss = chart(charts, "loss"), drawAccuracy = chart(charts, "accuracy");
  const log = add(root, "pre", "log");
  const live = add(root, "div", "live", { "aria-live": "polite" });
  let stopping = false, gone = false, announced = {}, announcedAt = -Infinity;

  /** What a screen reader says: every state, and epochs, but not faster than they can be heard. */
  function announce(state, values, now = performance.now()) {
    if (state === announced.state && (values.done === announced.done || now - announcedAt < 5000)) return;
    live.textContent = state === announced.state ? fill(texts.epoch_done, values)
      : `${status.textContent} ${note.textContent}`;
    [announced, announcedAt] = [{ state, done: values.done }, now];
  }

  function draw() {
    const [epochs, losses, accuracies] = ["epochs", "losses", "accuracies"].map((name) => model.get(name));
    const lost = gone || model.get("state") === "gone";
    const running = model.get("state") === "running" && !lost;
    const state = running ? (stopping ? "stopping" : model.get("left") === null ? "starting" : "running")
      : ["done", "failed"].includes(model.get("state")) ? model.get("state") : "stopped";
    const done = accuracies.length, loss = losses.at(-1)?.[1], accuracy = accuracies.at(-1);
    const percent = accuracy === undefined ? "" : `${(100 * accuracy).toFixed(2)}%`;
    const values = { epochs, done, epoch: Math.min(done + 1, epochs), accuracy: percent,
      left: minutes(model.get("left")), time: minutes(model.get("seconds")) };
    status.textContent = fill(texts[state], values);
    stop.disabled = !running || stopping;
    bar.setAttribute("aria-valuenow", Math.floor(100 * model.get("fraction")));
    filled.style.width = `${100 * model.get("fraction")}%`;
    note.textContent = lost ? texts.gone : "";
    fault.textContent = model.get("error");
    const shownLoss = loss === undefined ? "" : loss === null ? " NaN" : ` ${loss < 1e-4 && loss ? loss.toExponential(2) : loss.toPrecision(3)}`;
    drawLoss(texts.loss + shownLoss, losses, lossAxis(losses.map(([, y]) => y)), epochs, -1);
    drawAccuracy(`${texts.accuracy} ${percent}`, accuracies.map((y, i) => [i + 1, y]), accuracyAxis(accuracies),
      epochs, epochs > 40 ? -1 : 0);
    log.textContent = model.get("log");
    announce(lost ? "gone" : running && !stopping ? "running" : state, values);
  }

  function leave() {
    gone = true;
    draw();
  }
  const follow = (_, kernelStatus) => { if (PYTHON_GONE.includes(kernelStatus)) leave(); };
  const kernel = model.widget_manager?.kernel; // JupyterLab's: shutting down closes no comm
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
