/* Images under the lines, and the line between two dates: images or layers before at its left, after at its right. */
(function () {
  "use strict";
  const { el, named, parts } = window.rivergis;
  const ROLES = ["base", "before", "after"];

  function overlay(picture) {
    const options = { pane: `rg-image-${picture.role}`, alt: picture.zh };
    if (!picture.url.includes("{z}")) return L.imageOverlay(picture.url, picture.bounds, options);
    return L.tileLayer(picture.url, { ...options, bounds: picture.bounds, maxZoom: 22, maxNativeZoom: 19, noWrap: true });
  }

  parts.pictures = function () {
    const { map, data } = this;
    ROLES.forEach((role, i) => { map.createPane(`rg-image-${role}`).style.zIndex = 250 + i; });
    data.pictures.forEach((picture) => { picture.overlay = overlay(picture).addTo(map); });
    document.getElementById("rg-stage").classList.toggle("rg-imaged", data.pictures.length > 0);
    const names = ["before", "after"].map((side) => this.sideName(side));
    if (names[0] && names[1]) this.swipe(...names);
  };

  /* What stands on one side of the line: the image's name, or just which side it is. */
  parts.sideName = function (side) {
    const plain = { before: { zh: "前", en: "before" }, after: { zh: "后", en: "after" } };
    const sided = this.data.layers.find((layer) => layer.side === side);
    return this.data.pictures.find((picture) => picture.role === side) || (sided && (sided.side_title || plain[side]));
  };

  /* Slider between two sides: left of the line the earlier one, right of it the later one. */
  parts.swipe = function (before, after) {
    const { map } = this;
    const stage = document.getElementById("rg-stage");
    const line = el("div", "rg-swipe-line");
    const slider = el("input", "rg-swipe");
    Object.assign(slider, { type: "range", min: 0, max: 1000, value: 500 });
    slider.setAttribute("aria-label", `${this.data.pictures.length ? "前后影像对比" : "前后对比"} Compare before and after`);
    stage.append(line, slider, named("div", before, "rg-swipe-name rg-swipe-before"), named("div", after, "rg-swipe-name rg-swipe-after"));
    const panes = (side) => [`rg-image-${side}`, ...this.data.layers.filter((layer) => layer.side === side).map((layer) => layer.pane)];
    const place = () => {
      const size = map.getSize();
      const x = 18 + (size.x - 36) * slider.value / 1000;
      line.style.left = `${x}px`;
      slider.setAttribute("aria-valuetext", `${Math.round(slider.value / 10)} %`);
      const corner = map.containerPointToLayerPoint([0, 0]);
      const clip = (from, to) => `rect(${corner.y}px, ${corner.x + to}px, ${corner.y + size.y}px, ${corner.x + from}px)`;
      panes("before").forEach((pane) => { map.getPane(pane).style.clip = clip(0, x); });
      panes("after").forEach((pane) => { map.getPane(pane).style.clip = clip(x, size.x); });
    };
    slider.addEventListener("input", place);
    map.on("move zoomend resize", place);
    place();
  };
})();
