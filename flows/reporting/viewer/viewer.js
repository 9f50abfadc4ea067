/* Shows documents with their mentions. Whatever comes from the warehouse becomes text nodes. */
(function () {
  "use strict";
  var WIDTH = 11, MOST_CONCEPTS = 300, PAGE = 10;
  var BITS = [[2, "negated"], [4, "uncertain"], [8, "historical"], [16, "hypothetical"],
    [32, "family"], [64, "someone else's"]];
  var data = JSON.parse(document.getElementById("viewer-data").textContent);
  var by = function (name) { return document.getElementById("viewer-" + name); };
  var root = document.getElementById("viewer");
  var list = by("list"), text = by("text"), details = by("details"), query = by("query");

  function make(tag, attributes) {
    var element = document.createElement(tag);
    Object.keys(attributes || {}).forEach(function (key) {
      element.setAttribute(key, attributes[key]);
    });
    for (var n = 2; n < arguments.length; n += 1) { element.append(arguments[n]); }
    return element;
  }
  function word(number) { return number < 0 ? "" : data.words[number]; }
  function counted(number, one, more) {
    return number.toLocaleString("en") + " " + (number === 1 ? one : more);
  }
  function score(hundredths) { return hundredths < 0 ? "" : (hundredths / 100).toFixed(2); }
  /* Lower case and plain spaces at the same length: places in it are places in the text. */
  function folded(original) {
    var string = original.replace(/\s/g, " ");
    var lower = string.toLowerCase();
    if (lower.length === string.length) { return lower; }
    return Array.from(string, function (letter) {
      var one = letter.toLowerCase();
      return one.length === letter.length ? one : letter;
    }).join("");
  }

  function said(bits) {
    return BITS.filter(function (bit) { return bits & bit[0]; }).map(function (bit) { return bit[1]; });
  }
  var documents = data.documents.map(function (row) {
    var mentions = [];
    for (var at = 0; at < row[8].length; at += WIDTH) {
      var m = row[8].slice(at, at + WIDTH);
      mentions.push({ start: m[0], end: m[0] + m[1], label: m[2], score: m[3], bits: m[4],
        name: m[5], concept: m[6], link: m[7], method: m[8], model: m[9], section: m[10] });
    }
    return { id: row[0], corpus: row[1], kind: row[2], type: row[3], date: row[4], set: row[5],
      text: row[6], headings: row[7], mentions: mentions, folded: null, hits: [], item: null };
  });

  var shown = [], current = null, hit = null, pinned = null, words = "";

  /* What is chosen. */
  var corpus = by("corpus"), assertion = by("assertion"), concept = by("concept");
  function option(select, value, label) { select.append(make("option", { value: value }, label)); }
  option(corpus, "", "all");
  Array.from(new Set(documents.map(function (d) { return d.corpus; })))
    .sort(function (a, b) { return word(a) < word(b) ? -1 : 1; })
    .forEach(function (number) { option(corpus, number, word(number)); });
  var every = documents.flatMap(function (d) { return d.mentions; });
  option(assertion, "", "any");
  if (every.some(function (m) { return m.bits === 1; })) { option(assertion, "affirmed", "affirmed"); }
  BITS.forEach(function (bit) {
    if (every.some(function (m) { return m.bits & bit[0]; })) { option(assertion, bit[0], bit[1]); }
  });
  if (every.some(function (m) { return !m.bits; })) { option(assertion, "none", "not assessed"); }
  var often = new Map();
  every.forEach(function (m) {
    if (m.concept >= 0) { often.set(m.concept, (often.get(m.concept) || 0) + 1); }
  });
  Array.from(often).sort(function (a, b) { return b[1] - a[1]; }).slice(0, MOST_CONCEPTS)
    .forEach(function (pair) {
      var known = data.concepts[pair[0]];
      by("concepts").append(make("option", { value: known[1] || known[0] }, known[0]));
    });
  var boxes = data.labels.map(function (label, number) {
    var box = make("input", { type: "checkbox", value: number });
    box.checked = true;
    box.addEventListener("change", refresh);
    return { box: box, name: label[0], number: number, colour: label[1] + 1 };
  });
  boxes.slice().sort(function (a, b) { return a.name < b.name ? -1 : 1; }).forEach(function (one) {
    by("labels").append(make("label", { "class": "viewer-" + one.colour }, one.box, one.name));
  });

  function chosenConcepts() {
    var wanted = concept.value.trim().toLowerCase();
    if (!wanted) { return null; }
    var chosen = {};
    var exact = false;
    data.concepts.forEach(function (known, number) {
      if (known[0].toLowerCase() === wanted || known[1].toLowerCase() === wanted) {
        chosen[number] = exact = true;
      }
    });
    if (!exact) {
      data.concepts.forEach(function (known, number) {
        if ((known[0] + " " + known[1]).toLowerCase().indexOf(wanted) >= 0) { chosen[number] = true; }
      });
    }
    return chosen;
  }
  function asserts(bits) {
    var wanted = assertion.value;
    if (!wanted) { return true; }
    if (wanted === "affirmed") { return bits === 1; }
    return wanted === "none" ? !bits : Boolean(bits & Number(wanted));
  }
  function find(doc) {
    doc.hits = [];
    if (!words) { return; }
    if (doc.folded === null) { doc.folded = folded(doc.text); }
    for (var at = doc.folded.indexOf(words); at >= 0; at = doc.folded.indexOf(words, at + words.length)) {
      doc.hits.push(at);
    }
  }

  /* Everything follows from what is chosen. */
  function refresh() {
    var concepts = chosenConcepts();
    var labels = boxes.map(function (one) { return one.box.checked; });
    var narrow = concepts !== null || assertion.value !== "" || labels.indexOf(false) >= 0;
    words = folded(query.value.trim());
    var passing = function (m) {
      return labels[m.label] && asserts(m.bits) && (concepts === null || concepts[m.concept] === true);
    };
    shown = documents.filter(function (doc) {
      if (corpus.value !== "" && doc.corpus !== Number(corpus.value)) { return false; }
      doc.passing = doc.mentions.filter(passing);
      if (narrow && !doc.passing.length) { return false; }
      find(doc);
      return !words || doc.hits.length > 0;
    });
    hit = null;
    fillList();
    open(shown.indexOf(current) >= 0 ? current : shown[0] || null);
    showHits();
  }
  function fillList() {
    var items = document.createDocumentFragment();
    shown.forEach(function (doc, number) {
      var about = counted(doc.passing.length, "mention", "mentions");
      if (words) { about = counted(doc.hits.length, "hit", "hits") + ", " + about; }
      doc.item = make("li", { role: "option", id: "viewer-item-" + number, "aria-selected": "false" },
        doc.id, make("small", {}, about));
      doc.item.addEventListener("click", function () { open(doc); });
      items.append(doc.item);
    });
    list.replaceChildren(items);
    by("count").textContent = shown.length === documents.length
      ? counted(shown.length, "document", "documents")
      : shown.length.toLocaleString("en") + " of " + counted(documents.length, "document", "documents");
  }
  function allHits() {
    return shown.flatMap(function (doc) {
      return doc.hits.map(function (at) { return { doc: doc, at: at }; });
    });
  }
  function showHits() {
    var hits = words ? allHits() : [];
    by("previous").disabled = by("next").disabled = !hits.length;
    if (!words) { by("hits").textContent = ""; return; }
    var place = hit ? hits.findIndex(function (one) { return one.doc === hit.doc && one.at === hit.at; }) : -1;
    var where = counted(hits.length, "hit", "hits") + " in " + counted(shown.length, "document", "documents");
    by("hits").textContent = place < 0 ? where : (place + 1).toLocaleString("en") + " of " + where;
  }
  function step(by_) {
    var hits = allHits();
    if (!hits.length) { return; }
    var place;
    if (hit) {
      place = hits.findIndex(function (one) { return one.doc === hit.doc && one.at === hit.at; }) + by_;
    } else {
      place = hits.findIndex(function (one) { return one.doc === current; });
      if (by_ < 0) { place -= 1; }
    }
    hit = hits[(place + hits.length) % hits.length];
    open(hit.doc);
    showHits();
    var now = text.querySelector(".now");
    if (now) { now.scrollIntoView({ block: "center" }); }
  }

  /* One document. */
  function open(doc) {
    close();
    if (current && current.item) { current.item.setAttribute("aria-selected", "false"); }
    current = doc;
    if (!doc) {
      list.removeAttribute("aria-activedescendant");
      by("name").textContent = "No document fits";
      by("about").textContent = "";
      text.replaceChildren();
      return;
    }
    doc.item.setAttribute("aria-selected", "true");
    list.setAttribute("aria-activedescendant", doc.item.id);
    list.scrollTop = Math.min(Math.max(list.scrollTop,
      doc.item.offsetTop - list.offsetTop + doc.item.offsetHeight - list.clientHeight + 8),
    doc.item.offsetTop - list.offsetTop - 8);
    by("name").textContent = doc.id;
    by("about").textContent = [word(doc.corpus), word(doc.kind), word(doc.type), word(doc.date),
      counted(doc.mentions.length, "mention", "mentions"), "run " + data.sets[doc.set][1]]
      .filter(Boolean).join(", ");
    text.replaceChildren(body(doc));
  }
  /* The text cut wherever anything begins or ends: so no element stands within another. */
  function body(doc) {
    var spans = [];
    doc.passing.forEach(function (m) { spans.push([m.start, m.end]); });
    for (var n = 0; n < doc.headings.length; n += 2) { spans.push([doc.headings[n], doc.headings[n + 1]]); }
    doc.hits.forEach(function (at) { spans.push([at, at + words.length]); });
    var places = new Set([0, doc.text.length]);
    spans.forEach(function (span) { places.add(span[0]); places.add(span[1]); });
    var bounds = Array.from(places).sort(function (a, b) { return a - b; });
    var parts = document.createDocumentFragment(), first = true;
    for (var at = 0; at + 1 < bounds.length; at += 1) {
      var start = bounds[at], end = bounds[at + 1];
      var part = piece(doc, start, end);
      if (part.nodeType === 1 && part.classList.contains("viewer-mention")) {
        part.tabIndex = first ? 0 : -1;
        first = false;
      }
      parts.append(part);
    }
    return parts;
  }
  function piece(doc, start, end) {
    var string = doc.text.slice(start, end);
    var covering = doc.passing.filter(function (m) { return m.start <= start && start < m.end; });
    var found = doc.hits.find(function (at) { return at <= start && start < at + words.length; });
    var heading = false;
    for (var n = 0; n < doc.headings.length; n += 2) {
      heading = heading || (doc.headings[n] <= start && start < doc.headings[n + 1]);
    }
    var classes = [];
    if (found !== undefined) {
      classes.push("viewer-hit");
      if (hit && hit.doc === doc && hit.at === found) { classes.push("now"); }
    }
    if (!covering.length) {
      if (!classes.length) { return heading ? make("b", {}, string) : document.createTextNode(string); }
      return make("mark", { "class": classes.join(" ") }, string);
    }
    var inner = covering[covering.length - 1];
    classes.push("viewer-mention", "viewer-" + (data.labels[inner.label][1] + 1));
    if (covering.length > 1) { classes.push("two"); }
    if (inner.bits & 2) { classes.push("denied"); }
    if (inner.bits & ~3) { classes.push("doubtful"); }
    var shownText = inner.bits & 2 ? make("s", {}, string) : string;
    var element = make("span", { "class": classes.join(" "), role: "button", "aria-expanded": "false" }, shownText);
    var tags = covering.filter(function (m) { return m.end === end; }).reverse().map(function (m) {
      return [data.labels[m.label][0]].concat(said(m.bits)).join(" · ");
    });
    if (tags.length) { element.dataset.tag = tags.join(", "); }
    element.viewerMentions = covering.slice().reverse();
    return element;
  }

  /* Details of a mention: on hover and focus, kept by Enter, closed by Escape. */
  function row(terms, name, value) {
    if (value) { terms.append(make("dt", {}, name), make("dd", {}, value)); }
  }
  function describe(doc, m) {
    var terms = make("dl");
    var known = m.concept < 0 ? null : data.concepts[m.concept];
    row(terms, "Label", data.labels[m.label][0]);
    row(terms, "Score", score(m.score));
    row(terms, "Assertion", m.bits ? said(m.bits).join(", ") || "affirmed" : "not assessed");
    row(terms, "Looked up", word(m.name));
    if (known) {
      row(terms, "Concept", known[1]);
      row(terms, "Id", known[0]);
      row(terms, "Link score", score(m.link));
      row(terms, "Method", word(m.method));
    } else {
      row(terms, "Concept", "none: " + (word(m.method).replace(/_/g, " ") || "not looked up"));
    }
    row(terms, "Section", word(m.section).replace(/_/g, " "));
    row(terms, "Model", word(m.model));
    row(terms, "Annotation set", data.sets[doc.set][0]);
    row(terms, "Run", data.sets[doc.set][1]);
    row(terms, "Release", known ? data.linkset[1] : "");
    return [make("h4", {}, doc.text.slice(m.start, m.end).replace(/\s+/g, " ")), terms];
  }
  var leaving = null, describing = null;
  function showDetails(element) {
    clearTimeout(leaving);
    if (describing === element) { return; }
    close();
    describing = element;
    details.replaceChildren.apply(details, element.viewerMentions.flatMap(function (m) {
      return describe(current, m);
    }));
    details.hidden = false;
    details.scrollTop = 0;
    element.setAttribute("aria-describedby", details.id);
    var outer = root.getBoundingClientRect(), box = element.getClientRects()[0];
    var left = Math.min(box.left - outer.left, outer.width - details.offsetWidth);
    var below = box.bottom - outer.top + 6;
    var above = box.top - outer.top - details.offsetHeight - 6;
    var room = window.innerHeight - box.bottom > details.offsetHeight + 12 || box.top < details.offsetHeight + 12;
    details.style.left = Math.max(0, left) + "px";
    details.style.top = (room ? below : above) + "px";
  }
  function close() {
    clearTimeout(leaving);
    if (describing) {
      describing.removeAttribute("aria-describedby");
      describing.setAttribute("aria-expanded", "false");
    }
    describing = pinned = null;
    details.hidden = true;
  }
  function leave() {
    clearTimeout(leaving);
    leaving = setTimeout(function () {
      if (!pinned && document.activeElement !== describing) { close(); }
    }, 200);
  }
  function mentionOf(event) {
    return event.target.closest ? event.target.closest(".viewer-mention") : null;
  }
  function pin(element) {
    var again = pinned === element;
    showDetails(element);
    pinned = again ? null : element;
    element.setAttribute("aria-expanded", String(!again));
    if (again) { close(); }
  }
  function focusMention(from, to) {
    var all = Array.from(text.querySelectorAll(".viewer-mention"));
    var place = to === "first" ? 0 : to === "last" ? all.length - 1 : all.indexOf(from) + to;
    var next = all[Math.min(Math.max(place, 0), all.length - 1)];
    if (!next) { return; }
    all.forEach(function (one) { one.tabIndex = -1; });
    next.tabIndex = 0;
    next.focus();
  }
  text.addEventListener("mouseover", function (event) {
    var element = mentionOf(event);
    if (element && !pinned) { showDetails(element); }
  });
  text.addEventListener("mouseout", function (event) { if (mentionOf(event)) { leave(); } });
  details.addEventListener("mouseenter", function () { clearTimeout(leaving); });
  details.addEventListener("mouseleave", leave);
  text.addEventListener("focusin", function (event) {
    var element = mentionOf(event);
    if (element) { showDetails(element); }
  });
  text.addEventListener("focusout", function (event) {
    if (mentionOf(event) && !pinned) { close(); }
  });
  text.addEventListener("click", function (event) {
    var element = mentionOf(event);
    if (element) { pin(element); }
  });
  text.addEventListener("keydown", function (event) {
    var element = mentionOf(event);
    if (!element) { return; }
    var steps = { ArrowRight: 1, ArrowLeft: -1, Home: "first", End: "last" };
    if (event.key in steps) { focusMention(element, steps[event.key]); event.preventDefault(); }
    if (event.key === "Enter" || event.key === " ") { pin(element); event.preventDefault(); }
  });
  document.addEventListener("keydown", function (event) { if (event.key === "Escape") { close(); } });
  document.addEventListener("click", function (event) {
    if (pinned && !root.contains(event.target)) { close(); }
  });

  list.addEventListener("keydown", function (event) {
    var steps = { ArrowDown: 1, ArrowUp: -1, PageDown: PAGE, PageUp: -PAGE, Home: -Infinity, End: Infinity };
    if (!(event.key in steps) || !shown.length) { return; }
    var place = shown.indexOf(current) + steps[event.key];
    hit = null;
    open(shown[Math.min(Math.max(place, 0), shown.length - 1)]);
    showHits();
    event.preventDefault();
  });
  var typing = null;
  function soon() { clearTimeout(typing); typing = setTimeout(refresh, 120); }
  query.addEventListener("input", soon);
  query.addEventListener("keydown", function (event) {
    if (event.key !== "Enter") { return; }
    clearTimeout(typing);
    if (folded(query.value.trim()) !== words) { refresh(); }
    step(event.shiftKey ? -1 : 1);
  });
  concept.addEventListener("input", soon);
  corpus.addEventListener("change", refresh);
  assertion.addEventListener("change", refresh);
  by("previous").addEventListener("click", function () { step(-1); });
  by("next").addEventListener("click", function () { step(1); });
  by("clear").addEventListener("click", function () {
    query.value = concept.value = corpus.value = assertion.value = "";
    boxes.forEach(function (one) { one.box.checked = true; });
    refresh();
  });

  root.hidden = false;
  refresh();
})();
