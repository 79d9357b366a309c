/** Keys: one table of what each does, which the help shows; none is taken from an input. */
import { useEffect } from "preact/hooks";

export interface Binding {
	/** `j`, `g o` for one after the other, `mod+k` for Ctrl or Command. */
	keys: string;
	does: string;
	run: (event: KeyboardEvent) => void;
	/** Whether it works in an input, too. */
	everywhere?: boolean;
}

const bindings = new Set<readonly Binding[]>();
const CHORD = 1200; // milliseconds between the two keys of `g o`
let first = "";
let firstAt = 0;

// In the box of a row keys go on from the row; an open menu is in front of the rows.
const TYPED =
	"input:not([role=grid] [type=checkbox]), textarea, select, [contenteditable], .has-menu:has(> .menu)";

function isTyping(target: EventTarget | null): boolean {
	return !!(target as HTMLElement | null)?.closest?.(TYPED);
}

/** Whether Enter presses, or follows, what has the focus. */
function takesEnter(target: EventTarget | null): boolean {
	return !!(target as HTMLElement | null)?.closest?.("a, button, summary");
}

function nameOf(event: KeyboardEvent): string {
	const mod = event.metaKey || event.ctrlKey ? "mod+" : "";
	return mod + (event.key.length === 1 ? event.key.toLowerCase() : event.key);
}

function onKey(event: KeyboardEvent): void {
	if (event.defaultPrevented || event.altKey) return;
	const key = nameOf(event);
	if (key === "Enter" && takesEnter(event.target)) return;
	const typing = isTyping(event.target);
	const open = document.querySelector("dialog[open]");
	const chord = !typing && Date.now() - firstAt < CHORD ? `${first} ${key}` : "";
	// The last that was bound comes first: a dialog before its screen.
	const bound = [...bindings].reverse().flat();
	const isChord = bound.some((one) => one.keys === chord);
	for (const one of bound) {
		if (one.keys !== (isChord ? chord : key)) continue;
		if ((typing || open) && !one.everywhere) continue;
		event.preventDefault();
		first = "";
		one.run(event);
		return;
	}
	if (!typing && !open && key.length === 1) {
		first = key;
		firstAt = Date.now();
	}
}

/** Binds keys while a component is there. */
export function useKeys(made: readonly Binding[]): void {
	useEffect(() => {
		bindings.add(made);
		return () => void bindings.delete(made);
	}, [made]);
}

/** Returns everything that keys do now. */
export function allBindings(): Binding[] {
	return [...bindings].flat();
}

document.addEventListener("keydown", onKey);
