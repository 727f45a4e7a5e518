// Marks for lessons that were read to their end, in this browser.

import { t } from "../../i18n/translate.js";
import { element } from "../../lib/dom.js";
import { forGood, keep, recall } from "../../lib/storage.js";

const READ = "digitpad.lessons-read";

const known = () => {
  const found = recall(forGood, READ);
  return new Set(Array.isArray(found) ? found : []);
};

/** Marks the links to lessons that were read. */
function mark() {
  const read = known();
  for (const link of document.querySelectorAll("[data-lesson]")) {
    if (!read.has(link.dataset.lesson)) continue;
    link.setAttribute("data-read", "");
    link.append(element("span", { class: "visually-hidden" }, t("read")));
  }
}

/** Notes a lesson as read once its end comes into sight. */
function watch(article) {
  const end = new IntersectionObserver(([{ isIntersecting }]) => {
    if (!isIntersecting) return;
    end.disconnect();
    keep(forGood, READ, [...known().add(article.dataset.name)]);
  });
  end.observe(document.querySelector(".lesson-nav"));
}

const article = document.querySelector(".lesson[data-name]");
if (article === null) mark();
else watch(article);
