/* The tools of the drawing page: draw a line, move and add and take out its corners, split it; each catches on what is near.
 * Corners are shown only in the window, so that a line of ten thousand corners is as quick as a short one. */
(function () {
  "use strict";
  const { nearestOn } = window.rivergis.draftSnap;
  const { el } = window.rivergis;
  const CATCH_PX = 14;
  const MOST_CORNERS = 400;
  const touch = window.matchMedia("(pointer: coarse)").matches;

  const toLatLng = ([lon, lat]) => L.latLng(lat, lon);
  const toPair = (latlng) => [latlng.lng, latlng.lat];

  function icon(kind) {
    const size = (kind === "middle" ? 10 : 13) + (touch ? 9 : 0);
    return L.divIcon({ className: `bd-corner bd-corner-${kind}`, iconSize: [size, size] });
  }

  /* `desk`: {snap, catching(), following(), select(id), sharing(id, at), moving(segments), changed(segments), drawn(coords), cut(id, place), told(kind)} */
  function Tools(map, desk) {
    this.map = map;
    this.desk = desk;
    this.handles = L.layerGroup().addTo(map);
    this.rubber = L.polyline([], { pane: "bd-top", color: "#e4572e", weight: 3, dashArray: "6 5", interactive: false, renderer: L.svg({ pane: "bd-top" }) });
    this.hook = L.circleMarker([0, 0], { pane: "bd-top", radius: 8, color: "#0b7a4b", weight: 3, fill: false, interactive: false, renderer: this.rubber.options.renderer });
    this.mode = "select";
    map.on("moveend zoomend", () => this.corners());
    map.on("click", (event) => this.click(event));
    map.on("mousemove", (event) => this.move(event));
    // two quick taps in two places are no double click, whatever the browser says
    map.on("dblclick", () => this.mode === "draw" && this.twice && this.finish());
    map.on("contextmenu", () => this.mode === "draw" && this.finish());
  }

  Tools.prototype.within = function (px = CATCH_PX) {
    const at = this.map.latLngToContainerPoint(this.map.getCenter());
    return Math.abs(this.map.containerPointToLatLng(at.subtract([0, px])).lat - this.map.getCenter().lat);
  };

  Tools.prototype.caught = function (position, but) {
    const found = this.desk.catching() ? this.desk.snap.find(position, this.within(touch ? 22 : CATCH_PX), but) : null;
    if (found) this.hook.setLatLng(toLatLng(found.at)).addTo(this.map);
    else this.hook.remove();
    return found ? found.at : position;
  };

  Tools.prototype.set = function (mode) {
    if (this.mode === "draw" && mode !== "draw") this.forget();
    this.mode = mode;
    this.map.getContainer().classList.toggle("bd-crosshair", mode !== "select");
    this.map.doubleClickZoom[mode === "draw" ? "disable" : "enable"]();
    if (mode === "draw") this.begin([]);
    this.corners();
    this.desk.told(mode);
  };

  /* ---- draw ---- */

  Tools.prototype.begin = function (coords) {
    this.coords = coords;
    this.rubber.setLatLngs([]).addTo(this.map);
  };

  Tools.prototype.forget = function () {
    this.coords = null;
    this.rubber.remove();
    this.hook.remove();
  };

  Tools.prototype.show = function (tip) {
    this.rubber.setLatLngs([...this.coords, ...(tip ? [...this.way(tip), tip] : [])].map(toLatLng));
  };

  /* Along the line that the last and the next place are caught on. */
  Tools.prototype.way = function (at) {
    const last = this.coords[this.coords.length - 1];
    return last && this.desk.following() ? this.desk.snap.between(last, at) : [];
  };

  Tools.prototype.back = function () {
    if (this.mode !== "draw" || !this.coords.length) return false;
    this.coords.pop();
    this.show();
    return true;
  };

  Tools.prototype.click = function (event) {
    if (this.mode === "draw") {
      const at = this.caught(toPair(event.latlng));
      this.twice = Boolean(this.coords.length) && event.containerPoint.distanceTo(this.clicked) < 8;
      this.clicked = event.containerPoint;
      // the second click of a double click is no corner
      if (!this.twice) this.coords.push(...this.way(at), at);
      this.show();
      this.desk.told("draw", this.coords.length);
    } else if (this.mode === "split") this.split(event);
    else this.desk.select(null);
  };

  Tools.prototype.move = function (event) {
    if (this.mode === "draw") this.show(this.caught(toPair(event.latlng)));
    else if (this.mode === "split") this.caught(toPair(event.latlng));
  };

  Tools.prototype.finish = function () {
    const coords = this.coords;
    this.set("select");
    if (coords && coords.length > 1) this.desk.drawn(coords);
  };

  /* ---- corners of the selected line ---- */

  Tools.prototype.edit = function (segment) {
    if (this.dragging) return;  // an answer of the service does not take the corner out of the hand
    this.segment = segment;
    this.corners();
  };

  Tools.prototype.corners = function () {
    this.handles.clearLayers();
    if (!this.segment || this.mode !== "select") return;
    const seen = this.map.getBounds().pad(0.1);
    const coords = this.segment.coords;
    const inView = coords.map((_, i) => i).filter((i) => seen.contains(toLatLng(coords[i])));
    const ends = [0, coords.length - 1].filter((i) => seen.contains(toLatLng(coords[i])));
    const all = inView.length <= MOST_CORNERS;
    this.desk.told(all ? "edit" : "too_many");
    (all ? this.apart(inView) : ends).forEach((i) => this.corner(i));
    if (!all) return;
    inView.forEach((i) => i + 1 < coords.length && this.middle(i));
  };

  /* Corners that can be told apart with the pointer; the others come out nearer by. */
  Tools.prototype.apart = function (numbers) {
    const last = this.segment.coords.length - 1;
    let before = null;
    return numbers.filter((i) => {
      const at = this.map.latLngToLayerPoint(toLatLng(this.segment.coords[i]));
      const shown = i === 0 || i === last || !before || before.distanceTo(at) >= (touch ? 26 : 12);
      if (shown) before = at;
      return shown;
    });
  };

  Tools.prototype.corner = function (i) {
    const last = this.segment.coords.length - 1;
    const kind = i === 0 ? "first" : i === last ? "last" : "own";
    const marker = L.marker(toLatLng(this.segment.coords[i]), { icon: icon(kind), draggable: true, pane: "bd-corners", keyboard: false });
    this.dragged(marker, i);
    marker.on("contextmenu", () => this.takeOut(i));
    marker.on("click", () => this.desk.told("corner"));
    marker.addTo(this.handles);
  };

  Tools.prototype.middle = function (i) {
    const [a, b] = [this.segment.coords[i], this.segment.coords[i + 1]];
    const [pa, pb] = [a, b].map((c) => this.map.latLngToLayerPoint(toLatLng(c)));
    if (pa.distanceTo(pb) < (touch ? 60 : 34)) return;
    const marker = L.marker(toLatLng([(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]), { icon: icon("middle"), draggable: true, pane: "bd-corners", keyboard: false });
    marker.on("dragstart", () => this.segment.coords.splice(i + 1, 0, toPair(marker.getLatLng())));
    this.dragged(marker, i + 1);
    marker.addTo(this.handles);
  };

  /* Ends of other lines that lie in the same point go with it, as long as Alt is not held. */
  Tools.prototype.dragged = function (marker, i) {
    const { id } = this.segment;
    let shared = [];
    marker.on("dragstart", () => {
      this.dragging = true;
      this.alone = false;
      shared = this.desk.sharing(id, this.segment.coords[i]);
    });
    marker.on("drag", (event) => {
      const at = this.caught(toPair(marker.getLatLng()), new Set([id, ...shared.map((one) => one.id)]));
      marker.setLatLng(toLatLng(at));
      this.segment.coords[i] = at;
      this.alone = event.originalEvent && event.originalEvent.altKey;
      this.desk.moving([this.segment, ...(this.alone ? [] : shared.map((one) => one.to(at)))]);
    });
    marker.on("dragend", () => {
      this.dragging = false;
      this.hook.remove();
      this.desk.changed([this.segment, ...(this.alone ? [] : shared.map((one) => one.to(this.segment.coords[i])))]);
    });
  };

  Tools.prototype.takeOut = function (i) {
    if (this.segment.coords.length <= 2) return;
    this.segment.coords.splice(i, 1);
    this.desk.changed([this.segment]);
  };

  /* ---- split ---- */

  Tools.prototype.split = function (event) {
    const found = this.desk.snap.find(toPair(event.latlng), this.within(touch ? 26 : 18), this.desk.notMine());
    this.hook.remove();
    if (found) this.desk.cut(found.name, found.at);
  };

  /* Two lines of one, that meet in the place; nothing where it is an end. */
  function parts(coords, at) {
    const on = nearestOn(coords, at);
    const before = coords.slice(0, on.i + 1);
    const after = coords.slice(on.i + 1);
    if (on.t > 0) before.push(at);
    const last = before[before.length - 1];
    if (on.t === 1 && after.length) after.shift();
    const second = [last, ...after];
    return before.length > 1 && second.length > 1 ? [before, second] : null;
  }

  window.rivergis.draftTools = { Tools, parts, toLatLng, toPair, el };
})();
