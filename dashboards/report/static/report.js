// Unpack plotly, run it, and draw each figure in place of its still drawing. Nothing is fetched.
"use strict";
(() => {
  const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;,=>?@^_`{|}~";
  const CONFIG = {
    displaylogo: false,
    showSendToCloud: false,
    responsive: true,
    modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"],
  };

  // Five characters are four bytes, as in Python's base64.b85encode.
  function unpack(text) {
    const digit = new Uint8Array(128);
    [...ALPHABET].forEach((letter, value) => { digit[letter.charCodeAt(0)] = value; });
    const missing = (5 - text.length % 5) % 5;
    const whole = text + "~".repeat(missing);
    const bytes = new Uint8Array(whole.length / 5 * 4);
    const view = new DataView(bytes.buffer);
    for (let from = 0, to = 0; from < whole.length; from += 5, to += 4) {
      let number = 0;
      for (let at = from; at < from + 5; at++) number = number * 85 + digit[whole.charCodeAt(at)];
      view.setUint32(to, number);
    }
    return bytes.subarray(0, bytes.length - missing);
  }

  async function loadPlotly() {
    const packed = unpack(document.getElementById("plotly").textContent);
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
  }

  // {css: "--ink"} stands for the value of that variable of the style sheet.
  function coloured(value, style) {
    if (Array.isArray(value)) return value.map((each) => coloured(each, style));
    if (value === null || typeof value !== "object") return value;
    if (value.css) return style.getPropertyValue(value.css).trim();
    const entries = Object.entries(value).map(([key, each]) => [key, coloured(each, style)]);
    return Object.fromEntries(entries);
  }

  async function draw(figure) {
    const place = document.getElementById(figure.id);
    const style = getComputedStyle(document.documentElement);
    const layout = {
      font: { family: style.fontFamily, size: 11, color: { css: "--ink-2" } },
      height: figure.height,
      paper_bgcolor: { css: "--surface" }, // parallel coordinates take it for the halo of their texts
      plot_bgcolor: { css: "--surface" },
      ...figure.layout,
    };
    place.classList.add("drawn");
    const target = place.querySelector(".moving");
    await Plotly.react(target, coloured(figure.data, style), coloured(layout, style), CONFIG);
  }

  function hasWebGL() {
    return Boolean(document.createElement("canvas").getContext("webgl"));
  }

  async function start() {
    const all = JSON.parse(document.getElementById("figures").textContent);
    const figures = all.filter((each) => each.data[0].type !== "parcoords" || hasWebGL());
    if (!figures.length) return;
    await loadPlotly();
    const drawAll = async () => {
      for (const figure of figures) await draw(figure);
    };
    await drawAll();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
    document.documentElement.dataset.drawn = String(figures.length);
  }

  addEventListener("load", () => setTimeout(start)); // after the first paint
})();
