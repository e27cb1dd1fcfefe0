// Scores to slide; e to each, its share of the sum, and -ln of the right one's share: the loss.

const MOST = 6; // the loss at the top of its picture

/** Of scores: the powers of e, their shares, which add up to 1, and -ln of each share. */
export function softmax(scores) {
  const top = Math.max(...scores); // taken away, so that no sum is infinite
  const sum = scores.reduce((total, score) => total + Math.exp(score - top), 0);
  const costs = scores.map((score) => top - score + Math.log(sum));
  return { powers: scores.map(Math.exp), shares: costs.map((cost) => Math.exp(-cost)), costs };
}

const power = (value) => (value >= 1e5 || value < 0.01 ? readable(value.toExponential(1))
  : fixed(value, value < 100 ? 2 : 0));
const percentOf = (share) => `${(100 * share).toFixed(1)}%`;

function shell(texts, logits, label) {
  const limit = Math.ceil(Math.max(10, ...logits.map(Math.abs)));
  const curve = range(61).map((i) => // down from -ln p = MOST to 0
    `${i ? "L" : "M"}${100 * Math.exp(MOST * (i / 60 - 1))} ${100 * i / 60}`).join("");
  const row = (digit) => `<tr ${digit === label ? 'class="lh-soft-right"' : ""}>
    <th scope="row">${digit}${digit === label ? " ✓" : ""}</th>
    <td><input type="range" min="${-limit}" max="${limit}" step="0.1" ${NO_SHORTCUTS}
      aria-label="${fill(texts.slider, { digit })}"></td>
    <td></td><td></td><td><div><div></div><span></span></div></td></tr>`;
  return `<div class="lh-soft"><div class="lh-soft-body"><table>
      <thead><tr><td></td><td></td>${["score", "power", "share"].map((name) =>
        `<th scope="col">${texts[name]}</th>`).join("")}</tr></thead>
      <tbody>${logits.map((_, digit) => row(digit)).join("")}</tbody></table>
    <figure><figcaption></figcaption><div class="lh-soft-plot">
      <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
        <path d="${curve}"/><path class="lh-soft-here"/></svg>
      <div aria-hidden="true"><span>${MOST}</span><span>0</span><span>0%</span><span>100%</span>
      </div></div></figure></div>
    <div>${buttonOf("lh-soft-equal", texts.equal)} ${buttonOf("lh-soft-reset", texts.reset)}</div>
    <div class="lh-soft-gone" role="status"></div>
    <div class="lh-soft-live" aria-live="polite"></div></div>`;
}

function render({ model, el }) {
  const [texts, logits, label] = ["texts", "logits", "label"].map((name) => model.get(name));
  el.innerHTML = shell(texts, logits, label);
  const find = (selector) => el.querySelector(`.lh-soft-${selector}`);
  const rows = [...el.querySelectorAll("tbody tr")], sliders = [...el.querySelectorAll("input")];
  const loss = el.querySelector("figcaption");

  function draw() {
    const scores = model.get("scores"), { powers, shares, costs } = softmax(scores);
    rows.forEach(({ cells: [, , score, e, share] }, digit) => {
      sliders[digit].value = scores[digit];
      sliders[digit].ariaValueText = `${scores[digit].toFixed(1)}: ${percentOf(shares[digit])}`;
      score.textContent = fixed(scores[digit], 1);
      e.textContent = power(powers[digit]);
      const [bar, number] = share.firstChild.children;
      bar.style.width = number.textContent = percentOf(shares[digit]);
    });
    const right = shares[label], y = Math.max(0, 100 - 100 * costs[label] / MOST);
    find("here").setAttribute("d", `M${100 * right} ${y}h0`);
    loss.textContent = fill(texts.loss, { label, loss: costs[label].toFixed(3),
      share: String(Number(right.toPrecision(3))) });
  }

  function set(scores, isSaid) {
    model.set("scores", scores); // draws
    if (!find("gone").textContent) model.save_changes();
    if (isSaid) find("live").textContent = loss.textContent;
  }

  sliders.forEach((slider, digit) => slider.addEventListener("input", () =>
    set(model.get("scores").map((score, i) => (i === digit ? Number(slider.value) : score)))));
  find("equal").addEventListener("click", () => set(logits.map(() => 0), true));
  find("reset").addEventListener("click", () => set([...logits], true));
  draw();
  return listen(model, { "change:scores": draw },
    () => { find("gone").textContent = texts.python_gone; });
}

export default { render };
