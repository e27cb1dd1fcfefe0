// The page of explorer.py: sliders, formula, and three grids of cells that show what makes them.
// Its parts, put before it: explorer_numbers.js, explorer_paint.js.

const GRIDS = ["input", "kernel", "output"];
const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
  Home: [0, -Infinity], End: [0, Infinity] };

const put = (element, text) => element.textContent === text || element.replaceChildren(text);

function shell(choices, texts, isPicture, id, most) {
  const hint = isPicture ? "hint_picture" : "hint", named = (name) => texts[name] ?? name;
  const formula = '<div class="lh-size"><span></span> <b></b></div><span></span><code></code>';
  const sliders = SLIDERS.filter((name) => choices[name].length > 1).map((name) => `
    <label><span>${named(name)}</span><input type="range" name="${name}" min="${choices[name][0]}"
      max="${most[name]}" ${NO_SHORTCUTS}><output></output></label>`);
  const presets = choices.preset.map((name) =>
    `<option value="${name}">${texts[`preset_${name}`]}</option>`);
  const grids = GRIDS.map((name) => `<figure class="lh-${name}"><figcaption></figcaption>
      <canvas role="grid" tabindex="0" data-grid="${name}" aria-activedescendant="${id}-${name}"
        aria-describedby="${id}-hint" ${NO_SHORTCUTS}><div role="row">
        <div role="gridcell" id="${id}-${name}"></div></div></canvas></figure>`);
  return `<div class="lh-explorer ${isPicture ? "lh-picture" : ""}"
    role="group" aria-label="${texts.title}" style="--lh-title: ${TITLE}px; --lh-sign: ${SIGN}px">
  <div class="lh-body"><div class="lh-controls">${sliders.join("")}
    <label><span>${named("preset")}</span>
    <select name="preset" ${NO_SHORTCUTS}>${presets.join("")}</select></label>
    <button type="button" ${NO_SHORTCUTS}></button></div>
  <div class="lh-formula"><div>${formula}</div><div aria-hidden="true">${formula}</div></div>
  <div class="lh-board">${grids.join("")}
    <div class="lh-sum"></div><div class="lh-message"></div></div>
  <div id="${id}-hint" class="lh-hint"><span>${texts[hint]}</span>
    <span>${texts[`${hint}_touch`]}</span></div></div>
  <div class="lh-notice" role="status"></div><div class="lh-gone" role="status"></div>
  <div class="lh-live" aria-live="polite"></div></div>`;
}

/** The elements of a shell, and its grids: {title, canvas, cell, size, cursor} each. */
function partsOf(root) {
  const [body, notice, gone, live] = root.children, [controls, formula, board] = body.children;
  const [sum, message] = [...board.children].slice(GRIDS.length);
  const grids = Object.fromEntries(GRIDS.map((name) => {
    const [title, canvas] = board.querySelector(`.lh-${name}`).children;
    const cell = canvas.querySelector("[id]"), cursor = { name, i: 0, j: 0 };
    return [name, { title, canvas, cell, size: 1, cursor }];
  }));
  return { root, controls, formula, board, notice, gone, live, sum, message, grids,
    chosen: controls.querySelectorAll("[name]"), play: controls.lastElementChild };
}

function writeFormula(parts, settings, g, say) {
  const key = g.unused ? "remainder" : "no_remainder";
  const remainder = say(key, { ...settings, ...g, quotient: g.n_out - 1 });
  const lines = [sizeText(settings, g), `${g.n_out}`, remainder, layerText(settings)];
  parts.querySelectorAll("span, b, code").forEach((part, i) => put(part, lines[i]));
}

function writeSum(sum, lines, isSum, width, height) {
  const size = Math.min(20, width / longest(lines) / LETTER, height / lines.length / LINE);
  const isWrapped = isSum && size < SMALL, needed = wrapped(lines, width / SMALL / LETTER);
  if (isWrapped && needed * SMALL * LINE > height) lines = [lines[0], "+ …", lines.at(-1)];
  sum.className = `lh-sum ${!isSum ? "lh-sentence" : isWrapped ? "lh-wrapped" : ""}`;
  sum.style.fontSize = isSum ? `${Math.max(SMALL, size)}px` : "";
  put(sum, lines.join("\n"));
}

/** One view of an explorer. A cell is {name, i, j}: its grid, row and column. */
class View {
  isStale = true; // the settings have changed since they were written
  frame = 0;
  pointed = null; // the cell that is shown: where the pointer is, else the focus,
  pinned = null; // else the pin,
  step = 0; // else where Play is
  timer = 0;

  constructor(model, el) {
    const choices = model.get("choices"), texts = model.get("texts");
    const most = Object.fromEntries(SLIDERS.map((name) => [name, choices[name].at(-1)]));
    this.model = model;
    this.say = (key, values) => fill(texts[key], values);
    this.isPicture = choices.n_in.length === 1;
    el.insertAdjacentHTML("beforeend", shell(choices, texts, this.isPicture, newId(), most));
    Object.assign(this, partsOf(el.lastElementChild));
    this.state = compute(model);
    writeFormula(this.formula.lastElementChild, most, geometry(most), this.say); // keeps the room
  }

  set(values) {
    for (const [name, value] of Object.entries(values)) this.model.set(name, value);
    if (!this.gone.textContent) this.model.save_changes();
  }

  choose(name, value) {
    const now = (trait) => (trait === name ? value : this.model.get(trait));
    const k = now("kernel_size"), made = this.model.get("kernels")[now("preset")];
    const kernel = made ? made[k] : resized(this.model.get("kernel"), k); // none: one's own
    this.set({ [name]: value, kernel });
  }

  /** A box over a weight, to type another. */
  edit({ i, j }) {
    const { canvas, size } = this.grids.kernel;
    const [left, top] = [canvas.offsetLeft + (j + 0.5) * size, canvas.offsetTop + (i + 0.5) * size];
    canvas.insertAdjacentHTML("afterend", `<input autocomplete="off" enterkeyhint="done"
      ${NO_SHORTCUTS} style="left: ${left}px; top: ${top}px"
      aria-label="${this.say("edit", { i, j })}">`);
    const box = canvas.nextSibling, close = (keep) => {
      box.onblur = null; // removing it would be one
      box.remove();
      if (keep) this.setWeight(i, j, box.value);
    };
    box.onblur = () => close(true);
    box.onkeydown = (event) => {
      event.stopPropagation();
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault();
      close(event.key === "Enter");
      canvas.focus();
    };
    box.value = this.state.kernel[i][j];
    box.select();
  }

  setWeight(i, j, typed) {
    const kernel = structuredClone(this.model.get("kernel")), weight = weightOf(typed);
    if (kernel[i]?.[j] === undefined) return;
    const values = { typed, value: numberText(kernel[i][j]) };
    put(this.notice, weight === null ? this.say("unreadable", values) : "");
    kernel[i][j] = weight;
    if (weight !== null) this.set({ preset: "own", kernel });
  }

  isThere(cell) {
    return cell && this.state[cell.name][cell.i]?.[cell.j] !== undefined;
  }

  moved({ name, i, j }, [down, right] = [0, 0]) {
    const inside = (at) => Math.max(0, Math.min(at, this.state[name].length - 1));
    return { name, i: inside(i + down), j: inside(j + right) };
  }

  shown() {
    const n = this.state.g.n_out, at = this.step % n ** 2;
    const played = { name: "output", i: Math.floor(at / n), j: at % n };
    const focused = this.grids[this.board.querySelector("canvas:focus")?.dataset.grid];
    const cells = [this.pointed, focused && this.moved(focused.cursor), this.pinned];
    return cells.find((cell) => this.isThere(cell)) ?? played;
  }

  said(cell) {
    return said(this.state, cell, this.isPicture, this.say);
  }

  label(cell) {
    return labelOf(this.state, cell, this.isPicture, this.say);
  }

  schedule = () => { this.frame ||= requestAnimationFrame(this.draw); }; // once a frame

  draw = () => {
    const { board, grids, isPicture } = this;
    this.frame = 0;
    const [width, height] = [board.clientWidth, board.clientHeight];
    if (!width) return; // hidden: the observer calls when it is not
    if (this.isStale) this.write();
    put(this.play, this.say(this.timer ? "pause" : "play"));
    const { state } = this, { g, kernel } = state;
    const style = getComputedStyle(board), scale = window.devicePixelRatio;
    if (!g.fits) return;
    const cell = this.shown(), looks = looksOf(state, cell, isPicture);
    const first = this.said({ name: "output", i: 0, j: 0 });
    const layout = style.getPropertyValue("--lh-layout").trim();
    const sizes = arrange(layout, isPicture, g, kernel.length, first, width, height);
    for (const name of GRIDS) {
      const grid = grids[name], at = this.moved(grid.cursor), size = sizes[name] * scale;
      const pixels = looks[name].isPicture ? size : Math.floor(size);
      grid.size = pixels / scale;
      paint(grid.canvas, state[name], pixels, scale, style, looks[name]);
      Object.assign(grid.cell,
        { ariaLabel: this.label(at), ariaRowIndex: at.i + 1, ariaColIndex: at.j + 1 });
    }
    board.style.setProperty("--lh-middle", `${TITLE + kernel.length * grids.kernel.size / 2}px`);
    writeSum(this.sum, this.said(cell), cell.name === "output", ...sizes.sum);
  };

  /** Computes anew, and writes the settings, the formula and the titles. */
  write() {
    const { root, grids, live, message, say } = this, before = this.state.settings.padding;
    const state = this.state = compute(this.model);
    this.isStale = false;
    const { settings, g, output } = state, by = settings.padding - before;
    const strongest = output.flat().map(Math.abs).indexOf(largest(output));
    this.step = this.isPicture ? Math.max(0, strongest) : 0; // a picture's corner is empty
    for (const cell of new Set([this.pinned, grids.input.cursor])) { // the same input, further in
      if (cell?.name === "input") cell.i += by, cell.j += by;
    }
    for (const control of this.chosen) {
      control.value = this.model.get(control.name);
      if (control.nextElementSibling) put(control.nextElementSibling, control.value);
    }
    root.classList.toggle("lh-misfit", !g.fits);
    const reducible = ["kernel_size", "dilation"].filter((name) => settings[name] > 1)
      .map((name) => `${name} (${settings[name]})`).join(" / ");
    put(message, g.fits ? "" : say("does_not_fit", { ...settings, ...g, reducible }));
    put(live, message.textContent);
    if (!g.fits) return;
    writeFormula(this.formula.firstElementChild, settings, g, say);
    const [low, high] = [Math.min, Math.max].map((of) => numberText(extreme(of, output)));
    const titles = [settings.padding ? "padded_input" : "input", "kernel",
      this.isPicture ? "feature_map" : "output"];
    GRIDS.forEach((name, index) => {
      const { title, canvas } = grids[name], n = state[name].length;
      put(title, say(titles[index], { ...settings, ...g, low, high }));
      Object.assign(canvas, { ariaLabel: title.textContent, ariaRowCount: n, ariaColCount: n });
    });
    if (root.matches(":focus-within")) put(live, grids.output.title.textContent);
  }

  cellAt({ target, offsetX, offsetY }) {
    const { grid: name } = target.dataset, edge = EDGE / window.devicePixelRatio;
    const [i, j] = [offsetY, offsetX].map((at) =>
      Math.floor((at - edge) / this.grids[name]?.size));
    return name && this.isThere({ name, i, j }) ? { name, i, j } : null;
  }

  point(cell) {
    this.pointed = cell;
    this.schedule();
  }

  release(canvas) {
    this.pinned = null;
    canvas.blur();
    this.point(null);
  }

  hold(cell, isPin) {
    this.grids[cell.name].cursor = cell;
    if (isPin || this.pinned) this.pinned = cell;
    put(this.live, this.label(cell));
    this.point(null);
  }

  click(event) {
    const cell = this.cellAt(event);
    if (!cell) return;
    if (["name", "i", "j"].some((key) => cell[key] !== this.pinned?.[key])) this.hold(cell, true);
    else if (cell.name === "kernel") this.edit(cell);
    else this.release(event.target);
  }

  press(event) {
    const { key, target } = event, grid = this.grids[target.dataset.grid];
    if (!grid || !this.state.g.fits || event.ctrlKey || event.altKey || event.metaKey) return;
    const cell = this.moved(grid.cursor, MOVES[key]), isWeight = cell.name === "kernel";
    const isTyped = isWeight && /^[-.\d]$/.test(key); // the key goes on into the box
    if (MOVES[key]) this.hold(cell, false);
    else if (key === "Escape") this.release(target);
    else if (isTyped || (isWeight && (key === "Enter" || key === "F2"))) this.edit(cell);
    else if (key === "Enter" || key === " ") this.hold(cell, true);
    else return;
    event.stopPropagation();
    if (!isTyped) event.preventDefault();
  }

  togglePlay() {
    const pace = Math.max(50, Math.min(800, 16000 / this.state.g.n_out ** 2)); // ms
    const advance = () => { this.step++; this.schedule(); };
    this.pinned = null;
    clearInterval(this.timer);
    this.timer = this.timer ? 0 : setInterval(advance, pace);
    this.schedule();
  }
}

function render({ model, el }) {
  const view = new View(model, el), { board, schedule } = view;
  board.onpointermove = (event) =>
    event.pointerType === "touch" || view.point(view.cellAt(event));
  board.addEventListener("pointerleave", () => view.point(null));
  board.addEventListener("click", (event) => view.click(event));
  board.addEventListener("keydown", (event) => view.press(event));
  for (const type of ["focusin", "focusout"]) board.addEventListener(type, schedule);
  view.controls.addEventListener("input", ({ target: { name, value } }) =>
    view.choose(name, name === "preset" ? value : Number(value)));
  view.play.addEventListener("click", () => view.togglePlay());

  // what comes from outside: values from Python and its end, another theme, another width
  const renew = () => { view.isStale = true; schedule(); };
  const changes = [...SLIDERS, "preset", "kernel", "images"].map((name) => `change:${name}`);
  const end = listen(model, { [changes.join(" ")]: renew },
    () => put(view.gone, view.say("python_gone")));
  view.root.addEventListener("transitionend", schedule); // of its colour: see explorer.css
  const observers = [new ResizeObserver(view.draw), new IntersectionObserver(schedule)]; // the
  observers.forEach((each) => each.observe(board)); // second: out of sight no theme is noticed
  return () => {
    end();
    observers.forEach((each) => each.disconnect());
    clearInterval(view.timer);
  };
}

export default { render };
