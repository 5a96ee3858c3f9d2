/* The page round the map: layers from plain data, legend with switches, list, search, slider between two images. */
(function () {
  "use strict";
  const FOLDED = 12;
  const { el, named, key, isLine, draw, written, longest, along, parts } = window.rivergis;

  /* The name of what fills the window says nothing there. */
  function fills(map, size) {
    const window = map.getSize();
    return size.x > window.x * 0.7 || size.y > window.y * 0.7;
  }

  function declutter(map, texts) {
    const placed = [];
    texts.filter((text) => map.hasLayer(text)).sort((a, b) => b.rank - a.rank).forEach((text) => {
      const holder = text.getElement();
      const box = holder.firstChild.getBoundingClientRect();
      const size = map.latLngToLayerPoint(text.bounds.getSouthEast()).subtract(map.latLngToLayerPoint(text.bounds.getNorthWest()));
      const fits = Math.max(size.x, size.y) > Math.max(box.width, box.height) * 0.9 && (text.water || !fills(map, size));
      const free = placed.every((other) => box.right < other.left || box.left > other.right || box.bottom < other.top || box.top > other.bottom);
      holder.classList.toggle("rg-out", !(fits && free));
      if (fits && free) placed.push(box);
    });
  }

  function Atlas(map, data) {
    this.map = map;
    this.data = data;
    this.entries = [];
    this.texts = [];
    this.groups = new Map();
  }

  Object.assign(Atlas.prototype, parts);

  Atlas.prototype.layers = function () {
    const { map, data } = this;
    map.createPane("rg-names").style.zIndex = 580;
    map.createPane("rg-signs").style.zIndex = 600;
    // what the palette draws below all tiles stays below them here, too
    const lowest = data.tiles ? Math.min(...data.tiles.layers.map((layer) => layer.order)) : 0;
    data.layers.forEach((layer) => {
      const pane = `rg-${layer.id}`;
      layer.pane = pane;
      map.createPane(pane).style.zIndex = (layer.order < lowest ? 300 : 400) + layer.order;
      const group = L.featureGroup();
      layer.features.forEach((feature) => {
        const shape = draw(feature, layer, pane, layer.id === data.list);
        group.addLayer(shape);
        this.entries.push({ feature, layer, shape, style: layer.classes[feature.c], hay: haystack(feature) });
        if (feature.text) {
          const text = written(map, feature, layer, shape, "rg-names");
          this.texts.push(text);
          group.addLayer(text);
        }
      });
      this.groups.set(layer.id, group);
      if (layer.shown) group.addTo(map);
    });
  };

  function haystack(feature) {
    const values = (feature.popup || []).map((row) => row[2]);
    return [feature.label, feature.text, feature.id, ...values].filter(Boolean).join("\n").toLowerCase();
  }

  Atlas.prototype.legend = function () {
    const list = document.getElementById("rg-layers");
    this.data.layers.slice().reverse().forEach((layer) => list.append(this.legendRow(layer)));
    (this.data.pictures || []).filter((p) => p.role === "base").forEach((picture) => {
      const row = this.switchRow(picture, true, (on) => (on ? picture.overlay.addTo(this.map) : picture.overlay.remove()));
      list.append(row);
    });
  };

  Atlas.prototype.switchRow = function (thing, on, change) {
    const row = el("li");
    const label = el("label", "rg-layer");
    const box = el("input");
    box.type = "checkbox";
    box.checked = on;
    row.classList.toggle("rg-off", !on);
    box.addEventListener("change", () => {
      row.classList.toggle("rg-off", !box.checked);
      change(box.checked);
    });
    label.append(box, named("span", thing, "rg-name"));
    row.append(label);
    row.box = box;
    return row;
  };

  Atlas.prototype.legendRow = function (layer) {
    const group = this.groups.get(layer.id);
    const row = this.switchRow(layer, layer.shown, (on) => {
      if (on) group.addTo(this.map);
      else group.remove();
      declutter(this.map, this.texts);
    });
    row.dataset.layer = layer.id;
    row.dataset.order = layer.order;
    layer.box = row.box;
    const label = row.firstChild;
    if (layer.side) label.lastChild.prepend(el("b", "", layer.side === "before" ? "前 " : "后 "));
    const plain = layer.classes.length === 1 && !layer.classes[0].code;
    if (plain) label.insertBefore(key(layer.classes[0]), label.lastChild);
    label.append(el("span", "rg-count", layer.features.length));
    if (!plain) row.append(classList(layer));
    if (layer.unplaced) row.append(named("p", { zh: `另有 ${layer.unplaced} 条无图形`, en: "more without geometry" }, "rg-note"));
    return row;
  };

  /* The row of a collection drawn from tiles: its classes, and a word where none of it is in view. */
  Atlas.prototype.tiledRow = function (layer, change) {
    const row = this.switchRow(layer, layer.shown, change);
    row.dataset.layer = layer.id;
    row.dataset.order = layer.order;
    layer.box = row.box;
    const plain = layer.classes.length === 1;
    if (plain) row.firstChild.insertBefore(key(layer.classes[0]), row.firstChild.lastChild);
    const list = plain ? null : classList(layer);
    layer.rows = plain ? [] : [...list.children].map((item, i) => ({ item, style: layer.classes[i] }));
    layer.none = named("p", { zh: "视野内无", en: "none in view" }, "rg-note");
    layer.none.hidden = true;
    if (list) row.append(list.children.length > FOLDED ? folded(list) : list);
    row.append(layer.none);
    return row;
  };

  /* A long list of classes can be put away. */
  function folded(list) {
    const box = el("details", "rg-fold");
    box.append(named("summary", { zh: `共 ${list.children.length} 类`, en: "classes" }), list);
    return box;
  }

  function classList(layer) {
    const list = el("ul");
    layer.classes.forEach((style) => {
      const item = el("li");
      item.append(key(style), named("span", style, "rg-name"));
      if (style.count !== undefined) item.append(el("span", "rg-count", style.count));
      list.append(item);
    });
    return list;
  }

  /* The class below a label, in English only where the label already says it in Chinese. */
  function kind({ feature, style }) {
    return (feature.label || "").includes(style.zh) ? style.en : `${style.zh} ${style.en}`;
  }

  Atlas.prototype.list = function () {
    const box = document.getElementById("rg-list");
    const layer = this.data.layers.find((one) => one.id === this.data.list);
    if (!this.data.list) return;
    box.hidden = false;
    const entries = this.entries.filter((entry) => entry.layer === layer);
    const head = named("h2", this.data.list_title);
    head.append(" ", el("b", "", entries.length));
    const list = el("ul");
    entries.forEach((entry) => list.append(this.entryButton(entry, kind(entry), (chosen, button) => {
      list.querySelectorAll("button").forEach((other) => other.removeAttribute("aria-current"));
      button.setAttribute("aria-current", "true");
      this.show(chosen);
    })));
    if (!entries.length) list.append(named("li", { zh: "无", en: "none" }));
    box.append(head, list);
  };

  /* Turn the layer on, bring the feature into view and open its popup. */
  Atlas.prototype.show = function (entry) {
    const { map } = this;
    if (!entry.layer.box.checked) entry.layer.box.click();
    if (window.innerWidth <= 760) this.panel(false);
    map.fitBounds(entry.shape.getBounds(), { maxZoom: 16, padding: [60, 60], animate: false });
    map.closePopup();
    // a sign opens its own popup, above its tip
    if (entry.shape.sign) entry.shape.sign.fire("click", { latlng: entry.shape.sign.getLatLng() }, true);
    else entry.shape.openPopup(entry.spot || middle(map, entry));
  };

  function middle(map, entry) {
    return isLine(entry.feature.g) ? along(map, longest(entry.feature.g), 0.5) : entry.shape.getBounds().getCenter();
  }

  Atlas.prototype.panel = function (open) {
    document.getElementById("rg-panel").classList.toggle("rg-closed", !open);
    document.getElementById("rg-toggle").setAttribute("aria-expanded", String(open));
  };

  Atlas.prototype.where = function () {
    const out = document.getElementById("rg-where");
    const say = (at) => {
      const lng = at.wrap().lng;
      out.textContent = `${Math.abs(lng).toFixed(5)}°${lng < 0 ? "W" : "E"} ${Math.abs(at.lat).toFixed(5)}°${at.lat < 0 ? "S" : "N"}`;
    };
    this.map.on("mousemove", (event) => say(event.latlng));
    this.map.on("moveend", () => say(this.map.getCenter()));
    say(this.map.getCenter());
  };

  Atlas.prototype.openLinked = function () {
    const id = decodeURIComponent((/^#id=(.+)$/.exec(window.location.hash) || [])[1] || "");
    const entry = id && this.entries.find(({ feature }) => feature.id === id);
    if (entry) this.show(entry);
    else if (id) this.openElsewhere(id);
  };

  /* Seen from afar lines get thinner and signs smaller, so that both banks of a narrow river stay apart. */
  Atlas.prototype.scale = function () {
    const share = Math.max(0.55, Math.min(1, 1 - (15 - this.map.getZoom()) * 0.15));
    if (share !== this.share) this.entries.forEach(({ shape }) => shape.thin(share));
    this.share = share;
    this.map.getContainer().classList.toggle("rg-far", share < 0.8);
    declutter(this.map, this.texts);
  };

  Atlas.prototype.start = function () {
    const { map, data } = this;
    map.fitBounds(data.bounds, { padding: [18, 18], animate: false });
    L.control.zoom({ position: "bottomright", zoomInTitle: "放大 Zoom in", zoomOutTitle: "缩小 Zoom out" }).addTo(map);
    L.control.scale({ imperial: false, maxWidth: 140 }).addTo(map);
    this.layers();
    this.pictures();
    this.legend();
    if (data.tiles) this.tiles = window.rivergis.tiles(this);
    this.bases();
    this.list();
    this.search();
    this.where();
    const toggle = document.getElementById("rg-toggle");
    toggle.addEventListener("click", () => this.panel(toggle.getAttribute("aria-expanded") === "false"));
    this.panel(window.innerWidth > 760);
    map.on("zoomend", () => this.scale());
    this.scale();
    window.addEventListener("hashchange", () => this.openLinked());
    this.print();
    this.openLinked();
    return this;
  };

  window.rivergis.atlas = (map, data) => new Atlas(map, data).start();
})();
