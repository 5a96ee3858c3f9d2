/* What a page asks its own service: things by click or link, the search, base maps. Answers go into the page as text only. */
(function () {
  "use strict";
  const { el, named, popup, popupSize, parts } = window.rivergis;
  const UUID = /^[0-9a-f-]{36}$/i;

  /* An answer of the service, or nothing: a map goes on without it. */
  parts.ask = async function (address) {
    try {
      const answer = await fetch(address, { credentials: "same-origin", headers: { accept: "application/json" } });
      if (answer.status === 401) this.say("登录已过期,请重新登录 · Signed out: sign in again");
      return answer.ok ? await answer.json() : null;
    } catch {
      return null;
    }
  };

  parts.say = function (text) {
    document.getElementById("rg-said").textContent = text;
  };

  parts.when = function () {
    return this.data.day ? { day: this.data.day } : {};
  };

  /* How a thing of the service is drawn, if this page or the service knows it. */
  parts.styleOf = function (one) {
    const layer = this.layerOf(one.collection);
    if (one.style || !layer) return one.style;
    return layer.classes.find((style) => style.code === (one.cls || "")) || layer.classes.find((style) => !style.code) || layer.classes[0];
  };

  parts.layerOf = function (name) {
    const tiled = this.data.tiles ? this.data.tiles.layers : [];
    return [...tiled, ...this.data.layers].find((layer) => layer.id === name);
  };

  parts.thing = function (one) {
    return this.ask(`/maps/thing/${encodeURIComponent(one.collection)}/${encodeURIComponent(one.id)}.json?${new URLSearchParams(this.when())}`);
  };

  /* Explanation of a lead: what the night says of it, Chinese first. */
  parts.explained = async function (one) {
    if (one.collection !== "finding" || !UUID.test(one.id)) return null;
    const told = await this.ask(`/findings/${encodeURIComponent(one.id)}.json`);
    return told && told.why ? told.why : null;
  };

  function reason(why) {
    const box = el("div", "rg-why");
    box.append(el("p", "", why.zh));
    const english = el("p", "", why.en);
    english.lang = "en";
    box.append(english);
    return box;
  }

  /* Popup of a thing at a place; `others` lie there too and can be turned to. */
  parts.openThing = async function (one, at, others = []) {
    const { map } = this;
    const layer = this.layerOf(one.collection) || { id: one.collection, zh: one.zh || one.collection, en: one.en || "" };
    const style = this.styleOf(one) || { code: "", zh: layer.zh, en: layer.en, stroke: "#5b7285", fill: "", dash: "", width: 1, marker: "" };
    const box = el("div", "rg-thing");
    const shown = L.popup({ ...popupSize(), className: "rg-thing-popup" }).setLatLng(at).setContent(box);
    const draw = (told, why) => {
      box.replaceChildren(popup(told ? { ...one, ...told } : one, layer, style));
      if (why) box.firstChild.insertBefore(reason(why), box.querySelector("table"));
      if (others.length) box.append(this.turnTo([one, ...others], at));
      shown.update();
    };
    draw(null, null);
    shown.openOn(map);
    shown.getElement().setAttribute("role", "dialog");
    shown.getElement().setAttribute("aria-label", one.label || layer.zh);
    this.say(`${layer.zh} ${one.label || ""}`);
    const [told, why] = await Promise.all([this.thing(one), this.explained(one)]);
    if (!map.hasLayer(shown)) return null;
    draw(told || { popup: [["说明", "note", "无法读取,或无权查看 · not to be read, or not yours to see"]] }, why);
    this.outline(told);
    shown.once("remove", () => this.outline(null));
    return told;
  };

  /* Other things at the same place. */
  parts.turnTo = function (all, at) {
    const box = el("div", "rg-others");
    box.append(named("p", { zh: "此处还有", en: "also here" }));
    const list = el("ul");
    all.slice(1).forEach((other) => {
      const layer = this.layerOf(other.collection) || { zh: other.collection };
      const rest = all.filter((one) => one !== other);
      const item = el("li");
      const button = el("button", "", `${layer.zh} ${other.label || ""}`);
      button.type = "button";
      button.addEventListener("click", () => this.openThing(other, at, rest));
      item.append(button);
      list.append(item);
    });
    box.append(list);
    return box;
  };

  /* The shape of the thing that is spoken of. */
  parts.outline = function (told) {
    if (this.outlined) this.outlined.remove();
    this.outlined = null;
    if (!told || !told.geometry) return;
    this.outlined = L.geoJSON(told.geometry, {
      pane: "rg-names", interactive: false, style: { color: "#ffb703", weight: 4, opacity: 0.95, fill: false },
      pointToLayer: (_, at) => L.circleMarker(at, { pane: "rg-names", radius: 11, color: "#ffb703", weight: 3, fill: false, interactive: false }),
    }).addTo(this.map);
  };

  /* Go to what the search of the service found. */
  parts.goTo = function (one) {
    if (window.innerWidth <= 760) this.panel(false);
    this.unmark();
    const [lon, lat] = one.at;
    if (one.bounds) {
      const [west, south, east, north] = one.bounds;
      this.map.fitBounds([[south, west], [north, east]], { maxZoom: 16, padding: [60, 60], animate: false });
    } else this.map.setView([lat, lon], Math.max(16, this.map.getZoom()), { animate: false });
    if (this.tiles) this.tiles.turnOn(one.collection);
    if (one.id) {
      this.openThing(one, [lat, lon]);
      return;
    }
    this.mark = this.ring([lat, lon]).addTo(this.map);
    const layer = { id: one.kind, zh: one.note, en: "" };
    this.mark.bindPopup(() => popup({ label: one.label, popup: one.popup }, layer, { code: "", zh: one.note, en: "", stroke: "#ffb703", fill: "", dash: "", width: 3, marker: "" }), popupSize());
    this.mark.openPopup();
  };

  /* A link #id=... names a thing that the page does not carry itself: a lead, or collection/id. */
  parts.openElsewhere = async function (id) {
    const [collection, name] = id.includes("/") ? id.split("/", 2) : ["finding", id];
    if (!this.data.live || !UUID.test(name)) return;
    const told = await this.thing({ collection, id: name });
    if (told) this.goTo({ ...told, collection, id: name });
  };

  /* Base maps of the configuration: none by default. Each shows its 审图号 as long as it is seen. */
  parts.bases = async function () {
    if (!this.data.live) return;
    const told = await this.ask("/basemap.json");
    const bases = (told && told.bases) || [];
    if (!bases.length) return;
    const list = document.getElementById("rg-layers");
    bases.forEach((base) => list.append(this.baseRow(base)));
  };

  parts.baseRow = function (base) {
    const drawn = base.kind === "vector" ? null : L.tileLayer(base.url, {
      pane: "tilePane", zIndex: base.over ? 2 : 1, minZoom: base.minzoom, maxNativeZoom: base.maxzoom, maxZoom: 22, alt: "",
    });
    const row = this.switchRow(base, base.shown, (on) => {
      base.on = on;
      if (drawn) (on ? drawn.addTo(this.map) : drawn.remove());
      else if (this.tiles) this.tiles.base(base, on);
      this.grounds = (this.grounds || []).filter((one) => one !== base).concat(on ? [base] : []);
      this.reviewed();
    });
    row.dataset.base = base.id;
    if (!drawn && !(this.tiles && this.tiles.gl)) {
      row.box.disabled = true;
      row.append(named("p", { zh: "此浏览器无 WebGL,不能显示", en: "needs WebGL" }, "rg-note"));
    } else if (base.shown) row.box.dispatchEvent(new Event("change"));
    return row;
  };

  /* 审图号 of every base map that is seen, on the map itself. Areas give way to what the base map shows. */
  parts.reviewed = function () {
    const line = document.getElementById("rg-bases");
    const seen = this.grounds || [];
    line.hidden = !seen.length;
    line.textContent = seen.map((base) => [base.zh, base.review ? `审图号:${base.review}` : "", base.credit || ""].filter(Boolean).join(" ")).join(" · ");
    document.getElementById("rg-stage").classList.toggle("rg-grounded", seen.length > 0);
    if (this.tiles) this.tiles.grounded(seen.length > 0);
  };
})();
