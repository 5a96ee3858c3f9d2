/* What a pocket map answers: what is here, which chainage, how far to the stake, the line, the zone; and the search. */
(function () {
  "use strict";
  const pocket = window.pocket;
  const EQUATOR_M = 6378137;
  const E2 = 0.00669438002290;

  pocket.isPoint = (layer, f) => layer.n > 0 && layer.first[f + 1] - layer.first[f] === 1 && layer.parts[layer.first[f] + 1] - layer.parts[layer.first[f]] === 1;

  pocket.closed = function (layer, f) {
    const { xy, parts } = layer;
    const from = parts[layer.first[f]];
    const to = parts[layer.first[f] + 1] - 1;
    return to - from > 2 && xy[2 * from] === xy[2 * to] && xy[2 * from + 1] === xy[2 * to + 1];
  };

  /* Where a name or sign stands: the point itself, the middle of the longest line, the middle of an area. */
  pocket.spot = function (layer, f) {
    const { xy, parts, box } = layer;
    if (pocket.closed(layer, f)) return [(box[4 * f] + box[4 * f + 2]) / 2, (box[4 * f + 1] + box[4 * f + 3]) / 2];
    let longest = layer.first[f];
    for (let p = longest; p < layer.first[f + 1]; p++) if (parts[p + 1] - parts[p] > parts[longest + 1] - parts[longest]) longest = p;
    const i = Math.floor((parts[longest] + parts[longest + 1] - 1) / 2);
    return [xy[2 * i], xy[2 * i + 1]];
  };

  /* Metres of one step of the grid eastwards and northwards at a place, on the ellipsoid. */
  pocket.metres = function (data, y) {
    const lat = ((data.origin[1] + y) * data.step * Math.PI) / 180;
    const w = Math.sqrt(1 - E2 * Math.sin(lat) ** 2);
    const radian = (data.step * Math.PI) / 180;
    return [(EQUATOR_M / w) * Math.cos(lat) * radian, ((EQUATOR_M * (1 - E2)) / w ** 3) * radian];
  };

  pocket.apart = function (data, a, b) {
    const [mx, my] = pocket.metres(data, (a[1] + b[1]) / 2);
    return Math.hypot((a[0] - b[0]) * mx, (a[1] - b[1]) * my);
  };

  pocket.heading = function (data, from, to) {
    const [mx, my] = pocket.metres(data, from[1]);
    const degrees = ((Math.atan2((to[0] - from[0]) * mx, (to[1] - from[1]) * my) * 180) / Math.PI + 360) % 360;
    return `${["北", "东北", "东", "东南", "南", "西南", "西", "西北"][Math.round(degrees / 45) % 8]} ${Math.round(degrees)}°`;
  };

  /* Nearest place on a feature: metres, point, share of its length up to there, side (left > 0 in the direction of the line). */
  pocket.foot = function (data, layer, f, x, y) {
    const { xy, parts } = layer;
    const [mx, my] = pocket.metres(data, y);
    let best = { metres: Infinity };
    let along = 0;
    for (let p = layer.first[f]; p < layer.first[f + 1]; p++) {
      if (parts[p + 1] - parts[p] === 1) {
        const i = parts[p];
        const metres = Math.hypot((xy[2 * i] - x) * mx, (xy[2 * i + 1] - y) * my);
        if (metres < best.metres) best = { metres, at: [xy[2 * i], xy[2 * i + 1]], along, side: 0 };
      }
      for (let i = parts[p]; i < parts[p + 1] - 1; i++) {
        const ax = (xy[2 * i] - x) * mx;
        const ay = (xy[2 * i + 1] - y) * my;
        const dx = (xy[2 * i + 2] - xy[2 * i]) * mx;
        const dy = (xy[2 * i + 3] - xy[2 * i + 1]) * my;
        const length = Math.hypot(dx, dy);
        const t = length ? Math.max(0, Math.min(1, -(ax * dx + ay * dy) / (length * length))) : 0;
        const metres = Math.hypot(ax + t * dx, ay + t * dy);
        if (metres < best.metres) best = { metres, at: [x + (ax + t * dx) / mx, y + (ay + t * dy) / my], along: along + t * length, side: dy * ax - dx * ay };
        along += length;
      }
    }
    return Object.assign(best, { length: along });
  };

  /* Whether a place lies in an area: crossings of all its rings. */
  pocket.inside = function (layer, f, x, y) {
    const { xy, parts, box } = layer;
    if (x < box[4 * f] || x > box[4 * f + 2] || y < box[4 * f + 1] || y > box[4 * f + 3] || !pocket.closed(layer, f)) return false;
    let odd = false;
    for (let p = layer.first[f]; p < layer.first[f + 1]; p++) {
      for (let i = parts[p], j = parts[p + 1] - 1; i < parts[p + 1]; j = i++) {
        const yi = xy[2 * i + 1];
        const yj = xy[2 * j + 1];
        if (yi > y !== yj > y && x < ((xy[2 * j] - xy[2 * i]) * (y - yi)) / (yj - yi) + xy[2 * i]) odd = !odd;
      }
    }
    return odd;
  };

  function away(data, layer, f, x, y) {
    const { box } = layer;
    const [mx, my] = pocket.metres(data, y);
    return Math.hypot(Math.max(box[4 * f] - x, 0, x - box[4 * f + 2]) * mx, Math.max(box[4 * f + 1] - y, 0, y - box[4 * f + 3]) * my);
  }

  /* The nearest feature of a layer within some metres; fits: which ones count. */
  pocket.nearest = function (data, id, x, y, within, fits) {
    const layer = data.layers.find((one) => one.id === id);
    let best = null;
    for (let f = 0; layer && f < layer.n; f++) {
      if (fits && !fits(layer, f)) continue;
      if (away(data, layer, f, x, y) > (best ? best.metres : within)) continue;
      const foot = pocket.foot(data, layer, f, x, y);
      if (foot.metres <= (best ? best.metres : within)) best = Object.assign(foot, { layer, f });
    }
    return best;
  };

  pocket.chainage = function (metres) {
    const whole = Math.round(metres);
    const km = Math.floor(whole / 1000);
    return `${km}+${String(whole - km * 1000).padStart(3, "0")}`;
  };

  pocket.far = (metres) => (metres < 950 ? `${Math.round(metres)}\u00a0m` : `${(metres / 1000).toFixed(metres < 9950 ? 2 : 1)}\u00a0km`);

  const hasChainage = (layer, f) => layer.from_m && layer.from_m[f] !== null && layer.to_m[f] !== null && layer.to_m[f] !== layer.from_m[f];

  pocket.river = function (data, x, y) {
    const reach = pocket.nearest(data, "reach", x, y, 5000, hasChainage);
    if (!reach) return null;
    const { layer, f } = reach;
    reach.at_m = layer.from_m[f] + (reach.along / (reach.length || 1)) * (layer.to_m[f] - layer.from_m[f]);
    reach.bank = reach.metres < 1 ? "" : reach.side > 0 ? "左岸" : "右岸";
    reach.river = (layer.river && layer.river[f]) || layer.label[f] || "";
    return reach;
  };

  /* Facts of a place: [中文, English, value, where to go]. */
  pocket.facts = function (data, x, y) {
    const rows = [];
    const { river, stake } = place(data, x, y, rows);
    law(data, x, y, rows);
    return { rows, river, stake };
  };

  function place(data, x, y, rows) {
    const units = data.layers.find((one) => one.id === "admin_unit");
    const names = [];
    for (let f = 0; units && f < units.n; f++) if (pocket.inside(units, f, x, y)) names.push(units.label[f]);
    if (names.length) rows.push(["所在", "unit", names.join(" ")]);
    const river = pocket.river(data, x, y);
    if (river) rows.push(["桩号", "chainage", `${river.river} ${pocket.chainage(river.at_m)}${river.bank ? ` ${river.bank},` : ","}距中心线 ${pocket.far(river.metres)}`, river.at]);
    const stake = pocket.nearest(data, "stake", x, y, 5000);
    if (stake) rows.push(["最近界桩", "nearest stake", `${stake.layer.label[stake.f]},${stake.metres < 1 ? "就在此处" : `${pocket.far(stake.metres)},${pocket.heading(data, [x, y], stake.at)}`}`, stake.at]);
    return { river, stake };
  }

  function law(data, x, y, rows) {
    const inside = (id) => {
      const layer = data.layers.find((one) => one.id === id);
      const found = [];
      for (let f = 0; layer && f < layer.n; f++) if (pocket.inside(layer, f, x, y)) found.push(`${layer.classes[layer.cls[f]].zh} ${layer.label[f] || ""}`.trim());
      return found;
    };
    const line = pocket.nearest(data, "boundary_line", x, y, 3000);
    const area = inside("boundary_area");
    if (area.length || line) {
      const where = area.length ? "管理范围内" : "";
      const style = line && line.layer.classes[line.layer.cls[line.f]];
      const near = line ? `距${line.layer.zh}(${style.zh})${pocket.far(line.metres)}` : "";
      rows.push(["管理范围", "management area", [where, near].filter(Boolean).join(","), line && line.at]);
    }
    const zones = inside("source_zone");
    if (zones.length) rows.push(["水源保护区内", "in source zone", zones.join(";")]);
    const outfall = pocket.nearest(data, "outfall", x, y, 1000);
    if (outfall) rows.push(["最近排污口", "nearest outfall", `${outfall.layer.label[outfall.f]},${pocket.far(outfall.metres)}`, outfall.at]);
  }

  /* What lies under a finger: points first, then lines, then areas; the nearer the earlier. */
  pocket.hits = function (data, x, y, within) {
    const found = [];
    data.layers.filter((layer) => layer.shown && !layer.backdrop).forEach((layer, order) => {
      for (let f = 0; f < layer.n; f++) {
        if (away(data, layer, f, x, y) > within) continue;
        const kind = pocket.isPoint(layer, f) ? 0 : pocket.closed(layer, f) && layer.classes[layer.cls[f]].fill ? 2 : 1;
        const metres = kind === 2 && pocket.inside(layer, f, x, y) ? 0 : pocket.foot(data, layer, f, x, y).metres;
        if (metres <= within) found.push({ layer, f, kind, metres, order });
      }
    });
    return found.sort((a, b) => a.kind - b.kind || a.metres - b.metres || b.order - a.order);
  };

  /* By name, number or what else is said of a thing; 云溪河 3+200 and K3+200 by chainage. */
  pocket.find = function (data, query) {
    const said = query.trim().toLowerCase();
    if (!said) return [];
    const measured = /^(.*?)\s*k?(\d+)\+(\d{1,3}(?:\.\d+)?)$/.exec(said);
    if (measured) return byChainage(data, measured[1].trim(), Number(measured[2]) * 1000 + Number(measured[3]));
    const found = [];
    data.layers.forEach((layer, order) => {
      for (let f = 0; f < layer.n; f++) {
        const label = ((layer.label && layer.label[f]) || "").toLowerCase();
        const rank = label.startsWith(said) ? 0 : label.includes(said) ? 1 : layer.rows[f].some((v) => typeof v === "string" && v.toLowerCase().includes(said)) ? 2 : kind(layer, f).includes(said) ? 3 : 9;
        if (rank < 9) found.push({ layer, f, rank, order });
      }
    });
    return found.sort((a, b) => a.rank - b.rank || b.order - a.order).slice(0, 60);
  };

  function kind(layer, f) {
    return `${layer.zh} ${layer.classes[layer.cls[f]].zh}`;
  }

  function byChainage(data, name, at_m) {
    const layer = data.layers.find((one) => one.id === "reach");
    const found = [];
    for (let f = 0; layer && f < layer.n; f++) {
      if (!hasChainage(layer, f) || at_m < layer.from_m[f] || at_m > layer.to_m[f]) continue;
      const river = (layer.river && layer.river[f]) || "";
      if (!`${river}\n${layer.label[f]}`.toLowerCase().includes(name)) continue;
      const at = along(data, layer, f, (at_m - layer.from_m[f]) / (layer.to_m[f] - layer.from_m[f]));
      found.push({ layer, f, at, label: `${river} ${pocket.chainage(at_m)}`, width: layer.classes[layer.cls[f]].width });
    }
    // a river before its braids
    return found.sort((a, b) => b.width - a.width);
  }

  function along(data, layer, f, share) {
    const { xy, parts } = layer;
    const lengths = [];
    let total = 0;
    for (let i = parts[layer.first[f]]; i < parts[layer.first[f + 1]] - 1; i++) {
      lengths.push(pocket.apart(data, [xy[2 * i], xy[2 * i + 1]], [xy[2 * i + 2], xy[2 * i + 3]]));
      total += lengths[lengths.length - 1];
    }
    let left = share * total;
    let i = parts[layer.first[f]];
    for (const length of lengths) {
      if (left <= length && length > 0) {
        const t = left / length;
        return [xy[2 * i] + t * (xy[2 * i + 2] - xy[2 * i]), xy[2 * i + 1] + t * (xy[2 * i + 3] - xy[2 * i + 1])];
      }
      left -= length;
      i += 1;
    }
    return [xy[2 * i], xy[2 * i + 1]];
  }
})();
