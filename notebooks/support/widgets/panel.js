// The training panel: how far it is, the curves of loss and accuracy, Stop. The numbers: panel.py.

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

/** A chart's HTML. The picture is stretched to any size; its labels, which must not be, stand
 * beside it. */
const chart = (name, epoch) => `<figure class="lh-run-chart lh-run-${name}">
  <figcaption class="lh-run-caption"></figcaption><div class="lh-run-plot">
    <svg class="lh-run-svg" viewBox="0 0 100 100" preserveAspectRatio="none" role="img">
      <path class="lh-run-grid"/><path class="lh-run-line"/><path class="lh-run-dots"/></svg>
    <div class="lh-run-labels" aria-hidden="true"></div></div>
  <div class="lh-run-epoch" aria-hidden="true">${epoch}</div></figure>`;

/** Draws a chart. `marks`: from which point on there are dots. */
function drawChart(figure, title, points, { height, ticks }, epochs, marks) {
  const at = points.map(([x, y]) => [100 * x / epochs, y === null ? null : 100 - height(y)]);
  const known = at.filter(([, y]) => y !== null);
  const lines = { grid: ticks.map(([y]) => `M0 ${(100 - y).toFixed(2)}H100`).join(""),
    line: curve(at), dots: known.slice(marks).map((point) => curve([point])).join("") };
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

const shell = (texts) => `<div class="lh-run-panel lh-run"><div class="lh-run-head">
    <b class="lh-run-status"></b>${buttonOf("lh-run-stop", texts.stop)}</div>
  <div class="lh-run-bar" role="progressbar" aria-label="${texts.progress}" aria-valuemin="0"
    aria-valuemax="100"><div class="lh-run-filled"></div></div>
  <p class="lh-run-note"></p><pre class="lh-run-fault"></pre>
  <div class="lh-run-charts">${chart("loss", texts.epoch)}${chart("accuracy", texts.epoch)}</div>
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
  let stopping = false, gone = false;

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
    const status = fill(texts[shown], values), note = lost ? texts.python_gone : model.get("note");
    put("status", status);
    put("note", note);
    put("fault", model.get("error"));
    put("log", model.get("log"));
    stop.disabled = !running || stopping;
    bar.setAttribute("aria-valuenow", Math.floor(100 * fraction));
    find("filled").style.width = `${100 * fraction}%`;
    drawChart(find("loss"), `${texts.loss} ${number(losses.at(-1)?.[1])}`, losses,
      lossAxis(losses.map(([, loss]) => loss)), epochs, -1);
    drawChart(find("accuracy"), `${texts.accuracy} ${accuracy}`,
      accuracies.map((value, i) => [i + 1, value]), accuracyAxis(accuracies), epochs,
      epochs > 40 ? -1 : 0);
    say(lost ? "gone" : shown === "starting" ? "running" : shown, status, note, values);
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
