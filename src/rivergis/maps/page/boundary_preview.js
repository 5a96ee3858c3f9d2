/* The redraw preview: what ground enters and leaves, river by river, and what lies on it. Every reduction stands in red with room
 * for its reason; the reasons go with the draft when it is sent for review. */
(function () {
  "use strict";
  const { el, named } = window.rivergis;
  const { area, id } = window.rivergis.draftPanel;

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
    told.pieces.forEach((piece) => this.piece(piece).addTo(this.layer));
    const box = id("bd-preview-told");
    box.replaceChildren(this.summary(told));
    if (told.rivers.length) box.append(this.rivers(told));
    if (told.reductions.length) box.append(...this.reductions(told.reductions));
    else box.append(named("p", this.say("no_reduction"), "bd-good"));
    box.append(...this.things(told), ...this.notes(told));
    this.desk.panel.badge("bd-preview", told.reductions.length, true);
  };

  Preview.prototype.piece = function (piece) {
    const leaving = piece.change === "leaving";
    const colour = leaving ? "#c1121f" : "#1f7a4d";
    const shape = L.geoJSON(piece.geometry, {
      renderer: this.canvas, pane: "bd-redraw", interactive: false,
      style: { color: colour, weight: piece.noise ? 0.5 : 1.5, fillColor: colour, fillOpacity: piece.noise ? 0.15 : 0.38 },
    });
    return shape;
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
      this.desk.rivers.get(r.river_code) || r.river_code, area(r.old_m2), area(r.entering_m2), area(r.leaving_m2), area(r.new_m2))));
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
    const where = [this.desk.rivers.get(one.river_code) || one.river_code, one.bank && this.say(`bank_${one.bank}`).zh, one.stretch].filter(Boolean).join(" ");
    const button = el("button", "", `${where} · ${area(one.m2)}`);
    button.type = "button";
    button.addEventListener("click", () => this.desk.fit(L.geoJSON(one.geometry).getBounds()));
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
    (one.flags || []).forEach((flag) => item.append(named("p", flag, "bd-red")));
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

  Preview.prototype.things = function ({ things }) {
    const kinds = [...new Set(things.map((t) => t.layer))];
    return kinds.flatMap((kind) => {
      const own = things.filter((t) => t.layer === kind);
      const head = named("h3", own[0].what || { zh: kind });
      head.append(el("b", "", ` ${own.length}`));
      const rows = own.slice(0, 100).map((t) => {
        const row = cells(t.name || "—", this.say(t.change).zh, t.m2 ? area(t.m2) : "—", t.households === null || t.households === undefined ? "—" : t.households);
        if (t.change === "leaving") row.className = "bd-red";
        return row;
      });
      const left = own.length > 100 ? [el("p", "bd-quiet", `… ${own.length - 100}`)] : [];
      return [head, table(["thing", "change", "m2", "households"].map(this.say), rows), ...left];
    });
  };

  Preview.prototype.notes = function ({ notes }) {
    return (notes || []).map((note) => (typeof note === "string" ? el("p", "bd-quiet", note) : named("p", note, "bd-quiet")));
  };

  window.rivergis.draftPreview = { Preview };
})();
