/* A pocket map's data: taken out of the page, opened with the passphrase where there is one, unpacked. Nothing asks the network. */
(function () {
  "use strict";
  const pocket = (window.pocket = {});

  pocket.el = function (tag, className, text) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined && text !== null) node.textContent = text;
    return node;
  };

  /* Chinese with the English one small beside it; both as text nodes. */
  pocket.named = function (tag, zh, en, className) {
    const node = pocket.el(tag, className, zh);
    if (en) {
      const small = pocket.el("small", "", en);
      small.lang = "en";
      node.append(" ", small);
    }
    return node;
  };

  function bytesOf(base64) {
    const text = atob(base64);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return bytes;
  }

  pocket.block = function () {
    return bytesOf(document.getElementById("pocket-data").textContent.trim());
  };

  /* AES-256-GCM under a key made from the passphrase (PBKDF2-HMAC-SHA-256); the head of the page is bound to it. */
  pocket.unseal = async function (bytes, head, passphrase) {
    const text = new TextEncoder();
    const subtle = window.crypto.subtle;
    const secret = await subtle.importKey("raw", text.encode(passphrase.normalize("NFKC")), "PBKDF2", false, ["deriveKey"]);
    const how = { name: "PBKDF2", hash: "SHA-256", salt: bytesOf(head.sealed.salt), iterations: head.sealed.iterations };
    const key = await subtle.deriveKey(how, secret, { name: "AES-GCM", length: 256 }, false, ["decrypt"]);
    const bound = text.encode(document.getElementById("pocket-head").textContent);
    return new Uint8Array(await subtle.decrypt({ name: "AES-GCM", iv: bytesOf(head.sealed.iv), additionalData: bound }, key, bytes));
  };

  async function inflated(bytes) {
    if (!("DecompressionStream" in window)) return window.pako.ungzip(bytes);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  /* What pocket_pack.py wrote: length of the JSON, the JSON, the shapes of each layer. */
  pocket.unpack = async function (bytes) {
    const raw = await inflated(bytes);
    const length = new DataView(raw.buffer, raw.byteOffset, 4).getUint32(0, true);
    const data = JSON.parse(new TextDecoder().decode(raw.subarray(4, 4 + length)));
    data.layers.forEach((layer) => shapes(layer, raw, 4 + length + layer.at));
    return data;
  };

  /* Coordinates stay whole steps of the grid, counted from the origin: xy; parts of feature f: parts[first[f]] ..; box of f: box[4 f] .. */
  function shapes(layer, raw, at) {
    let xy = new Int32Array(1024);
    let used = 0;
    let x = 0;
    let y = 0;
    const parts = [0];
    const first = new Int32Array(layer.n + 1);
    const box = new Int32Array(layer.n * 4);
    function number() {
      let octet = raw[at++];
      let value = octet & 127;
      for (let shift = 7; octet > 127; shift += 7) {
        octet = raw[at++];
        value |= (octet & 127) << shift;
      }
      return value;
    }
    function step() {
      const n = number();
      return (n >>> 1) ^ -(n & 1);
    }
    for (let f = 0; f < layer.n; f++) {
      let west = 2147483647;
      let south = 2147483647;
      let east = -2147483648;
      let north = -2147483648;
      for (let p = number(); p > 0; p--) {
        for (let n = number(); n > 0; n--) {
          x += step();
          y += step();
          if (used + 2 > xy.length) {
            const wider = new Int32Array(xy.length * 2);
            wider.set(xy);
            xy = wider;
          }
          xy[used++] = x;
          xy[used++] = y;
          if (x < west) west = x;
          if (x > east) east = x;
          if (y < south) south = y;
          if (y > north) north = y;
        }
        parts.push(used / 2);
      }
      first[f + 1] = parts.length - 1;
      box.set([west, south, east, north], 4 * f);
    }
    Object.assign(layer, { xy: xy.subarray(0, used), parts, first, box });
  }

  /* Shanghai has no summer time: its civil day is that of UTC eight hours later. */
  pocket.today = function () {
    return new Date(Date.now() + 8 * 3600e3).toISOString().slice(0, 10);
  };
})();
