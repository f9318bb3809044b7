// Shows one dataset at a time and searches in all of them. Without it the page is one long list.
const body = document.body;
const articles = new Map([...document.querySelectorAll("article")].map((article) => [article.id, article]));
const links = [...document.querySelectorAll("nav a")];
const rows = [...document.querySelectorAll("tr[data-of]")];
const box = document.getElementById("q");
const lower = (node) => (node ? node.textContent.toLowerCase() : "");
const texts = new Map([...articles].map(([id, article]) => [id, {
  about: `${id} ${lower(article.querySelector(".kind"))} ${lower(article.querySelector(".lead"))} ${lower(article.querySelector(".facts"))}`.toLowerCase(),
  columns: [...article.querySelectorAll(".columns tbody tr")].map((row) =>
    [row.querySelector("code").textContent, lower(row)]),
}]));
body.classList.add("js");

function show() {
  const id = decodeURIComponent(location.hash.slice(1));
  body.classList.toggle("one", articles.has(id));
  for (const [name, article] of articles) article.classList.toggle("shown", name === id);
  for (const link of links) {
    if (link.hash.slice(1) === id) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = articles.has(id) ? `${id} · Lakehouse catalog` : "Lakehouse catalog";
  if (articles.has(id)) scrollTo({ top: 0, behavior: "instant" });
}

function search() {
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  let matches = 0;
  const kept = new Set();
  for (const link of links) {
    const id = link.hash.slice(1);
    const { about, columns } = texts.get(id);
    const hits = columns.filter(([, text]) => words.some((word) => text.includes(word)));
    const all = words.every((word) => about.includes(word) || columns.some(([, text]) => text.includes(word)));
    link.parentElement.hidden = !all;
    link.nextElementSibling.textContent = words.length && all ? hits.slice(0, 4).map(([name]) => name).join(", ") + (hits.length > 4 ? " …" : "") : "";
    if (all) { matches += 1; kept.add(id); }
  }
  for (const row of rows) row.hidden = !kept.has(row.dataset.of);
  for (const title of document.querySelectorAll("nav h3")) {
    title.hidden = title.nextElementSibling.querySelectorAll("li:not([hidden])").length === 0;
  }
  document.querySelector(".none").hidden = matches > 0;
  document.getElementById("count").textContent = words.length ? `${matches} of ${articles.size}` : "";
  for (const [, article] of articles) {
    for (const row of article.querySelectorAll(".columns tbody tr")) {
      const name = row.querySelector("code");
      const hit = words.length && words.some((word) => lower(row).includes(word));
      if (hit && !name.firstElementChild) name.innerHTML = `<mark>${name.innerHTML}</mark>`;
      if (!hit && name.firstElementChild) name.innerHTML = name.firstElementChild.innerHTML;
    }
  }
}

addEventListener("hashchange", show);
box.addEventListener("input", () => { search(); if (box.value && body.classList.contains("one")) history.replaceState(null, "", "#all"), show(); });
addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== box) { event.preventDefault(); box.focus(); }
  if (event.key === "Escape" && document.activeElement === box) { box.value = ""; search(); }
});
show();
