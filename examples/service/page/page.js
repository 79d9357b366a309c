// The gallery: sends pictures, enqueues a job for each, follows it, and shows what it has made.

const ARTIFACTS = "../api/v1/artifacts";
const THUMBNAIL = "../api/v1/tasks/pictures.thumbnail/$enqueue";
const JOBS = "../api/v1/jobs";
const ENDED = ["succeeded", "failed", "dead", "cancelled"];
const EVENTS = ["pending", "running", "completed", "failed", "canceled"];
const STREAMS = 3; // at once: a browser has six connections to a server, and the pictures need some
const LARGEST = 1280; // pixels: a camera has more than this page would show

const gallery = document.getElementById("gallery");
const told = document.getElementById("told");

function make(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

async function ask(path, options) {
  const response = await fetch(path, options);
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    throw new Error(problem.detail ?? `${response.status} ${response.statusText}`);
  }
  return response.status === 204 ? null : response.json();
}

// Any picture that the browser can show, as a PNG.
async function toPng(file) {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, LARGEST / Math.max(bitmap.width, bitmap.height));
  const canvas = make("canvas", {
    width: Math.max(1, Math.round(bitmap.width * scale)),
    height: Math.max(1, Math.round(bitmap.height * scale)),
  });
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

async function upload(file) {
  const name = file.name.replace(/\.\w+$/, "") + ".png";
  const picture = await ask(`${ARTIFACTS}?filename=${encodeURIComponent(name)}`, {
    method: "POST",
    headers: { "Content-Type": "image/png" },
    body: await toPng(file),
  });
  const job = await ask(THUMBNAIL, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ params: { picture: picture.id }, options: { key: picture.id } }),
  });
  const item = show(picture);
  gallery.prepend(item);
  follow(job, item.querySelector(".frame"));
}

function show(picture) {
  const name = picture.metadata.filename ?? picture.id;
  const place = `${ARTIFACTS}/${picture.id}`;
  const remove = make("button", { type: "button", ariaLabel: `Delete ${name}` }, "Delete");
  const item = make(
    "li",
    {},
    make("div", { className: "frame" }),
    make(
      "div",
      { className: "about" },
      make("div", {}, name),
      make("div", { className: "size" }, `${Math.ceil(picture.size / 1024)} KiB`),
      make("a", { href: `${place}/$download`, ariaLabel: `Download ${name}` }, "Download"),
      remove,
    ),
  );
  remove.addEventListener("click", () =>
    attempt(async () => {
      await ask(`${place}?recursive=true`, { method: "DELETE" });
      item.remove();
    }),
  );
  return item;
}

function showThumbnail(frame, id, name) {
  frame.replaceChildren(make("img", { src: `${ARTIFACTS}/${id}/$download`, alt: name }));
}

const waiting = [];
let open = 0;

// Show how far a job is until it has ended, and then what it has made.
function follow(job, frame) {
  frame.replaceChildren(make("progress", { ariaLabel: "Thumbnail" }));
  waiting.push(() => listen(job, frame));
  listenOn();
}

function listenOn() {
  for (; open < STREAMS && waiting.length; open++) waiting.shift()();
}

function listen(job, frame) {
  const stream = new EventSource(`${JOBS}/${job.id}/$stream?poll_interval=0.2`);
  const take = ({ data }) => {
    const { state, progress } = JSON.parse(data);
    const bar = frame.querySelector("progress");
    if (progress?.total) Object.assign(bar, { max: progress.total, value: progress.done });
    if (!ENDED.includes(state)) return;
    stream.close();
    open--;
    listenOn();
    attempt(() => showEnd(job, frame));
  };
  for (const name of EVENTS) stream.addEventListener(name, take);
}

async function showEnd(job, frame) {
  const { state, reason, error, result } = await ask(`${JOBS}/${job.id}`);
  if (state === "succeeded") showThumbnail(frame, result.thumbnail, "");
  else frame.replaceChildren(`${state}: ${error?.message ?? reason}`);
}

async function attempt(action) {
  told.textContent = "";
  try {
    await action();
  } catch (error) {
    told.textContent = error.message;
  }
}

async function load() {
  const [pictures, thumbnails, jobs] = await Promise.all([
    ask(`${ARTIFACTS}?level=0&limit=100`),
    ask(`${ARTIFACTS}?level=1&limit=100`),
    ask(`${JOBS}?task=pictures.thumbnail&state=queued&state=running&limit=100`),
  ]);
  const made = new Map(thumbnails.items.map((one) => [one.parent_id, one.id]));
  const live = new Map(jobs.items.map((job) => [job.key, job]));
  for (const picture of pictures.items) {
    const item = show(picture);
    const frame = item.querySelector(".frame");
    gallery.append(item);
    if (made.has(picture.id)) showThumbnail(frame, made.get(picture.id), picture.metadata.filename);
    else if (live.has(picture.id)) follow(live.get(picture.id), frame);
  }
}

function uploadAll(files) {
  for (const file of files) attempt(() => upload(file));
}

const form = document.getElementById("upload");
const input = document.getElementById("files");
input.addEventListener("change", () => {
  uploadAll(input.files);
  input.value = "";
});
addEventListener("dragover", (event) => {
  event.preventDefault();
  form.classList.add("over");
});
addEventListener("dragleave", () => form.classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  form.classList.remove("over");
  uploadAll(event.dataTransfer.files);
});
attempt(load);
