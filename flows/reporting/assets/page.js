/* Draws the charts: what is in view first, the rest when there is time, all before printing. */
(function () {
  "use strict";
  var theme = JSON.parse(document.getElementById("chart-theme").textContent);
  if (window.matchMedia("(max-width: 600px)").matches) {
    theme.legend.columns = 2;
    theme.legend.labelLimit = 130;
    theme.axis.labelLimit = 120;
  }
  var drawings = Array.prototype.slice.call(document.querySelectorAll(".drawing"));

  function draw(element) {
    if (element.dataset.state) { return Promise.resolve(); }
    element.dataset.state = "drawing";
    var role = element.getAttribute("role"), name = element.getAttribute("aria-label");
    var source = element.parentNode.querySelector('script[type="application/json"]');
    return window.vegaEmbed(element, JSON.parse(source.textContent), {
      mode: element.dataset.mode,
      renderer: "svg",
      actions: false,
      ast: true,
      config: theme,
      defaultStyle: false,
      tooltip: { theme: "page", disableDefaultStyle: true }
    }).then(function () {
      element.dataset.state = "drawn";
      /* Vega calls every chart by one name of its own. */
      element.setAttribute("role", role);
      element.setAttribute("aria-label", name);
      element.removeAttribute("aria-roledescription");
      element.style.minHeight = "";
    }, function (error) {
      element.dataset.state = "failed";
      element.textContent = "This chart cannot be drawn here; its numbers are below.";
      console.error(error);
    });
  }

  var seen = new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) { if (entry.isIntersecting) { draw(entry.target); } });
  }, { rootMargin: "300px" });
  drawings.forEach(function (element) { seen.observe(element); });

  var idle = window.requestIdleCallback || function (work) { return setTimeout(work, 60); };
  function rest(position) {
    if (position >= drawings.length) {
      document.documentElement.dataset.charts = "drawn";
      return;
    }
    draw(drawings[position]).then(function () { idle(function () { rest(position + 1); }); });
  }
  idle(function () { rest(0); });
  window.addEventListener("beforeprint", function () { drawings.forEach(draw); });

  /* The table of contents: open where it stands beside the page, and marking where one is. */
  var contents = document.querySelector(".contents details");
  if (window.matchMedia("(max-width: 900px)").matches) { contents.open = false; }
  var links = {};
  contents.querySelectorAll("a").forEach(function (link) {
    links[link.getAttribute("href").slice(1)] = link;
  });
  var places = new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) {
      if (!entry.isIntersecting) { return; }
      Object.keys(links).forEach(function (id) { links[id].removeAttribute("aria-current"); });
      links[entry.target.id].setAttribute("aria-current", "true");
    });
  }, { rootMargin: "-15% 0px -75% 0px" });
  document.querySelectorAll("main > section").forEach(function (section) {
    if (links[section.id]) { places.observe(section); }
  });
})();
