// Forms: what their controls hold, as JSON text, and what is wrong with it.
//
// Values stay text until they are sent, so that a number of any length arrives as it was typed.

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

class Unfit extends Error {}

const written = {
  flag: (control) => String(control.checked),
  choice: (control) => control.value,
  text: (control) => JSON.stringify(control.value),
  integer: (control) => number(control.value),
  number: (control) => number(control.value),
  scalar: (control) => {
    const text = control.value.trim();
    return NUMBER.test(text) ? text : JSON.stringify(control.value);
  },
  moment: (control) => JSON.stringify(control.value + zone(new Date(control.value))),
  json: (control) => {
    JSON.parse(control.value);
    return control.value.trim();
  },
};

function number(text) {
  return NUMBER.test(text) ? text : String(Number(text));
}

// The offset of a moment in the time zone of the browser, such as +02:00.
function zone(moment) {
  const minutes = -moment.getTimezoneOffset();
  const two = (value) => String(Math.floor(Math.abs(value))).padStart(2, "0");
  return (minutes < 0 ? "-" : "+") + two(minutes / 60) + ":" + two(minutes % 60);
}

function isUntouched(control) {
  if (control.type === "checkbox") return control.checked === control.defaultChecked;
  if (control.tagName === "SELECT") {
    const first = [...control.options].findIndex((option) => option.defaultSelected);
    return control.selectedIndex === Math.max(first, 0);
  }
  return control.value === control.defaultValue && !control.validity.badInput;
}

// The JSON text of a control; undefined where the default of the task is to hold.
function read(control) {
  const { kind, required, nullable } = control.dataset;
  if (required === undefined && isUntouched(control)) return undefined;
  if (!control.checkValidity()) throw new Unfit(control.validationMessage);
  const isText = kind === "text" || kind === "lines";
  if (control.value === "" && kind !== "flag") {
    if (nullable !== undefined) return "null";
    if (!isText) {
      if (required === undefined) return undefined;
      throw new Unfit("A value is needed.");
    }
  }
  try {
    return (written[kind] ?? written.text)(control);
  } catch (error) {
    throw new Unfit(`This is no JSON: ${error.message}`);
  }
}

function wrongOf(control) {
  return document.getElementById(`${control.id}-wrong`);
}

function mark(control, message) {
  const wrong = wrongOf(control);
  wrong.textContent = message;
  wrong.hidden = !message;
  if (message) control.setAttribute("aria-invalid", "true");
  else control.removeAttribute("aria-invalid");
}

function isRaw(form) {
  return !form.querySelector(".raw").hidden;
}

// The arguments as the text of a JSON object; null after the controls that do not fit were marked.
function collect(form, { quietly = false } = {}) {
  if (isRaw(form)) return collectRaw(form.querySelector("[data-raw]"));
  const members = [];
  let first = null;
  for (const control of form.querySelectorAll("[data-field]")) {
    try {
      const text = read(control);
      mark(control, "");
      if (text !== undefined) members.push(`${JSON.stringify(control.dataset.field)}: ${text}`);
    } catch (error) {
      if (!(error instanceof Unfit)) throw error;
      if (quietly) continue;
      mark(control, error.message);
      first ??= control;
    }
  }
  first?.focus();
  return first ? null : `{${members.join(", ")}}`;
}

function collectRaw(area) {
  let problem = "";
  try {
    const value = JSON.parse(area.value || "{}");
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    if (!isObject) problem = 'The arguments are an object: {"name": value, …}.';
  } catch (error) {
    problem = `This is no JSON: ${error.message}`;
  }
  mark(area, problem);
  if (problem) area.focus();
  return problem ? null : area.value || "{}";
}

// Swap the fields for one JSON object, which begins with what they hold, or bring them back.
function toggleRaw(form, button) {
  const raw = form.querySelector(".raw");
  const area = raw.querySelector("[data-raw]");
  if (raw.hidden) area.value = pretty(collect(form, { quietly: true }));
  raw.hidden = !raw.hidden;
  form.querySelector(".fields").hidden = !raw.hidden;
  button.setAttribute("aria-pressed", String(!raw.hidden));
  (raw.hidden ? form.querySelector("[data-field]") : area)?.focus();
}

// Mark the controls that a problem document speaks of: {"pointer": "/params/name", "detail": …}.
function markProblems(form, errors) {
  for (const { pointer, detail } of errors ?? []) {
    const [, , step] = (pointer ?? "").split("/");
    const name = step?.replaceAll("~1", "/").replaceAll("~0", "~");
    for (const control of form.querySelectorAll("[data-field]")) {
      if (control.dataset.field === name && !isRaw(form)) mark(control, detail);
    }
  }
}

// JSON as people read it. Numbers keep their digits where the browser can tell what was written.
function parse(text) {
  const keep = (key, value, context) =>
    typeof value === "number" && context && JSON.rawJSON ? JSON.rawJSON(context.source) : value;
  return JSON.parse(text, keep);
}

function pretty(text) {
  return JSON.stringify(parse(text), null, 2);
}
