"use strict";
// The page is complete without this script. With it, panels change by themselves, choices need no
// reload, and keys work. Everything that it shows comes from the server as escaped HTML, or is set
// as text.

const $ = (id) => document.getElementById(id);
const LOST_SECONDS = 8; // a tick comes every 2 s

// ---- times -------------------------------------------------------------------------------------
const clock = (at) => at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });

// The viewer's clock may be wrong: ages count on the server's, which is so many ms ahead of it.
const AHEAD = Date.parse(document.body.dataset.now) - Date.now();

function span(seconds) {
  const whole = Math.max(0, Math.round(seconds)), minutes = Math.floor(whole / 60), hours = Math.floor(minutes / 60);
  if (whole < 60) return `${whole} s`;
  if (minutes < 60) return `${minutes} min`;
  return hours < 48 ? `${hours} h ${String(minutes % 60).padStart(2, "0")} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function showTimes(root) {
  for (const each of root.querySelectorAll("time[data-as]")) {
    const at = new Date(each.dateTime);
    if (each.dataset.as === "clock") each.textContent = clock(at);
    else each.textContent = `${span((Date.now() + AHEAD - at) / 1000)} ago`;
    if (!each.title) each.title = at.toLocaleString();
  }
  for (const each of root.querySelectorAll("text[data-moment]")) { // on a time axis
    const at = new Date(each.dataset.moment), isMidnight = !at.getHours() && !at.getMinutes();
    each.textContent = isMidnight ? at.toLocaleDateString([], { day: "numeric", month: "short" }) : clock(at);
  }
}

// ---- panels ------------------------------------------------------------------------------------
function put(panels) {
  for (const [name, html] of Object.entries(panels)) {
    const place = $(`p-${name}`);
    if (!place) continue;
    const active = document.activeElement, inside = place.contains(active);
    const path = inside ? pathTo(place, active) : null, href = inside && active.getAttribute("href");
    const isOpen = place.querySelector("details[open]"), top = place.querySelector("ul")?.scrollTop;
    place.innerHTML = html;
    if (isOpen) place.querySelector("details")?.setAttribute("open", "");
    if (top) place.querySelector("ul").scrollTop = top;
    if (path) (twin(place, href) ?? follow(place, path))?.focus({ preventScroll: true });
    showTimes(place);
  }
  if ("head" in panels || "verdict" in panels) showHead();
}

// The place of a node as child numbers, so that the focus outlives the change of its panel.
function pathTo(root, node) {
  const path = [];
  for (; node !== root; node = node.parentElement) path.unshift([...node.parentElement.children].indexOf(node));
  return path;
}
// The same link in the panel's new form, where rows may have come before it.
const twin = (root, href) => (href ? root.querySelector(`a[href="${CSS.escape(href)}"]`) : null);
const follow = (root, path) => path.reduce((node, index) => node?.children[index], root);

function showHead() {
  const head = document.querySelector("[data-title]");
  if (!head) return;
  document.title = `${document.body.dataset.before ?? ""}${head.dataset.title} · search`;
  $("main").classList.toggle("stale", head.dataset.state === "away");
  tint(head.dataset.tone);
  showSince(head);
  showNotify();
  tell(head);
}

// The icon of the window in the colour of the state.
const icon = fetch($("icon").href).then((answer) => answer.text());
async function tint(tone) {
  const colours = { ok: "--ok", warn: "--warn", fail: "--fail" };
  const colour = getComputedStyle(root).getPropertyValue(colours[tone] ?? "--accent").trim();
  $("icon").href = `data:image/svg+xml,${encodeURIComponent((await icon).replace(/#[0-9a-f]{6}/, colour))}`;
}

// ---- the stream --------------------------------------------------------------------------------
let source = null, version = document.body.dataset.version || "", heardAt = Date.now(), askedAt = 0, isLive = true;

function listen() {
  const address = document.body.dataset.events;
  if (!address) return;
  source?.close();
  askedAt = Date.now();
  const query = new URLSearchParams(location.search);
  query.set("since", version);
  source = new EventSource(`${address}?${query}`);
  source.addEventListener("panels", (event) => {
    const { version: newer, panels } = JSON.parse(event.data);
    version = newer;
    heardAt = Date.now();
    put(panels);
  });
  source.addEventListener("tick", () => { heardAt = Date.now(); });
  source.addEventListener("gone", () => location.reload()); // the server says why
}

// The browser tries again by itself, but not after a refusal, nor where a dead line stays open.
function listenAgain(isLost) {
  const waited = (Date.now() - askedAt) / 1000, isRefused = source?.readyState === EventSource.CLOSED;
  if (waited > (isRefused ? 3 : LOST_SECONDS) && (isRefused || isLost)) listen();
}

function showAge() {
  const place = $("live");
  if (!place || !document.body.dataset.events) return;
  const seconds = (Date.now() - heardAt) / 1000, lost = seconds > LOST_SECONDS;
  place.hidden = false;
  place.classList.toggle("lost", lost);
  place.classList.toggle("idle", !isLive);
  $("age").textContent = lost ? `Not live · ${span(seconds)} old, reconnecting` : isLive ? "Live" : "Nothing runs";
  listenAgain(lost);
}

// ---- choices: links that change the address and the panels, not the page --------------------------
let shown = location.search;
async function choose(address, isNew = true) {
  const asked = `${document.body.dataset.events.replace(/events$/, "panels")}${address.search}`;
  const answer = await fetch(asked).catch(() => null);
  if (!answer?.ok) { location.assign(address); return; }
  const { version: newer, panels } = await answer.json();
  if (isNew) history.pushState(null, "", address.search || location.pathname);
  shown = location.search;
  version = newer;
  put(panels);
  listen();
}

// Back and forward: the panels of that address.
addEventListener("popstate", () => {
  if (document.body.dataset.events && location.search !== shown) choose(location, false);
});

// A menu closes on a choice, on a click elsewhere, and on Esc.
function closeMenus(kept = null) {
  for (const menu of document.querySelectorAll("details.more-choices[open]")) if (menu !== kept) menu.open = false;
}

document.addEventListener("click", (event) => {
  closeMenus(event.target.closest("a") ? null : event.target.closest("details.more-choices"));
  const link = event.target.closest("a[data-choice]");
  if (link && document.body.dataset.events && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    choose(new URL(link.href));
    return;
  }
  if (event.target.closest("#notify")) turnNotify();
  const code = event.target.closest("code.copy");
  if (code && navigator.clipboard && !getSelection().toString()) navigator.clipboard.writeText(code.textContent);
  const row = event.target.closest("[data-href]");
  if (row && !event.target.closest("a, button, input, code") && !getSelection().toString()) location.assign(row.dataset.href);
});

// ---- since you last looked -----------------------------------------------------------------------
const STUDY = location.pathname.split("/").slice(0, 3).join("/");
let before = null;

function read(key) { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } }
function keep(key, value) { try { localStorage.setItem(key, JSON.stringify(value)); } catch { /* no room, or not allowed */ } }

const looked = (at) => (Date.now() - at < 72e6 ? `at ${clock(at)}` : `on ${at.toLocaleDateString([], { day: "numeric", month: "short" })} at ${clock(at)}`);
const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

function showSince(head) {
  const place = $("since");
  const now = { at: Date.now(), ended: Number(head.dataset.ended), best: head.dataset.best };
  before ??= read(`look ${STUDY}`) ?? now;
  const count = now.ended - before.ended, deaths = head.dataset.deaths.split(" ").filter((at) => 1000 * at > before.at).length;
  if (place && (count > 0 || deaths) && before.at < now.at - 60000) {
    const better = now.best !== before.best && before.best;
    place.textContent = `Since you last looked, ${looked(new Date(before.at))}: ${counted(count, "trial")} ended` +
      (deaths ? `, ${counted(deaths, "worker")} died` : "") + (better ? `, best ${before.best} → ${now.best}.` : ", best unchanged.");
    place.hidden = false;
  }
}
addEventListener("pagehide", () => {
  const head = document.querySelector("[data-title]");
  if (head) keep(`look ${STUDY}`, { at: Date.now(), ended: Number(head.dataset.ended), best: head.dataset.best });
});

// ---- notifications of this browser -----------------------------------------------------------------
let state = null;
function tell(head) {
  const now = head.dataset.state;
  isLive = head.dataset.live === "1";
  if (state && now !== state && ["finished", "failed", "stalled", "waiting", "away"].includes(now) && read(`notify ${STUDY}`) && globalThis.Notification?.permission === "granted")
    new Notification(head.dataset.title, { body: document.querySelector(".verdict .say")?.textContent.trim(), tag: STUDY });
  state = now;
}

function showNotify() {
  const button = $("notify");
  if (!button || !globalThis.Notification) return;
  button.hidden = false;
  button.disabled = Notification.permission === "denied";
  if (button.disabled) {
    button.textContent = "Blocked by the browser";
    button.title = "Allow notifications for this address in the settings of the browser, then load the page again. A webhook tells you without the browser: SEARCH_WEBHOOK";
    return;
  }
  button.textContent = read(`notify ${STUDY}`) ? "Notifies you" : "Notify…";
  button.title = "This browser tells you when the study is done, breaks, stalls or loses its workers, as long as this page is open. A webhook does it without the page: SEARCH_WEBHOOK";
}

async function turnNotify() {
  const isOn = read(`notify ${STUDY}`);
  if (!isOn && (await Notification.requestPermission()) !== "granted") { showNotify(); return; }
  keep(`notify ${STUDY}`, !isOn);
  showNotify();
}

// ---- the values under the pointer ------------------------------------------------------------------
const made = (tag, name, text = "") => Object.assign(document.createElement(tag), { className: name, textContent: text });
const tip = made("div", "tip"), hair = made("div", "hair");

document.addEventListener("pointermove", (event) => {
  const plot = event.target.closest?.("svg[data-at]");
  tip.hidden = hair.hidden = !plot;
  if (!plot) return;
  const box = plot.getBoundingClientRect(), chart = plot.parentElement.getBoundingClientRect();
  const percent = Math.max(0, Math.min(100, 100 * (event.clientX - box.left) / box.width));
  const rows = [...plot.querySelectorAll("path[data-values]")].map((path) => valueAt(path, percent)).filter(Boolean);
  const begin = Number(plot.dataset.begin ?? 0), at = begin + percent * (plot.dataset.end - begin) / 100;
  tip.replaceChildren(made("p", "faint", plot.dataset.at.replace("{}", Math.round(at))), ...rows);
  plot.parentElement.append(hair, tip);
  hair.style.left = `${event.clientX - chart.left}px`;
  if (percent < 55) { tip.style.left = `${event.clientX - chart.left + 14}px`; tip.style.right = ""; }
  else { tip.style.right = `${chart.right - event.clientX + 14}px`; tip.style.left = ""; }
});

// The last value of a curve up to there; none before its begin, nor clearly after its end.
function valueAt(path, percent) {
  const pairs = [...path.getAttribute("d").matchAll(/(-?[\d.]+) (-?[\d.]+)/g)].map((pair) => Number(pair[1]));
  const places = pairs.filter((x, index) => x !== pairs[index - 1]), values = path.dataset.values.split("|");
  const at = places.findLastIndex((x) => x <= percent + 0.5);
  if (at < 0 || percent > places[places.length - 1] + 3) return null;
  const row = made("p", [...path.classList].find((each) => /^s\d$/.test(each)) ?? "");
  row.append(made("b", "", path.dataset.name), ` ${values[at]}`);
  return row;
}

// The curve of the row under the pointer, or of the one that has the focus.
for (const kind of ["pointerover", "focusin"]) document.addEventListener(kind, (event) => {
  const href = event.target.closest?.("tr[data-href]")?.dataset.href;
  for (const curve of document.querySelectorAll("path.curve[data-href]")) curve.classList.toggle("hover", curve.dataset.href === href);
});

// ---- theme and keys ----------------------------------------------------------------------------------
const root = document.documentElement;
const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
function turn() { root.dataset.theme = isDark() ? "light" : "dark"; keep("theme", root.dataset.theme); }

function step(by) {
  const rows = [...document.querySelectorAll("tr[data-href]")], at = rows.indexOf(document.activeElement.closest("tr"));
  const row = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
  row?.querySelector("a")?.focus();
}

let waitsForG = false;
addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeMenus();
  if (event.target.closest("input, textarea, select, dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
  const wasG = waitsForG;
  waitsForG = event.key === "g";
  if (event.key === "t") turn();
  else if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
  else if (event.key === "[") document.querySelector("a[rel=prev]")?.click();
  else if (event.key === "]") document.querySelector("a[rel=next]")?.click();
  else if (event.key === "?") $("help").showModal();
  else if (event.key === "s" && wasG) location.assign("/");
  else if (event.key === "/") {
    event.preventDefault();
    if ($("filter")) $("filter").focus();
    else document.querySelector('.tabs a[href$="/trials"]')?.click();
  }
});

for (const id of ["theme", "keys"]) $(id).hidden = false;
$("theme").addEventListener("click", turn);
$("keys").addEventListener("click", () => $("help").showModal());
showTimes(document);
const tab = document.querySelector(".tabs [aria-current]");
if (tab) tab.parentElement.scrollLeft = tab.offsetLeft - (tab.parentElement.clientWidth - tab.offsetWidth) / 2;
showHead();
listen();
setInterval(() => { showTimes(document); showAge(); }, 1000);
if (document.body.dataset.retry) setTimeout(() => location.reload(), 1000 * document.body.dataset.retry);
