// The draw pad: a digit drawn by hand and, while one draws, what a network makes of it.
//
// The page sends (model.set, model.save_changes):
//   _ink      DataView of 112x112 bytes, row by row: 0 is empty, 255 black; Python sets it, too
//   centre    whether the drawing is scaled and centred as MNIST's makers did it
//   network   one of the names in _networks
// To each of them it gets an answer, a new value of _answer:
//   turn      a number, another one each time
//   problem   why there is no guess: "empty", "dot", "full", "nan", or "" if there is one
//   fault     the error's type and text if the network could not run, else ""
//   shapes    {input: [1, 28, 28], c1: [6, 28, 28], s2, c3, s4, fc1, fc2, fc3: [10]}; after a fault
//             only {input}; each as the next layer takes it, fc3 the ten outputs
//   after     {c1: "ReLU", ...}: what a layer's numbers have gone through, where that is known
//   values    the numbers of all of these, one after the other: float32, little-endian bytes
// Where Python keeps drawings, {keep: digit} (model.send) keeps this one; the answer is _kept:
//   turn, as above; note: how many there are, or what is wrong; done: whether one was kept
// What stays as it is: _pen (the pen's width in pixels of 112), _samples (each digit's strokes, of
// points [x, y] in the unit square), _networks, texts.

const SIDE = 112, SCALE = 5; // of a drawing; pixels of the canvas to one of its pixels
const ERASER = 2.5; // times the pen's width
const SURE = 0.9; // a probability above which a guess that is not the label is asked about
const SEND_EVERY = 150, PATIENCE = 2500, SETTLED = 800; // milliseconds
const LAYERS = { // zoom: pixels of the page to a cell; columns: maps in a row where there is room
  c1: { title: "C1", zoom: 3, columns: 6 },
  s2: { title: "S2", zoom: 4, columns: 6 },
  c3: { title: "C3", zoom: 4, columns: 8 },
  s4: { title: "S4", zoom: 7, columns: 8 },
  fc1: { title: "F5 (fc1)", zoom: 8 },
  fc2: { title: "F6 (fc2)", zoom: 8 },
};

export function softmax(outputs) {
  const top = largest(outputs); // taken away, so that no power is infinite
  const powers = Array.from(outputs, output => Math.exp(output - top));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map(power => power / sum);
}

const control = (tag, attributes, ...children) =>
  make(tag, { "data-lm-suppress-shortcuts": "true", ...attributes }, ...children);
const button = (attributes, text) => control("button", { type: "button", ...attributes }, text);
const largest = values => values.reduce((a, b) => Math.max(a, b));

/** {name: Float32Array} of an answer. */
function layerValues({ shapes, values }) {
  const numbers = floats(values);
  let start = 0;
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) =>
    [name, numbers.subarray(start, start += shape.reduce((a, b) => a * b))]));
}

/** The sheet to draw on; `changed(over)` is called while a stroke is drawn and when it is over. */
function drawingSheet(pen, label, changed) {
  const canvas = make("canvas", { class: "lh-pad-canvas", width: SIDE * SCALE, height: SIDE * SCALE,
    role: "img", "aria-label": label });
  const ink = canvas.getContext("2d", { willReadFrequently: true });
  const small = make("canvas", { width: SIDE, height: SIDE })
    .getContext("2d", { willReadFrequently: true });
  small.imageSmoothingQuality = "high";
  let pointer = null, last = null;

  const use = eraser => {
    ink.globalCompositeOperation = eraser ? "destination-out" : "source-over";
    ink.lineWidth = SCALE * pen * (eraser ? ERASER : 1);
    ink.lineCap = ink.lineJoin = "round";
    last = null;
  };
  const lineTo = (x, y) => { // in the unit square
    const point = [x * canvas.width, y * canvas.height];
    ink.beginPath();
    ink.moveTo(...(last ?? [point[0] - 0.1, point[1]]));
    ink.lineTo(...point);
    ink.stroke();
    last = point;
  };
  const follow = event => {
    const box = canvas.getBoundingClientRect();
    lineTo((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  };
  const sheet = {
    canvas,
    erasing: false,
    inUse: () => pointer !== null,
    clear: () => ink.clearRect(0, 0, canvas.width, canvas.height),
    draw(strokes) {
      for (const stroke of strokes) {
        use(false);
        stroke.forEach(point => lineTo(...point));
      }
    },
    levels() {
      small.clearRect(0, 0, SIDE, SIDE);
      small.drawImage(canvas, 0, 0, SIDE, SIDE);
      const { data } = small.getImageData(0, 0, SIDE, SIDE);
      return Uint8Array.from({ length: SIDE * SIDE }, (_, i) => data[4 * i + 3]);
    },
    show(levels) {
      small.putImageData(inkPicture(levels, SIDE, SIDE), 0, 0);
      ink.globalCompositeOperation = "copy";
      ink.drawImage(small.canvas, 0, 0, canvas.width, canvas.height);
    },
  };
  // else Chromium takes a fast stroke for a fling, and swallows the tap on Clear that follows
  canvas.ontouchstart = event => event.preventDefault();
  canvas.onpointerdown = event => {
    const otherEnd = event.buttons & 32; // of a pen: its eraser
    if (pointer !== null || event.button !== 0 && !otherEnd) return;
    event.preventDefault();
    pointer = event.pointerId;
    canvas.setPointerCapture(pointer);
    use(sheet.erasing || otherEnd);
    follow(event);
  };
  canvas.onpointermove = event => {
    if (event.pointerId !== pointer) return;
    const steps = event.getCoalescedEvents?.() ?? [];
    (steps.length ? steps : [event]).forEach(follow);
    changed(false);
  };
  canvas.onpointerup = canvas.onpointercancel = event => {
    if (event.pointerId !== pointer) return;
    pointer = null;
    changed(true);
  };
  return sheet;
}

/** A layer's maps [n, height, width], each a canvas, or its neurons [n], all in one.
 *  `paint` takes the layer's values: 0 is white, `limit` black. */
function layerPicture(name, [n, height, width], { zoom, columns }, caption) {
  const neurons = !height, [maps, w, h] = neurons ? [1, n, 1] : [n, width, height];
  const style = `width: ${zoom * w}px${neurons ? "; height: 16px" : ""}`;
  const look = { width: w, height: h, style, "data-layer": name };
  const canvases = Array.from({ length: maps },
    (_, map) => make("canvas", { ...look, "data-map": map }));
  const row = make("div", { class: "lh-pad-row", "aria-hidden": "true" }, ...canvases);
  if (columns) row.style.maxWidth = `${columns * (zoom * w + 3)}px`;
  const paint = (values, limit) => canvases.forEach((canvas, k) => {
    const levels = values.subarray(k * w * h, (k + 1) * w * h).map(value => 255 * value / limit);
    canvas.getContext("2d").putImageData(inkPicture(levels, w, h), 0, 0);
  });
  return { figure: make("figure", {}, make("figcaption", {}, caption), row), paint };
}

/** The answer's part of the page: `elements`; `follow(answer)` shows it and gives it in words. */
function resultsView(texts) {
  const part = (name, tag = "div") => make(tag, { class: `lh-pad-${name}` });
  const sees = part("sees"), guess = part("guess"), sentence = part("sentence");
  const maps = part("maps"), table = part("table", "table"), body = make("tbody");
  const input = layerPicture("input", [1, 28, 28], { zoom: 4 }, texts.sees);
  sees.append(input.figure);
  const [first, second] = ["first", "second"].map(name => {
    const digit = make("b"), probability = make("span");
    const line = part(name, "p");
    line.append(make("span", {}, texts[name]), " ", digit, " ", probability);
    guess.append(line);
    return { digit, probability };
  });
  const heading = (text, attributes) => make("th", { scope: "col", ...attributes }, text);
  table.append(make("thead", {}, make("tr", {}, make("td"), heading(texts.output),
    heading(texts.probability, { colspan: 2 }))), body);
  let rows = [], pictures = {}, built = "";

  const build = ({ shapes, after }) => { // again for another kind of network only
    if (built === JSON.stringify([shapes, after])) return;
    built = JSON.stringify([shapes, after]);
    rows = Array.from({ length: shapes.fc3[0] }, (_, digit) => {
      const output = make("td"), bar = make("div"), probability = make("td");
      const row = make("tr", {}, make("th", { scope: "row" }, digit), output, make("td", {}, bar),
        probability);
      return { row, output, bar, probability };
    });
    body.replaceChildren(...rows.map(({ row }) => row));
    pictures = Object.fromEntries(Object.entries(LAYERS).map(([name, layer]) => {
      const between = after[name] ? fill(texts.after, { between: after[name] }) : "";
      return [name, layerPicture(name, shapes[name], layer, layer.title + between)];
    }));
    maps.replaceChildren(...Object.values(pictures).map(({ figure }) => figure));
  };
  const showGuess = outputs => {
    const probabilities = softmax(outputs);
    const [best, next] = probabilities.map((_, digit) => digit)
      .sort((a, b) => probabilities[b] - probabilities[a]);
    for (const [place, digit] of [[first, best], [second, next]]) {
      place.digit.textContent = digit;
      place.probability.textContent = percent(probabilities[digit]);
    }
    rows.forEach(({ row, output, bar, probability }, digit) => {
      row.className = digit === best ? "lh-pad-best" : "";
      output.textContent = fixed(outputs[digit], 1);
      bar.style.width = `${100 * probabilities[digit]}%`;
      probability.textContent = percent(probabilities[digit]);
    });
    return fill(texts.said, { first: best, second: next,
      p: percent(probabilities[best]), q: percent(probabilities[next]) });
  };
  return {
    elements: [sees, guess, table, sentence, maps],
    follow(answer) {
      const values = layerValues(answer);
      input.paint(values.input, 1);
      if (!answer.fault) {
        build(answer);
        for (const name in LAYERS) pictures[name].paint(values[name], largest(values[name]) || 1);
      }
      sentence.textContent = answer.fault ? fill(texts.fault, { error: answer.fault })
        : answer.problem ? texts[answer.problem] : "";
      const guessed = !sentence.textContent;
      for (const element of [guess, table, maps]) { // room is kept for them: nothing moves
        element.style.visibility = guessed ? "visible" : "hidden";
      }
      return guessed ? showGuess(values.fc3) : sentence.textContent;
    },
  };
}

/** Pen, eraser, Clear and a sample of each digit: the elements. `replace(strokes)` draws others on
 * the sheet, with the pen in hand again, and sends them. */
function drawingTools(sheet, texts, samples, send) {
  const tools = ["draw", "erase"].map(name => button({}, texts[name]));
  const choose = erasing => {
    sheet.erasing = erasing;
    tools.forEach((tool, k) => tool.setAttribute("aria-pressed", erasing === Boolean(k)));
    sheet.canvas.style.cursor = erasing ? "cell" : "crosshair";
  };
  const replace = strokes => {
    sheet.clear();
    sheet.draw(strokes);
    choose(false);
    send();
  };
  const clear = button({ class: "lh-pad-clear" }, texts.clear);
  tools.forEach((tool, k) => { tool.onclick = () => choose(Boolean(k)); });
  clear.onclick = () => replace([]);
  choose(false);
  const buttons = samples.map((strokes, digit) => {
    const sample = button({ "data-sample": digit }, digit);
    sample.onclick = () => replace(strokes);
    return sample;
  });
  return {
    replace,
    tools: make("div", { class: "lh-pad-tools" }, ...tools, clear),
    samples: make("div", { class: "lh-pad-samples", role: "group", "aria-label": texts.samples },
      make("span", { "aria-hidden": "true" }, texts.samples), ...buttons),
  };
}

/** Where the drawing is kept under a label: `send` first what is drawn, `ask` Python; `next` is
 * called once it is kept. `follow`: to Python's answer. */
function keeper(model, texts, { send, ask, next }) {
  const label = control("select", { class: "lh-pad-label" },
    ...range(10).map(digit => make("option", { value: digit }, digit)));
  const keep = button({ class: "lh-pad-keep" }, texts.keep_button);
  const kept = make("span", { role: "status" });
  const element = make("div", { class: "lh-pad-keeping" },
    make("label", {}, texts.keep, label), keep, kept);
  element.hidden = model.get("_kept") === undefined; // a page without Python
  let asked = false, doubted = {}; // the label that was asked about, and of which drawing
  keep.onclick = () => {
    send();
    const digit = Number(label.value), answer = model.get("_answer"), ink = model.get("_ink");
    const shares = answer.problem || answer.fault ? [] : softmax(layerValues(answer).fc3);
    const guess = shares.findIndex(share => share > SURE);
    const isDoubted = doubted.digit === digit && doubted.ink === ink;
    if (![-1, digit].includes(guess) && !isDoubted) { // a slip of the label? asked once
      doubted = { digit, ink };
      kept.textContent = fill(texts.doubt, { guess, p: percent(shares[guess]), digit });
      return;
    }
    asked = true;
    ask({ keep: digit });
  };
  const follow = () => {
    const { note = "", done = false } = model.get("_kept") ?? {};
    kept.textContent = note;
    if (!done || !asked) return;
    asked = false; // the next digit
    label.value = (Number(label.value) + 1) % 10;
    next();
  };
  return { element, follow };
}

/** Whether the drawing is centred, and which network sees it: the labels with their controls, and
 * `follow`, which shows what the model has. */
function choices(model, texts, set) {
  const names = model.get("_networks");
  const centre = control("input", { type: "checkbox", class: "lh-pad-centre" });
  const network = control("select", { class: "lh-pad-network" },
    ...names.map(name => make("option", { value: name }, name)));
  centre.onchange = () => set("centre", centre.checked);
  network.onchange = () => set("network", network.value);
  const networks = make("label", {}, texts.network, network);
  networks.hidden = names.length === 1;
  return {
    elements: [make("label", {}, centre, texts.centre), networks],
    follow() {
      centre.checked = model.get("centre");
      network.value = model.get("network");
    },
  };
}

/** The line that says that Python does not answer, or is gone. */
function pythonNotice(texts) {
  const element = make("div", { class: "lh-pad-notice", role: "status" });
  const complain = () => { element.textContent = texts.python_waiting; };
  let patience = 0, gone = false;
  const rest = () => clearTimeout(patience);
  return {
    element,
    rest,
    expect(act) { // an answer; if none comes, a cell runs, or the kernel is gone
      rest();
      if (!gone) patience = setTimeout(complain, PATIENCE);
      act(); // last: without Python the answer is there before it returns
    },
    answered() {
      rest();
      if (!gone) element.textContent = "";
    },
    leave() {
      rest();
      gone = true;
      element.textContent = texts.python_gone;
    },
  };
}

function render({ model, el }) {
  const texts = model.get("texts"), notice = pythonNotice(texts), view = resultsView(texts);
  const live = make("div", { class: "lh-pad-live", "aria-live": "polite" });
  let sent = null, words = "", timer = 0, settling = 0;

  const announce = () => {
    clearTimeout(settling);
    settling = setTimeout(() => { if (!sheet.inUse()) live.textContent = words; }, SETTLED);
  };
  const set = (name, value) => notice.expect(() => {
    model.set(name, value);
    model.save_changes();
  });
  const send = () => {
    clearTimeout(timer);
    timer = 0;
    const levels = sheet.levels(), old = bytes(model.get("_ink"));
    if (levels.every((level, i) => level === old[i])) return;
    sent = new DataView(levels.buffer);
    set("_ink", sent);
  };
  const sheet = drawingSheet(model.get("_pen"), texts.label, over => {
    if (over) send();
    else timer ||= setTimeout(send, SEND_EVERY);
    announce();
  });
  const { tools, samples, replace } = drawingTools(sheet, texts, model.get("_samples"), send);
  const chosen = choices(model, texts, set);
  const keeping = keeper(model, texts, { send, next: () => replace([]),
    ask: message => notice.expect(() => model.send(message)) });

  const [sees, guess, ...others] = view.elements;
  el.replaceChildren(make("div", { class: "lh-pad" }, make("div", { class: "lh-pad-body" },
    make("div", { class: "lh-pad-board" }, sheet.canvas, tools, notice.element), sees, guess,
    make("div", { class: "lh-pad-options" }, samples, ...chosen.elements, keeping.element),
    ...others, live)));

  const acts = {
    "change:_ink": () => {
      if (model.get("_ink") !== sent) sheet.show(bytes(model.get("_ink"))); // else drawn here
    },
    "change:_answer": () => {
      notice.answered();
      words = view.follow(model.get("_answer"));
      announce();
    },
    "change:_kept": () => {
      notice.rest();
      keeping.follow();
    },
    "change:centre change:network": chosen.follow,
  };
  const end = listen(model, acts, notice.leave);
  for (const act of Object.values(acts)) act();
  clearTimeout(settling); // nothing has happened yet that is to be said
  return () => {
    end();
    notice.rest();
    for (const each of [timer, settling]) clearTimeout(each);
  };
}

export default { render };
