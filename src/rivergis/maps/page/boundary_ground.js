/* What a draft is drawn on: layers of the own database with their switches; lines of them catch what is drawn. */
(function () {
  "use strict";
  const { el, named, key } = window.rivergis;
  const CAUGHT = ["boundary_line", "levee", "reach", "bank_line", "function_zone"];
  const desk = {};  // methods of the page

  desk.ground = function (layers) {
    const list = document.getElementById("bd-layers");
    layers.forEach((layer) => {
      const group = L.layerGroup(layer.features.map((feature) => this.groundShape(layer, feature)));
      const lines = CAUGHT.includes(layer.id) ? layer.features.flatMap((feature, i) => linesOf(feature.g).map((coords, n) => [`${layer.id}/${i}/${n}`, coords])) : [];
      // what is not seen does not catch either
      const show = (on) => {
        if (on) group.addTo(this.map);
        else group.remove();
        lines.forEach(([name, coords]) => (on ? this.snap.set(name, coords, layer.id) : this.snap.drop(name)));
      };
      if (layer.shown) show(true);
      list.prepend(this.layerRow(layer, show));
    });
  };

  desk.groundShape = function (layer, feature) {
    const style = layer.classes[feature.c];
    const isArea = feature.g.type.endsWith("Polygon");
    return L.geoJSON(feature.g, {
      interactive: false, renderer: isArea ? this.under.area : this.under.line, pane: isArea ? "bd-areas" : "bd-ground",
      style: { stroke: style.width > 0, color: style.stroke, weight: style.width, dashArray: style.dash || null, fill: isArea, fillColor: style.fill, fillOpacity: 1 },
      pointToLayer: (_, latlng) => L.circleMarker(latlng, { radius: 4 }),
    });
  };

  function linesOf(geometry) {
    if (geometry.type === "LineString") return [geometry.coordinates];
    return geometry.type === "MultiLineString" ? geometry.coordinates : [];
  }

  desk.layerRow = function (layer, show) {
    const item = el("li");
    const label = el("label", "rg-layer");
    const box = el("input");
    box.type = "checkbox";
    box.checked = layer.shown;
    box.addEventListener("change", () => show(box.checked));
    label.append(box, named("span", layer, "rg-name"), el("span", "rg-count", layer.features.length));
    item.append(label);
    const classes = el("ul");
    layer.classes.forEach((style) => {
      const row = el("li");
      row.append(key(style), named("span", style, "rg-name"));
      classes.append(row);
    });
    item.append(classes);
    return item;
  };

  window.rivergis.draftGround = desk;
})();
