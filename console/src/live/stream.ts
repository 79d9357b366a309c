/** The one stream of changes of the page, and what each change makes out of date. */
import { effect, signal } from "@preact/signals";
import { invalidate } from "../api/cache";
import { API } from "../place";
import { paused } from "./switch";

/** A change, as the API tells it. */
export interface Change {
	position: number;
	kind: "job" | "queue" | "schedule" | "worker" | "limit" | "failure" | "reset";
	name: string;
	what: string;
	task: string | null;
	queue: string | null;
}

export type Line = "connecting" | "live" | "lost";

/** How the stream stands. */
export const line = signal<Line>("connecting");

/** Jobs that have changed a moment ago, with the time, for the tint of their rows. */
export const changed = new Map<string, number>();

const KINDS = ["job", "queue", "schedule", "worker", "limit", "failure", "reset"];
const EVERY = 250; // milliseconds in which changes are gathered
const TINTED = 1200;
const AGAIN = 5000; // after a refusal: a browser comes back by itself only if the line broke
const ROUND = 10_000; // without a stream everything is read so often

/** Returns the topics that a change makes out of date. */
export function topicsOf(change: Change): string[] {
	switch (change.kind) {
		case "job":
			return ["jobs", `job:${change.name}`, "queues", "failures", "stats"];
		case "queue":
			return ["queues", `queue:${change.name}`];
		case "schedule":
			return ["schedules"];
		case "limit":
			return ["limits"];
		case "failure":
			return ["failures"];
		case "worker":
			return ["workers", "queues"];
		default:
			return [];
	}
}

let source: EventSource | undefined;
let position = "";
let gathered = new Set<string>();
let isReset = false;
let timer = 0;

function flush(): void {
	timer = 0;
	const topics = gathered;
	gathered = new Set();
	for (const [id, at] of changed) if (Date.now() - at > TINTED) changed.delete(id);
	if (isReset) invalidate("all", false);
	else invalidate(topics, false);
	isReset = false;
}

function take(event: MessageEvent<string>): void {
	position = event.lastEventId || position;
	const change = JSON.parse(event.data) as Change;
	if (change.kind === "reset") isReset = true;
	if (change.kind === "job") changed.set(change.name, Date.now());
	for (const topic of topicsOf(change)) gathered.add(topic);
	if (!timer) timer = window.setTimeout(flush, EVERY);
}

function open(): void {
	const at = new URL("changes", API);
	if (position) at.searchParams.set("after", position);
	const opened = new EventSource(at);
	source = opened;
	opened.onopen = () => {
		// What happened while the stream was opened is not told.
		if (line.value !== "live") invalidate("all", false);
		line.value = "live";
	};
	opened.onerror = () => {
		line.value = "lost";
		if (opened.readyState === EventSource.CLOSED && source === opened) {
			source = undefined;
			window.setTimeout(() => !paused.value && !source && open(), AGAIN);
		}
	};
	for (const kind of KINDS) opened.addEventListener(kind, take as EventListener);
}

/** Follows what happens for as long as the page is there, and is not paused. */
export function follow(): void {
	effect(() => {
		if (paused.value) {
			source?.close();
			source = undefined;
			line.value = "connecting";
		} else if (!source) {
			open();
		}
	});
	window.setInterval(() => {
		if (line.value === "lost" && !paused.value && !document.hidden) invalidate("all", false);
	}, ROUND);
}
