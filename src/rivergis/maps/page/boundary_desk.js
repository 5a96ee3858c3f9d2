/* The drawing page (划界草案): ground, lines of the draft, tools, saving with the revision that was seen, and what others saved. */
(function () {
  "use strict";
  const { el, named } = window.rivergis;
  const { Work, uuid, copy } = window.rivergis.draftWork;
  const { Snap } = window.rivergis.draftSnap;
  const { Tools, parts, toLatLng } = window.rivergis.draftTools;
  const { Panel, id } = window.rivergis.draftPanel;
  const { Preview } = window.rivergis.draftPreview;
  const COLOURS = { draft: "#d2691e", announced: "#b3284f", surrogate: "#7b6a9f", computed: "#4f6fb5" };

  function Desk(map, data) {
    Object.assign(this, data);
    this.map = map;
    this.rivers = new Map(data.rivers);
    this.work = new Work(data.draft, data.user);
    this.snap = new Snap();
    this.shapes = new Map();
    this.ghosts = L.layerGroup().addTo(map);
    this.marks = L.layerGroup().addTo(map);
    this.placing = new Set();
  }

  Object.assign(Desk.prototype, window.rivergis.draftGround, window.rivergis.draftSight);

  /* ---- asking the service: its sentence is what the planner reads ---- */

  Desk.prototype.ask = async function (path, body) {
    const options = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    let answer;
    try {
      answer = await fetch(`/api/boundary/drafts/${encodeURIComponent(this.draft)}${path}`, { ...options, headers: { ...options.headers, Accept: "application/json" } });
    } catch (error) {
      return { status: 0, said: { message: this.words.offline.zh } };
    }
    const said = await answer.json().catch(() => ({ message: `${answer.status}` }));
    return { status: answer.status, said, ok: answer.ok };
  };

  Desk.prototype.notice = function (text, look) {
    const box = id("bd-notice");
    box.className = `bd-notice bd-${look || "good"}`;
    box.replaceChildren(this.words[text] ? named("span", this.words[text]) : el("span", "", text));
    box.hidden = false;
    window.clearTimeout(this.fading);
    if (look !== "warn") this.fading = window.setTimeout(() => { box.hidden = true; }, 6000);
  };

  Desk.prototype.busy = async function (button, doing) {
    button.disabled = true;
    button.classList.add("bd-busy");
    try {
      return await doing();
    } finally {
      button.disabled = false;
      button.classList.remove("bd-busy");
      this.state();
    }
  };

  /* ---- ground and lines ---- */

  Desk.prototype.panes = function () {
    const order = { "bd-areas": 300, "bd-redraw": 340, "bd-ground": 360, "bd-ghosts": 390, "bd-lines": 410, "bd-top": 450, "bd-corners": 620, "bd-defects": 610 };
    Object.entries(order).forEach(([name, z]) => { this.map.createPane(name).style.zIndex = z; });
    ["bd-areas", "bd-redraw", "bd-ground", "bd-ghosts", "bd-top"].forEach((name) => { this.map.getPane(name).style.pointerEvents = "none"; });
    this.lines = L.canvas({ pane: "bd-lines", tolerance: 7, padding: 0.4 });
    this.under = { area: L.canvas({ pane: "bd-areas", padding: 0.4 }), line: L.canvas({ pane: "bd-ground", padding: 0.4 }) };
  };

  Desk.prototype.draw = function (name) {
    const segment = this.work.get(name);
    const old = this.shapes.get(name);
    if (old) old.remove();
    this.shapes.delete(name);
    this.snap.drop(name);
    if (!segment) return;
    const shape = L.polyline(segment.coords.map(toLatLng), { ...this.style(segment), renderer: this.lines, pane: "bd-lines", bubblingMouseEvents: true });
    shape.on("click", (event) => {
      if (this.tools.mode !== "select") return;
      this.select(name);
      L.DomEvent.stop(event);
    });
    shape.addTo(this.map);
    this.shapes.set(name, shape);
    this.snap.set(name, segment.coords, "draft");
  };

  Desk.prototype.style = function (segment) {
    const chosen = segment.id === this.selected;
    const conflict = this.work.clash.has(segment.id);
    const edited = this.work.edits.has(segment.id);
    return {
      color: conflict ? "#c1121f" : chosen ? "#e4572e" : COLOURS[segment.fields.basis] || COLOURS.draft,
      weight: chosen || conflict ? 5 : 3, dashArray: edited ? "10 4" : null, opacity: 0.95,
    };
  };

  Desk.prototype.redraw = function () {
    const wanted = new Set(this.work.all().map((s) => s.id));
    [...this.shapes.keys()].filter((name) => !wanted.has(name)).forEach((name) => this.draw(name));
    wanted.forEach((name) => this.draw(name));
  };

  /* ---- one segment ---- */

  Desk.prototype.select = function (name, fly, quiet) {
    const before = this.selected;
    this.selected = name;
    [before, name].forEach((one) => one && this.shapes.has(one) && this.work.get(one) && this.shapes.get(one).setStyle(this.style(this.work.get(one))));
    const segment = name && this.work.get(name);
    if (segment && fly) this.fit(L.latLngBounds(segment.coords.map(toLatLng)));
    if (segment && !fly && !quiet && this.panel.shown !== "bd-lines") this.panel.open("bd-lines");
    this.tools.edit(segment && this.may ? copy(segment) : null);
    this.panel.form();
    this.state();
  };

  Desk.prototype.fit = function (bounds) {
    if (window.innerWidth <= 760) this.fold(false);
    this.map.fitBounds(bounds, { padding: [70, 70], maxZoom: 18, animate: false });
  };

  Desk.prototype.look = function (segments) {
    this.fit(L.latLngBounds(segments.flatMap((s) => s.coords.map(toLatLng))));
  };

  Desk.prototype.lengthOf = function ({ coords }) {
    return coords.slice(1).reduce((sum, c, i) => sum + toLatLng(coords[i]).distanceTo(toLatLng(c)), 0);
  };

  /* River, reach, bank, chainage and direction of a line, as the register of reaches has it. */
  Desk.prototype.place = function (segment, keepRiver) {
    const asked = this.placed(segment, keepRiver).finally(() => this.placing.delete(asked));
    this.placing.add(asked);  // a save waits for it
  };

  Desk.prototype.placed = async function (segment, keepRiver) {
    const { fields } = segment;
    const body = { geometry: { type: "LineString", coordinates: segment.coords } };
    if (!keepRiver && this.river) body.river_code = this.river;
    if (keepRiver) Object.assign(body, { river_code: fields.river_code, reach_code: fields.reach_code });
    const edit = this.work.edits.get(segment.id);
    const { ok, said } = await this.ask("/places", body);
    if (!ok) this.notice(said.message, "warn");
    if (!ok || !edit || edit.op !== "put") return;
    const { fields: own, coords } = edit.segment;
    // of a line that was there only the chainage is told anew: bank and reach are the planner's
    Object.assign(own, { from_m: said.from_m, to_m: said.to_m });
    if (!keepRiver) {
      Object.assign(own, { river_code: said.river_code, reach_code: said.reach_code, bank: said.bank });
      if (said.upstream) coords.reverse();
    }
    this.work.completed(segment.id, edit);
  };

  Desk.prototype.changed = function (segments) {
    const now = segments.map((segment) => ({ ...segment, coords: copy(segment.coords), fields: this.byHand(segment.fields) }));
    this.work.step(now.map((segment) => this.work.put(segment)));
    now.forEach((segment) => this.place(segment, true));
  };

  /* Lines of the draft that begin or end in a place, each with what it is when the place moves. */
  Desk.prototype.sharing = function (id, [lon, lat]) {
    const here = ([x, y]) => x === lon && y === lat;
    return this.work.all().filter((s) => s.id !== id && (here(s.coords[0]) || here(s.coords[s.coords.length - 1]))).map((s) => {
      const first = here(s.coords[0]);
      const last = here(s.coords[s.coords.length - 1]);
      return { id: s.id, to: (at) => ({ ...s, coords: s.coords.map((c, i) => ((first && i === 0) || (last && i === s.coords.length - 1) ? at : c)) }) };
    });
  };

  /* A line that was moved is the announced one no longer. */
  Desk.prototype.byHand = function (fields) {
    const own = { ...fields, hand_edited: true };
    if (own.basis === "announced") own.basis = "draft";
    if (own.drawn_by === "announced") own.drawn_by = "hand";
    return own;
  };

  Desk.prototype.moving = function (segments) {
    segments.forEach(({ id: name, coords }) => this.shapes.has(name) && this.shapes.get(name).setLatLngs(coords.map(toLatLng)));
  };

  Desk.prototype.drawn = function (coords) {
    const river = this.river || this.rivers.keys().next().value;
    const fields = { river_code: river, reach_code: null, bank: "left", from_m: null, to_m: null, basis: "draft", drawn_by: "hand", hand_edited: true, attributes: {} };
    const segment = { id: uuid(), coords, fields, revision: 0 };
    this.work.step([this.work.put(segment)]);
    this.select(segment.id);
    this.place(segment, false);
  };

  Desk.prototype.cut = function (name, at) {
    const segment = this.work.get(name);
    const two = segment && parts(segment.coords, at);
    this.tools.set("select");
    if (!two) return;
    const first = { ...copy(segment), coords: two[0] };
    const second = { ...copy(segment), id: uuid(), coords: two[1], revision: 0 };
    if (second.fields.code) second.fields.code = "";
    this.work.step([this.work.put(first), this.work.put(second)]);
    this.select(second.id);
    this.place(first, true);
    this.place(second, true);
  };

  Desk.prototype.notMine = function () {
    return new Set([...this.snap.lines.keys()].filter((name) => !this.shapes.has(name)));
  };

  Desk.prototype.takeOut = function () {
    const name = this.selected;
    if (!name || !this.may) return;
    this.select(null);
    this.work.step([this.work.remove(name)]);
  };

  /* ---- what changed on the page ---- */

  Desk.prototype.told = function (names) {
    names.forEach((name) => this.draw(name));
    if (this.selected && names.includes(this.selected)) this.select(this.work.get(this.selected) ? this.selected : null, false, true);
    this.panel.list();
    this.stale();
    this.state();
  };

  /* What the preview and the defects say is of before this change. */
  Desk.prototype.stale = function () {
    document.body.classList.add("bd-stale");
  };

  Desk.prototype.state = function () {
    const n = this.work.edits.size;
    id("bd-bar").classList.toggle("bd-open", n > 0);
    id("bd-unsaved").textContent = n;
    id("bd-save").disabled = !n || !this.may || this.work.clash.size > 0;
    const can = { "bd-undo": this.work.past.length, "bd-redo": this.work.ahead.length, "bd-remove": this.selected };
    Object.entries(can).forEach(([name, yes]) => { id(name).disabled = !yes || !this.may; });
    if (!this.work.kept) this.notice("not_kept", "warn");
    this.panel.conflicts();
  };

  /* ---- saving, and what others saved ---- */

  Desk.prototype.load = async function () {
    const { ok, said } = await this.ask(`/segments${this.at ? `?revision=${this.at}` : ""}`);
    if (!ok) return this.notice(said.message, "warn");
    return { revision: said.revision, segments: said.features.map(fromFeature) };
  };

  function fromFeature(feature) {
    const { revision, changed_by, changed_at, ...fields } = feature.properties;
    return { id: feature.id, coords: feature.geometry.coordinates, fields, revision, by: changed_by, when: changed_at };
  }

  Desk.prototype.save = async function () {
    const reason = id("bd-reason").value.trim();
    if (!reason) {
      id("bd-reason").focus();
      return this.notice("say_why", "warn");
    }
    await Promise.all([...this.placing]);
    const went = new Map(copy([...this.work.edits]));
    const answer = await this.ask("/changes", { ...this.work.sent(), reason });
    if (answer.status === 409) return this.refused(answer.said);
    if (!answer.ok) return this.notice(answer.said.message, "warn");
    const now = await this.load();
    if (!now) return;
    this.work.saved(went, now.revision, now.segments);
    this.ghosts.clearLayers();
    this.renew();
    this.stands(now.revision);
    this.notice(answer.said.merged ? "saved_merged" : "saved");
    this.examine();
    if (this.preview.told) this.foresee();
  };

  /* The revision that is before the eyes now: what the forms of moves are for, and the last of the history. */
  Desk.prototype.stands = async function (revision) {
    id("bd-revision").textContent = revision;
    document.querySelectorAll("#bd-moves [name=revision]").forEach((field) => { field.value = revision; });
    const { ok, said } = await this.ask("");
    if (ok) this.panel.history(said.changes, revision);
  };

  /* Somebody else was first: their shapes lie beside mine, and what was drawn stays until each is settled. */
  Desk.prototype.refused = async function (said) {
    if (said.error !== "conflict" || !said.segments) return this.notice(said.message, "warn");
    const now = await this.load();
    if (!now) return;
    this.work.refused(said.segments || [], now.revision, now.segments);
    this.stands(now.revision);
    this.renew();
    this.compare();
    this.notice(this.work.clash.size ? "conflict_told" : "saved_meanwhile", "warn");
  };

  Desk.prototype.compare = function () {
    this.ghosts.clearLayers();
    const renderer = this.ghostly || (this.ghostly = L.canvas({ pane: "bd-ghosts", padding: 0.4 }));
    this.work.conflicts().forEach(({ mine, theirs }) => {
      if (theirs) L.polyline(theirs.coords.map(toLatLng), { renderer, pane: "bd-ghosts", color: "#1d4ed8", weight: 7, opacity: 0.6, interactive: false }).addTo(this.ghosts);
    });
  };

  Desk.prototype.settle = function (name, way) {
    this.work.settle(name, way !== "theirs");
    if (way !== "draw") this.compare();
    this.renew();
    if (!this.work.clash.size) id("bd-notice").hidden = true;
    if (way === "draw") this.select(name, true);
  };

  Desk.prototype.renew = function () {
    if (this.selected && !this.work.get(this.selected)) this.selected = null;
    this.redraw();
    this.panel.list();
    this.select(this.selected, false, true);
  };

  /* ---- start ---- */

  Desk.prototype.fold = function (open) {
    id("rg-panel").classList.toggle("rg-closed", !open);
    id("rg-toggle").setAttribute("aria-expanded", String(open));
    this.map.invalidateSize({ animate: false });
  };

  Desk.prototype.wire = function () {
    const on = (name, act) => id(name).addEventListener("click", act);
    ["select", "draw", "split"].forEach((mode) => on(`bd-${mode}`, () => this.tools.set(mode)));
    on("bd-undo", () => this.tools.back() || this.work.undo());
    on("bd-redo", () => this.work.redo());
    on("bd-remove", () => this.takeOut());
    on("bd-revert", () => this.selected && this.work.step([{ id: this.selected, edit: undefined }]));
    on("bd-finish", () => this.tools.finish());
    on("bd-save", () => this.busy(id("bd-save"), () => this.save()));
    on("bd-look", () => { this.panel.open("bd-preview"); this.fold(true); this.busy(id("bd-ask-preview"), () => this.foresee()); });
    on("bd-ask-preview", () => this.busy(id("bd-ask-preview"), () => this.foresee()));
    on("bd-ask-defects", () => this.busy(id("bd-ask-defects"), () => this.examine(true)));
    on("rg-toggle", () => this.fold(id("rg-toggle").getAttribute("aria-expanded") === "false"));
    document.addEventListener("keydown", (event) => this.keyed(event));
    window.addEventListener("beforeunload", (event) => { if (this.work.edits.size && !this.work.kept) event.preventDefault(); });
  };

  Desk.prototype.keyed = function (event) {
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
    const ctrl = event.ctrlKey || event.metaKey;
    const acts = { Escape: () => this.tools.set("select"), Enter: () => this.tools.mode === "draw" && this.tools.finish(),
      Delete: () => this.takeOut(), Backspace: () => this.tools.back() || this.takeOut() };
    if (ctrl && event.key.toLowerCase() === "z") (event.shiftKey ? this.work.redo() : this.tools.back() || this.work.undo());
    else if (ctrl && event.key.toLowerCase() === "y") this.work.redo();
    else if (!ctrl && acts[event.key] && (event.target === document.body || id("bd-map").contains(event.target))) acts[event.key]();
    else return;
    event.preventDefault();
  };

  Desk.prototype.mode = function (mode, n) {
    ["select", "draw", "split"].forEach((one) => id(`bd-${one}`).setAttribute("aria-pressed", String(this.tools.mode === one)));
    id("bd-finish").hidden = this.tools.mode !== "draw";
    const hint = id("bd-hint");
    const text = this.words[`hint_${mode}`];
    hint.hidden = !text || (mode === "edit" && !this.selected);
    if (text) hint.replaceChildren(named("span", text), n ? ` · ${n}` : "");
  };

  Desk.prototype.start = async function () {
    const { map } = this;
    document.body.classList.add("bd-live");
    this.panes();
    L.control.zoom({ position: "bottomright", zoomInTitle: "放大 Zoom in", zoomOutTitle: "缩小 Zoom out" }).addTo(map);
    L.control.scale({ imperial: false, maxWidth: 140 }).addTo(map);
    map.setView([35, 105], 5);
    map.on("moveend", () => this.pins());
    map.on("mousemove", ({ latlng }) => { id("rg-where").textContent = `${latlng.lng.toFixed(6)} ${latlng.lat.toFixed(6)}`; });
    this.panel = new Panel(this);
    this.tools = new Tools(map, {
      snap: this.snap, catching: () => id("bd-catch").checked, following: () => id("bd-catch").checked && id("bd-follow").checked, notMine: () => this.notMine(), select: (name) => this.select(name),
      sharing: (name, at) => this.sharing(name, at), changed: (segments) => this.changed(segments), moving: (segments) => this.moving(segments), drawn: (coords) => this.drawn(coords),
      cut: (name, at) => this.cut(name, at), told: (mode, n) => this.mode(mode, n),
    });
    this.preview = new Preview(this);
    this.work.listeners.push((names) => this.told(names));
    this.wire();
    this.fold(window.innerWidth > 760);
    const [ground, now] = await Promise.all([this.ask(`/ground${this.river ? `?river=${encodeURIComponent(this.river)}` : ""}`), this.load()]);
    if (ground.ok) this.ground(ground.said.layers);
    id("bd-thinned").textContent = ground.said.note || ground.said.message || "";
    if (!now) return;
    this.begin(now, ground.said);
  };

  Desk.prototype.begin = function (now, ground) {
    const at = this.may ? this.work.restore(now.revision, now.segments) : this.work.stand(now.revision, now.segments);
    if (this.may) this.work.live();
    const own = this.work.all().flatMap((s) => s.coords.map(toLatLng));
    const seen = own.length ? L.latLngBounds(own) : ground.bounds && L.latLngBounds(ground.bounds);
    if (seen) this.map.fitBounds(seen, { padding: [40, 40], animate: false, maxZoom: 17 });
    this.renew();
    this.compare();
    this.tools.set("select");
    if (at) this.notice(`${this.words.restored.zh} ${new Date(at).toLocaleString("zh-CN", { timeZone: "Asia/Shanghai", hour12: false })} · ${this.words.restored.en}`, "warn");
    this.reasonsTyped(this.preview.reasons);
    document.body.classList.add("bd-ready");
    if (!this.at) this.examine();
  };

  window.rivergis.drawingDesk = (map, data) => {
    const desk = new Desk(map, data);
    window.rivergis.desk = desk;
    return desk.start();
  };
  const holder = id("bd-data");
  if (holder) window.rivergis.drawingDesk(L.map("bd-map", { zoomControl: false, attributionControl: false, zoomSnap: 0.25, preferCanvas: true, maxZoom: 22 }), JSON.parse(holder.textContent));
})();
