/** Fills a time that is over: first the instants that have no job, then a job for each. */
import { useSignal } from "@preact/signals";
import { invalidate } from "../../api/cache";
import { send } from "../../api/client";
import { count, moment } from "../../logic/lengths";
import { Field } from "../../parts/field";
import { Section } from "../../parts/page";
import { confirm } from "../../shell/confirm";
import { tell, tellProblem } from "../../shell/toasts";
import { pathOf } from "../schedules/verbs";

interface Filled {
	count: number;
	items: string[];
}

const SHOWN = 12;

/** The two moments, and what they mean. */
export function Backfill({ name }: { name: string }) {
	const since = useSignal("24h");
	const until = useSignal("");
	const found = useSignal<Filled | undefined>(undefined);
	const ask = (dry: boolean) =>
		send<Filled>("POST", `${pathOf(name)}/$backfill`, {
			since: whenOf(since.value),
			until: until.value ? whenOf(until.value) : null,
			dry_run: dry,
		});
	const look = async () => {
		try {
			found.value = await ask(true);
		} catch (problem) {
			found.value = undefined;
			tellProblem(problem);
		}
	};
	const fill = async () => {
		const number = found.value?.count ?? 0;
		const jobs = `${count(number)} ${number === 1 ? "job" : "jobs"}`;
		const go = await confirm({
			title: `Add ${jobs} to ${name}?`,
			says: "They are due at once, and may run at the same time.",
			verb: `Add ${jobs}`,
			typed: number > 100 ? String(number) : undefined,
		});
		if (!go) return;
		try {
			const done = await ask(false);
			tell(`${count(done.count)} ${done.count === 1 ? "job" : "jobs"} added.`);
			found.value = undefined;
			invalidate(new Set(["schedules", "jobs", "queues"]));
		} catch (problem) {
			tellProblem(problem);
		}
	};
	const change = (to: typeof since) => (event: { currentTarget: HTMLInputElement }) => {
		to.value = event.currentTarget.value;
		found.value = undefined;
	};
	return (
		<Section title="Fill a time that is over">
			<form
				class="backfill"
				onSubmit={(event) => {
					event.preventDefault();
					void look();
				}}
			>
				<Field name="since" says="7d, or 2026-11-20 09:30">
					<input value={since.value} onInput={change(since)} />
				</Field>
				<Field name="until" says="now unless given">
					<input value={until.value} onInput={change(until)} placeholder="now" />
				</Field>
				<button type="submit">Look what is missing</button>
			</form>
			{found.value && (
				<div class="pad" role="status">
					{found.value.count ? (
						<>
							<p>
								{count(found.value.count)} instants have no job:{" "}
								<span class="quiet">
									{found.value.items
										.slice(0, SHOWN)
										.map((at) => moment(Date.parse(at)).slice(5, 16))
										.join(", ")}
									{found.value.count > SHOWN && " and so on"}
								</span>
							</p>
							<button type="button" class="main" onClick={() => void fill()}>
								Add them
							</button>
						</>
					) : (
						<p class="quiet">Nothing is missing: each instant of that time has a job.</p>
					)}
				</div>
			)}
		</Section>
	);
}

/** A length of time as it is; a moment of this zone with its offset. */
function whenOf(text: string): string {
	if (/^\d+(\.\d+)?\s*(s|m|min|h|d)?$/.test(text.trim())) return text.trim();
	const at = new Date(text);
	return Number.isNaN(at.getTime()) ? text : at.toISOString();
}
