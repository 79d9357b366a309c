/** Mutes a cause of failures, for a time or for good, and takes that back. */
import { useSignal } from "@preact/signals";
import { skew } from "../../api/client";
import { Problem } from "../../api/problem";
import type { FailureGroup, Mute } from "../../api/types";
import { Dialog } from "../../parts/dialog";
import { Field } from "../../parts/field";
import { When } from "../../parts/when";
import { act } from "../../shell/act";

const DAY = 86_400;
const LENGTHS: readonly (readonly [string, number])[] = [
	["an hour", DAY / 24],
	["a day", DAY],
	["7 days", 7 * DAY],
	["30 days", 30 * DAY],
];

const TOPICS = ["failures"];
const LAST = "9999-12-31T23:59";

/** Returns a moment as a field of this browser's zone has it, to the minute. */
function fieldOf(at: number): string {
	return new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** Returns what is wrong with the moment of a field. */
function wrongUntil(value: string): string {
	const at = Date.parse(value);
	if (Number.isNaN(at) || value.length > LAST.length + 3)
		return "Give a date and a time, up to the year 9999.";
	return at <= Date.now() + skew.value ? "This moment is over: give one to come." : "";
}

/** Until when, by whom and why a cause is muted. */
export function Muted({ mute }: { mute: Mute }) {
	return (
		<p>
			<span class="tag">
				muted {mute.until ? <When at={mute.until} whole /> : "for good"}
				{mute.muted_by && ` by ${mute.muted_by}`}
			</span>{" "}
			<span class="quiet">{mute.note}</span>
		</p>
	);
}

/** Has a cause be news again. */
export function unmute(fingerprint: string): void {
	const path = `failures/${fingerprint}/$unmute`;
	void act({ path, says: "It is news again.", topics: TOPICS });
}

/** Asks for how long, and why. */
export function MuteDialog({ group, close }: { group: FailureGroup; close: () => void }) {
	const seconds = useSignal("");
	const until = useSignal("");
	const note = useSignal("");
	const wrong = useSignal("");
	const refused = useSignal("");
	const mute = async () => {
		wrong.value = seconds.value === "until" ? wrongUntil(until.value) : "";
		refused.value = "";
		if (wrong.value) return;
		const body = {
			...(seconds.value === "until"
				? { until: new Date(until.value).toISOString() }
				: seconds.value && { seconds: Number(seconds.value) }),
			...(note.value.trim() && { note: note.value.trim() }),
		};
		const done = await act({
			path: `failures/${group.fingerprint}/$mute`,
			body,
			says: `${group.error.type} is muted.`,
			undo: () => unmute(group.fingerprint),
			topics: TOPICS,
			refused: (problem) => {
				const hint = problem instanceof Problem ? problem.hint : "";
				refused.value = [(problem as Error).message, hint].filter(Boolean).join(" ");
			},
		});
		if (done !== undefined) close();
	};
	return (
		<Dialog title={`Mute ${group.error.type} of ${group.tasks.join(", ")}?`} close={close}>
			<form
				noValidate
				onSubmit={(event) => {
					event.preventDefault();
					void mute();
				}}
			>
				<p>
					Its jobs go on to fail and are kept, but they are no news: not here, not in the overview,
					and not for webhooks.
				</p>
				<Field
					name="for"
					says={
						seconds.value
							? "then it is news again by itself"
							: "it is no news before somebody unmutes it"
					}
				>
					<select
						value={seconds.value}
						onChange={(event) => {
							seconds.value = event.currentTarget.value;
						}}
						data-focus
					>
						<option value="">good</option>
						{LENGTHS.map(([name, length]) => (
							<option key={name} value={length}>
								{name}
							</option>
						))}
						<option value="until">as long as I say</option>
					</select>
				</Field>
				{seconds.value === "until" && (
					<Field name="until" says="in the zone of this browser" wrong={wrong.value}>
						<input
							type="datetime-local"
							required
							min={fieldOf(Date.now() + skew.value)}
							max={LAST}
							value={until.value}
							aria-invalid={!!wrong.value}
							onInput={(event) => {
								until.value = event.currentTarget.value;
								wrong.value = "";
							}}
						/>
					</Field>
				)}
				<Field name="note" says="why, for the others">
					<input
						value={note.value}
						maxLength={500}
						onInput={(event) => {
							note.value = event.currentTarget.value;
						}}
					/>
				</Field>
				{refused.value && (
					<p class="wrong" role="alert">
						{refused.value}
					</p>
				)}
				<footer>
					<button type="button" onClick={close}>
						Leave it
					</button>
					<button type="submit" class="main">
						Mute
					</button>
				</footer>
			</form>
		</Dialog>
	);
}
