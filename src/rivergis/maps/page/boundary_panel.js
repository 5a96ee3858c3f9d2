/* What stands beside the drawing: the list of segments, the form of one, conflicts, defects, the redraw preview.
 * Text from data goes into the page as text nodes only. `desk` is the page (boundary_desk.js). */
(function () {
  "use strict";
  const { el, named } = window.rivergis;
  const { toLatLng } = window.rivergis.draftTools;
  const id = (name) => document.getElementById(name);

  const MOST = 300;  // rows of the list: who looks for one of two thousand writes its river or chainage

  function chainage(at) {
    if (at === null || at === undefined || at === "") return "—";
    const whole = Math.round(at);
    const km = Math.floor(Math.abs(whole) / 1000);
    return `${whole < 0 ? "-" : ""}${km}+${String(Math.abs(whole) - km * 1000).padStart(3, "0")}`;
  }

  function area(m2) {
    const size = Math.abs(m2);
    return size >= 1e6 ? `${(m2 / 1e6).toFixed(3)} km²` : `${Math.round(m2).toLocaleString("en")} m²`;
  }

  function Panel(desk) {
    this.desk = desk;
    this.say = (key) => desk.words[key] || { zh: key };
    this.tabs();
    id("bd-filter").addEventListener("input", () => this.list());
    id("bd-only").addEventListener("change", () => this.list());
    id("bd-form").addEventListener("change", (event) => this.typed(event.target));
    id("bd-form").addEventListener("submit", (event) => event.preventDefault());
  }

  Panel.prototype.tabs = function () {
    const bar = id("bd-tabs");
    this.buttons = [...document.querySelectorAll("[data-tab]")].map((section) => {
      const button = named("button", { zh: section.dataset.zh, en: section.dataset.en });
      button.type = "button";
      button.setAttribute("role", "tab");
      button.id = `tab-${section.id}`;
      button.setAttribute("aria-controls", section.id);
      section.setAttribute("role", "tabpanel");
      section.setAttribute("aria-labelledby", button.id);
      button.addEventListener("click", () => this.open(section.id));
      bar.append(button);
      return { button, section };
    });
    bar.hidden = false;
    this.open(this.buttons.some(({ section }) => `#${section.id}` === window.location.hash) ? window.location.hash.slice(1) : document.body.dataset.open || "bd-lines");
  };

  Panel.prototype.open = function (name) {
    this.shown = name;
    this.buttons.forEach(({ button, section }) => {
      button.setAttribute("aria-selected", String(section.id === name));
      section.hidden = section.id !== name;
    });
  };

  Panel.prototype.badge = function (name, n, alarm) {
    const { button } = this.buttons.find(({ section }) => section.id === name);
    button.querySelectorAll("b").forEach((old) => old.remove());
    if (n) button.append(el("b", alarm ? "bd-alarm" : "", n));
  };

  /* ---- the list ---- */

  Panel.prototype.nameOf = function ({ fields }) {
    const bank = this.say(`bank_${fields.bank}`).zh;
    const river = this.desk.rivers.get(fields.river_code) || fields.river_code || "";
    return `${river} ${bank} ${chainage(fields.from_m)}–${chainage(fields.to_m)}`;
  };

  Panel.prototype.list = function () {
    const wanted = id("bd-filter").value.trim().toLowerCase();
    const only = id("bd-only").checked;
    const rows = this.desk.work.all().filter((s) => (!only || this.desk.work.edits.has(s.id))
      && (!wanted || `${this.nameOf(s)} ${s.fields.code || ""} ${s.fields.reach_code || ""}`.toLowerCase().includes(wanted)));
    rows.sort((a, b) => order(a).localeCompare(order(b)) || (a.fields.from_m || 0) - (b.fields.from_m || 0));
    id("bd-count").textContent = rows.length;
    const chosen = rows.slice(MOST).filter((s) => s.id === this.desk.selected);
    id("bd-list").replaceChildren(...[...rows.slice(0, MOST), ...chosen].map((s) => this.row(s)));
    if (rows.length > MOST) id("bd-list").append(named("li", this.say("list_more"), "bd-quiet"));
    this.mark();
  };

  const order = ({ fields }) => `${fields.river_code}/${fields.bank}/`;

  Panel.prototype.row = function (segment) {
    const item = el("li");
    const button = el("button");
    button.type = "button";
    button.dataset.id = segment.id;
    const line = el("i", `bd-dot bd-${segment.fields.basis || "draft"}`);
    const text = el("span", "rg-item", this.nameOf(segment));
    const drawn = this.say(`drawn_${segment.fields.drawn_by || "hand"}`);
    text.append(el("span", "", `${drawn.zh} ${drawn.en}${segment.fields.code ? ` · ${segment.fields.code}` : ""}`));
    button.append(line, text);
    if (this.desk.work.edits.has(segment.id)) button.append(el("em", "bd-unsaved", "●"));
    button.addEventListener("click", () => this.desk.select(segment.id, true));
    item.append(button);
    return item;
  };

  Panel.prototype.mark = function () {
    const list = id("bd-list");
    list.querySelectorAll("[aria-current]").forEach((old) => old.removeAttribute("aria-current"));
    const now = this.desk.selected && list.querySelector(`[data-id="${CSS.escape(this.desk.selected)}"]`);
    if (now) now.setAttribute("aria-current", "true");
    if (now && this.shown === "bd-lines") now.scrollIntoView({ block: "nearest" });
  };

  /* ---- the form of one segment ---- */

  Panel.prototype.form = function () {
    const segment = this.desk.selected && this.desk.work.get(this.desk.selected);
    const form = id("bd-form");
    form.hidden = !segment;
    if (segment && !id("bd-list").querySelector(`[data-id="${CSS.escape(segment.id)}"]`)) this.list();
    this.mark();
    if (!segment) return;
    id("bd-form-title").textContent = this.nameOf(segment);
    const { fields } = segment;
    if (!form.elements.river_code.length) this.options(form.elements.river_code, [...this.desk.rivers].map(([code, name]) => [code, `${name} ${code}`]));
    form.elements.river_code.value = fields.river_code;
    ["bank", "drawn_by", "basis"].forEach((name) => { form.elements[name].value = fields[name] || ""; });
    form.elements.reach_code.value = fields.reach_code || "";
    form.elements.note.value = (fields.attributes || {}).note || "";
    id("bd-from").textContent = chainage(fields.from_m);
    id("bd-to").textContent = chainage(fields.to_m);
    id("bd-length").textContent = `${this.desk.lengthOf(segment).toFixed(1)} m · ${segment.coords.length}`;
    id("bd-basis-said").replaceChildren(...this.saidBasis(fields));
    id("bd-revert").hidden = !this.desk.work.edits.has(segment.id);
    [...form.elements].forEach((control) => { control.disabled = !this.desk.may; });
  };

  Panel.prototype.options = function (select, options) {
    select.append(...options.map(([code, text]) => {
      const option = el("option", "", text);
      option.value = code;
      return option;
    }));
  };

  /* Where the stretch comes from, as it carries it: rule row, source layer and date, flood level, tolerance. */
  Panel.prototype.saidBasis = function (fields) {
    const said = fields.attributes || {};
    const plain = (thing) => (thing && typeof thing === "object" ? Object.values(thing).filter((v) => v !== null && v !== "").join(" · ") : thing);
    return ["rule", "source", "flood_level_m", "return_period_a", "vertical_datum", "tolerance_m", "band_in_m", "band_out_m"]
      .filter((key) => said[key] !== undefined && said[key] !== null && said[key] !== "")
      .flatMap((key) => [named("dt", this.say(key)), el("dd", "", plain(parsed(said[key])))]);
  };

  function parsed(value) {
    if (typeof value !== "string" || !/^[[{]/.test(value)) return value;
    try {
      return JSON.parse(value);
    } catch (error) {
      return value;
    }
  }

  Panel.prototype.typed = function (control) {
    const segment = this.desk.selected && this.desk.work.get(this.desk.selected);
    if (!segment || !control.name) return;
    const fields = { ...segment.fields };
    if (control.name === "note") fields.attributes = { ...fields.attributes, note: control.value.trim() };
    else fields[control.name] = control.value.trim() || null;
    if (control.name === "river_code") fields.reach_code = null;
    const changed = { ...segment, fields };
    this.desk.work.step([this.desk.work.put(changed)]);
    if (["river_code", "reach_code"].includes(control.name)) this.desk.place(changed, true);
  };

  /* ---- conflicts ---- */

  Panel.prototype.conflicts = function () {
    const all = this.desk.work.conflicts();
    const box = id("bd-conflicts");
    box.hidden = !all.length;
    id("bd-conflict-n").textContent = all.length;
    id("bd-conflict-list").replaceChildren(...all.map((one) => this.conflict(one)));
  };

  Panel.prototype.conflict = function ({ id: name, because, mine, theirs }) {
    const item = el("li");
    const shown = (mine.op === "put" && mine.segment) || theirs;
    item.append(el("b", "", this.nameOf(shown)));
    const told = el("p");
    item.append(named("p", this.say(`clash_${because}`)));
    told.append(named("span", this.say(mine.op === "remove" ? "mine_removed" : "mine_drawn"), "bd-mine"), " ",
      named("span", this.say(theirs ? "theirs_drawn" : "theirs_removed"), "bd-theirs"));
    item.append(told);
    const ways = [["keep_mine", () => this.desk.settle(name, "mine")], ["take_theirs", () => this.desk.settle(name, "theirs")]];
    if (mine.op === "put") ways.push(["keep_drawing", () => this.desk.settle(name, "draw")]);
    const row = el("p", "bd-ways");
    ways.forEach(([key, act]) => row.append(this.button(key, act)));
    row.append(this.button("show_both", () => this.desk.look([mine.op === "put" && mine.segment, theirs].filter(Boolean))));
    item.append(row);
    return item;
  };

  Panel.prototype.button = function (key, act) {
    const button = named("button", this.say(key));
    button.type = "button";
    button.dataset.way = key;
    button.addEventListener("click", act);
    return button;
  };

  /* ---- defects ---- */

  Panel.prototype.defects = function ({ defects: told, examined, not_checked: notChecked }) {
    const blocks = told.filter((d) => d.severity === "blocks").length;
    this.badge("bd-defects", told.length, blocks > 0);
    id("bd-defect-said").replaceChildren(named("span", this.say(told.length ? "defects_found" : examined ? "no_defects" : "not_examined")), ` ${told.length ? `${blocks} / ${told.length}` : ""}`);
    this.kinds(told);
    this.listed(told);
    id("bd-not-checked").replaceChildren(...notChecked.map((one) => named("li", one)));
  };

  /* What was found, by kind; a click lists only those. */
  Panel.prototype.kinds = function (told) {
    const byCode = new Map();
    told.forEach((d) => byCode.set(d.code, [...(byCode.get(d.code) || []), d]));
    const kinds = [...byCode.values()].sort((one, two) => (one[0].severity === two[0].severity ? two.length - one.length : one[0].severity === "blocks" ? -1 : 1));
    id("bd-defect-kinds").replaceChildren(...kinds.map((own) => {
      const button = named("button", own[0].name, `bd-${own[0].severity}`);
      button.type = "button";
      button.append(" ", el("b", "", own.length));
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => {
        const on = button.getAttribute("aria-pressed") !== "true";
        id("bd-defect-kinds").querySelectorAll("button").forEach((other) => other.setAttribute("aria-pressed", String(on && other === button)));
        this.listed(on ? own : told);
      });
      return button;
    }));
  };

  Panel.prototype.listed = function (told) {
    const first = [...told].sort((one, two) => (one.severity === two.severity ? 0 : one.severity === "blocks" ? -1 : 1)).slice(0, MOST);
    id("bd-defect-list").replaceChildren(...first.map((defect) => this.defect(defect)));
    if (told.length > MOST) id("bd-defect-list").append(el("li", "bd-quiet", `… ${told.length - MOST}`));
  };

  Panel.prototype.defect = function (defect) {
    const item = el("li", `bd-${defect.severity}`);
    const button = el("button");
    button.type = "button";
    const text = named("span", defect.name, "rg-item");
    const figures = [defect.reach, defect.bank, defect.measure === null ? "" : `${defect.measure} ${defect.unit}`];
    text.append(el("span", "", figures.filter(Boolean).join(" · ")), el("span", "", defect.zh), el("span", "bd-quiet", defect.sentence));
    button.append(named("em", this.say(`severity_${defect.severity}`), "bd-severity"), text);
    button.addEventListener("click", () => this.desk.showDefect(defect));
    item.append(button);
    if (defect.repair) item.append(this.repair(defect.repair));
    return item;
  };

  Panel.prototype.history = function (changes, shown) {
    const clock = { timeZone: "Asia/Shanghai", hour12: false, dateStyle: "short", timeStyle: "short" };
    id("bd-history").querySelector("ol").replaceChildren(...changes.map((one) => {
      const item = el("li", one.revision === shown ? "bd-now" : "");
      const link = named("a", this.say("revision"));
      link.append(` ${one.revision}`);
      link.href = `?revision=${one.revision}#bd-history`;
      item.append(link, ` · ${one.actor} · ${new Date(one.recorded_at).toLocaleString("zh-CN", clock)}`, el("p", "bd-quiet", one.reason || "—"));
      return item;
    }));
  };

  Panel.prototype.repair = function ({ zh, en, edits }) {
    const told = el("p", "bd-repair", `${this.say("repair").zh} ${zh} `);
    told.append(el("small", "", en));
    if (edits.length && this.desk.may) told.append(" ", this.button("take_repair", () => this.desk.takeRepair(edits)));
    return told;
  };

  window.rivergis.draftPanel = { Panel, chainage, area, id, toLatLng };
})();
