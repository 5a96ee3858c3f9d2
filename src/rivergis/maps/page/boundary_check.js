/* The map of a check of boundary lines: lines, areas, stakes and defects on one canvas, so that thousands do not freeze it. */
"use strict";
(function () {
  const data = JSON.parse(document.getElementById("check-data").textContent);
  const map = L.map("check-map", { preferCanvas: true, attributionControl: false, zoomSnap: 0.25 });
  const box = L.latLngBounds([[data.box[1], data.box[0]], [data.box[3], data.box[2]]]);
  const turned = (line) => line.map((p) => [p[1], p[0]]);
  const drawn = (lines, style) => L.polyline(lines.map(turned), { interactive: false, ...style });
  const styles = {
    areas: { color: "#7aa7b8", weight: 1, opacity: 0.6 },
    water: { color: "#5b9bd5", weight: 1, opacity: 0.7 },
    counties: { color: "#7a6a8a", weight: 2, dashArray: "9 5" },
    reaches: { color: "#1f6fb2", weight: 2, opacity: 0.8 },
    levees: { color: "#8a6d3b", weight: 2 },
    former: { color: "#9aa3a8", weight: 1.5, dashArray: "4 4" },
    lines: { color: "#16303a", weight: 1.8 }
  };
  for (const name of Object.keys(styles)) {
    if (!data.layers[name]) continue;
    const layer = drawn(data.layers[name], styles[name]);
    const tick = document.querySelector('[data-layer="' + name + '"]');
    if (!tick || tick.checked) layer.addTo(map);
    if (tick) tick.addEventListener("change", () => (tick.checked ? layer.addTo(map) : layer.remove()));
  }
  const shown = L.layerGroup().addTo(map);
  const marks = L.layerGroup().addTo(map);
  const dots = data.defects.map((d, n) => {
    if (!d.at) return null;
    const dot = L.circleMarker([d.at[1], d.at[0]], {
      radius: d.blocks ? 6 : 5, weight: 1.5, color: "#ffffff", fillColor: d.blocks ? "#b3261e" : "#a15c00", fillOpacity: 0.95
    });
    dot.on("click", () => look(n, false));
    return dot.addTo(marks);
  });
  const text = (tag, words, name) => {
    const e = document.createElement(tag);
    e.textContent = words;
    if (name) e.className = name;
    return e;
  };
  function said(n) {
    const d = data.defects[n], out = document.createElement("div");
    out.append(text("b", n + 1 + " · " + d.name), text("p", d.zh), text("p", d.en, "en"));
    if (d.repair) {
      out.append(text("p", "→ " + d.repair.zh, "repair"), text("p", d.repair.en, "en"));
      const key = text("p", "", "key");
      key.append(text("span", "现状 now", "now"), text("span", "建议 proposed", "then"));
      if (d.repair.after) out.append(key);
    }
    return out;
  }
  let chosen = null;
  function look(n, zoom) {
    const d = data.defects[n];
    shown.clearLayers();
    if (chosen) chosen.classList.remove("chosen");
    chosen = document.getElementById("d" + (n + 1));
    if (chosen) chosen.classList.add("chosen");
    if (!d.at) return;
    if (d.repair && d.repair.before) drawn(d.repair.before, { color: "#b3261e", weight: 5, opacity: 0.45 }).addTo(shown);
    if (d.repair && d.repair.after) drawn(d.repair.after, { color: "#2e7d4f", weight: 3, dashArray: "8 5" }).addTo(shown);
    for (const p of (d.repair && d.repair.points) || []) L.circleMarker([p[1], p[0]], { radius: 7, color: "#2e7d4f", fill: false }).addTo(shown);
    L.circleMarker([d.at[1], d.at[0]], { radius: 13, color: "#0b4f6c", weight: 3, fill: false, interactive: false }).addTo(shown);
    if (zoom) map.setView([d.at[1], d.at[0]], Math.max(map.getZoom(), 17));
    L.popup({ maxWidth: 340 }).setLatLng([d.at[1], d.at[0]]).setContent(said(n)).openOn(map);
    if (!zoom && chosen) chosen.scrollIntoView({ block: "nearest" });
  }
  document.addEventListener("click", (event) => {
    const row = event.target.closest("[data-n]");
    if (!row) return;
    look(Number(row.dataset.n), true);
    document.getElementById("check-map").scrollIntoView({ block: "nearest" });
  });
  document.addEventListener("keydown", (event) => {
    const row = event.key === "Enter" && event.target.closest("[data-n]");
    if (row) look(Number(row.dataset.n), true);
  });
  /* the sieve: a rule of a sheet, not a walk over thousands of rows */
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  const code = document.getElementById("by-code"), words = document.getElementById("by-words"), told = document.getElementById("by-count");
  function sift() {
    const want = words.value.trim().toLowerCase();
    let count = 0;
    const hidden = [];
    data.defects.forEach((d, n) => {
      const fits = (!code.value || d.code === code.value || d.severity === code.value || (code.value === "repair" && d.repair)) && (!want || d.find.includes(want));
      count += fits;
      if (!fits) hidden.push("#d" + (n + 1));
      if (dots[n]) fits ? dots[n].addTo(marks) : dots[n].remove();
    });
    sheet.replaceSync(hidden.length ? hidden.join(",") + "{display:none}" : "");
    told.textContent = count + " / " + data.defects.length;
  }
  code.addEventListener("change", sift);
  let wait = 0;
  words.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(sift, 150); });
  L.control.scale({ imperial: false }).addTo(map);
  map.fitBounds(box.isValid() ? box : [[20, 75], [50, 130]]);
  const asked = /^#d(\d+)$/.exec(location.hash);
  if (asked && data.defects[asked[1] - 1]) look(asked[1] - 1, true);
  window.addEventListener("beforeprint", () => map.fitBounds(box, { animate: false }));
  document.documentElement.dataset.ready = "1";
})();
