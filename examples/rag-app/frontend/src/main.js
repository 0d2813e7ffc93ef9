import { h, render } from "/lib/preact.js";

const answers = document.getElementById("answers");

document.getElementById("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = new FormData(event.target).get("text");
  const response = await fetch("/api/ask", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ text }),
  });
  const found = await response.json();
  render(h("ol", null, found.map((hit) => h("li", null, hit.text, h("small", null, ` ${hit.source}`)))), answers);
});
