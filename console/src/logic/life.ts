/** The life of a job as stations on a line, with the time that lies between them. */
import type { Job } from "../api/types";
import { hasEnded, type State } from "./states";

export interface Station {
	label: string;
	/** The state that the job took there; null: none. */
	state: State | null;
	/** When; null: not yet. */
	at: string | null;
	/** What lies between this station and the next: "waited", "ran". */
	meanwhile: string;
	/** Seconds until the next station; null: not known, or nothing comes. */
	seconds: number | null;
	/** Whether it is still to come. */
	ahead: boolean;
	/** Whether the job is here now. */
	here: boolean;
}

type Lived = Pick<
	Job,
	"state" | "attempt" | "created_at" | "run_at" | "started_at" | "ended_at" | "reason" | "paused"
>;

function between(from: string | null, to: string | number | null): number | null {
	if (!from || to === null) return null;
	const end = typeof to === "number" ? to : Date.parse(to);
	return Math.max(0, (end - Date.parse(from)) / 1000);
}

/** Returns the stations of a job, at a moment in milliseconds since 1970. */
export function life(job: Lived, now: number): Station[] {
	const { state } = job;
	const ended = hasEnded(state);
	const started = state === "running" || ended ? job.started_at : null;
	// A due time of long after the call is a delay, or the wait for a retry.
	const isLater = job.run_at !== null && Date.parse(job.run_at) - Date.parse(job.created_at) > 50;
	const due = isLater ? (job.run_at as string) : job.created_at;
	const stations: Station[] = [
		station(
			"added",
			null,
			job.created_at,
			isLater ? "until due" : "",
			between(job.created_at, isLater ? due : null),
		),
	];
	if (isLater) {
		const ahead = Date.parse(due) > now;
		stations.push({
			...station(
				job.attempt > 1 || (job.attempt === 1 && !started) ? "due again" : "due",
				"delayed",
				due,
			),
			ahead,
			here: state === "delayed",
		});
	}
	const last = stations[stations.length - 1] as Station;
	if (state === "blocked" || state === "queued" || (state === "delayed" && !isLater)) {
		last.meanwhile = "waits";
		last.seconds = between(last.at, now);
		stations.push({ ...station(state, state, null), here: true });
	} else if (started) {
		last.meanwhile = "waited";
		last.seconds = between(last.at, started);
	} else if (ended) {
		last.meanwhile = "waited";
		last.seconds = between(last.at, job.ended_at);
	}
	if (started || !ended) {
		stations.push({
			...station(job.attempt > 1 ? `attempt ${job.attempt}` : "started", "running", started),
			meanwhile: state === "running" ? "runs" : "ran",
			seconds: started ? between(started, ended ? job.ended_at : now) : null,
			ahead: !started,
			here: state === "running",
		});
	}
	if (ended) stations.push({ ...station(state, state, job.ended_at), here: true });
	else stations.push({ ...station("ends", null, null), ahead: true });
	return stations;
}

function station(
	label: string,
	state: State | null,
	at: string | null,
	meanwhile = "",
	seconds: number | null = null,
): Station {
	return { label, state, at, meanwhile, seconds, ahead: false, here: false };
}
