// The page: opens tasks, sends their forms, shows what comes back, follows jobs, filters.

const service = document.body.dataset;
const ENDED = ["succeeded", "failed", "dead", "cancelled", "skipped"];
const STREAM_EVENTS = ["pending", "running", "completed", "failed", "canceled", "deleted"];

// Returns an element with properties and children; a text is never read as HTML.
function make(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// --- Requests ---

// With the host: the address of the page may hold a password, and fetch refuses such an address.
function at(path) {
  return location.origin + path;
}

function placeOf(task, verb) {
  return at(`${service.tasks}/${encodeURIComponent(task)}/$${verb}`);
}

async function post(place, params) {
  const begun = performance.now();
  const response = await fetch(place, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: `{"params": ${params}}`,
  });
  const text = await response.text();
  return { response, text, took: performance.now() - begun };
}

function duration(milliseconds) {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  return `${(milliseconds / 1000).toFixed(milliseconds < 10000 ? 2 : 1)} s`;
}

// --- Answers ---

function heading(kind, label, ...others) {
  return make(
    "p",
    { className: "outcome" },
    make("span", { className: `state ${kind}` }, label),
    ...others.filter(Boolean).map((other) => make("span", { className: "quiet" }, other)),
  );
}

function block(text) {
  return make("pre", { tabIndex: 0 }, text);
}

function problemParts(told) {
  return [
    make("p", { className: "message" }, told.detail ?? told.title ?? "It says no more."),
    told.hint ? make("p", { className: "quiet" }, told.hint) : null,
    told.error_id ? make("p", { className: "quiet" }, `Error ${told.error_id} in the log.`) : null,
  ];
}

function errorParts(error) {
  const parts = [
    make("p", { className: "message" }, make("strong", {}, error.type), `: ${error.message}`),
  ];
  if (error.traceback) {
    const folded = make("details", {}, make("summary", {}, "Traceback"), block(error.traceback));
    parts.push(folded);
  } else if (error.error_id) {
    parts.push(make("p", { className: "quiet" }, `Traceback in the log, as ${error.error_id}.`));
  }
  return parts;
}

function envelopeParts(text, took) {
  const { error } = JSON.parse(text);
  if (error) return [heading("bad", "failed", `after ${duration(took)}`), ...errorParts(error)];
  const { result } = parse(text);
  const shown = JSON.stringify(result, null, 2);
  return [heading("good", "succeeded", `in ${duration(took)}`), block(shown)];
}

function refusalParts(form, { response, text }) {
  let told = {};
  try {
    told = JSON.parse(text);
  } catch {
    told = { detail: text.slice(0, 2000) };
  }
  markProblems(form, told.errors);
  return [heading("bad", `refused: ${response.status}`, told.title), ...problemParts(told)];
}

// --- Buttons ---

async function execute(form, task, params) {
  const answer = await post(placeOf(task, "execute"), params);
  return answer.response.ok
    ? envelopeParts(answer.text, answer.took)
    : refusalParts(form, answer);
}

async function enqueue(form, task, params) {
  const answer = await post(placeOf(task, "enqueue"), params);
  return answer.response.ok ? [jobView(JSON.parse(answer.text))] : refusalParts(form, answer);
}

function curl(form, task, params) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const command = [
    `curl -X POST ${quoted(placeOf(task, "execute"))}`,
    `-H 'Content-Type: application/json'`,
    service.token === undefined ? null : `-H "Authorization: Bearer $ROTULUS_TOKEN"`,
    `-d ${quoted(`{"params": ${params}}`)}`,
  ];
  const text = command.filter(Boolean).join(" \\\n  ");
  const told = heading("plain", "curl");
  navigator.clipboard?.writeText(text).then(
    () => told.append(make("span", { className: "quiet" }, "copied")),
    () => {},
  );
  return [told, block(text)];
}

const actions = { execute, enqueue, curl };

async function act(form, button) {
  if (button.dataset.do === "raw") return toggleRaw(form, button);
  const params = collect(form);
  if (params === null) return undefined;
  const answer = form.querySelector(".answer");
  const busy = setTimeout(() => show(answer, [heading("plain", "working …")]), 150);
  button.disabled = true;
  let parts;
  try {
    parts = await actions[button.dataset.do](form, form.dataset.task, params);
  } catch (error) {
    parts = [
      heading("bad", "no answer"),
      make("p", { className: "message" }, `The service cannot be reached: ${error.message}`),
    ];
  }
  clearTimeout(busy);
  button.disabled = false;
  show(answer, parts);
  return undefined;
}

// Stop following the jobs that were shown there.
function show(answer, parts) {
  for (const view of answer.querySelectorAll(".job")) view.dispatchEvent(new Event("leave"));
  answer.replaceChildren(...parts.filter(Boolean));
}

// --- Jobs ---

function jobView(job) {
  const view = make("div", { className: "job" });
  const place = service.jobs && at(`${service.jobs}/${encodeURIComponent(job.id)}`);
  showJob(view, job, place);
  if (place && !ENDED.includes(job.state)) follow(view, job, place);
  return view;
}

// A browser has six connections to a server; a page must not use them all for streams.
const MOST_STREAMS = 4;
const followed = [];

// Show a job until it has ended; the browser connects again by itself when the stream breaks.
function follow(view, job, place) {
  const stream = new EventSource(`${place}/$stream?poll_interval=0.2`);
  const leave = () => {
    stream.close();
    if (followed.includes(leave)) followed.splice(followed.indexOf(leave), 1);
  };
  const take = async (event) => {
    const told = JSON.parse(event.data);
    job = event.type === "deleted" ? { ...job, state: "deleted" } : told;
    showJob(view, job, place);
    if (job.state !== "deleted" && !ENDED.includes(job.state)) return;
    leave();
    const response = await fetch(place);
    if (response.ok) showJob(view, parse(await response.text()), place);
  };
  for (const name of STREAM_EVENTS) stream.addEventListener(name, take);
  view.addEventListener("leave", leave);
  stream.addEventListener("error", () => stream.readyState === EventSource.CLOSED && leave());
  leave.told = () =>
    view.append(make("p", { className: "quiet" }, "No longer followed: four are, at most."));
  followed.push(leave);
  if (followed.length > MOST_STREAMS) {
    followed[0].told();
    followed[0]();
  }
}

function showJob(view, job, place) {
  const kind = { succeeded: "good", failed: "bad", dead: "bad" }[job.state] ?? "plain";
  const id = place ? make("a", { href: place }, job.id) : make("span", {}, job.id);
  const parts = [heading(kind, job.state, id, job.reason, tookOf(job)), progressOf(job)];
  if (job.error) parts.push(...errorParts(job.error));
  if (job.state === "succeeded" && "result" in job) {
    parts.push(block(JSON.stringify(job.result, null, 2)));
  }
  view.replaceChildren(...parts.filter(Boolean));
}

function tookOf(job) {
  if (!job.started_at || !job.ended_at) return null;
  return `in ${duration(new Date(job.ended_at) - new Date(job.started_at))}`;
}

function progressOf(job) {
  if (!job.progress || ENDED.includes(job.state)) return null;
  const { done, total, note } = job.progress;
  const bar = make("progress", total ? { max: total, value: done } : {});
  const told = total ? `${done} of ${total}` : `${done}`;
  return make("p", { className: "progress" }, make("label", {}, bar, ` ${note ?? ""} ${told}`));
}

// --- Tasks ---

function open(task) {
  const template = task.querySelector("template");
  if (!template) return;
  const form = template.content.firstElementChild.cloneNode(true);
  form.dataset.task = task.dataset.task;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(form, event.submitter ?? form.querySelector("[data-do].main"));
  });
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button?.type === "button") act(form, button);
  });
  form.addEventListener("input", (event) => event.target.id && mark(event.target, ""));
  for (const schema of form.querySelectorAll("[data-json]")) {
    schema.textContent = pretty(schema.textContent);
  }
  task.querySelector(".reading").replaceWith(form);
  template.remove();
}

function showHash() {
  const task = document.getElementById(location.hash.slice(1));
  if (task?.tagName === "DETAILS") {
    task.open = true;
    task.scrollIntoView();
  }
}

const tasks = [...document.querySelectorAll("details.task")];
for (const task of tasks) {
  task.addEventListener("toggle", () => {
    if (!task.open) return;
    open(task);
    history.replaceState(null, "", `#${task.id}`);
  });
}
showHash();
addEventListener("hashchange", showHash);

// --- Filter ---

const picked = new Set();

function pick() {
  const words = document.getElementById("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const task of tasks) {
    const tags = JSON.parse(task.dataset.tags);
    const text = task.querySelector("summary").textContent.toLowerCase();
    const fits = words.every((word) => text.includes(word)) && [...picked].every((t) => tags.includes(t));
    task.hidden = !fits;
    shown += fits;
  }
  const all = `${tasks.length} task${tasks.length === 1 ? "" : "s"}`;
  document.getElementById("count").textContent = shown === tasks.length ? all : `${shown} of ${all}`;
  document.getElementById("none").hidden = shown > 0;
}

if (tasks.length) {
  const picking = document.getElementById("picking");
  picking.hidden = false;
  picking.addEventListener("input", pick);
  picking.addEventListener("click", (event) => {
    const button = event.target.closest("[data-tag]");
    if (!button) return;
    const tag = JSON.parse(button.dataset.tag);
    if (!picked.delete(tag)) picked.add(tag);
    button.setAttribute("aria-pressed", String(picked.has(tag)));
    pick();
  });
  pick(); // a browser keeps what was typed when it loads the page again
}

// --- Health ---

async function lookAtHealth() {
  const shown = document.getElementById("health");
  let [state, label] = ["bad", "not reachable"];
  try {
    const response = await fetch(at(service.health));
    const told = await response.json();
    state = response.ok ? "good" : "bad";
    label = typeof told.status === "string" ? told.status : response.ok ? "healthy" : "unhealthy";
  } catch {}
  if (shown.textContent !== label) shown.textContent = label;
  shown.className = `health ${state}`;
  shown.hidden = false;
}

if (service.health) {
  lookAtHealth();
  setInterval(() => document.hidden || lookAtHealth(), 15000);
}
