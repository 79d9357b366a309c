/** How a job is enqueued: later, sooner than others, under another queue, only once. */

import type { CallOptions } from "../../logic/commands";
import { seconds } from "../../logic/lengths";
import { Field } from "../../parts/field";

/** The options as texts, as they are typed. */
export interface Typed {
	due: string;
	queue: string;
	priority: string;
	key: string;
}

export const NOTHING: Typed = { due: "", queue: "", priority: "", key: "" };

/** Returns the options that were typed. What is no number stays a text: the server says so. */
export function optionsOf(typed: Typed): CallOptions {
	const { due, queue, priority, key } = typed;
	const found: Record<string, unknown> = {};
	const delay = seconds(due);
	if (delay !== null) found.delay = delay;
	else if (due) found.at = momentOf(due);
	if (queue) found.queue = queue;
	if (priority) found.priority = /^-?\d+$/.test(priority) ? Number(priority) : priority;
	if (key) found.key = key;
	return found as CallOptions;
}

function momentOf(text: string): string {
	const at = new Date(text);
	return Number.isNaN(at.getTime()) ? text : at.toISOString();
}

interface OptionsProps {
	typed: Typed;
	change: (typed: Typed) => void;
	wrong: Record<string, string>;
	queue: string;
	queues: readonly string[];
}

/** The fields, folded until somebody wants them. */
export function Options({ typed, change, wrong, queue, queues }: OptionsProps) {
	const set = (name: keyof Typed) => (event: { currentTarget: HTMLInputElement }) =>
		change({ ...typed, [name]: event.currentTarget.value });
	const isSet = Object.values(typed).some(Boolean);
	return (
		<details class="options" open={isSet || undefined}>
			<summary>Later, or otherwise</summary>
			<div class="fields">
				<Field
					name="due"
					says="15min, 2h, or a moment such as 2027-03-31 08:00"
					wrong={wrong.delay ?? wrong.at}
				>
					<input value={typed.due} onInput={set("due")} placeholder="now" autocomplete="off" />
				</Field>
				<Field name="queue" says="to wait under" wrong={wrong.queue}>
					<input value={typed.queue} onInput={set("queue")} placeholder={queue} list="queues" />
				</Field>
				<Field name="priority" says="higher is sooner" wrong={wrong.priority}>
					<input
						value={typed.priority}
						onInput={set("priority")}
						placeholder="0"
						inputMode="numeric"
					/>
				</Field>
				<Field name="key" says="at most one live job has it" wrong={wrong.key}>
					<input value={typed.key} onInput={set("key")} autocomplete="off" />
				</Field>
				<datalist id="queues">
					{queues.map((one) => (
						<option key={one} value={one} />
					))}
				</datalist>
			</div>
		</details>
	);
}
