/* One scene or two on a map: the form says how to look, the slider where one ends and the other begins. */
(function () {
  "use strict";
  const scenes = JSON.parse(document.getElementById("scenes").textContent).scenes;
  const form = document.getElementById("look");
  const map = L.map("map", { attributionControl: false, maxZoom: 22 });
  L.control.scale({ imperial: false }).addTo(map);
  const boxes = scenes.map((s) => L.latLngBounds([s.box[1], s.box[0]], [s.box[3], s.box[2]]));
  map.fitBounds(boxes[boxes.length - 1]);

  const measured = scenes[0].bands.filter((band) => band.kind !== "alpha");
  const called = (band) => [band.number, ...band.names.slice(1)].join(" ");
  ["red", "green", "blue", "band"].forEach((name, i) => measured.forEach((band, n) => {
    const chosen = name === "band" ? n === 0 : band.names.includes(name) || (measured.length >= 3 && !measured.some((b) => b.names.includes(name)) && n === 2 - i);
    form.elements[name].add(new Option(called(band), band.number, chosen, chosen));
  }));
  const options = [...form.elements.way.options];
  options.forEach((option) => {
    const relief = option.value === "hillshade" || option.value === "relief";
    const names = new Set(measured.flatMap((band) => band.names));
    const needs = { "index:ndwi": ["green", "nir"], "index:mndwi": ["green", "swir1"], "index:ndvi": ["nir", "red"], "index:ndbi": ["swir1", "nir"] }[option.value] || [];
    option.disabled = (relief && measured.length > 1) || (option.value === "three" && measured.length < 3) || !needs.every((name) => names.has(name));
  });

  function asked() {
    const query = new URLSearchParams();
    const { way, red, green, blue, band, stretch, gamma, exaggeration } = form.elements;
    const relief = way.value === "hillshade" || way.value === "relief";
    if (way.value === "three") query.set("bands", [red.value, green.value, blue.value].join(","));
    if (way.value === "single") query.set("bands", band.value);
    if (way.value.startsWith("index:")) query.set("expression", way.value.slice(6));
    if (relief) { query.set("look", way.value); query.set("exaggeration", exaggeration.value || "1"); }
    if (!relief && stretch.value) query.set("stretch", stretch.value);
    if (!relief && gamma.value && Number(gamma.value) !== 1) query.set("gamma", gamma.value);
    return query.toString();
  }

  const layers = scenes.map((scene, i) => {
    const pane = map.createPane(`scene-${i}`);
    pane.style.zIndex = 210 + i;
    const layer = L.tileLayer("", { pane: `scene-${i}`, bounds: boxes[i], maxNativeZoom: Math.min(scene.max_zoom + 2, 22), maxZoom: 22 });
    layer.on("tileerror", said);
    layer.on("load", () => { form.elements.said.value = ""; });
    return layer;
  });

  /* 204 where the scene does not lie is no fault; what is refused is asked once more for its sentence. */
  async function said(event) {
    const answer = await fetch(event.tile.src, { headers: { Accept: "application/json" } }).catch(() => null);
    if (answer && answer.status >= 400) form.elements.said.value = (await answer.json().catch(() => ({}))).message || "";
  }

  function draw() {
    const query = asked();
    const { way } = form.elements;
    const parts = { three: way.value === "three", single: way.value === "single", exaggeration: ["hillshade", "relief"].includes(way.value), stretch: !["hillshade", "relief"].includes(way.value) };
    form.querySelectorAll("[data-for]").forEach((label) => { label.hidden = !parts[label.dataset.for]; });
    layers.forEach((layer, i) => {
      layer.setUrl(`/imagery/${scenes[i].id}/{z}/{x}/{y}.png${query && `?${query}`}`, false);
      if (!map.hasLayer(layer)) layer.addTo(map);
    });
    const address = `${location.origin}/imagery/${scenes[scenes.length - 1].id}/{z}/{x}/{y}.png${query && `?${query}`}`;
    document.getElementById("address").textContent = address;
  }
  form.addEventListener("change", draw);
  form.addEventListener("submit", (event) => event.preventDefault());
  draw();

  const slider = document.getElementById("swipe");
  if (!slider) return;
  const line = document.getElementById("line");
  function place() {
    const size = map.getSize();
    const x = size.x * slider.value / 1000;
    const [from, to] = [map.containerPointToLayerPoint([0, 0]), map.containerPointToLayerPoint(size)];
    const border = map.containerPointToLayerPoint([x, 0]).x;
    map.getPane("scene-0").style.clip = `rect(${from.y}px, ${border}px, ${to.y}px, ${from.x}px)`;
    map.getPane("scene-1").style.clip = `rect(${from.y}px, ${to.x}px, ${to.y}px, ${border}px)`;
    line.style.left = `${x}px`;
  }
  map.on("move zoom resize", place);
  slider.addEventListener("input", place);
  place();
})();
