"use strict";
// The search of the page. What it shows is put in as text, never as markup. `data.rs` writes what it reads.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const [form, input, hits, list, one] = ["ask", "q", "hits", "list", "one"].map((id) => document.getElementById(id));
  const SHOWN_MAX = 30;
  const ROWS_MAX = 512;
  const STATES = { O: "online", C: "closing", F: "offline", U: "unknown", S: "suspect" };
  const ENDS = { G: "graceful", T: "taken-over", R: "restart", A: "abrupt", I: "inferred" };
  const SPELLS = {
    U: ["up", "online", ""], D: ["down", "offline", ""], N: ["unknown", "unknown", "not heard of yet"],
    L: ["unknown", "unknown", "nobody is listening"], S: ["unknown", "unknown", "no one listened any more"],
    W: ["unknown", "unknown", "the watcher was away"],
  };
  const PIECES = { U: ["up", "online"], P: ["partly", "online in part"], D: ["down", "offline"], X: ["unknown", "unknown in part"] };
  // Upper edge and height of each shape.
  const SHAPES = { up: [4, 22], partly: [9, 17], down: [21, 5], unknown: [4, 22] };
  const number = (text) => parseInt(text, 36);

  // ---- words, as the rest of the page and the terminal have them

  const pair = (large, unit, small, smallUnit) => (small === 0 ? `${large}${unit}` : `${large}${unit} ${small}${smallUnit}`);
  const duration = (ms) => {
    const s = Math.floor(ms / 1000);
    if (s < 1) return `${ms} ms`;
    if (s < 60) return `${s}.${Math.floor((ms % 1000) / 100)} s`;
    if (s < 3600) return pair(Math.floor(s / 60), "m", s % 60, "s");
    if (s < 86400) return pair(Math.floor(s / 3600), "h", Math.floor((s % 3600) / 60), "m");
    return pair(Math.floor(s / 86400), "d", Math.floor((s % 86400) / 3600), "h");
  };
  const two = (count) => String(Math.floor(count)).padStart(2, "0");
  const sign = (s) => (s < 0 ? "-" : "+") + two(Math.abs(s) / 3600) + ":" + two((Math.abs(s) % 3600) / 60) + (s % 60 ? ":" + two(Math.abs(s) % 60) : "");
  const hasDate = (ms) => ms >= -62167219200000 && ms < 253402300800000;
  const time = (ms) => {
    if (!hasDate(ms)) return `${ms}ms`;
    const [, offset] = data.offsets.filter(([from]) => from <= ms).pop() || data.offsets[0] || [];
    if (offset === undefined || !hasDate(ms + offset * 1000)) return new Date(ms).toISOString();
    return new Date(ms + offset * 1000).toISOString().replace("Z", sign(offset));
  };
  const percent = (part, whole) => {
    if (whole <= 0) return "–";
    const hundredths = (BigInt(part) * 10000n) / BigInt(whole);
    return `${hundredths / 100n}.${String(hundredths % 100n).padStart(2, "0")} %`;
  };
  const grouped = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, ",");
  const counted = (count, noun) => `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
  const mean = (sum, count) => (count > 0 ? duration(Math.floor(sum / count)) : "–");

  // ---- clients

  // All that is needed to find a client: the rest is read when it is shown.
  const clients = [];
  data.brokers.forEach((broker, at) => {
    let before = "";
    for (const row of broker.rows) {
      let end = 0;
      for (let field = 0; field < 9; field++) end = row.indexOf(" ", end) + 1;
      const rest = row.indexOf(" ", end);
      const id = before.slice(0, number(row.slice(end, rest))) + row.slice(rest + 1);
      clients.push({ id, low: id.toLowerCase(), broker: at, row });
      before = id;
    }
  });
  const numbers = (text) => (text === "-" ? [] : text.split(".").map(number));
  const read = (client) => {
    const [state, up, down, connections, losses, returns, codes, outages, lane] = client.row.split(" ");
    const broker = data.brokers[client.broker];
    const totals = { up: number(up), down: number(down), connections: number(connections), losses: number(losses), returns: number(returns) };
    return { state: STATES[state], ...totals, codes: numbers(codes), outages: numbers(outages), spells: spells(broker, lane) };
  };
  const spells = (broker, lane) => {
    const found = [];
    const pieces = /^=([0-9a-z]+):/.exec(lane);
    let from = pieces ? broker.begin_ms : broker.from_ms;
    const step = pieces ? number(pieces[1]) * 1000 : 1;
    const tokens = /([A-Z])([A-Z]?)([0-9a-z]+)(?::([0-9a-z]+))?/g;
    for (const [, kind, how, count, place] of lane.slice(pieces ? pieces[0].length : 0).matchAll(tokens)) {
      const to = Math.min(from + number(count) * step, broker.to_ms);
      const [shape, state, why] = (pieces ? PIECES[kind] : SPELLS[kind]) || [];
      if (shape) found.push({ from, to, shape, state, end: ENDS[how] || why || "", place: (place && broker.places[number(place)]) || "" });
      from = to;
    }
    return { found, isWhole: !pieces, step };
  };

  // ---- drawing

  const make = (name, text, attributes = {}) => {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const svg = (name, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const draw = (broker, spells, label) => {
    const share = (ms) => Math.min(Math.max((ms - broker.from_ms) / Math.max(broker.to_ms - broker.from_ms, 1), 0), 1) * 100;
    const picture = svg("svg", { class: "flow", height: 30, role: "img", "aria-label": label });
    for (const spell of spells) {
      const [y, height] = SHAPES[spell.shape];
      const [x, end] = [share(spell.from), share(spell.to)];
      const piece = svg("rect", { class: `piece ${spell.shape}`, x: `${x}%`, width: `${end - x}%`, y, height });
      const tip = svg("title", {});
      const details = [spell.place, spell.end].filter((word) => word).map((word) => `, ${word}`);
      tip.textContent = `${spell.state} from ${time(spell.from)} for ${duration(spell.to - spell.from)}${details.join("")}`;
      piece.append(tip);
      picture.append(piece);
    }
    for (const ms of broker.outages_ms) {
      picture.append(svg("line", { class: "outage-line", x1: `${share(ms)}%`, x2: `${share(ms)}%`, y1: 0, y2: 30 }));
    }
    return picture;
  };
  const table = (headers, rows) => {
    const element = make("table");
    const head = element.createTHead().insertRow();
    for (const header of headers) head.append(make("th", header.toUpperCase(), { scope: "col" }));
    const body = element.createTBody();
    for (const row of rows) {
      const line = body.insertRow();
      for (const cell of row) line.insertCell().textContent = cell;
    }
    const wide = make("div", undefined, { class: "wide" });
    wide.append(element);
    return wide;
  };
  const facts = (client, broker) => {
    const known = client.up + client.down;
    const span = broker.to_ms - broker.from_ms;
    const list = make("dl");
    const rows = [
      ["available", percent(client.up, known)], ["known", percent(known, span)], ["online", duration(client.up)],
      ["offline", duration(client.down)], ["unknown", duration(span - known)], ["connections", grouped(client.connections)],
      ["mtbf", mean(client.up, client.losses)], ["mttr", mean(client.down, client.returns)],
      ...client.outages.map((outage) => ["lost in", `outage ${outage + 1}, ${time(broker.outages_ms[outage])}`]),
      ...client.codes.map((code) => [data.codes[code][0], `${data.codes[code][1]}. Next: ${data.codes[code][2]}.`]),
    ];
    if (data.brokers.length > 1) rows.unshift(["broker", broker.name]);
    for (const [name, fact] of rows) list.append(make("dt", name), make("dd", fact));
    return list;
  };
  const show = (found) => {
    const broker = data.brokers[found.broker];
    const client = read(found);
    const { spells } = client;
    const heading = make("h3", `${found.id} `);
    heading.append(make("span", client.state, { class: `chip ${client.state}` }));
    const label = `${found.id}: ${duration(client.up)} online, ${duration(client.down)} offline, ${counted(client.connections, "connection")}`;
    const ends = `${time(broker.from_ms)} to ${time(broker.to_ms)}`;
    one.replaceChildren(heading, draw(broker, spells.found, label), make("p", ends), facts(client, broker));
    if (spells.isWhole) {
      const details = make("details");
      details.append(make("summary", `${counted(spells.found.length, "spell")} as a table`));
      const rows = spells.found.slice(0, ROWS_MAX);
      details.append(table(["from", "for", "state", "end", "address"], rows.map((spell) =>
        [time(spell.from), duration(spell.to - spell.from), spell.state, spell.end, spell.place])));
      one.append(details);
    } else {
      one.append(make("p", `Its connections had no place each: drawn in pieces of ${duration(spells.step)}. \`presence replay\` with \`--timeline\` and the id prints each.`));
    }
    one.hidden = false;
  };

  // ---- searching

  const wanted = (low) => clients.filter((client) => client.low.includes(low));
  const link = (client) => {
    const place = new URLSearchParams({ client: client.id });
    if (client.broker > 0) place.set("broker", client.broker);
    const item = make("li");
    const broker = data.brokers.length > 1 ? ` at ${data.brokers[client.broker].name}` : "";
    item.append(make("a", (client.id || "(an empty id)") + broker, { href: `#${place}` }));
    return item;
  };
  const missing = data.left_out > 0 ? ` ${counted(data.left_out, "client")} had no place on this page.` : "";
  const search = () => {
    const low = input.value.trim().toLowerCase();
    if (low === "") {
      hits.textContent = `${counted(clients.length, "client")} can be searched for.${missing}`;
      list.replaceChildren();
      return [];
    }
    const found = wanted(low);
    const shown = found.length > SHOWN_MAX ? `, the first ${SHOWN_MAX} are shown` : "";
    hits.textContent = `${counted(found.length, "client")} found${shown}.${found.length === 0 ? missing : ""}`;
    list.replaceChildren(...found.slice(0, SHOWN_MAX).map(link));
    return found;
  };
  const follow = () => {
    const place = new URLSearchParams(location.hash.slice(1));
    if (place.has("q")) {
      input.value = place.get("q");
      search();
      document.getElementById("search").scrollIntoView();
    }
    if (!place.has("client")) return;
    const [id, broker] = [place.get("client"), Number(place.get("broker") || 0)];
    const found = clients.find((client) => client.id === id && client.broker === broker);
    if (found) {
      show(found);
      one.focus({ preventScroll: true });
      one.scrollIntoView({ block: "center" });
    } else {
      one.hidden = true;
      hits.textContent = `Nothing is known here of the client that the link names.${missing}`;
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const [first] = search();
    if (first) location.hash = link(first).firstChild.getAttribute("href");
  });
  input.addEventListener("input", search);
  window.addEventListener("hashchange", follow);
  input.disabled = false;
  search();
  follow();
})();
