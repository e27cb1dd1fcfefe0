// What the widgets share: widget.py puts it before each module, page.py once before all of them.
// It exports nothing.

// JupyterLab looks for it on the focused element itself, else `d d` there deletes the cell
const NO_SHORTCUTS = 'data-lm-suppress-shortcuts="true"';
const PYTHON_ENDS = ["restarting", "autorestarting", "terminating", "dead"]; // in JupyterLab

const range = (n) => Array.from({ length: n }, (_, i) => i);

/** Puts values into a sentence: fill("{a} of {b}", {a: 1, b: 2}) is "1 of 2". */
const fill = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);

/** A number as it is written to be read: −1.5, 2e7, 1e−4. */
const readable = (number) => number.replaceAll("-", "−").replace("e+", "e");

/** A number of so many decimals; what is rounded to 0 has no sign. */
const fixed = (value, digits) => readable(value.toFixed(digits).replace(/^-(?=[0.]+$)/, ""));

/** A probability, never rounded to certainty. */
const percent = (p) =>
  p > 0.9995 ? ">99.9%" : p < 0.0005 ? "<0.1%" : `${(100 * p).toFixed(1)}%`;

/** What Python sent as bytes: a DataView, or an array's; and as float32. */
const bytes = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
const floats = (view) => new Float32Array(bytes(view).slice().buffer); // may not be aligned there

/** Levels from 0 to 255 as black ink of that strength; the paper below is white. */
function inkPicture(levels, width, height) {
  const picture = new ImageData(width, height);
  levels.forEach((level, i) => { picture.data[4 * i + 3] = level; });
  return picture;
}

/** An element with its attributes and children. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A button in HTML. */
const buttonOf = (name, label) =>
  `<button type="button" class="${name}" ${NO_SHORTCUTS}>${label}</button>`;

/** An id that no other view has. */
const newId = () => `lh-${Math.random().toString(36).slice(2)}`;

/** Calls what `acts` has for a model's events, {event: act}, and `leave` when Python is gone;
 * returns the function that ends it. */
function listen(model, acts, leave) {
  const events = Object.entries({ ...acts, comm_live_update: leave });
  const { disposed, statusChanged } = model.widget_manager?.kernel ?? {}; // JupyterLab's: a
  // shutdown alone closes no comm
  const follow = (_, status) => { if (PYTHON_ENDS.includes(status)) leave(); };
  for (const [event, act] of events) model.on(event, act);
  disposed?.connect(leave);
  statusChanged?.connect(follow);
  return () => {
    for (const [event, act] of events) model.off(event, act);
    disposed?.disconnect(leave);
    statusChanged?.disconnect(follow);
  };
}

