"use strict";
// Makes pages nicer; nothing needs it. Local times, progress that is announced, and a word when the connection is lost.
(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

  const addLocalTimes = (root) => {
    for (const time of root.querySelectorAll("time[datetime]:not([data-utc])")) {
      const moment = new Date(time.dateTime);
      if (Number.isNaN(moment.valueOf())) continue;
      time.dataset.utc = time.textContent;
      time.title = time.textContent;
      time.textContent = local.format(moment);
    }
  };

  const sayZone = () => {
    for (const place of document.querySelectorAll(".zone")) {
      if (zone !== "UTC") place.textContent = `Times are those of ${zone}; point at one for UTC`;
    }
  };

  const announce = (root) => {
    const said = root.querySelector("[data-announce]") || (root.matches && root.matches("[data-announce]") ? root : null);
    const announcer = document.getElementById("announcer");
    if (said && announcer && announcer.textContent !== said.dataset.announce) {
      announcer.textContent = said.dataset.announce;
    }
    if (said && said.dataset.title) document.title = said.dataset.title;
  };

  let seen = new Date();
  const connection = () => document.getElementById("connection");
  const lost = () => {
    const place = connection();
    if (place && !place.textContent) {
      place.textContent = `Connection lost, last seen ${local.format(seen)}. What is shown may be old; trying again.`;
    }
  };

  document.addEventListener("htmx:sendError", lost);
  document.addEventListener("htmx:timeout", lost);
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status !== 401) lost();
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.successful) return;
    seen = new Date();
    const place = connection();
    if (place) place.textContent = "";
  });
  document.addEventListener("htmx:load", (event) => {
    addLocalTimes(event.detail.elt);
    announce(event.detail.elt);
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const field = document.getElementById(button.dataset.copy);
    const text = field.value === undefined ? field.textContent : field.value;
    try {
      await navigator.clipboard.writeText(text.trim());
      button.textContent = "Copied";
    } catch {
      const range = document.createRange();
      range.selectNodeContents(field);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      button.textContent = "Selected: press Ctrl-C";
    }
  });

  // htmx notes the path of a page for its history, which is off; nothing of what was seen stays in the browser.
  const forget = () => sessionStorage.clear();
  forget();
  window.addEventListener("load", forget);
  window.addEventListener("pagehide", forget);

  document.documentElement.classList.add("has-script");
  addLocalTimes(document);
  sayZone();
  window.addEventListener("pageshow", (event) => {
    // A page from the browser's memory could show what the session that has ended saw.
    if (event.persisted) location.reload();
  });
})();
