"use strict";
// Runs before the first paint: a page that is kept dark never flashes white.
try {
  const kept = JSON.parse(localStorage.getItem("theme"));
  if (kept) document.documentElement.dataset.theme = kept;
} catch { /* not allowed to remember */ }
