/* What one feature looks like: its sign, line or area, its popup, its name on the map.
 * All text from data goes into the page as text nodes, never as markup. Nothing here asks the network for anything. */
(function () {
  "use strict";
  const hovers = window.matchMedia("(hover: hover)").matches;
  const SVG = "http://www.w3.org/2000/svg";
  const SIGNS = {
    circle: { size: [14, 14], anchor: [7, 7], path: "M7 1.5a5.5 5.5 0 1 0 .01 0z" },
    square: { size: [12, 12], anchor: [6, 6], path: "M1.5 1.5h9v9h-9z" },
    triangle: { size: [14, 13], anchor: [7, 7.5], path: "M7 1.3l5.8 10.4H1.2z" },
    drop: { size: [18, 22], anchor: [9, 13], path: "M9 1.5c4 5 6.3 8 6.3 11.3a6.3 6.3 0 0 1-12.6 0C2.7 9.5 5 6.5 9 1.5z" },
    ring: { size: [16, 16], anchor: [8, 8], path: "M8 1.5a6.5 6.5 0 1 0 .01 0zM5 8h6" },
    pin: { size: [24, 31], anchor: [12, 30], path: "M12 1.5c-5.8 0-10.3 4.5-10.3 10.2C1.7 18.5 12 29.5 12 29.5s10.3-11 10.3-17.8C22.3 6 17.8 1.5 12 1.5z" },
  };

  function el(tag, className, text) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  }

  function svg(tag, attributes) {
    const node = document.createElementNS(SVG, tag);
    Object.keys(attributes).forEach((key) => node.setAttribute(key, attributes[key]));
    return node;
  }

  /* Chinese name with the English one small beside it. */
  function named(tag, thing, className) {
    const node = el(tag, className, thing.zh);
    if (thing.en) {
      const small = el("small", "", thing.en);
      small.lang = "en";
      node.append(" ", small);
    }
    return node;
  }

  function solid(fill) {
    return fill ? fill.slice(0, 7) : "#ffffff";
  }

  function sign(style) {
    const shape = SIGNS[style.marker];
    const [width, height] = shape.size;
    const node = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
    const pin = style.marker === "pin";
    node.append(svg("path", {
      d: shape.path, "stroke-width": pin ? 1.4 : 1.5, "stroke-linejoin": "round",
      fill: pin ? style.stroke : solid(style.fill), stroke: pin ? "#ffffff" : style.stroke,
    }));
    if (pin) node.append(svg("circle", { cx: 12, cy: 11.6, r: 4, fill: "#ffffff" }));
    return node;
  }

  /* The same sign as a picture, for what draws with pictures. */
  function signCanvas(style, ratio) {
    const shape = SIGNS[style.marker || "circle"];
    const [width, height] = shape.size;
    const canvas = el("canvas");
    Object.assign(canvas, { width: width * ratio, height: height * ratio });
    const pen = canvas.getContext("2d");
    const pin = style.marker === "pin";
    const outline = new Path2D(shape.path);
    pen.scale(ratio, ratio);
    Object.assign(pen, { fillStyle: pin ? style.stroke : solid(style.fill), strokeStyle: pin ? "#ffffff" : style.stroke, lineWidth: pin ? 1.4 : 1.5, lineJoin: "round" });
    pen.fill(outline);
    pen.stroke(outline);
    if (pin) {
      pen.beginPath();
      pen.arc(12, 11.6, 4, 0, 2 * Math.PI);
      pen.fillStyle = "#ffffff";
      pen.fill();
    }
    return pen.getImageData(0, 0, canvas.width, canvas.height);
  }

  /* What the legend shows for a class: its sign, or a piece of its line or area. */
  function key(style) {
    const box = svg("svg", { class: "rg-key", viewBox: "0 0 28 16" });
    if (style.marker) {
      const [width, height] = SIGNS[style.marker].size;
      const scale = Math.min(1, 16 / height);
      const inner = svg("g", { transform: `translate(${14 - width * scale / 2} ${8 - height * scale / 2}) scale(${scale})` });
      inner.append(...sign(style).childNodes);
      box.append(inner);
    } else if (style.fill) {
      box.append(svg("rect", { x: 2, y: 2, width: 24, height: 12, rx: 1.5, fill: style.fill, stroke: style.stroke,
        "stroke-width": Math.max(style.width, 0.6), "stroke-dasharray": style.dash || "none" }));
    } else {
      box.append(svg("path", { d: "M1 8h26", fill: "none", stroke: style.stroke, "stroke-width": style.width,
        "stroke-linecap": style.dash ? "butt" : "round", "stroke-dasharray": style.dash || "none" }));
    }
    return box;
  }

  function popup(feature, layer, style) {
    const box = el("div", "rg-pop");
    box.append(el("h3", "", feature.label || layer.zh));
    const kind = el("p");
    kind.append(key(style), style.code ? named("span", { zh: `${layer.zh} · ${style.zh}`, en: style.en }) : named("span", layer));
    box.append(kind);
    if (feature.chips) box.append(chips(feature.chips));
    if (feature.popup) box.append(table(feature.popup));
    if (feature.href) {
      const link = named("a", { zh: "查看详情", en: "Details" }, "rg-more");
      link.href = feature.href;
      box.append(link);
    }
    return box;
  }

  /* No larger than the window lets it be; a longer one scrolls inside itself. */
  function popupSize() {
    const narrow = Math.min(window.innerWidth - 48, 380);
    return { maxWidth: narrow, minWidth: Math.min(narrow, 300), maxHeight: Math.max(200, window.innerHeight * 0.62), autoPanPadding: [20, 20] };
  }

  function table(rows) {
    const body = el("tbody");
    rows.forEach(([zh, en, value]) => {
      const row = el("tr");
      const head = named("th", { zh, en });
      head.scope = "row";
      row.append(head, el("td", "", value));
      body.append(row);
    });
    const node = el("table");
    node.append(body);
    return node;
  }

  function chips(pictures) {
    const node = el("div", "rg-chips");
    pictures.forEach(([zh, en, url]) => {
      const figure = el("figure");
      const image = el("img");
      image.src = url;
      image.alt = zh;
      figure.append(image, named("figcaption", { zh, en }));
      node.append(figure);
    });
    return node;
  }

  function look(style) {
    return {
      stroke: style.width > 0, color: style.stroke, weight: style.width, dashArray: style.dash || null,
      lineCap: style.dash ? "butt" : "round", fill: Boolean(style.fill), fillColor: style.fill, fillOpacity: 1,
    };
  }

  function isLine(geometry) {
    return geometry.type.endsWith("LineString");
  }

  /* One feature as Leaflet layers; `hit` is what answers to the pointer (thin lines get a wide invisible one). */
  function draw(feature, layer, pane, listed) {
    const style = layer.classes[feature.c];
    const group = L.featureGroup();
    const options = { pane, interactive: !layer.backdrop && !isLine(feature.g) };
    const marker = (at) => {
      const shape = SIGNS[style.marker || "circle"];
      const icon = L.divIcon({ html: sign({ ...style, marker: style.marker || "circle" }), className: `rg-mark rg-${style.marker}`, iconSize: shape.size, iconAnchor: shape.anchor, popupAnchor: [0, -shape.anchor[1]] });
      const node = L.marker(at, { icon, pane: "rg-signs", keyboard: listed, riseOnHover: true, zIndexOffset: layer.order * 1000 });
      node.on("add", () => {
        node.getElement().setAttribute("role", listed ? "button" : "img");
        node.getElement().setAttribute("aria-label", feature.label || layer.zh);
      });
      return node;
    };
    const shape = L.geoJSON(feature.g, { ...options, style: look(style), pointToLayer: (_, at) => marker(at) });
    group.addLayer(shape);
    if (isLine(feature.g) && !layer.backdrop) {
      group.addLayer(L.geoJSON(feature.g, { pane, style: { weight: 16, opacity: 0, lineCap: "butt" } }));
    }
    if (feature.at) {
      group.sign = marker([feature.at[1], feature.at[0]]);
      group.addLayer(group.sign);
    }
    if (!layer.backdrop) {
      if (feature.label && hovers) group.bindTooltip(() => el("span", "", feature.label), { sticky: true });
      group.on("popupopen", () => group.closeTooltip());
      group.on("mouseover", () => shape.setStyle({ weight: weight + 2 }));
      group.on("mouseout", () => shape.setStyle({ weight }));
    }
    let weight = style.width;
    group.thin = (share) => {
      weight = style.width * share;
      shape.setStyle({ weight });
    };
    group.bindPopup(() => popup(feature, layer, style), popupSize());
    return group;
  }

  /* Names written on the map: rivers along their line, places in the middle; hidden where they would collide. */
  function written(map, feature, layer, shape, pane) {
    const line = isLine(feature.g);
    const node = el("span", "", feature.text);
    let at = shape.getBounds().getCenter();
    if (line) {
      const path = longest(feature.g);
      at = along(map, path, 0.5);
      lay(node, turn(map, along(map, path, 0.44), along(map, path, 0.56)));
    } else if (feature.at) at = L.latLng(feature.at[1], feature.at[0]);
    const water = line || layer.id === "water_area";
    const kind = water ? " rg-text-water" : layer.classes[feature.c].code === "town" ? " rg-text-big" : "";
    const text = L.marker(at, { icon: L.divIcon({ html: node, className: `rg-text${kind}`, iconSize: [0, 0] }), interactive: false, keyboard: false, pane });
    text.bounds = shape.getBounds();
    text.rank = layer.order;
    text.water = water;
    return text;
  }

  /* Along a flat line the name turns with it; along a steep one its characters stand upright one below the other. */
  function lay(node, angle) {
    const steep = Math.abs(angle) > 50;
    node.classList.toggle("rg-upright", steep);
    node.style.setProperty("--turn", `${steep ? angle - 90 * Math.sign(angle) : angle}deg`);
  }

  function longest(geometry) {
    if (geometry.type === "LineString") return geometry.coordinates;
    return geometry.coordinates.reduce((best, part) => (part.length > best.length ? part : best));
  }

  /* Position at a share of the length of a line of [lon, lat]. */
  function along(map, path, share) {
    const points = path.map(([lon, lat]) => L.latLng(lat, lon));
    const steps = points.slice(1).map((point, i) => map.distance(points[i], point));
    let rest = share * steps.reduce((sum, step) => sum + step, 0);
    for (let i = 0; i < steps.length; i += 1) {
      if (rest <= steps[i] && steps[i] > 0) {
        const part = rest / steps[i];
        return L.latLng(points[i].lat + part * (points[i + 1].lat - points[i].lat), points[i].lng + part * (points[i + 1].lng - points[i].lng));
      }
      rest -= steps[i];
    }
    return points[points.length - 1];
  }

  function turn(map, from, to) {
    const a = map.project(from, 14);
    const b = map.project(to, 14);
    const angle = Math.atan2(b.y - a.y, b.x - a.x) * 180 / Math.PI;
    return angle > 90 ? angle - 180 : angle < -90 ? angle + 180 : angle;
  }

  window.rivergis = { el, named, key, signCanvas, popup, popupSize, isLine, draw, written, longest, along, hovers, parts: {} };
})();
