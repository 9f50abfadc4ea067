/* Colours: those of the system, unless the reader chose. In the head, so that nothing flashes. */
(function () {
  "use strict";
  var root = document.documentElement, key = "charthouse-report-theme";
  var system = window.matchMedia("(prefers-color-scheme: dark)");
  var choice = null;
  try { choice = window.localStorage.getItem(key); } catch (error) { /* no storage here */ }
  if (choice !== "light" && choice !== "dark") { choice = null; }
  function show() {
    var theme = choice || (system.matches ? "dark" : "light");
    root.setAttribute("data-theme", theme);
    var button = document.getElementById("theme");
    if (button) { button.textContent = theme === "dark" ? "Light colours" : "Dark colours"; }
  }
  show();
  system.addEventListener("change", show);
  document.addEventListener("DOMContentLoaded", function () {
    var button = document.getElementById("theme");
    button.hidden = false;
    button.addEventListener("click", function () {
      choice = root.getAttribute("data-theme") === "dark" ? "light" : "dark";
      try { window.localStorage.setItem(key, choice); } catch (error) { /* lasts for this page */ }
      show();
    });
    show();
  });
})();
