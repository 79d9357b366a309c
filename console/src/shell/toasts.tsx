/** Short messages about what was done, and what was refused. */
import { signal } from "@preact/signals";
import type { Problem } from "../api/problem";
import { Icon } from "../parts/icons";

interface Toast {
	id: number;
	text: string;
	hint?: string | undefined;
	bad: boolean;
	undo?: (() => void) | undefined;
}

const toasts = signal<readonly Toast[]>([]);
const SHOWN = 6000;
let last = 0;

function add(toast: Omit<Toast, "id">): void {
	last += 1;
	const id = last;
	toasts.value = [...toasts.value.slice(-3), { ...toast, id }];
	setTimeout(() => drop(id), toast.bad ? SHOWN * 2 : SHOWN);
}

function drop(id: number): void {
	toasts.value = toasts.value.filter((one) => one.id !== id);
}

/** Says what was done. */
export function tell(text: string, undo?: () => void): void {
	add({ text, bad: false, undo });
}

/** Says what was refused, and what to do. */
export function tellProblem(problem: unknown): void {
	const known = problem as Partial<Problem>;
	add({ text: known.message ?? String(problem), hint: known.hint, bad: true });
}

/** The messages, at the bottom of the page. */
export function Toasts() {
	return (
		<div class="toasts" role="status" aria-live="polite">
			{toasts.value.map((one) => (
				<div key={one.id} class={one.bad ? "toast bad" : "toast"}>
					<p>
						{one.text}
						{one.hint && <span class="quiet"> {one.hint}</span>}
					</p>
					{one.undo && (
						<button
							type="button"
							class="link"
							onClick={() => {
								drop(one.id);
								one.undo?.();
							}}
						>
							Undo
						</button>
					)}
					<button type="button" class="ghost tiny" onClick={() => drop(one.id)}>
						<Icon name="close" size={12} />
						<span class="unseen">Close</span>
					</button>
				</div>
			))}
		</div>
	);
}
