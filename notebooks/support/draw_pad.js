function render({ model, el }) {
  el.innerHTML = model.get("_page");
  const SIDE = Math.sqrt(model.get("_ink").byteLength);
  const part = name => el.querySelector(".lh-pad-" + name);
  const canvas = part("canvas"), ink = canvas.getContext("2d"), scale = canvas.width / SIDE;
  const small = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE })
    .getContext("2d", { willReadFrequently: true });
  small.imageSmoothingQuality = "high";
  let tool = "pen", pointer = null, last = null, sent = null, timer = 0, patience = 0;

  const levels = () => {
    const view = model.get("_ink");
    return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  };
  const expect = () => {  // no answer: a cell runs, or the kernel is gone
    clearTimeout(patience);
    patience = setTimeout(() => { part("waiting").hidden = false; }, 2500);
  };
  const send = () => {
    clearTimeout(timer);
    timer = 0;
    small.clearRect(0, 0, SIDE, SIDE);
    small.drawImage(canvas, 0, 0, SIDE, SIDE);
    const rgba = small.getImageData(0, 0, SIDE, SIDE).data, old = levels();
    const now = Uint8Array.from({ length: SIDE * SIDE }, (_, i) => rgba[4 * i + 3]);
    if (now.every((level, i) => level === old[i])) return;
    sent = new DataView(now.buffer);
    model.set("_ink", sent);
    model.save_changes();
    expect();
  };
  const show = () => {
    if (model.get("_ink") === sent) return;  // drawn here
    const picture = new ImageData(SIDE, SIDE);
    levels().forEach((level, i) => { picture.data[4 * i + 3] = level; });
    small.putImageData(picture, 0, 0);
    ink.globalCompositeOperation = "copy";
    ink.drawImage(small.canvas, 0, 0, canvas.width, canvas.height);
  };
  const follow = () => {
    part("view").innerHTML = model.get("_view");
    clearTimeout(patience);
    part("waiting").hidden = true;
  };
  const settings = () => {
    part("centre").checked = model.get("centre");
    part("network").value = model.get("network");
  };
  const set = (name, value) => { model.set(name, value); model.save_changes(); expect(); };
  const line = event => {
    const box = canvas.getBoundingClientRect(), zoom = canvas.width / box.width;
    const point = [(event.clientX - box.left) * zoom, (event.clientY - box.top) * zoom];
    ink.beginPath();
    ink.moveTo(...(last ?? [point[0] - 0.1, point[1]]));
    ink.lineTo(...point);
    ink.stroke();
    last = point;
  };

  canvas.onpointerdown = event => {
    const rubber = tool === "eraser" || event.buttons & 32;  // a pen's other end
    if (pointer !== null || event.button > 0 && !rubber) return;
    event.preventDefault();
    pointer = event.pointerId;
    canvas.setPointerCapture(pointer);
    ink.globalCompositeOperation = rubber ? "destination-out" : "source-over";
    ink.lineWidth = scale * model.get("_pen") * (rubber ? 2.5 : 1);
    ink.lineCap = ink.lineJoin = "round";
    last = null;
    line(event);
  };
  canvas.onpointermove = event => {
    if (event.pointerId !== pointer) return;
    const steps = event.getCoalescedEvents?.() ?? [];
    (steps.length ? steps : [event]).forEach(line);
    timer ||= setTimeout(send, 200);
  };
  canvas.onpointerup = canvas.onpointercancel = event => {
    if (event.pointerId !== pointer) return;
    pointer = null;
    send();
  };
  const tools = [...el.querySelectorAll("[data-tool]")];
  tools.forEach(button => {
    button.onclick = () => {
      tool = button.dataset.tool;
      tools.forEach(other => other.setAttribute("aria-pressed", other === button));
      canvas.style.cursor = tool === "eraser" ? "cell" : "crosshair";
    };
  });
  part("clear").onclick = () => {
    ink.clearRect(0, 0, canvas.width, canvas.height);
    tools[0].click();
    send();
  };
  el.querySelectorAll("[data-sample]").forEach(button => {
    button.onclick = () => { model.send({ sample: Number(button.dataset.sample) }); expect(); };
  });
  part("centre").onchange = event => set("centre", event.target.checked);
  part("network").onchange = event => set("network", event.target.value);
  const listeners = { "change:_ink": show, "change:_view": follow, "change:centre change:network": settings };
  for (const [event, act] of Object.entries(listeners)) { model.on(event, act); act(); }
  return () => { for (const [event, act] of Object.entries(listeners)) model.off(event, act); };
}
export default { render };
