/* What a planner has changed and not saved: over the revision it was drawn on, with undo, kept in this browser until it is saved.
 * Nothing here draws or asks anybody; a segment is {id, coords [[lon, lat], ...], fields, revision}. */
(function () {
  "use strict";
  const PREFIX = "rivergis.draft/";
  const ALIVE_MS = 15000;  // a window that has not said so for longer is closed: what it left is taken over

  function uuid() {
    const b = crypto.getRandomValues(new Uint8Array(16));  // randomUUID is missing on plain http
    b[6] = (b[6] & 15) | 64;
    b[8] = (b[8] & 63) | 128;
    const hex = Array.from(b, (n) => n.toString(16).padStart(2, "0")).join("");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  }

  const plain = (_, value) => (value && typeof value === "object" && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value);
  const same = (one, two) => JSON.stringify(one, plain) === JSON.stringify(two, plain);
  const copy = (thing) => JSON.parse(JSON.stringify(thing));

  function Work(draft, user) {
    this.key = `${PREFIX}${draft}/${user}/`;
    this.tab = sessionStorage.getItem("rivergis.tab") || uuid();
    sessionStorage.setItem("rivergis.tab", this.tab);
    this.base = new Map();
    this.edits = new Map();
    this.past = [];
    this.ahead = [];
    this.listeners = [];
    this.from = new Map();  // the revision each edit was drawn on
    this.clash = new Map();  // edits that somebody else's save stands against: {because, theirs: id of their segment}
    this.kept = true;
  }

  Work.prototype.stand = function (revision, segments) {
    this.revision = revision;
    this.base = new Map(segments.map((segment) => [segment.id, segment]));
    this.past = [];
    this.ahead = [];
  };

  /* A segment as the planner sees it now; nothing where it is taken out. */
  Work.prototype.get = function (id) {
    const edit = this.edits.get(id);
    if (!edit) return this.base.get(id);
    return edit.op === "remove" ? undefined : edit.segment;
  };

  Work.prototype.all = function () {
    const ids = new Set([...this.base.keys(), ...this.edits.keys()]);
    return [...ids].map((id) => this.get(id)).filter(Boolean);
  };

  Work.prototype.put = function (segment) {
    return { id: segment.id, edit: { op: "put", segment: copy(segment) } };
  };

  Work.prototype.remove = function (id) {
    return { id, edit: this.base.has(id) ? { op: "remove" } : undefined };
  };

  /* One step: several segments at once where a line is split. What equals the base again is no edit. */
  Work.prototype.step = function (changes) {
    const done = changes.map(({ id, edit }) => ({ id, before: this.edits.get(id), after: this.plain(id, edit) }));
    this.past.push(done);
    this.ahead = [];
    this.apply(done, "after");
  };

  Work.prototype.plain = function (id, edit) {
    const base = this.base.get(id);
    const back = edit && edit.op === "put" && base && same(edit.segment.coords, base.coords) && Object.keys(edit.segment.fields).every((key) => same(edit.segment.fields[key], base.fields[key]));
    return back ? undefined : edit;
  };

  Work.prototype.apply = function (done, side) {
    done.forEach((change) => {
      if (change[side]) {
        this.edits.set(change.id, change[side]);
        if (!this.from.has(change.id)) this.from.set(change.id, this.revision);
      } else this.drop(change.id);
    });
    this.keep();
    this.listeners.forEach((told) => told(done.map((change) => change.id)));
  };

  /* What the register said of an edit came later: it belongs to the step that made it, and is undone and done again with it. */
  Work.prototype.completed = function (id, edit) {
    if (this.edits.get(id) === edit) this.apply([{ id, after: edit }], "after");
  };

  Work.prototype.drop = function (id) {
    [this.edits, this.from, this.clash].forEach((map) => map.delete(id));
  };

  Work.prototype.undo = function () {
    const done = this.past.pop();
    if (!done) return;
    this.ahead.push(done);
    this.apply(done, "before");
  };

  Work.prototype.redo = function () {
    const done = this.ahead.pop();
    if (!done) return;
    this.past.push(done);
    this.apply(done, "after");
  };

  /* As the service takes them, with the oldest revision that any of them was drawn on: it sees what others saved since. */
  Work.prototype.sent = function () {
    const edits = [...this.edits].map(([id, edit]) => (edit.op === "remove" ? { segment_id: id, op: "remove" } : {
      segment_id: id, op: "put", ...this.difference(id, edit.segment),
    }));
    return { base_revision: Math.min(this.revision, ...[...this.edits.keys()].map((id) => this.from.get(id))), edits };
  };

  /* Only what changed: what is not named stays as it is. */
  Work.prototype.difference = function (id, { coords, fields }) {
    const base = this.base.get(id);
    const changed = Object.entries(fields).filter(([key, value]) => !base || !same(value, base.fields[key]));
    const geometry = base && same(coords, base.coords) ? undefined : { type: "LineString", coordinates: coords };
    return { fields: Object.fromEntries(changed), geometry };
  };

  /* ---- kept in this browser ---- */

  Work.prototype.keep = function () {
    try {
      const edits = this.entries();
      if (!edits.length) localStorage.removeItem(this.key + this.tab);
      else localStorage.setItem(this.key + this.tab, JSON.stringify({ alive: Date.now(), edits }));
      this.kept = true;
    } catch (error) {
      this.kept = false;  // full or forbidden: the page says so
    }
  };

  Work.prototype.entries = function () {
    return [...this.edits].map(([id, edit]) => [id, edit, this.from.get(id)]);
  };

  Work.prototype.live = function () {
    window.setInterval(() => this.keep(), ALIVE_MS / 3);
  };

  /* What this window, or one that is closed, left unsaved: oldest first. */
  Work.prototype.left = function () {
    const found = [];
    for (let i = 0; i < localStorage.length; i += 1) {
      const name = localStorage.key(i);
      if (name.startsWith(this.key)) {
        const kept = read(name);
        if (kept && (name.endsWith(this.tab) || Date.now() - kept.alive > ALIVE_MS)) found.push({ name, ...kept });
      }
    }
    return found.sort((a, b) => a.alive - b.alive);
  };

  function read(name) {
    try {
      return JSON.parse(localStorage.getItem(name));
    } catch (error) {
      return null;
    }
  }

  /* Take unsaved edits [[id, edit, revision it was drawn on], ...] over onto the segments as they stand now. One that somebody
   * else's save stands against waits for a choice; the rest goes on. */
  Work.prototype.rebase = function (entries, revision, segments) {
    this.stand(revision, segments);
    entries.forEach(([id, edit, from]) => {
      const theirs = this.base.get(id);
      const mine = this.plain(id, edit);
      const known = edit.op === "remove" || edit.segment.revision > 0;
      if (!mine || (edit.op === "remove" && !theirs)) return this.drop(id);  // saved already, and the answer was lost
      this.edits.set(id, mine);
      this.from.set(id, from);
      if (theirs ? theirs.revision > from : known) this.clash.set(id, { because: theirs ? "both_changed" : "removed_there", theirs: id });
    });
  };

  Work.prototype.conflicts = function () {
    return [...this.clash].map(([id, { because, theirs }]) => ({ id, because, mine: this.edits.get(id), theirs: this.base.get(theirs) }));
  };

  Work.prototype.settle = function (id, mine) {
    this.clash.delete(id);
    this.from.set(id, this.revision);
    if (mine) this.keep();
    else this.apply([{ id, after: undefined }], "after");
  };

  Work.prototype.restore = function (revision, segments) {
    const left = this.left();
    this.rebase(left.flatMap((kept) => kept.edits), revision, segments);
    this.keep();
    left.filter(({ name }) => !name.endsWith(this.tab)).forEach(({ name }) => localStorage.removeItem(name));
    return this.edits.size ? left[left.length - 1].alive : 0;
  };

  /* Somebody else saved what mine cannot stand beside (`told`: [{segment_id, because, theirs: {segment_id}}]): each waits for a choice. */
  Work.prototype.refused = function (told, revision, segments) {
    const entries = this.entries();
    this.clash.clear();
    this.rebase(entries, revision, segments);
    told.filter((one) => this.edits.has(one.segment_id)).forEach((one) => {
      this.clash.set(one.segment_id, { because: one.because, theirs: one.theirs ? one.theirs.segment_id : one.segment_id });
    });
    // the service has looked at the others up to here
    this.edits.forEach((_, id) => { if (!this.clash.has(id)) this.from.set(id, revision); });
    this.keep();
  };

  /* After a save: what went (a copy of the edits) is no longer unsaved. What was drawn while it was on its way still is. */
  Work.prototype.saved = function (went, revision, segments) {
    const later = this.entries().filter(([id, edit]) => !same(went.get(id), edit)).map(([id, edit]) => [id, edit, revision]);
    [this.edits, this.from, this.clash].forEach((map) => map.clear());
    this.rebase(later, revision, segments);
    this.keep();
  };

  window.rivergis.draftWork = { Work, uuid, copy, same };
})();
