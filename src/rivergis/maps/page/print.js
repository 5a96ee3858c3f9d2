/* Paper: the page takes on its shape before it is printed, so that what is seen stays in view; a picture of the tiles goes with it. */
(function () {
  "use strict";
  const { parts } = window.rivergis;
  const PAPERS = ["a4", "a3"];
  const PX_M = 0.0254 / 96; // a CSS pixel on paper
  const LONGEST_MS = 8000;

  function named(n) {
    return String(n).replace(/\B(?=(\d{3})+$)/g, " ");
  }

  /* The scale on paper: to two figures, since paper is scaled by printers. */
  parts.paperScale = function () {
    const { map } = this;
    const size = map.getSize();
    const [a, b] = [[0, size.y / 2], [size.x, size.y / 2]].map((at) => map.containerPointToLatLng(at));
    const scale = map.distance(a, b) / size.x / PX_M;
    const digits = 10 ** Math.max(0, Math.floor(Math.log10(scale)) - 1);
    return named(Math.round(scale / digits) * digits);
  };

  parts.shapeAs = function (paper) {
    const { map } = this;
    const seen = map.getBounds();
    document.body.classList.toggle("rg-paper", Boolean(paper));
    PAPERS.forEach((size) => document.body.classList.toggle(`rg-${size}`, size === paper));
    map.invalidateSize({ animate: false });
    map.fitBounds(seen, { animate: false });
    if (!paper) return;
    const day = this.data.day ? `${this.data.day} · ` : "";
    document.getElementById("rg-printed").textContent = `${day}约 1:${this.paperScale()} (${paper.toUpperCase()})`;
  };

  parts.print = function () {
    const box = document.getElementById("rg-print");
    let shaped = false;
    // from the menu of the browser: what is loaded is what gets printed
    window.addEventListener("beforeprint", () => {
      if (shaped) return;
      this.shapeAs("a4");
      if (this.tiles) this.tiles.freeze();
    });
    window.addEventListener("afterprint", () => {
      shaped = false;
      if (this.tiles) this.tiles.thaw();
      this.shapeAs(null);
    });
    box.querySelectorAll("button").forEach((button) => button.addEventListener("click", async () => {
      box.open = false;
      shaped = true;
      this.shapeAs(button.dataset.paper);
      if (this.tiles) {
        await Promise.race([this.tiles.settled(), new Promise((done) => { window.setTimeout(done, LONGEST_MS); })]);
        this.tiles.freeze();
      }
      window.print();
    }));
  };
})();
