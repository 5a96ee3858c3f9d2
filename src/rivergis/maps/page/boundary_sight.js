/* What the line doctor and the redraw preview say: signs on the map, repairs to take, reasons to give. */
(function () {
  "use strict";
  const { el, named } = window.rivergis;
  const { toLatLng } = window.rivergis.draftTools;
  const PINS = 150;
  const desk = {};  // methods of the page

  desk.examine = async function (repairs) {
    const { ok, said, status } = await this.ask(`/defects${repairs ? "?repairs=true" : ""}`);
    if (!ok) return status && this.notice(said.message, "warn");
    this.found = said.defects.filter((d) => d.place);
    this.panel.defects(said);
    this.pins();
    document.body.classList.remove("bd-stale");
  };

  /* Signs of the defects in view, what blocks first: no more than can be told apart. */
  desk.pins = function () {
    this.marks.clearLayers();
    const seen = this.map.getBounds().pad(0.05);
    const inView = (this.found || []).filter((d) => seen.contains(toLatLng(d.place)));
    [...inView.filter((d) => d.severity === "blocks"), ...inView.filter((d) => d.severity !== "blocks")].slice(0, PINS).reverse().forEach((defect) => {
      const icon = L.divIcon({ className: `bd-defect bd-${defect.severity}`, iconSize: [20, 20], html: "!" });
      L.marker(toLatLng(defect.place), { icon, pane: "bd-defects", keyboard: false, title: defect.name.zh }).addTo(this.marks)
        .on("click", () => this.showDefect(defect));
    });
  };

  desk.showDefect = function (defect) {
    const box = el("div", "bd-pop");
    box.append(named("h3", defect.name), el("p", "", defect.zh), el("p", "bd-quiet", defect.sentence));
    if (defect.repair) box.append(el("p", "", `${this.words.repair.zh} ${defect.repair.zh}`));
    const own = defect.segments.find((name) => this.work.get(name));
    if (own) this.select(own, false, true);
    if (!defect.place) return;
    const at = toLatLng(defect.place);
    if (window.innerWidth <= 760) this.fold(false);
    if (this.map.getZoom() < 15 || !this.map.getBounds().contains(at)) this.map.setView(at, Math.max(this.map.getZoom(), 16), { animate: false });
    L.popup({ maxWidth: 320, offset: [0, -8] }).setLatLng(at).setContent(box).openOn(this.map);
  };

  /* A proposal becomes an edit that nobody has saved: to be looked at, undone or saved. */
  desk.takeRepair = function (edits) {
    const known = edits.map((edit) => ({ edit, segment: this.work.get(edit.segment_id) })).filter(({ segment }) => segment);
    this.work.step(known.map(({ edit, segment }) => (edit.op === "remove" ? this.work.remove(segment.id) : this.work.put({
      ...segment, coords: edit.geometry ? edit.geometry.coordinates : segment.coords, fields: this.byHand({ ...segment.fields, ...edit.fields }),
    }))));
    known.filter(({ edit }) => edit.geometry).forEach(({ segment }) => this.place(this.work.get(segment.id), true));
    const first = known.find(({ edit }) => edit.op === "put");
    if (first) this.select(first.segment.id, true);
  };

  desk.foresee = async function () {
    const { ok, said } = await this.ask("/preview", this.work.sent());
    if (!ok) return this.notice(said.message, "warn");
    this.preview.show(said);
    document.body.classList.remove("bd-stale");
  };

  desk.reasonsTyped = function (reasons) {
    document.querySelectorAll("textarea[data-reduction]").forEach((field) => {
      if (reasons[field.dataset.reduction]) field.value = reasons[field.dataset.reduction];
    });
  };

  window.rivergis.draftSight = desk;
})();
