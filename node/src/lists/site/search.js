(function () {
  "use strict";
  var form = document.getElementById("search"), input = document.getElementById("q"), found = document.getElementById("found");
  if (!form || !window.MATTERS) { return; }
  form.hidden = false;
  var most = 50;
  var texts = window.MATTERS.map(function (it) { return it.slice(0, 3).join(" ").toLowerCase(); });
  function show() {
    var words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    found.textContent = "";
    if (!words.length) { return; }
    var shown = 0;
    for (var at = 0; at < texts.length && shown < most; at++) {
      var text = texts[at];
      if (words.every(function (word) { return text.indexOf(word) >= 0; })) {
        var item = document.createElement("li"), link = document.createElement("a");
        link.href = "m/" + window.MATTERS[at][3] + ".html";
        link.textContent = window.MATTERS[at][0];
        item.appendChild(link);
        item.appendChild(document.createTextNode(" " + window.MATTERS[at][2] + " " + window.MATTERS[at][1]));
        found.appendChild(item);
        shown++;
      }
    }
  }
  form.addEventListener("submit", function (event) { event.preventDefault(); show(); });
  input.addEventListener("input", show);
})();
