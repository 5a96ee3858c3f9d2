/* The map of a pocket page: a canvas that is dragged, pinched and tapped; what is drawn comes from the unpacked layers. */
(function () {
  "use strict";
  const pocket = window.pocket;
  const INK = "#17324a";
  const STILL_PX = 9;
  const SLOW_MS = 40;
  const REST_MS = 180;

  /* data: unpacked; canvas and veil: the drawing and the watermark over it; stamp: what the watermark says. */
  function View(canvas, veil, data, stamp) {
    Object.assign(this, { canvas, veil, data, stamp });
    const [west, south, east, north] = data.bounds;
    this.home = [...this.steps(west, south), ...this.steps(east, north)];
    this.flat = Math.cos((((south + north) / 2) * Math.PI) / 180);
    this.perStepM = 111320 * data.step;
    this.marks = [];
    this.pointers = new Map();
  }

  View.prototype.resize = function () {
    this.size();
    this.draw();
  };

  View.prototype.size = function () {
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const { clientWidth: width, clientHeight: height } = this.canvas.parentNode;
    [this.canvas, this.veil].forEach((one) => {
      one.width = Math.round(width * ratio);
      one.height = Math.round(height * ratio);
    });
    Object.assign(this, { width, height, ratio });
    this.watermark();
  };

  /* west, south, east, north in steps of the grid */
  View.prototype.fit = function (box, most) {
    const wide = Math.max(box[2] - box[0], 20) * this.flat;
    const high = Math.max(box[3] - box[1], 20);
    this.x = (box[0] + box[2]) / 2;
    this.y = (box[1] + box[3]) / 2;
    this.scale = Math.min((this.width * 0.86) / wide, (this.height * 0.8) / high, most || 0.5);
    this.limit();
  };

  View.prototype.limit = function () {
    const [west, south, east, north] = this.home;
    this.scale = Math.max(Math.min(this.scale, 3), Math.min(this.width / (east - west), this.height / (north - south)) * 0.5);
    this.x = Math.max(west - (east - west) / 2, Math.min(east + (east - west) / 2, this.x));
    this.y = Math.max(south - (north - south) / 2, Math.min(north + (north - south) / 2, this.y));
  };

  View.prototype.screen = function (x, y) {
    return [(x - this.x) * this.scale * this.flat + this.width / 2, (this.y - y) * this.scale + this.height / 2];
  };

  View.prototype.ground = function (px, py) {
    return [(px - this.width / 2) / (this.scale * this.flat) + this.x, this.y - (py - this.height / 2) / this.scale];
  };

  View.prototype.metresPerPixel = function () {
    return this.perStepM / this.scale;
  };

  View.prototype.degrees = function (x, y) {
    const { origin, step } = this.data;
    return [(origin[0] + x) * step, (origin[1] + y) * step];
  };

  View.prototype.steps = function (lon, lat) {
    const { origin, step } = this.data;
    return [lon / step - origin[0], lat / step - origin[1]];
  };

  View.prototype.zoom = function (factor, px, py) {
    const [x, y] = this.ground(px, py);
    this.scale *= factor;
    this.limit();
    const [nx, ny] = this.ground(px, py);
    this.x += x - nx;
    this.y += y - ny;
    this.limit();
    this.draw();
  };

  View.prototype.draw = function () {
    if (this.pointers.size && this.took > SLOW_MS) return this.preview();
    if (this.asked) return;
    this.asked = true;
    window.requestAnimationFrame(() => {
      this.asked = false;
      this.paint();
    });
  };

  /* What takes long to draw is moved as a picture while a finger drags it, and drawn when the finger rests. */
  View.prototype.preview = function () {
    const { x, y, scale } = this.painted;
    const right = (x - this.x) * this.scale * this.flat;
    const down = (this.y - y) * this.scale;
    this.canvas.style.transform = `translate(${right}px, ${down}px) scale(${this.scale / scale})`;
    window.clearTimeout(this.later);
    this.later = window.setTimeout(() => this.paint(), REST_MS);
  };

  View.prototype.paint = function () {
    const begun = performance.now();
    window.clearTimeout(this.later);
    this.canvas.style.transform = "";
    this.painted = { x: this.x, y: this.y, scale: this.scale };
    const pen = this.canvas.getContext("2d");
    pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    pen.fillStyle = "#eef1ec";
    pen.fillRect(0, 0, this.width, this.height);
    const [west, north] = this.ground(-40, -40);
    const [east, south] = this.ground(this.width + 40, this.height + 40);
    this.frame = [west, south, east, north];
    this.share = Math.max(0.5, Math.min(1, 1.2 - Math.log2(this.metresPerPixel() + 1) * 0.16));
    const shown = this.data.layers.filter((layer) => layer.shown);
    shown.forEach((layer) => this.paintLayer(pen, layer));
    this.names(pen, shown);
    this.marks.forEach((mark) => mark(pen, this));
    if (this.drawn) this.drawn();
    this.took = performance.now() - begun;
  };

  View.prototype.seen = function (layer, f) {
    const { box } = layer;
    const w = this.frame;
    return box[4 * f] <= w[2] && box[4 * f + 2] >= w[0] && box[4 * f + 1] <= w[3] && box[4 * f + 3] >= w[1];
  };

  View.prototype.paintLayer = function (pen, layer) {
    const points = [];
    for (let f = 0; f < layer.n; f++) {
      if (!this.seen(layer, f)) continue;
      const style = layer.classes[layer.cls[f]];
      if (pocket.isPoint(layer, f)) points.push(f);
      else {
        this.shape(pen, layer, f, style);
        if (style.marker) points.push(f);
      }
    }
    const small = points.length > 600 ? 0.3 : points.length > 150 ? 0.6 : 1;
    points.forEach((f) => {
      const [x, y] = this.screen(...pocket.spot(layer, f));
      sign(pen, x, y, layer.classes[layer.cls[f]], small * Math.max(this.share, 0.55));
    });
  };

  View.prototype.shape = function (pen, layer, f, style) {
    const area = style.fill && pocket.closed(layer, f);
    pen.beginPath();
    for (let p = layer.first[f]; p < layer.first[f + 1]; p++) this.trace(pen, layer.xy, layer.parts[p], layer.parts[p + 1]);
    if (area) {
      pen.fillStyle = style.fill;
      pen.fill("evenodd");
    }
    if (!style.width || !style.stroke) return;
    pen.strokeStyle = style.stroke;
    pen.lineWidth = style.width * this.share;
    pen.lineJoin = pen.lineCap = "round";
    pen.setLineDash(style.dash ? style.dash.split(" ").map(Number) : []);
    pen.stroke();
    pen.setLineDash([]);
  };

  /* A line or ring; points that would fall onto the same pixel are passed over. */
  View.prototype.trace = function (pen, xy, from, to) {
    const sx = this.scale * this.flat;
    const sy = this.scale;
    const dx = this.width / 2 - this.x * sx;
    const dy = this.height / 2 + this.y * sy;
    let lx = xy[2 * from] * sx + dx;
    let ly = dy - xy[2 * from + 1] * sy;
    pen.moveTo(lx, ly);
    for (let i = from + 1; i < to; i++) {
      const x = xy[2 * i] * sx + dx;
      const y = dy - xy[2 * i + 1] * sy;
      if (i < to - 1 && x - lx < 0.8 && lx - x < 0.8 && y - ly < 0.8 && ly - y < 0.8) continue;
      pen.lineTo(x, y);
      lx = x;
      ly = y;
    }
  };

  /* Signs of the palette, as the other maps draw them. */
  const SIGNS = {
    circle: new Path2D("M0 -5.5a5.5 5.5 0 1 0 .01 0z"),
    square: new Path2D("M-4.5 -4.5h9v9h-9z"),
    triangle: new Path2D("M0 -6.2l5.8 10.4h-11.6z"),
    drop: new Path2D("M0 -11.5c4 5 6.3 8 6.3 11.3a6.3 6.3 0 0 1-12.6 0c0-3.3 2.3-6.3 6.3-11.3z"),
    ring: new Path2D("M0 -6.5a6.5 6.5 0 1 0 .01 0zM-3 0h6"),
    pin: new Path2D("M0 -28.5c-5.8 0-10.3 4.5-10.3 10.2C-10.3 -11.5 0 -.5 0 -.5s10.3-11 10.3-17.8C10.3 -24 5.8 -28.5 0 -28.5z"),
  };

  function sign(pen, x, y, style, size) {
    const pin = style.marker === "pin";
    pen.save();
    pen.translate(x, y);
    pen.scale(size, size);
    pen.lineWidth = 1.5;
    pen.lineJoin = "round";
    pen.fillStyle = pin ? style.stroke : (style.fill || "#ffffff").slice(0, 7);
    pen.strokeStyle = pin ? "#ffffff" : style.stroke;
    pen.fill(SIGNS[style.marker] || SIGNS.circle);
    pen.stroke(SIGNS[style.marker] || SIGNS.circle);
    if (pin) {
      pen.fillStyle = "#ffffff";
      pen.beginPath();
      pen.arc(0, -18, 4, 0, 7);
      pen.fill();
    }
    pen.restore();
  }
  pocket.sign = sign;

  /* Names: of places and rivers where there is room, numbers of stakes and outfalls from close by. */
  View.prototype.names = function (pen, shown) {
    const taken = [];
    const near = this.metresPerPixel() < 4;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.lineJoin = "round";
    shown.slice().reverse().forEach((layer) => {
      const names = layer.text || (near && pocket.isPoint(layer, 0) ? layer.label : null);
      if (!names) return;
      for (let f = 0; f < layer.n; f++) if (names[f] && this.seen(layer, f)) this.name(pen, layer, f, names[f], taken);
    });
  };

  View.prototype.name = function (pen, layer, f, text, taken) {
    const point = pocket.isPoint(layer, f);
    const said = point ? text.split(" · ")[0].slice(0, 16) : text.slice(0, 24);
    pen.font = `${layer.backdrop ? "" : "600 "}${point ? 11 : 13}px "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif`;
    const wide = pen.measureText(said).width;
    const { box } = layer;
    const high = (box[4 * f + 3] - box[4 * f + 1]) * this.scale;
    const across = (box[4 * f + 2] - box[4 * f]) * this.scale * this.flat;
    // the name of what fills the window says nothing there
    if (!point && (Math.max(high, across) < wide || (layer.backdrop && (across > this.width * 1.6 || high > this.height * 1.6)))) return;
    const [x, y] = this.screen(...pocket.spot(layer, f));
    const top = point ? y + 14 : y;
    const here = [x - wide / 2 - 2, top - 8, x + wide / 2 + 2, top + 8];
    if (here[2] < 0 || here[0] > this.width || here[3] < 0 || here[1] > this.height) return;
    if (taken.some((other) => here[0] < other[2] && here[2] > other[0] && here[1] < other[3] && here[3] > other[1])) return;
    taken.push(here);
    pen.lineWidth = 3.5;
    pen.strokeStyle = "rgba(255,255,255,.92)";
    pen.strokeText(said, x, top);
    pen.fillStyle = layer.id === "reach" ? "#14608f" : layer.backdrop ? "#5d594c" : INK;
    pen.fillText(said, x, top);
  };

  /* Who holds the file, since when and until when, across the whole map. */
  View.prototype.watermark = function () {
    const pen = this.veil.getContext("2d");
    pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    pen.fillStyle = "rgba(23,50,74,.15)";
    pen.font = '600 15px "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif';
    pen.rotate(-0.42);
    const wide = pen.measureText(this.stamp).width + 60;
    for (let row = -2; row * 96 < this.width * 0.5 + this.height * 1.2; row++) {
      for (let x = -this.height * 0.5 - (row % 2 ? wide / 2 : 0); x < this.width * 1.2; x += wide) pen.fillText(this.stamp, x, row * 96);
    }
  };

  /* ---- fingers, mouse and keys ---- */

  View.prototype.listen = function (tapped) {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, this.spot(event));
      if (this.pointers.size === 1) Object.assign(this, { still: true, from: this.spot(event) });
      else this.still = false;
    });
    canvas.addEventListener("pointermove", (event) => this.moved(event));
    const up = (event) => {
      const tap = this.still && this.pointers.size === 1 && event.type === "pointerup";
      this.pointers.delete(event.pointerId);
      if (!this.still) this.draw();
      if (tap) tapped(...this.spot(event));
    };
    canvas.addEventListener("pointerup", up);
    canvas.addEventListener("pointercancel", up);
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY / 500), ...this.spot(event));
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => this.key(event, tapped));
    window.addEventListener("resize", () => this.resize());
  };

  /* Where a finger is, in the window of the map: the picture may have been moved under it. */
  View.prototype.spot = function (event) {
    const { left, top } = this.canvas.parentNode.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  };

  View.prototype.moved = function (event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = this.spot(event);
    if (this.still && Math.hypot(now[0] - this.from[0], now[1] - this.from[1]) < STILL_PX) return;
    this.still = false;
    if (this.pointers.size === 2) {
      const other = Array.from(this.pointers).find(([id]) => id !== event.pointerId)[1];
      const apart = (one) => Math.hypot(one[0] - other[0], one[1] - other[1]);
      const middle = [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2];
      this.x -= (now[0] - before[0]) / 2 / (this.scale * this.flat);
      this.y += (now[1] - before[1]) / 2 / this.scale;
      this.zoom(apart(now) / Math.max(apart(before), 1), middle[0], middle[1]);
    } else {
      this.x -= (now[0] - before[0]) / (this.scale * this.flat);
      this.y += (now[1] - before[1]) / this.scale;
      this.limit();
      this.draw();
    }
    this.pointers.set(event.pointerId, now);
  };

  View.prototype.key = function (event, tapped) {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    const middle = [this.width / 2, this.height / 2];
    if (by) {
      this.x += (by[0] * 80) / (this.scale * this.flat);
      this.y += (by[1] * 80) / this.scale;
      this.limit();
      this.draw();
    } else if (event.key === "+" || event.key === "=") this.zoom(1.6, ...middle);
    else if (event.key === "-") this.zoom(1 / 1.6, ...middle);
    else if (event.key === "Enter") tapped(...middle);
    else return;
    event.preventDefault();
  };

  pocket.View = View;
})();
