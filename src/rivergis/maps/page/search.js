/* Search: by name, code or chainage, in what the page carries and, where there is a service, in all of it. */
(function () {
  "use strict";
  const { el, named, key, popup, popupSize, isLine, longest, along, parts } = window.rivergis;
  const WAIT_MS = 250;
  const SHOWN = 30;

  /* A line of the search results or of the list: sign, label, what it is. */
  function button(style, label, note, choose) {
    const item = el("li");
    const node = el("button");
    node.type = "button";
    const text = el("span", "rg-item", label);
    text.append(el("span", "", note));
    node.append(style ? key(style) : el("span", "rg-key"), text);
    node.addEventListener("click", () => choose(node));
    item.append(node);
    return item;
  }

  function chainage(at_m) {
    const km = Math.floor(at_m / 1000);
    return `${km}+${String(Math.round(at_m - km * 1000)).padStart(3, "0")}`;
  }

  parts.entryButton = (entry, note, choose) =>
    button(entry.style, entry.feature.label || entry.feature.text || entry.layer.zh, note, (node) => choose(entry, node));

  parts.find = function (query) {
    const words = query.trim().toLowerCase();
    if (!words) return [];
    const measured = /^(.*?)\s*k?(\d+)\+(\d{1,3}(?:\.\d+)?)$/.exec(words);
    if (measured) return this.findChainage(measured[1].trim(), Number(measured[2]) * 1000 + Number(measured[3]));
    const hits = this.entries.filter((entry) => entry.hay.includes(words));
    const first = (entry) => ((entry.feature.label || "").toLowerCase().includes(words) ? 0 : 1);
    return hits.sort((a, b) => first(a) - first(b) || b.layer.order - a.layer.order).slice(0, SHOWN);
  };

  /* 桩号: the position at a chainage on every line that spans it, by share of its length. */
  parts.findChainage = function (name, at_m) {
    const spans = this.entries.filter(({ feature }) => feature.river && isLine(feature.g) && feature.to_m > feature.from_m
      && feature.from_m <= at_m && at_m <= feature.to_m && `${feature.river}\n${feature.label || ""}`.toLowerCase().includes(name));
    return spans.map((entry) => {
      const { feature } = entry;
      const spot = along(this.map, longest(feature.g), (at_m - feature.from_m) / (feature.to_m - feature.from_m));
      const label = `${feature.river} ${chainage(at_m)}`;
      const shape = this.ring(spot);
      shape.bindPopup(() => popup({ ...feature, label }, entry.layer, entry.style), popupSize());
      shape.getBounds = () => L.latLngBounds(spot, spot);
      return { ...entry, feature: { ...feature, label }, shape, spot, note: feature.label, mark: true };
    });
  };

  parts.ring = (spot) => L.circleMarker(spot, { radius: 8, color: "#ffb703", weight: 4, fill: false, pane: "rg-signs" });

  function what({ layer, style }) {
    return style.code ? `${layer.zh} · ${style.zh}` : layer.zh;
  }

  parts.choose = function (entry) {
    this.unmark();
    if (entry.mark) this.mark = entry.shape.addTo(this.map);
    this.show(entry);
  };

  parts.unmark = function () {
    if (this.mark) this.mark.remove();
    this.mark = null;
  };

  /* What the service found, but for what the page itself found already. */
  parts.foundElsewhere = function (found, own) {
    const there = new Set(own.map(({ feature }) => feature.id).filter(Boolean));
    const chainages = own.some((entry) => entry.mark);
    return found.filter((one) => !there.has(one.id) && !(chainages && one.kind === "chainage"));
  };

  parts.search = function () {
    const query = document.getElementById("rg-query");
    const results = document.getElementById("rg-results");
    let asked = 0;
    let timer = null;
    const nothing = () => results.append(named("p", { zh: "没有找到", en: "Nothing found" }));
    const elsewhere = async (words, own) => {
      const turn = (asked += 1);
      const answer = await this.ask(`/search.json?${new URLSearchParams({ q: words, ...this.when() })}`);
      if (turn !== asked || query.value.trim() !== words) return;
      const more = this.foundElsewhere((answer && answer.found) || [], own);
      results.append(...more.map((one) => button(this.styleOf(one), one.label, one.note, () => this.goTo(one))));
      if (!own.length && !more.length) nothing();
    };
    query.addEventListener("input", () => {
      const words = query.value.trim();
      const own = this.find(words);
      results.replaceChildren(...own.map((entry) => this.entryButton(entry, entry.note || what(entry), (one) => this.choose(one))));
      window.clearTimeout(timer);
      if (words && this.data.live) timer = window.setTimeout(() => elsewhere(words, own), WAIT_MS);
      else if (words && !own.length) nothing();
    });
    document.getElementById("rg-search").addEventListener("submit", (event) => {
      event.preventDefault();
      const first = results.querySelector("button");
      if (first) first.click();
    });
  };
})();
