// One step downhill: the valley of one weight, and all weights at once. The numbers: downhill.py.

const LIMIT = 10; // the picture of one weight goes from -10 to 10

const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const mean = (values, of) => values.reduce((sum, value) => sum + of(value), 0) / values.length;

/** The loss of a `valley` (see downhill.py) if the weight were `weight`. */
export function lossAt({ margins, share, rest }, weight) {
  return mean(margins, (margin) => softplus(margin + weight)) - share * weight + rest;
}

/** Its slope there: what `.grad` of that weight is. */
export function slopeAt({ margins, share }, weight) {
  return mean(margins, (margin) => 1 / (1 + Math.exp(-margin - weight))) - share;
}

const inside = ([x, y]) => x >= 0 && x <= 100 && y >= 0 && y <= 100;
const decimal = (value, digits = 3) =>
  (Math.abs(value) < 1e4 ? fixed(value, digits) : readable(value.toExponential(1)));
const path = (points, joint = "L") => points.map(([x, y], i) =>
  `${i ? joint : "M"}${x.toFixed(2)} ${(100 - y).toFixed(2)}h0`).join("");

const shapes = (names) => names.map((name) => `<path class="lh-down-${name}"/>`).join("");

/** A picture stretched to any size; its labels, [side, percent, text], stand beside it. The slider
 * below is its horizontal axis. `cut` are lines that end at its edge, `dots` points in it. */
const chart = (name, title, control, cut, dots, labels, more = "") => `<figure
  class="lh-down-${name}">
  <figcaption>${title}</figcaption><div class="lh-down-plot">
    <svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label="${title}">
      <svg width="100" height="100" overflow="hidden">${shapes(cut)}</svg>${shapes(dots)}</svg>
    <b class="lh-down-out" aria-hidden="true"></b>
    ${labels.map(([side, at, label]) =>
      `<span aria-hidden="true" style="${side}: ${at}%">${label}</span>`).join("")}</div>
  <label><input type="range" ${NO_SHORTCUTS}>${control} <output></output></label>
  ${more}<p></p></figure>`;

/** One weight: where a point of the valley is in its picture, in percent. */
function valleyPicture(valley) {
  const places = range(121).map((i) => LIMIT * (i / 60 - 1));
  const heights = places.map((place) => lossAt(valley, place));
  const low = Math.floor(Math.min(...heights)), high = Math.ceil(Math.max(...heights));
  const across = (weight) => 50 + 50 * weight / LIMIT;
  const up = (loss) => 100 * (loss - low) / (high - low);
  const on = (weight) => [across(weight), up(lossAt(valley, weight))];
  return { places, low, high, across, up, on };
}

/** All weights: the loss before the step is in the middle, the best one as far below as is seen
 * above; `best` and `worse` are places among the rates. */
function stepPicture(rates, losses, before) {
  const known = losses.map((loss) => loss ?? Infinity), best = known.indexOf(Math.min(...known));
  const depth = Math.max(before - known[best], 0.01);
  const after = (i) => [100 * i / (rates.length - 1), 50 + 42 * (known[i] - before) / depth];
  const worse = rates.findIndex((_, i) => i > best && known[i] > before);
  return { known, best, worse, depth, after };
}

/** Both charts, with the buttons and the lines for what is said. */
function shell(say, rates, before, { low, high, across, up }, { depth, after }) {
  const buttons = ["step", "reset"].map((name) => buttonOf(`lh-down-${name}`, say(name)));
  const one = chart("one", say("one"), say("weight"), ["curve", "tangent"],
    ["trail", "next", "here"], [...[low, high].map((loss) => ["bottom", up(loss), loss]),
      ...[-LIMIT, 0, LIMIT].map((at) => ["left", across(at), fixed(at, 0)])],
    `<div>${buttons.join(" ")}</div>`);
  const all = chart("all", say("all"), say("rate"), ["before", "curve"], ["best", "here"],
    [["bottom", 50, decimal(before)], ["bottom", 8, decimal(before - depth)],
      ...range(4).map((power) => ["left", after(6 * power)[0], rates[6 * power]])]);
  return `<div class="lh-down"><div class="lh-down-charts">${one}${all}</div>
    <div class="lh-down-gone" role="status"></div>
    <div class="lh-down-live" aria-live="polite"></div></div>`;
}

function render({ model, el }) {
  const [texts, valley, rates, losses, before, digit, n, [start]] = ["texts", "valley", "rates",
    "losses", "before", "digit", "n_weights", "weights"].map((name) => model.get(name));
  const say = (key, values) => fill(texts[key],
    { digit, n: n.toLocaleString("en"), ...values });

  const one = valleyPicture(valley), all = stepPicture(rates, losses, before);
  const { up, on } = one, { known, best, worse, after } = all;
  const advice = say(known[best] < before ? "best" : "no_better",
    { best: rates[best], least: decimal(known[best]), worse: rates[worse] ?? "∞" });
  el.innerHTML = shell(say, rates, before, one, all);
  const find = (selector) => el.querySelector(`.lh-down-${selector}`);
  const put = (selector, content) => { find(selector).textContent = content; };
  const line = (selector, points) => find(selector).setAttribute("d", path(points));
  const dots = (selector, points) => // those in the picture
    find(selector).setAttribute("d", path(points.filter(inside), "M"));
  const pointOut = (name, arrow, [x, y], to) => { // beside the edge, where a point is not inside
    const out = find(`${name} .lh-down-out`);
    out.textContent = arrow && `${arrow} ${say("out", { to })}`;
    Object.assign(out.style, { left: `${x}%`, bottom: `${y}%`, translate: `${-x}% ${y}%` });
  };
  const weight = find("one input"), rate = find("all input");
  Object.assign(weight, { min: -LIMIT, max: LIMIT, step: 0.1 });
  Object.assign(rate, { min: 0, max: rates.length - 1 });
  line("one .lh-down-curve", one.places.map(on));
  line("before", [[0, 50], [100, 50]]);
  line("all .lh-down-curve", range(rates.length).map(after).filter(([, y]) => y < 1e6));
  dots("best", [after(best)]);

  function draw() {
    const weights = model.get("weights"), lr = model.get("learning_rate"), here = weights.at(-1);
    const slope = slopeAt(valley, here), next = here - lr * slope, index = rates.indexOf(lr);
    const [x, y] = on(here), rise = up(slope * LIMIT / 50) - up(0), half = 25 / Math.hypot(1, rise);
    line("tangent", inside([x, y])
      ? [[x - half, y - half * rise], [x + half, y + half * rise]] : []);
    dots("trail", weights.map(on));
    dots("next", [on(next)]);
    dots("one .lh-down-here", [[x, y]]);
    dots("all .lh-down-here", [after(index)]);
    const out = [here, next].find((place) => !inside(on(place))) ?? 0;
    pointOut("one", ["←", "", "→"][Math.sign(out) + 1], [out > 0 ? 100 : 0, 50], decimal(out, 1));
    pointOut("all", inside(after(index)) ? "" : "↑", [after(index)[0], 100],
      losses[index] === null ? "NaN" : decimal(losses[index], 1));
    [weight.value, rate.value] = [here, index];
    [weight.ariaValueText, rate.ariaValueText] = [decimal(here), String(lr)];
    put("one output", decimal(here));
    put("all output", lr);
    put("one p", say("slope", { lr, weight: decimal(here), slope: decimal(slope),
      factor: slope < 0 ? `(${decimal(slope)})` : decimal(slope),
      loss: decimal(lossAt(valley, here)), next: decimal(next) }));
    put("all p", `${say("after", { lr, before: decimal(before),
      after: losses[index] === null ? "NaN" : decimal(losses[index]) })} ${advice}`);
  }

  function set(name, value, isSaid) {
    model.set(name, value); // draws
    if (!find("gone").textContent) model.save_changes();
    if (isSaid) put("live", find("one p").textContent);
  }

  weight.addEventListener("input", () => set("weights", [Number(weight.value)]));
  rate.addEventListener("input", () => set("learning_rate", rates[rate.value]));
  find("step").addEventListener("click", () => {
    const weights = model.get("weights"), here = weights.at(-1);
    set("weights", [...weights, here - model.get("learning_rate") * slopeAt(valley, here)], true);
  });
  find("reset").addEventListener("click", () => set("weights", [start], true));
  draw();
  return listen(model, { "change:weights": draw, "change:learning_rate": draw },
    () => put("gone", texts.python_gone));
}

export default { render };
