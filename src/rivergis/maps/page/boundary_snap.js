/* Where the pointer catches: the nearest corner, else the nearest place on a line, of all lines in reach of it.
 * A caught place has exactly the position of the corner, so that lines that meet share it to the last digit. */
(function () {
  "use strict";

  function boxOf(coords) {
    let [west, south] = coords[0];
    let [east, north] = coords[0];
    coords.forEach(([lon, lat]) => {
      if (lon < west) west = lon; else if (lon > east) east = lon;
      if (lat < south) south = lat; else if (lat > north) north = lat;
    });
    return [west, south, east, north];
  }

  function Snap() {
    this.lines = new Map();  // name -> {coords, box, shown}
  }

  Snap.prototype.set = function (name, coords, kind) {
    this.lines.set(name, { coords, box: boxOf(coords), kind });
  };

  Snap.prototype.drop = function (name) {
    this.lines.delete(name);
  };

  /* The place on one line nearest to a position: metres-like distance (degrees of latitude), share of the piece, its number. */
  function nearestOn(coords, [x, y]) {
    const k = Math.cos(y * Math.PI / 180);
    let best = { d: Infinity };
    for (let i = 0; i + 1 < coords.length; i += 1) {
      const ax = (coords[i][0] - x) * k, ay = coords[i][1] - y;
      const dx = (coords[i + 1][0] - coords[i][0]) * k, dy = coords[i + 1][1] - coords[i][1];
      const long = dx * dx + dy * dy;
      const t = long ? Math.max(0, Math.min(1, -(ax * dx + ay * dy) / long)) : 0;
      const d = Math.hypot(ax + t * dx, ay + t * dy);
      if (d < best.d) best = { d, t, i };
    }
    if (best.d === Infinity) return null;
    const [a, b] = [coords[best.i], coords[best.i + 1]];
    return { ...best, at: [a[0] + best.t * (b[0] - a[0]), a[1] + best.t * (b[1] - a[1])] };
  }

  function cornerOf(coords, [x, y], within) {
    const k = Math.cos(y * Math.PI / 180);
    let best = null;
    coords.forEach((corner, i) => {
      const end = i === 0 || i === coords.length - 1;
      // an end catches before a corner on the way: that is where lines are meant to meet
      const d = Math.hypot((corner[0] - x) * k, corner[1] - y) * (end ? 0.7 : 1);
      if (d < within && (!best || d < best.d)) best = { d, at: corner, corner: true };
    });
    return best;
  }

  /* position [lon, lat], within in degrees of latitude; `but`: names of lines that do not catch. */
  Snap.prototype.find = function (position, within, but) {
    const wide = within / Math.cos(position[1] * Math.PI / 180);
    let corner = null;
    let place = null;
    this.lines.forEach((line, name) => {
      const [west, south, east, north] = line.box;
      if ((but && but.has(name)) || position[0] < west - wide || position[0] > east + wide || position[1] < south - within || position[1] > north + within) return;
      const near = cornerOf(line.coords, position, within);
      if (near && (!corner || near.d < corner.d)) corner = { ...near, name, kind: line.kind };
      if (corner) return;
      const on = nearestOn(line.coords, position);
      if (on && on.d < within && (!place || on.d < place.d)) place = { ...on, name, kind: line.kind };
    });
    return corner || place;
  };

  const EXACT = 1e-9;  // degrees: a caught place lies on its line

  /* The corners between two caught places along the line that holds both, the shorter way; none where no line does. */
  Snap.prototype.between = function (a, b) {
    let best = null;
    this.lines.forEach(({ coords, box: [west, south, east, north] }) => {
      const holds = ([x, y]) => x >= west - EXACT && x <= east + EXACT && y >= south - EXACT && y <= north + EXACT;
      if (!holds(a) || !holds(b)) return;
      const [one, two] = [nearestOn(coords, a), nearestOn(coords, b)];
      if (!one || !two || one.d > EXACT || two.d > EXACT) return;
      const [from, to] = [one.i + one.t, two.i + two.t];
      const corners = coords.filter((_, i) => i > Math.min(from, to) + 1e-6 && i < Math.max(from, to) - 1e-6);
      if (from > to) corners.reverse();
      const way = lengthOf([a, ...corners, b]);
      if (!best || way < best.way) best = { way, corners };
    });
    return best ? best.corners : [];
  };

  function lengthOf(coords) {
    return coords.slice(1).reduce((sum, [x, y], i) => sum + Math.hypot((x - coords[i][0]) * Math.cos(y * Math.PI / 180), y - coords[i][1]), 0);
  }

  window.rivergis.draftSnap = { Snap, nearestOn, boxOf };
})();
