/** Where the console is, and which of its screens is shown: a router over the History API. */
import { batch, signal } from "@preact/signals";

const script = document.querySelector<HTMLScriptElement>("script[type=module]");

/** The beginning of every address of the console, with a slash at the end. */
export const BASE = new URL("..", script?.src ?? location.href);

const api = document.querySelector<HTMLMetaElement>("meta[name=rotulus-api]")?.content;

/** The beginning of every address of the API, with a slash at the end. */
export const API = new URL(!api || api.startsWith("%") ? "../api/v1/" : api, BASE);

// A browser reads the address of the icon anew, and relative to it, when that of the page changes.
for (const icon of document.querySelectorAll<HTMLLinkElement>("link[rel=icon]"))
	icon.setAttribute("href", icon.href);

function pathNow(): string {
	const path = location.pathname;
	return path.startsWith(BASE.pathname) ? path.slice(BASE.pathname.length) : "";
}

/** The path of the screen, below the base: `jobs/019a`. */
export const path = signal(pathNow());

/** What the address says beside the path, such as filters. */
export const params = signal(new URLSearchParams(location.search));

/** Returns the address of a screen, for a link. */
export function href(to: string, query?: Record<string, string>): string {
	const found = query ? `?${new URLSearchParams(query)}` : "";
	return `${BASE.pathname}${to}${found}`;
}

function read(): void {
	batch(() => {
		path.value = pathNow();
		params.value = new URLSearchParams(location.search);
	});
}

/** Shows another screen. */
export function go(to: string): void {
	history.pushState(null, "", to);
	read();
	document.getElementById("main")?.focus({ preventScroll: true });
	scrollTo(0, 0);
}

/** Returns the address of this screen with something else in it; null leaves a name out. */
export function withParams(changes: Record<string, string | null>): string {
	const next = new URLSearchParams(location.search);
	for (const [name, value] of Object.entries(changes)) {
		if (value === null || value === "") next.delete(name);
		else next.set(name, value);
	}
	const search = next.toString();
	return `${location.pathname}${search && `?${search}`}`;
}

/** Says something else in the address of this screen; null leaves a name out. */
export function setParams(changes: Record<string, string | null>, keep = true): void {
	const to = withParams(changes);
	if (keep) history.pushState(null, "", to);
	else history.replaceState(null, "", to);
	read();
}

/** The text of a part of a path; null if its signs for bytes make none. */
function decoded(part: string): string | null {
	try {
		return decodeURIComponent(part);
	} catch {
		return null;
	}
}

/** Returns what `pattern` names in a path: `jobs/:id`; null if the path is another one, or no text. */
export function matched(pattern: string, path: string): Record<string, string> | null {
	const wanted = pattern.split("/");
	const given = path.replace(/\/$/, "").split("/");
	if (wanted.length !== given.length) return null;
	const found: Record<string, string> = {};
	for (const [at, part] of wanted.entries()) {
		const text = decoded(given[at] as string);
		if (text === null || (!part.startsWith(":") && part !== given[at])) return null;
		if (part.startsWith(":")) found[part.slice(1)] = text;
	}
	return found;
}

function followClick(event: MouseEvent): void {
	if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey) return;
	if (event.shiftKey || event.altKey) return;
	const link = (event.target as Element).closest?.("a");
	if (!link || link.target || link.hasAttribute("download")) return;
	const to = new URL(link.href);
	if (to.origin !== BASE.origin || !to.pathname.startsWith(BASE.pathname)) return;
	event.preventDefault();
	go(to.pathname + to.search);
}

addEventListener("popstate", read);
document.addEventListener("click", followClick);
