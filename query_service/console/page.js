"use strict";
// The console: one conversation with POST /ask. Text from documents is only ever set as text, never as markup.

const talk = document.getElementById("talk");
const form = document.getElementById("form");
const question = document.getElementById("question");
const keyRow = document.getElementById("key-row");
const key = document.getElementById("key");
let conversation = null;

const REASONS = {
  no_evidence: "Nenhum trecho dos documentos prova uma resposta.",
  low_score: "Os trechos encontrados não bastam para uma resposta segura.",
  pending_documents: "Há documentos ainda sendo lidos. Pergunte de novo em instantes.",
  llm_unavailable: "O modelo de linguagem não respondeu.",
};

const PROBLEMS = {
  401: "este serviço pede uma chave.",
  403: "esta chave não permite perguntas.",
  404: "esta conversa não existe mais; recarregue a página.",
  422: "a pergunta está vazia ou é longa demais.",
  429: "foram feitas perguntas demais em pouco tempo; aguarde um pouco e tente de novo.",
  503: "o serviço ou o modelo de linguagem parou no meio; tente de novo em instantes.",
};

function element(name, text, className) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function place(citation) {
  if (citation.page_start === null) return citation.filename;
  const pages = citation.page_start === citation.page_end
    ? `página ${citation.page_start}` : `páginas ${citation.page_start} a ${citation.page_end}`;
  return `${citation.filename}, ${pages}`;
}

function source(citation) {
  const item = element("li");
  const link = element("a", `[${citation.n}] ${place(citation)}`);
  link.href = citation.url;
  link.target = "_blank";
  link.rel = "noopener";
  item.append(link, element("blockquote", citation.quote));
  if (citation.page_image) {
    const page = element("a", "Ver o trecho na página", "page");
    page.href = citation.page_image;
    page.target = "_blank";
    page.rel = "noopener";
    item.append(page);
  }
  return item;
}

// Places in an answer count characters, not the halves of them that JavaScript counts.
function marked(answer) {
  const shown = element("p");
  const characters = Array.from(answer.answer);
  let end = 0;
  for (const sentence of answer.sentences.filter((one) => !one.supported)) {
    const doubtful = element("span", characters.slice(sentence.start, sentence.end).join(""), "unsupported");
    doubtful.title = "Os trechos citados não confirmam esta frase.";
    shown.append(characters.slice(end, sentence.start).join(""), doubtful);
    end = sentence.end;
  }
  shown.append(characters.slice(end).join(""));
  return shown;
}

function show(card, answer) {
  card.append(marked(answer));
  if (!answer.grounded) card.append(element("p", REASONS[answer.reason] || "", "note"));
  const sources = element("ol");
  sources.append(...answer.citations.map(source));
  card.append(sources, opinion(answer.message_id));
}

// One rating for each answer: the latest click counts.
function opinion(message) {
  const row = element("p", "", "opinion");
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", "Esta resposta ajudou?");
  const buttons = [["up", "Ajudou"], ["down", "Não ajudou"]].map(([rating, text]) => {
    const button = element("button", text);
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", async () => {
      try {
        await post(`/messages/${message}/feedback`, { rating });
        buttons.forEach((one) => one.setAttribute("aria-pressed", String(one === button)));
      } catch (error) {
        row.append(element("span", `Não foi possível registrar: ${error.message}`, "note"));
      }
    });
    return button;
  });
  row.append(...buttons);
  return row;
}

async function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  if (key.value) headers.Authorization = `Bearer ${key.value}`;
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) }).catch(() => {
    throw new Error("o serviço não responde; verifique a conexão e tente de novo.");
  });
  const answer = await response.json();
  if (response.status === 401 || response.status === 403) keyRow.hidden = false;
  if (!response.ok) throw new Error(PROBLEMS[response.status] || `erro ${response.status}.`);
  return answer;
}

async function ask(text) {
  const body = { question: text };
  if (conversation) body.conversation_id = conversation;
  const answer = await post("/ask", body);
  conversation = answer.conversation_id;
  return answer;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = question.value.trim();
  if (!text) return;
  const button = form.querySelector("button");
  const card = element("article");
  card.append(element("h2", text));
  const waiting = element("p", "Procurando e escrevendo a resposta…", "note");
  card.append(waiting);
  talk.append(card);
  card.scrollIntoView({ block: "nearest" });
  button.disabled = true;
  try {
    show(card, await ask(text));
    question.value = "";
  } catch (error) {
    card.append(element("p", `Não foi possível responder: ${error.message}`, "note"));
  } finally {
    waiting.remove();
    button.disabled = false;
    question.focus();
    card.scrollIntoView({ block: "nearest" });
  }
});

async function tellMode() {
  const page = await (await fetch("/readyz")).json();
  const mode = page.mode.startsWith("extractive")
    ? "Sem modelo de linguagem: as respostas são trechos literais dos documentos." : `Modelo de linguagem: ${page.mode}.`;
  document.getElementById("mode").textContent = `${mode} ${page.chunks} trechos pesquisáveis.`;
}
tellMode().catch(() => { document.getElementById("mode").textContent = "O serviço ainda não está pronto."; });
