/** The past firings of a schedule: five weeks of days, each with what became of its jobs. */
import { useMemo } from "preact/hooks";
import type { Job } from "../../api/types";
import { moment } from "../../logic/lengths";
import { STATES, type State } from "../../logic/states";
import { daysUpTo } from "../../logic/zones";
import { now } from "../../parts/when";
import { params, setParams } from "../../place";
import { Marks } from "../schedules";

const DAYS = 35;
/** The state that a day is shown in: the first of these that any of its jobs has. */
const WORST: readonly State[] = ["dead", "failed", "running", "queued", "delayed", "blocked"];

interface CalendarProps {
	jobs: readonly Job[];
	zone: string;
	/** Whether these are all jobs of that time. */
	whole: boolean;
}

/** The days; a click shows the jobs of one. */
export function Calendar({ jobs, zone, whole }: CalendarProps) {
	const byDay = useMemo(() => {
		const found = new Map<string, Job[]>();
		for (const job of jobs) {
			const day = moment(Date.parse(job.instant ?? job.created_at), zone).slice(0, 10);
			found.set(day, [...(found.get(day) ?? []), job]);
		}
		return found;
	}, [jobs, zone]);
	const days = daysUpTo(now.value, DAYS, zone);
	const chosen = params.value.get("day");
	const shown = chosen ? (byDay.get(chosen) ?? []) : jobs.slice(0, 40);
	const weekday = (new Date(`${days[0]}T12:00:00Z`).getUTCDay() + 6) % 7;
	return (
		<div class="calendar-box">
			<div class="calendar" role="group" aria-label="Days">
				{["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"].map((one) => (
					<span key={one} class="caption" aria-hidden="true">
						{one}
					</span>
				))}
				{days.map((day, at) => {
					const own = byDay.get(day) ?? [];
					const state = worst(own);
					return (
						<button
							key={day}
							type="button"
							class={`day${own.length ? ` s-${state}` : " none"}`}
							style={at ? undefined : { gridColumnStart: weekday + 1 }}
							aria-pressed={day === chosen}
							title={told(day, own)}
							disabled={!own.length}
							onClick={() => setParams({ day: day === chosen ? null : day }, false)}
						>
							<span class="unseen">{told(day, own)}</span>
							<span aria-hidden="true">{Number(day.slice(8))}</span>
						</button>
					);
				})}
			</div>
			{shown.length ? (
				<div>
					<p class="quiet">
						{chosen ?? (whole ? "The last ones" : "The last ones; there are more")}
					</p>
					<Marks jobs={shown} />
				</div>
			) : (
				<p class="quiet">It has not fired in these five weeks.</p>
			)}
		</div>
	);
}

function worst(jobs: readonly Job[]): State {
	const there = new Set(jobs.map((job) => job.state));
	return WORST.find((state) => there.has(state)) ?? jobs[0]?.state ?? "succeeded";
}

function told(day: string, jobs: readonly Job[]): string {
	const counts = STATES.map((state) => {
		const number = jobs.filter((job) => job.state === state).length;
		return number ? `${number} ${state}` : "";
	}).filter(Boolean);
	return `${day}: ${counts.join(", ") || "nothing fired"}`;
}
