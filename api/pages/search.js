(() => {
  const key = "yima-search", place = document.getElementById("history"), typed = place.dataset.q;
  let past = [];
  try { past = JSON.parse(localStorage.getItem(key)) || []; } catch { return; }
  if (typed) {
    past = [typed, ...past.filter((each) => each !== typed)].slice(0, 10);
    localStorage.setItem(key, JSON.stringify(past));
  }
  if (!past.length) return;
  const list = place.querySelector("ul");
  for (const each of past) {
    const item = document.createElement("li"), link = document.createElement("a");
    link.className = "link";
    link.href = "/search?q=" + encodeURIComponent(each);
    link.textContent = each;
    item.append(link);
    list.append(item);
  }
  place.querySelector("button").onclick = () => { localStorage.removeItem(key); place.hidden = true; };
  place.hidden = false;
})();
