/* The page round the map: layers from plain data, legend with switches, list, search, slider between two images. */
(function () {
  "use strict";
  const { el, named, key, popup, popupSize, isLine, draw, written, longest, along } = window.rivergis;

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

  Atlas.prototype.layers = function () {
    const { map, data } = this;
    map.createPane("rg-names").style.zIndex = 580;
    map.createPane("rg-signs").style.zIndex = 600;
    data.layers.forEach((layer, order) => {
      layer.order = order;
      const pane = `rg-${layer.id}`;
      map.createPane(pane).style.zIndex = 400 + order;
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
    layer.box = row.box;
    const label = row.firstChild;
    const plain = layer.classes.length === 1 && !layer.classes[0].code;
    if (plain) label.insertBefore(key(layer.classes[0]), label.lastChild);
    label.append(el("span", "rg-count", layer.features.length));
    if (!plain) row.append(classList(layer));
    if (layer.unplaced) row.append(named("p", { zh: `另有 ${layer.unplaced} 条无图形`, en: "more without geometry" }, "rg-note"));
    return row;
  };

  function classList(layer) {
    const list = el("ul");
    layer.classes.forEach((style) => {
      const item = el("li");
      item.append(key(style), named("span", style, "rg-name"), el("span", "rg-count", style.count));
      list.append(item);
    });
    return list;
  }

  /* A line of the search results or of the list: sign, label, what it is. */
  function entryButton(entry, note, choose) {
    const item = el("li");
    const button = el("button");
    button.type = "button";
    const text = el("span", "rg-item", entry.feature.label || entry.feature.text || entry.layer.zh);
    text.append(el("span", "", note));
    button.append(key(entry.style), text);
    button.addEventListener("click", () => choose(entry, button));
    item.append(button);
    return item;
  }

  /* The class below a label, in English only where the label already says it in Chinese. */
  function kind({ feature, style }) {
    return (feature.label || "").includes(style.zh) ? style.en : `${style.zh} ${style.en}`;
  }

  function what({ layer, style }) {
    return style.code ? `${layer.zh} · ${style.zh}` : layer.zh;
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
    entries.forEach((entry) => list.append(entryButton(entry, kind(entry), (chosen, button) => {
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

  Atlas.prototype.find = function (query) {
    const words = query.trim().toLowerCase();
    if (!words) return [];
    const measured = /^(.*?)\s*k?(\d+)\+(\d{1,3}(?:\.\d+)?)$/.exec(words);
    if (measured) return this.findChainage(measured[1].trim(), Number(measured[2]) * 1000 + Number(measured[3]));
    const hits = this.entries.filter((entry) => entry.hay.includes(words));
    const first = (entry) => ((entry.feature.label || "").toLowerCase().includes(words) ? 0 : 1);
    return hits.sort((a, b) => first(a) - first(b) || b.layer.order - a.layer.order).slice(0, 30);
  };

  /* 桩号: the position at a chainage on every line that spans it, by share of its length. */
  Atlas.prototype.findChainage = function (name, at_m) {
    const spans = this.entries.filter(({ feature }) => feature.river && isLine(feature.g) && feature.to_m > feature.from_m
      && feature.from_m <= at_m && at_m <= feature.to_m && `${feature.river}\n${feature.label || ""}`.toLowerCase().includes(name));
    return spans.map((entry) => {
      const { feature } = entry;
      const spot = along(this.map, longest(feature.g), (at_m - feature.from_m) / (feature.to_m - feature.from_m));
      const km = Math.floor(at_m / 1000);
      const label = `${feature.river} ${km}+${String(Math.round(at_m - km * 1000)).padStart(3, "0")}`;
      const shape = L.circleMarker(spot, { radius: 8, color: "#ffb703", weight: 4, fill: false, pane: "rg-signs" });
      shape.bindPopup(() => popup({ ...feature, label }, entry.layer, entry.style), popupSize());
      shape.getBounds = () => L.latLngBounds(spot, spot);
      return { ...entry, feature: { ...feature, label }, shape, spot, note: feature.label, mark: true };
    });
  };

  Atlas.prototype.search = function () {
    const query = document.getElementById("rg-query");
    const results = document.getElementById("rg-results");
    const choose = (entry) => {
      if (this.mark) this.mark.remove();
      if (entry.mark) this.mark = entry.shape.addTo(this.map);
      this.show(entry);
    };
    query.addEventListener("input", () => {
      const found = this.find(query.value);
      results.replaceChildren(...found.map((entry) => entryButton(entry, entry.note || what(entry), choose)));
      if (query.value.trim() && !found.length) results.append(named("p", { zh: "没有找到", en: "Nothing found" }));
    });
    document.getElementById("rg-search").addEventListener("submit", (event) => {
      event.preventDefault();
      const first = results.querySelector("button");
      if (first) first.click();
    });
  };

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

  Atlas.prototype.pictures = function () {
    const { map } = this;
    ["base", "before", "after"].forEach((role, i) => { map.createPane(`rg-image-${role}`).style.zIndex = 250 + i; });
    this.data.pictures.forEach((picture) => {
      picture.overlay = L.imageOverlay(picture.url, picture.bounds, { pane: `rg-image-${picture.role}`, alt: picture.zh }).addTo(map);
    });
    document.getElementById("rg-stage").classList.toggle("rg-imaged", this.data.pictures.length > 0);
    const before = this.data.pictures.find((p) => p.role === "before");
    const after = this.data.pictures.find((p) => p.role === "after");
    if (before && after) this.swipe(before, after);
  };

  /* Slider between two images: left of the line the earlier one, right of it the later one. */
  Atlas.prototype.swipe = function (before, after) {
    const { map } = this;
    const stage = document.getElementById("rg-stage");
    const line = el("div", "rg-swipe-line");
    const slider = el("input", "rg-swipe");
    Object.assign(slider, { type: "range", min: 0, max: 1000, value: 500 });
    slider.setAttribute("aria-label", "前后影像对比 Compare before and after");
    stage.append(line, slider, named("div", before, "rg-swipe-name rg-swipe-before"), named("div", after, "rg-swipe-name rg-swipe-after"));
    const place = () => {
      const size = map.getSize();
      const x = 18 + (size.x - 36) * slider.value / 1000;
      line.style.left = `${x}px`;
      const corner = map.containerPointToLayerPoint([0, 0]);
      const clip = (from, to) => `rect(${corner.y}px, ${corner.x + to}px, ${corner.y + size.y}px, ${corner.x + from}px)`;
      map.getPane("rg-image-before").style.clip = clip(0, x);
      map.getPane("rg-image-after").style.clip = clip(x, size.x);
    };
    slider.addEventListener("input", place);
    map.on("move zoomend resize", place);
    place();
  };

  Atlas.prototype.openLinked = function () {
    const id = decodeURIComponent((/^#id=(.+)$/.exec(window.location.hash) || [])[1] || "");
    const entry = id && this.entries.find(({ feature }) => feature.id === id);
    if (entry) this.show(entry);
  };

  /* Seen from afar lines get thinner and signs smaller, so that both banks of a narrow river stay apart. */
  Atlas.prototype.scale = function () {
    const share = Math.max(0.55, Math.min(1, 1 - (15 - this.map.getZoom()) * 0.15));
    if (share !== this.share) this.entries.forEach(({ shape }) => shape.thin(share));
    this.share = share;
    this.map.getContainer().classList.toggle("rg-far", share < 0.8);
    declutter(this.map, this.texts);
  };

  /* Paper has another shape: the page takes it on before printing, so that what is seen stays in view. */
  Atlas.prototype.print = function () {
    const { map } = this;
    const shape = (paper) => {
      const seen = map.getBounds();
      document.body.classList.toggle("rg-paper", paper);
      map.invalidateSize({ animate: false });
      map.fitBounds(seen, { animate: false });
    };
    window.addEventListener("beforeprint", () => shape(true));
    window.addEventListener("afterprint", () => shape(false));
  };

  Atlas.prototype.start = function () {
    const { map, data } = this;
    map.fitBounds(data.bounds, { padding: [18, 18], animate: false });
    L.control.zoom({ position: "bottomright", zoomInTitle: "放大 Zoom in", zoomOutTitle: "缩小 Zoom out" }).addTo(map);
    L.control.scale({ imperial: false, maxWidth: 140 }).addTo(map);
    this.layers();
    this.pictures();
    this.legend();
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
