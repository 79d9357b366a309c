/** The attempts of a job, the last first, with what each raised. */
import type { ErrorInfo, WholeJob } from "../../api/types";
import { hasEnded, type State, stateOf } from "../../logic/states";
import { type Frame, parts, shortPath } from "../../logic/traceback";
import { StateMark } from "../../parts/state";
import { Took, When } from "../../parts/when";
import { href } from "../../place";
import { moreOf } from "../jobs/columns";

const WORDS: Record<string, string> = {
	retry: "failed, tried again",
	snooze: "put off",
	shutdown: "given back at a stop",
	unstarted: "given back before it began",
	lost: "its worker was lost",
};

interface Row {
	number: number;
	words: string;
	mark: State;
	worker: string | null;
	started_at: string | null;
	ended_at: string | null;
	error: ErrorInfo | null;
}

function rowsOf(job: WholeJob): Row[] {
	const earlier = job.attempts.map((one) => ({
		...one,
		words: WORDS[one.reason] ?? one.reason.replaceAll("_", " "),
		mark: stateOf(one.outcome),
	}));
	const isHere = job.attempt > earlier.length && (job.state === "running" || hasEnded(job.state));
	const now: Row = {
		number: job.attempt,
		words: [job.state, moreOf(job)].filter(Boolean).join(", "),
		mark: job.state,
		worker: job.worker,
		started_at: job.started_at,
		ended_at: job.ended_at,
		error: job.error,
	};
	return [...(isHere ? [now] : []), ...earlier.sort((one, other) => other.number - one.number)];
}

/** The list. The last failure is unfolded. */
export function Attempts({ job }: { job: WholeJob }) {
	const rows = rowsOf(job);
	if (!rows.length) return <p class="quiet pad">No attempt yet.</p>;
	const failed = rows.findIndex((one) => one.error);
	return (
		<ol class="attempts">
			{rows.map((one, at) => (
				<li key={one.number}>
					<details open={at === failed || undefined}>
						<summary class={one.error ? "" : "plain"}>
							<StateMark state={one.mark} />
							<span class="number">{one.number}</span>
							<span class="cut">{one.error ? <strong>{one.error.type}</strong> : one.words}</span>
							<span class="quiet cut wide">{one.error ? one.words : ""}</span>
							<span class="gap" />
							<span class="quiet wide">{one.worker}</span>
							<span class="quiet wide">
								<When at={one.started_at ?? one.ended_at} />
							</span>
							<Took from={one.started_at} to={one.ended_at} />
						</summary>
						{one.error && <Failure error={one.error} />}
					</details>
				</li>
			))}
		</ol>
	);
}

function Failure({ error }: { error: ErrorInfo }) {
	return (
		<div class="failure">
			<p class="message">{error.message}</p>
			{error.traceback && <Traceback text={error.traceback} />}
			{error.fingerprint && (
				<a href={href("jobs", { q: `fingerprint:${error.fingerprint}` })}>
					All failures of this cause
				</a>
			)}
		</div>
	);
}

/** The frames of the user's code are shown; those of libraries are folded. */
function Traceback({ text }: { text: string }) {
	return (
		<div class="traceback">
			{parts(text).map((part, at) =>
				"text" in part ? null : part.isLibrary ? (
					<details key={at}>
						<summary class="quiet">
							{part.frames.length} {part.frames.length === 1 ? "frame" : "frames"} of libraries
						</summary>
						{part.frames.map(shownFrame)}
					</details>
				) : (
					part.frames.map(shownFrame)
				),
			)}
			<details>
				<summary class="quiet">Whole traceback</summary>
				<pre>{text}</pre>
			</details>
		</div>
	);
}

function shownFrame(frame: Frame) {
	return (
		<div class="frame" key={`${frame.file}:${frame.line}`}>
			<code class="quiet">
				{shortPath(frame.file)}:{frame.line} <span>{frame.name}</span>
			</code>
			<pre>{frame.code}</pre>
		</div>
	);
}
