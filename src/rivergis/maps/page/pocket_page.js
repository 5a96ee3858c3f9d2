/* The page of a pocket map: what opens, panels, search, own position, measuring. All text from data goes in as text nodes. */
(function () {
  "use strict";
  const pocket = window.pocket;
  const { el, named } = pocket;
  const by = (id) => document.getElementById(id);
  const TASKS = ["work_lead", "work_patrol", "work_stake"];
  const head = JSON.parse(by("pocket-head").textContent);
  let view;
  let data;
  let spot = null;
  let me = null;
  let watching = null;
  let path = null;

  /* ---- opening ---- */

  function gate(...nodes) {
    by("gate").hidden = false;
    by("gate-box").textContent = "";
    by("gate-box").append(...nodes);
    by("gate-box").focus();
  }

  function expired() {
    by("pocket-data").remove();
    gate(
      named("h2", `本图已于 ${head.expires_on} 到期`, "This map has expired"),
      named("p", `持有人:${head.holder}。请向制作单位换取新图,并删除本文件。`, "Ask for a new one and delete this file."),
      named("p", "到期后隐藏数据只是提醒,不是保护:数据仍在文件里。", "Hiding the data is a reminder, no protection: it is still in the file."),
    );
  }

  function askPassphrase() {
    const form = el("form");
    const box = Object.assign(el("input"), { type: "password", id: "passphrase", autocomplete: "off", required: true });
    const told = el("p", "told");
    told.setAttribute("role", "alert");
    const label = named("label", "口令", "passphrase");
    label.htmlFor = "passphrase";
    form.append(label, box, named("button", "打开", "open"), told);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      told.textContent = "正在打开…";
      try {
        const bytes = await pocket.unseal(pocket.block(), head, box.value);
        by("gate").hidden = true;
        await open(bytes);
      } catch (error) {
        by("gate").hidden = false;
        told.textContent = "口令不对,或文件已被改动。Wrong passphrase, or the file was changed.";
        box.select();
      }
    });
    gate(named("h2", "本图已加密", "This map is locked"), form);
    box.focus();
  }

  async function start() {
    if (pocket.today() > head.expires_on) return expired();
    if (pocket.today() < head.day_made) say("本机日期早于制作日期,请校正。The clock of this device is wrong.");
    if (!head.sealed) return open(pocket.block());
    if (window.crypto && window.crypto.subtle) return askPassphrase();
    return gate(
      named("h2", "这个浏览器不能解密", "This browser cannot unlock it"),
      named("p", "请用 Chrome、Edge 或 Firefox 直接打开本文件(file://),不要用微信、QQ 的内置浏览器或文件预览。", "Open the file itself with Chrome, Edge or Firefox."),
    );
  }

  async function open(bytes) {
    data = await pocket.unpack(bytes);
    data.layers.forEach((layer) => { layer.shown = !data.hidden.includes(layer.id); });
    view = new pocket.View(by("map"), by("veil"), data, head.stamp);
    by("bar").hidden = false; // before the map takes its size
    view.marks.push(drawMine, drawPath, drawSpot);
    view.drawn = scaleBar;
    view.size();
    view.fit(view.home);
    view.paint();
    view.listen(tapped);
    taskCount();
    document.documentElement.dataset.ready = String(Math.round(performance.now()));
    document.addEventListener("visibilitychange", () => { if (pocket.today() > head.expires_on) window.location.reload(); });
  }

  /* ---- the sheet: one panel for everything ---- */

  let opener = null;

  function sheet(title, en, ...nodes) {
    view.draw();
    by("sheet-title").textContent = "";
    by("sheet-title").append(named("span", title, en));
    by("sheet-body").textContent = "";
    by("sheet-body").append(...nodes);
    by("sheet-body").scrollTop = 0;
    if (by("sheet").hidden) opener = document.activeElement;
    by("sheet").hidden = false;
    document.body.classList.add("sheeted");
  }

  function closeSheet() {
    by("sheet").hidden = true;
    document.body.classList.remove("sheeted");
    if (opener && opener.focus) opener.focus();
  }

  function say(text) {
    const box = by("say");
    box.textContent = text;
    box.hidden = !text;
    window.clearTimeout(say.later);
    say.later = window.setTimeout(() => { box.hidden = true; }, 7000);
  }

  function key(style) {
    const canvas = Object.assign(el("canvas", "key"), { width: 56, height: 36 });
    canvas.setAttribute("aria-hidden", "true");
    const pen = canvas.getContext("2d");
    pen.scale(2, 2);
    if (style.marker) pocket.sign(pen, 14, style.marker === "pin" ? 17 : 9, style, style.marker === "pin" ? 0.55 : 1);
    else {
      pen.fillStyle = style.fill || "transparent";
      if (style.fill) pen.fillRect(3, 3, 22, 12);
      pen.strokeStyle = style.stroke;
      pen.lineWidth = style.width;
      pen.setLineDash(style.dash ? style.dash.split(" ").map(Number) : []);
      if (style.width && style.stroke) {
        if (style.fill) pen.strokeRect(3, 3, 22, 12);
        else { pen.beginPath(); pen.moveTo(2, 9); pen.lineTo(26, 9); pen.stroke(); }
      }
    }
    return canvas;
  }

  function entry(layer, f, text, note, chosen) {
    const item = el("li");
    const button = el("button", "entry");
    button.type = "button";
    const said = el("span", "entry-text", text);
    if (note) said.append(el("small", "", note));
    button.append(key(layer.classes[layer.cls[f]]), said);
    button.addEventListener("click", chosen);
    item.append(button);
    return item;
  }

  const nameOf = (layer, f) => (layer.label && layer.label[f]) || layer.zh;

  /* ---- what is here ---- */

  function tapped(px, py) {
    const [x, y] = view.ground(px, py);
    if (path) return measured(x, y);
    const within = 16 * view.metresPerPixel();
    const found = pocket.hits(data, x, y, within);
    const at = found.length && found[0].kind === 0 ? pocket.spot(found[0].layer, found[0].f) : [x, y];
    return shown(at, found);
  }

  function shown(at, found) {
    spot = at;
    uncover(at);
    const first = found[0];
    const facts = pocket.facts(data, at[0], at[1]);
    const nodes = [];
    if (first) nodes.push(about(first));
    nodes.push(named("h3", "这里", "here"), factTable(at, facts.rows));
    if (found.length > 1) {
      const list = el("ul", "entries");
      found.slice(1, 12).forEach((hit) => list.append(entry(hit.layer, hit.f, nameOf(hit.layer, hit.f), hit.layer.zh, () => shown(at, [hit, ...found.filter((one) => one !== hit)]))));
      nodes.push(named("h3", "还有", "also here"), list);
    }
    sheet(first ? nameOf(first.layer, first.f) : "此处", first ? "" : "this place", ...nodes);
  }

  /* On a telephone the sheet covers the lower half: what was asked for comes up above it. */
  function uncover(at) {
    const y = view.screen(at[0], at[1])[1];
    if (window.innerWidth <= 760 && y > view.height * 0.4) view.y -= (y - view.height * 0.25) / view.scale;
    view.draw();
  }

  function about(hit) {
    const { layer, f } = hit;
    const style = layer.classes[layer.cls[f]];
    const box = el("div");
    const kind = el("p", "kind");
    kind.append(key(style), named("span", style.code ? `${layer.zh} · ${style.zh}` : layer.zh, style.en));
    const rows = layer.rows[f];
    const table = el("table");
    for (let i = 0; i < rows.length; i += 2) table.append(row(layer.heads[rows[i]][0], layer.heads[rows[i]][1], rows[i + 1]));
    box.append(kind, table);
    return box;
  }

  function row(zh, en, value) {
    const line = el("tr");
    const name = named("th", zh, en);
    name.scope = "row";
    line.append(name, el("td", "", value));
    return line;
  }

  function factTable(at, rows) {
    const table = el("table");
    const [lon, lat] = view.degrees(at[0], at[1]);
    const said = `${lon.toFixed(6)}, ${lat.toFixed(6)}`;
    rows.forEach(([zh, en, value]) => table.append(row(zh, en, value)));
    if (me) table.append(row("离我", "from me", `${pocket.far(pocket.apart(data, me.at, at))},${pocket.heading(data, me.at, at)}`));
    table.append(row("坐标", "CGCS2000", said));
    const copy = named("button", "复制位置", "copy");
    copy.type = "button";
    copy.className = "plain";
    copy.addEventListener("click", () => copied(`${rows.map((r) => `${r[0]}:${r[2]}`).join("\n")}\n坐标:${said}`));
    const box = el("div");
    box.append(table, copy);
    return box;
  }

  function copied(text) {
    const area = el("textarea", "away", text);
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    say(done ? "已复制。Copied." : "浏览器不让复制。The browser does not let us copy.");
  }

  function goTo(layer, f, at) {
    const { box } = layer;
    view.fit(at ? [at[0] - 2000, at[1] - 2000, at[0] + 2000, at[1] + 2000] : Array.from(box.subarray(4 * f, 4 * f + 4)), 0.12);
    if (!layer.shown) layer.shown = true;
    shown(at || pocket.spot(layer, f), [{ layer, f }]);
  }

  function drawSpot(pen) {
    if (!spot || by("sheet").hidden) return;
    const [x, y] = view.screen(spot[0], spot[1]);
    ring(pen, x, y, 13, "#ffb703", 4);
  }

  function ring(pen, x, y, radius, colour, width) {
    pen.beginPath();
    pen.arc(x, y, radius, 0, 7);
    pen.lineWidth = width;
    pen.strokeStyle = colour;
    pen.stroke();
  }

  /* ---- panels ---- */

  function layersPanel() {
    spot = null;
    const list = el("ul", "layers");
    data.layers.slice().reverse().forEach((layer) => {
      const item = el("li");
      const label = el("label");
      const box = Object.assign(el("input"), { type: "checkbox", checked: layer.shown });
      box.addEventListener("change", () => { layer.shown = box.checked; view.draw(); });
      const plain = layer.classes.length === 1;
      label.append(box);
      if (plain) label.append(key(layer.classes[0]));
      label.append(named("span", layer.zh, layer.en, "grow"), el("span", "count", layer.n));
      item.append(label);
      if (!plain) {
        const classes = el("ul");
        layer.classes.forEach((style) => { const one = el("li"); one.append(key(style), named("span", style.zh, style.en)); classes.append(one); });
        item.append(classes);
      }
      item.append(el("p", "note", exact(layer)));
      list.append(item);
    });
    sheet("图层与图例", "layers", list);
  }

  function exact(layer) {
    const moved = layer.tolerance_m ? `概化,线位偏移不超过 ${layer.tolerance_m} m` : "未概化,坐标取整约 0.1 m";
    return layer.unplaced ? `${moved};另有 ${layer.unplaced} 条无图形` : moved;
  }

  function tasksPanel() {
    spot = null;
    const nodes = [];
    TASKS.forEach((id) => {
      const layer = data.layers.find((one) => one.id === id);
      const title = named("h3", data.tasks[id].zh, data.tasks[id].en);
      title.append(" ", el("b", "", data.tasks[id].count));
      const list = el("ul", "entries");
      for (let f = 0; layer && f < layer.n; f++) list.append(entry(layer, f, layer.label[f], villageOf(layer, f), () => goTo(layer, f)));
      if (!layer) list.append(named("li", "无", "none"));
      nodes.push(title, list);
    });
    sheet(`今日任务 ${head.day}`, "today's work", ...nodes);
  }

  function villageOf(layer, f) {
    const rows = layer.rows[f];
    for (let i = 0; i < rows.length; i += 2) if (layer.heads[rows[i]][1] === "village") return rows[i + 1];
    return "";
  }

  function taskCount() {
    by("task-count").textContent = TASKS.reduce((sum, id) => sum + data.tasks[id].count, 0);
  }

  function aboutPanel() {
    const table = el("table");
    const put = (zh, en, value) => table.append(row(zh, en, value));
    put("范围", "district", `${head.district.name} ${head.district.code}`);
    put("数据日期", "as of", head.day);
    put("持有人", "holder", head.holder);
    put("制作", "made", `${head.made_at} ${head.made_by}`);
    put("有效至", "expires", head.expires_on);
    put("另含", "also in it", head.sensitive.length ? head.sensitive.join("、") : "无(不含取水口、人员、在办问题)");
    put("概化", "generalised", head.generalised);
    const notes = el("ul", "notes");
    head.notes.forEach((note) => notes.append(el("li", "", note)));
    sheet("关于本图", "about", table, notes);
  }

  /* ---- search ---- */

  function search() {
    spot = null;
    const found = pocket.find(data, by("query").value);
    const list = el("ul", "entries");
    found.forEach((hit) => list.append(entry(hit.layer, hit.f, hit.label || nameOf(hit.layer, hit.f), hit.label ? nameOf(hit.layer, hit.f) : hit.layer.zh, () => goTo(hit.layer, hit.f, hit.at))));
    if (!found.length) list.append(named("li", "没有找到", "nothing found"));
    sheet("搜索", "search", list);
    return found;
  }

  /* ---- own position ---- */

  function locate() {
    if (watching !== null) {
      navigator.geolocation.clearWatch(watching);
      watching = null;
      me = null;
      by("locate").setAttribute("aria-pressed", "false");
      view.draw();
      return;
    }
    if (!navigator.geolocation) return say("这个浏览器不提供定位。This browser gives no position.");
    by("locate").setAttribute("aria-pressed", "true");
    say("正在定位…");
    watching = navigator.geolocation.watchPosition(located, lost, { enableHighAccuracy: true, maximumAge: 5000, timeout: 30000 });
  }

  function located(fix) {
    const first = !me;
    me = { at: view.steps(fix.coords.longitude, fix.coords.latitude), accuracy: fix.coords.accuracy };
    if (first) {
      view.fit([me.at[0] - 4000, me.at[1] - 4000, me.at[0] + 4000, me.at[1] + 4000]);
      const river = pocket.river(data, me.at[0], me.at[1]);
      say(`定位误差约 ${Math.round(me.accuracy)} m${river ? ` · ${river.river} ${pocket.chainage(river.at_m)} ${river.bank}` : ""}`);
    }
    view.draw();
  }

  function lost(error) {
    const why = { 1: "没有得到定位许可。直接打开的文件(file://)常常得不到定位,请在浏览器里允许,或改用坐标、桩号查找。The browser refuses the position to a file.", 3: "定位超时。No position in time." };
    say(why[error.code] || "现在得不到位置。No position now.");
    by("locate").setAttribute("aria-pressed", "false");
    if (watching !== null) navigator.geolocation.clearWatch(watching);
    watching = null;
  }

  function drawMine(pen) {
    if (!me) return;
    const [x, y] = view.screen(me.at[0], me.at[1]);
    pen.beginPath();
    pen.arc(x, y, Math.max(me.accuracy / view.metresPerPixel(), 8), 0, 7);
    pen.fillStyle = "rgba(21,101,192,.16)";
    pen.fill();
    pen.beginPath();
    pen.arc(x, y, 7, 0, 7);
    pen.fillStyle = "#1565c0";
    pen.fill();
    ring(pen, x, y, 7, "#ffffff", 2.5);
  }

  /* ---- measuring ---- */

  function measure() {
    path = path ? null : [];
    by("measure").setAttribute("aria-pressed", String(Boolean(path)));
    say(path ? "在图上依次点出要量的线。Tap the points to measure." : "");
    view.draw();
  }

  function measured(x, y) {
    path.push([x, y]);
    let metres = 0;
    for (let i = 1; i < path.length; i++) metres += pocket.apart(data, path[i - 1], path[i]);
    say(path.length < 2 ? "再点一处。And another one." : `全长 ${pocket.far(metres)},末段 ${pocket.far(pocket.apart(data, path[path.length - 2], path[path.length - 1]))}`);
    view.draw();
  }

  function drawPath(pen) {
    if (!path || !path.length) return;
    const points = path.map(([x, y]) => view.screen(x, y));
    pen.beginPath();
    points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    pen.lineWidth = 3;
    pen.strokeStyle = "#c2185b";
    pen.stroke();
    points.forEach(([x, y]) => ring(pen, x, y, 4, "#c2185b", 3));
  }

  function scaleBar() {
    const most = view.metresPerPixel() * 110;
    const power = 10 ** Math.floor(Math.log10(most));
    const metres = [5, 2, 1].map((n) => n * power).find((n) => n <= most);
    by("scale").style.width = `${metres / view.metresPerPixel()}px`;
    by("scale").textContent = metres >= 1000 ? `${metres / 1000} km` : `${metres} m`;
  }

  /* ---- wiring ---- */

  by("close").addEventListener("click", () => { closeSheet(); view.draw(); });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && !by("sheet").hidden) by("close").click(); });
  by("search").addEventListener("submit", (event) => { event.preventDefault(); if (data) { const found = search(); if (found.length === 1) by("sheet-body").querySelector("button").click(); by("query").blur(); } });
  by("query").addEventListener("input", () => { if (data && by("query").value.trim().length > 0) search(); });
  const press = { layers: layersPanel, tasks: tasksPanel, about: aboutPanel, locate, measure, nearer: () => view.zoom(1.7, view.width / 2, view.height / 2), farther: () => view.zoom(1 / 1.7, view.width / 2, view.height / 2), whole: () => { view.fit(view.home); view.draw(); } };
  Object.keys(press).forEach((id) => by(id).addEventListener("click", () => { if (data) press[id](); }));
  start().catch((error) => gate(named("h2", "打不开", "It cannot be opened"), named("p", "文件不完整,或浏览器太旧。请重新复制文件,用较新的浏览器打开。", "The file is damaged or the browser too old."), el("p", "told", String(error))));
})();
