/* The redraw preview: what ground enters and leaves, river by river, and what lies on it. Every reduction stands in red with room
 * for its reason; the reasons go with the draft when it is sent for review. */
(function () {
  "use strict";
  const { el, named } = window.rivergis;
  const { area, chainage, id } = window.rivergis.draftPanel;

  const MOST = 100;

  const spanOf = ({ from_m, to_m }) => (from_m === null || from_m === undefined ? "" : `${chainage(from_m)}–${chainage(to_m)}`);

  function table(heads, rows) {
    const node = el("table");
    const head = el("tr");
    heads.forEach((one) => head.append(named("th", one)));
    node.append(head, ...rows);
    const box = el("div", "bd-scroll");
    box.append(node);
    return box;
  }

  function cells(...values) {
    const row = el("tr");
    values.forEach((value) => {
      const cell = el("td");
      if (value instanceof Node) cell.append(value);
      else cell.textContent = value === null || value === undefined ? "—" : value;
      if (/^[-+0-9.,]+( m²| km²)?$/.test(cell.textContent)) cell.className = "bd-n";
      row.append(cell);
    });
    return row;
  }

  function Preview(desk) {
    this.desk = desk;
    this.say = (key) => desk.words[key] || { zh: key };
    this.layer = L.layerGroup().addTo(desk.map);
    this.canvas = L.canvas({ pane: "bd-redraw", padding: 0.3 });
    this.reasonKey = `rivergis.reasons/${desk.draft}`;
    this.reasons = JSON.parse(localStorage.getItem(this.reasonKey) || "{}");
  }

  Preview.prototype.clear = function () {
    this.layer.clearLayers();
    this.told = null;
    id("bd-preview-told").replaceChildren();
  };

  Preview.prototype.show = function (told) {
    this.told = told;
    this.layer.clearLayers();
    Object.entries(told.geometry).forEach(([kind, pieces]) => this.pieces(kind, pieces).addTo(this.layer));
    const box = id("bd-preview-told");
    box.replaceChildren(this.summary(told));
    if (told.rivers.length) box.append(this.rivers(told));
    if (told.reductions.length) box.append(...this.reductions(told.reductions));
    else box.append(named("p", this.say("no_reduction"), "bd-good"));
    box.append(...this.things(told), ...this.notes(told));
    this.desk.panel.badge("bd-preview", told.reductions.length, true);
  };

  const LOOKS = {
    entering: { color: "#1f7a4d", weight: 1.5, fillColor: "#1f7a4d", fillOpacity: 0.34 },
    leaving: { color: "#c1121f", weight: 1.5, fillColor: "#c1121f", fillOpacity: 0.4 },
    noise: { color: "#7a6a5c", weight: 0.5, fillColor: "#7a6a5c", fillOpacity: 0.3 },
    flags: { color: "#6b1f3a", weight: 1.5, dashArray: "4 3", fillColor: "#6b1f3a", fillOpacity: 0.25 },
  };

  Preview.prototype.pieces = function (kind, pieces) {
    return L.geoJSON(pieces, { renderer: this.canvas, pane: "bd-redraw", interactive: false, style: LOOKS[kind] });
  };

  Preview.prototype.summary = function ({ total, seconds }) {
    const box = el("div", "bd-sums");
    [["entering", total.entering_m2, "bd-in"], ["leaving", total.leaving_m2, "bd-out"]].forEach(([key, m2, look]) => {
      const one = el("div", look);
      one.append(named("span", this.say(key)), el("b", "", area(m2 || 0)));
      box.append(one);
    });
    if (seconds !== undefined) box.append(el("small", "", `${seconds} s`));
    return box;
  };

  Preview.prototype.rivers = function ({ rivers }) {
    return table(["river", "old", "entering", "leaving", "new"].map(this.say), rivers.map((r) => cells(
      r.river || r.river_code, area(r.old_m2), area(r.entering_m2), area(r.leaving_m2), area(r.new_m2))));
  };

  Preview.prototype.reductions = function (reductions) {
    const head = named("h3", this.say("reductions"), "bd-red");
    head.append(el("b", "", ` ${reductions.length}`));
    const list = el("ol", "bd-reductions");
    reductions.forEach((one) => list.append(this.reduction(one)));
    return [head, named("p", this.say("reductions_why"), "bd-red"), list];
  };

  Preview.prototype.reduction = function (one) {
    const item = el("li");
    const where = [one.river || one.river_code, one.bank && one.bank !== "both" && this.say(`bank_${one.bank}`).zh, one.stretch || spanOf(one)].filter(Boolean).join(" ");
    const button = el("button", "", `${where} · ${area(one.m2)}`);
    button.type = "button";
    button.addEventListener("click", () => this.see(one));
    item.append(button);
    if (one.cases.length) {
      const told = named("p", this.say("open_cases"), "bd-red");
      one.cases.forEach((number) => {
        const link = el("a", "", number);
        link.href = `/cases/${encodeURIComponent(number)}`;
        link.target = "_blank";
        told.append(" ", link);
      });
      item.append(told);
    }
    one.codes.forEach((code) => item.append(named("p", this.say(`flag_${code}`))));
    const label = named("label", this.say("reduction_reason"));
    const input = el("textarea");
    input.rows = 2;
    input.maxLength = 1000;
    input.value = one.reason || this.reasons[one.key] || "";
    input.addEventListener("input", () => this.reason(one.key, input.value));
    label.append(input);
    item.append(label);
    return item;
  };

  Preview.prototype.see = function ({ piece, lon, lat }) {
    const shape = this.told.geometry.leaving.features.find((one) => one.id === piece);
    this.desk.fit(shape ? L.geoJSON(shape).getBounds() : L.latLng(lat, lon).toBounds(200));
  };

  /* Kept here, and filled into the form that sends the draft for review. */
  Preview.prototype.reason = function (key, text) {
    this.reasons[key] = text;
    try {
      localStorage.setItem(this.reasonKey, JSON.stringify(this.reasons));
    } catch (error) {
      this.desk.notice("not_kept", "warn");
    }
    this.desk.reasonsTyped(this.reasons);
  };

  Preview.prototype.things = function ({ things, not_looked_at: unknown }) {
    const kinds = [...new Set(things.map((t) => t.layer))];
    const out = kinds.flatMap((kind) => this.kind(kind, things.filter((t) => t.layer === kind)));
    if (unknown.length) {
      const told = named("p", this.say("not_looked_at"), "bd-quiet");
      told.append(` ${unknown.map((layer) => this.say(`layer_${layer}`).zh).join("、")}`);
      out.push(told);
    }
    return out;
  };

  Preview.prototype.kind = function (kind, own) {
    const head = named("h3", this.say(`layer_${kind}`));
    head.append(el("b", "", ` ${own.length}`));
    const rows = own.slice(0, MOST).map((t) => {
      const row = cells(t.name || t.feature || "—", this.say(t.change).zh, t.m2 ? area(t.m2) : t.length_m ? `${Math.round(t.length_m)} m` : "—", t.households);
      if (t.change === "leaving") row.className = "bd-red";
      return row;
    });
    const left = own.length > MOST ? [el("p", "bd-quiet", `… ${own.length - MOST}`)] : [];
    return [head, table(["thing", "change", "m2", "households"].map(this.say), rows), ...left];
  };

  Preview.prototype.notes = function ({ said }) {
    return said.map((note) => el("p", "bd-quiet", note.sentence));
  };

  window.rivergis.draftPreview = { Preview };
})();
