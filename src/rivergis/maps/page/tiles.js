/* Whole collections as vector tiles, drawn by MapLibre inside the Leaflet map; as pictures where there is no WebGL. */
(function () {
  "use strict";
  const { el, named, signCanvas, hovers } = window.rivergis;
  const TOUCH_PX = hovers ? 5 : 14;
  const CELLS = { x: 5, y: 4 };
  const KEPT = "rivergis-pictures";
  const IN_ONE = 12;
  const PALE = ["admin_unit", "water_area"];

  function hasWebGL() {
    try {
      const canvas = document.createElement("canvas");
      return Boolean(canvas.getContext("webgl2") || canvas.getContext("webgl"));
    } catch {
      return false;
    }
  }

  function remembered() {
    try {
      return window.localStorage.getItem(KEPT) === "1";
    } catch {
      return false;
    }
  }

  function remember(on) {
    try {
      window.localStorage.setItem(KEPT, on ? "1" : "0");
    } catch { /* a browser that keeps nothing asks again */ }
  }

  function Tiles(atlas) {
    this.atlas = atlas;
    this.map = atlas.map;
    this.told = atlas.data.tiles;
    this.layers = this.told.layers;
    this.shown = new Set(this.layers.filter((layer) => layer.shown).map((layer) => layer.id));
    this.able = hasWebGL();
    this.gl = null;
  }

  Tiles.prototype.start = function () {
    const pane = this.map.createPane("rg-tiles");
    pane.style.zIndex = 390;
    pane.style.pointerEvents = "none";
    if (!this.able || remembered() || !this.drawVectors()) this.drawPictures();
    this.legend();
    this.map.on("click", (event) => this.pick(event.latlng));
    this.keys();
    return this;
  };

  /* ---- drawn by MapLibre ---- */

  Tiles.prototype.drawVectors = function () {
    const absolute = (url) => new URL(url, window.location.href).href;
    window.maplibregl.setWorkerUrl(absolute(this.told.worker));
    const layer = L.maplibreGL({
      style: this.style(), pane: "rg-tiles", interactive: false, fadeDuration: 0, padding: 0.05, attributionControl: false,
      localIdeographFontFamily: false, renderWorldCopies: false, pixelRatio: Math.min(window.devicePixelRatio || 1, 2), transformRequest: (url) => ({ url: absolute(url) }),
    });
    try {
      layer.addTo(this.map);
    } catch {
      layer.remove();
      this.able = false;
      return false;
    }
    this.layer = layer;
    this.gl = layer.getMaplibreMap();
    this.styled = new Promise((done) => { this.gl.once("style.load", done); });
    this.styled.then(() => this.signs());
    this.gl.on("error", (event) => this.fault(event));
    this.gl.on("idle", () => this.inView());
    if (hovers) this.hover();
    return true;
  };

  /* The style with what is switched on now. */
  Tiles.prototype.style = function () {
    const layers = this.told.style.layers.map((layer) => {
      const on = this.shown.has(layer.metadata["rivergis:collection"]);
      return { ...layer, layout: { ...layer.layout, visibility: on ? "visible" : "none" } };
    });
    return { ...this.told.style, layers };
  };

  /* Signs of all classes, drawn here: no picture is asked of anybody. */
  Tiles.prototype.signs = function () {
    const ratio = Math.min(3, Math.max(2, window.devicePixelRatio || 1));
    this.layers.forEach((layer) => layer.classes.forEach((style) => {
      const name = style.code ? `${layer.id}/${style.code}` : layer.id;
      if (!this.gl.hasImage(name)) this.gl.addImage(name, signCanvas(style, ratio), { pixelRatio: ratio });
    }));
  };

  /* A tile that fails is told once, in words; the others are drawn. */
  Tiles.prototype.fault = function (event) {
    const status = event.error && event.error.status;
    if (status === 401) this.atlas.say("登录已过期,请重新登录 · Signed out: sign in again");
    else this.atlas.say("部分图块未能读取 · Some tiles could not be read");
  };

  Tiles.prototype.ids = function (types) {
    return this.told.style.layers.filter((layer) => types.includes(layer.type) && !layer.id.endsWith("/name") && !layer.id.endsWith("-number")
      && this.shown.has(layer.source) && !this.layerOf(layer.source).backdrop).map((layer) => layer.id);
  };

  Tiles.prototype.layerOf = function (name) {
    return this.layers.find((layer) => layer.id === name);
  };

  /* What lies at a place, topmost first: signs and lines near it, areas under it. */
  Tiles.prototype.at = function (latlng) {
    const spot = this.gl.project([latlng.lng, latlng.lat]);
    const box = [[spot.x - TOUCH_PX, spot.y - TOUCH_PX], [spot.x + TOUCH_PX, spot.y + TOUCH_PX]];
    const near = this.gl.queryRenderedFeatures(box, { layers: this.ids(["symbol", "circle", "line"]) });
    const under = this.gl.queryRenderedFeatures(spot, { layers: this.ids(["fill"]) });
    const seen = new Set();
    return [...near, ...under].map(({ source, properties, id }) => ({ collection: source, ...properties, id: properties.id || (id === undefined ? "" : String(id)) }))
      .filter((one) => {
        const name = `${one.collection}/${one.id}`;
        return !seen.has(name) && seen.add(name);
      });
  };

  Tiles.prototype.hover = function () {
    const tip = L.tooltip({ sticky: true });
    let waiting = false;
    this.map.on("mousemove", (event) => {
      if (waiting || !this.gl) return;
      waiting = true;
      window.requestAnimationFrame(() => {
        waiting = false;
        const [first] = this.gl && this.gl.loaded() ? this.at(event.latlng) : [];
        this.map.getContainer().classList.toggle("rg-over", Boolean(first));
        if (first && first.label) tip.setContent(el("span", "", first.label)).setLatLng(event.latlng).addTo(this.map);
        else tip.remove();
      });
    });
    this.map.on("mouseout movestart popupopen", () => tip.remove());
  };

  /* ---- as pictures ---- */

  Tiles.prototype.drawPictures = function () {
    this.pictures = L.layerGroup().addTo(this.map);
    document.getElementById("rg-stage").classList.add("rg-pictured");
    this.drawnAgain();
  };

  /* One picture holds so many collections; more of them lie on top of each other. */
  Tiles.prototype.drawnAgain = function () {
    const names = this.layers.filter((layer) => this.shown.has(layer.id)).map((layer) => layer.id);
    const sheets = [];
    for (let i = 0; i < names.length; i += IN_ONE) sheets.push(names.slice(i, i + IN_ONE).join(","));
    this.pictures.clearLayers();
    sheets.forEach((sheet, i) => this.pictures.addLayer(L.tileLayer(`${this.told.base}/${sheet}/{z}/{x}/{y}.png${this.told.query ? `?${this.told.query}` : ""}`, {
      pane: "rg-tiles", zIndex: i + 1, minZoom: 0, maxZoom: 22, maxNativeZoom: 18, alt: "",
    })));
  };

  Tiles.prototype.askable = function () {
    return this.layers.filter((layer) => this.shown.has(layer.id) && !layer.backdrop).map((layer) => layer.id);
  };

  Tiles.prototype.askAt = async function (latlng, names) {
    const layers = names.join(",");
    if (!layers) return [];
    const place = { layers, lon: latlng.lng.toFixed(6), lat: latlng.lat.toFixed(6), z: Math.round(this.map.getZoom()) };
    const told = await this.atlas.ask(`/maps/at.json?${new URLSearchParams({ ...place, ...this.atlas.when() })}`);
    return told ? told.found : [];
  };

  /* ---- both ---- */

  Tiles.prototype.pick = async function (latlng) {
    const found = this.gl ? await this.toldApart(this.at(latlng), latlng) : await this.askAt(latlng, this.askable());
    if (!found.length) return;
    const [first, ...others] = found;
    if (Number(first.n) > 1) this.openHeap(first, latlng);
    else this.atlas.openThing(first, latlng, this.worthTelling(first, others));
  };

  /* Of what else lies there, each name once. */
  Tiles.prototype.worthTelling = function (first, others) {
    const told = new Set([`${first.collection}/${first.label}`]);
    return others.filter((one) => {
      const name = `${one.collection}/${one.label}`;
      return !(Number(one.n) > 1) && !told.has(name) && told.add(name);
    }).slice(0, 6);
  };

  /* Far out, many lines are one drawing: which of them is meant is asked of the service. */
  Tiles.prototype.toldApart = async function (found, latlng) {
    const together = found.filter((one) => !one.id && !(one.n > 1 && this.layerOf(one.collection).shape !== "LineString"));
    if (!together.length) return found;
    const names = [...new Set(together.map((one) => one.collection))];
    return [...await this.askAt(latlng, names), ...found.filter((one) => !together.includes(one))];
  };

  /* Several things that are one sign from afar: how many, and the way nearer. */
  Tiles.prototype.openHeap = function (one, latlng) {
    const layer = this.layerOf(one.collection);
    const box = el("div", "rg-pop");
    const style = this.atlas.styleOf(one);
    box.append(el("h3", "", `${style.code ? `${layer.zh} · ${style.zh}` : layer.zh} ${one.n} 处`));
    const nearer = named("button", { zh: "放大查看", en: "Zoom in" }, "rg-nearer");
    nearer.type = "button";
    nearer.addEventListener("click", () => {
      this.map.closePopup();
      this.map.setView(latlng, Math.min(this.map.getZoom() + 2, 18), { animate: false });
    });
    box.append(nearer);
    L.popup({ minWidth: 180 }).setLatLng(latlng).setContent(box).openOn(this.map);
    this.atlas.say(`${layer.zh} ${one.n}`);
  };

  /* By keyboard: arrows move the map, Enter asks what lies under the cross in its middle. */
  Tiles.prototype.keys = function () {
    const box = this.map.getContainer();
    box.classList.add("rg-asks");
    box.setAttribute("role", "application");
    box.setAttribute("aria-label", "地图:方向键移动,加减键缩放,回车查询中心处 · Map: arrows move, plus and minus zoom, Enter asks what is in the middle");
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target === box) this.pick(this.map.getCenter());
    });
  };

  Tiles.prototype.toggle = function (name, on) {
    if (on) this.shown.add(name);
    else this.shown.delete(name);
    if (this.gl) {
      this.told.style.layers.filter((layer) => layer.source === name)
        .forEach((layer) => this.gl.setLayoutProperty(layer.id, "visibility", on ? "visible" : "none"));
      return;
    }
    this.drawnAgain();
  };

  Tiles.prototype.turnOn = function (name) {
    const layer = this.layerOf(name);
    if (layer && !layer.box.checked) layer.box.click();
  };

  /* Rows of the legend; a class that is nowhere in view steps back. */
  Tiles.prototype.legend = function () {
    const list = document.getElementById("rg-layers");
    this.layers.slice().reverse().forEach((layer) => {
      const row = this.atlas.tiledRow(layer, (on) => this.toggle(layer.id, on));
      const below = [...list.children].find((other) => other.dataset.order && Number(other.dataset.order) < layer.order);
      list.insertBefore(row, below || null);
    });
    list.append(this.atlas.switchRow({ zh: "以图片显示(慢机器)", en: "as pictures, for slow machines" }, !this.gl, (on) => {
      remember(on);
      window.location.reload();
    }));
    list.lastChild.box.disabled = !this.able;
  };

  /* Which classes are in view: looked up cell by cell while the browser has nothing else to do. */
  Tiles.prototype.inView = function () {
    const turn = (this.turn = (this.turn || 0) + 1);
    const size = this.map.getSize();
    const origin = this.gl.project(this.map.containerPointToLatLng([0, 0]));
    const found = new Map(this.layers.map((layer) => [layer.id, new Set()]));
    const cells = [...Array(CELLS.x * CELLS.y).keys()];
    const look = () => {
      if (turn !== this.turn || !this.gl) return;
      const cell = cells.shift();
      if (cell === undefined) {
        this.layers.forEach((layer) => this.stepBack(layer, found.get(layer.id)));
        return;
      }
      const [x, y] = [(cell % CELLS.x) * size.x / CELLS.x + origin.x, Math.floor(cell / CELLS.x) * size.y / CELLS.y + origin.y];
      const open = this.told.style.layers.filter((layer) => this.shown.has(layer.source) && !layer.id.endsWith("/name") && !layer.id.endsWith("-number")
        && found.get(layer.source).size < this.layerOf(layer.source).classes.length).map((layer) => layer.id);
      const box = [[x, y], [x + size.x / CELLS.x, y + size.y / CELLS.y]];
      if (open.length) this.gl.queryRenderedFeatures(box, { layers: open, validate: false }).forEach(({ source, properties }) => found.get(source).add(this.rowOf(source, properties.cls)));
      (window.requestIdleCallback || window.setTimeout)(look);
    };
    look();
  };

  Tiles.prototype.rowOf = function (name, code) {
    const known = this.layerOf(name).classes.some((style) => style.code === String(code));
    return known ? String(code) : "";
  };

  Tiles.prototype.stepBack = function (layer, seen) {
    const fold = layer.rows.length ? layer.rows[0].item.closest("details") : null;
    if (fold && !layer.folded) fold.open = true; // once: what the reader puts away stays away
    layer.folded = true;
    layer.rows.forEach(({ style, item }) => { item.hidden = !seen.has(style.code); });
    layer.none.hidden = !this.shown.has(layer.id) || seen.size > 0;
  };

  /* ---- base map of vector tiles, and paper ---- */

  Tiles.prototype.base = async function (base, on) {
    await this.styled;
    const id = `base-${base.id}`;
    if (on && !this.gl.getSource(id)) {
      this.gl.addSource(id, { type: "vector", tiles: [base.url], minzoom: base.minzoom, maxzoom: base.maxzoom });
      const first = this.told.style.layers[0];
      base.layers.forEach((layer) => this.gl.addLayer({ ...layer, id: `${id}/${layer.id}`, source: id }, first && first.id));
    }
    this.gl.getStyle().layers.filter((layer) => layer.source === id)
      .forEach((layer) => this.gl.setLayoutProperty(layer.id, "visibility", on ? "visible" : "none"));
  };

  /* Over a base map, areas that are only ground give way to it. */
  Tiles.prototype.grounded = async function (on) {
    if (!this.gl) return;
    await this.styled;
    this.told.style.layers.filter((layer) => layer.type === "fill" && PALE.includes(layer.source))
      .forEach((layer) => this.gl.setPaintProperty(layer.id, "fill-opacity", on ? 0.12 : 1));
  };

  Tiles.prototype.settled = function () {
    return new Promise((done) => {
      if (this.gl) {
        this.gl.once("idle", done);
        return;
      }
      const waiting = this.pictures.getLayers().filter((sheet) => sheet.isLoading());
      let left = waiting.length;
      waiting.forEach((sheet) => sheet.once("load", () => {
        left -= 1;
        if (!left) done();
      }));
      if (!left) done();
    });
  };

  /* A picture of what is drawn stands in for it on paper: browsers print drawings of the graphics card as nothing. */
  Tiles.prototype.freeze = function () {
    if (!this.gl) return;
    this.thaw();
    this.gl.redraw();
    const canvas = this.gl.getCanvas();
    this.frozen = el("img", "rg-frozen");
    this.frozen.alt = "";
    this.frozen.src = canvas.toDataURL("image/png");
    this.frozen.width = canvas.clientWidth;
    this.frozen.height = canvas.clientHeight;
    this.layer.getContainer().append(this.frozen);
  };

  Tiles.prototype.thaw = function () {
    if (this.frozen) this.frozen.remove();
    this.frozen = null;
  };

  window.rivergis.tiles = (atlas) => new Tiles(atlas).start();
})();
