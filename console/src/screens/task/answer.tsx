/** What came of a call: the job that was stored, as it goes on, or a result, or an error. */
import { useData } from "../../api/cache";
import type { WholeJob } from "../../api/types";
import { member } from "../../logic/json";
import { length } from "../../logic/lengths";
import { hasEnded } from "../../logic/states";
import { Progress } from "../../parts/charts";
import { Json } from "../../parts/json";
import { Section } from "../../parts/page";
import { StateWord } from "../../parts/state";
import { Took } from "../../parts/when";
import { href } from "../../place";
import { moreOf, shortId } from "../jobs/columns";

/** An answer: of `$enqueue` the id of the job; of `$execute` its text. */
export type Answer = { job: string } | { text: string; seconds: number };

/** The answer, below the form. */
export function Answered({ answer }: { answer: Answer }) {
	return "job" in answer ? <Stored id={answer.job} /> : <Ran {...answer} />;
}

function Stored({ id }: { id: string }) {
	const found = useData<WholeJob>(`jobs/${id}`, {
		topics: [`job:${id}`],
		every: (job: WholeJob) => (job.state === "running" ? 2000 : 0),
	});
	const job = found.data.value;
	return (
		<Section title="The job">
			<div class="answer" role="status">
				<p class="answer-line">
					{job ? <StateWord state={job.state} more={moreOf(job)} /> : "Stored"}
					<a class="link" href={href(`jobs/${id}`)}>
						{shortId(id)}
					</a>
					{job?.state === "running" && job.progress && <Progress {...job.progress} />}
					{job?.started_at && <Took from={job.started_at} to={job.ended_at} />}
				</p>
				{job && !hasEnded(job.state) && job.why[0] && <p class="quiet">{job.why[0]}</p>}
				{job?.error && <Raised type={job.error.type} message={job.error.message} />}
			</div>
			{job?.state === "succeeded" && <Json text={member(found.text, "result")} />}
		</Section>
	);
}

function Ran({ text, seconds }: { text: string; seconds: number }) {
	const { error } = JSON.parse(text) as { error: { type: string; message: string } | null };
	return (
		<Section title="What it returned">
			<div class="answer" role="status">
				<p class="answer-line">
					<StateWord state={error ? "failed" : "succeeded"} />
					<span class="number quiet">{length(seconds)}</span>
				</p>
				{error && <Raised type={error.type} message={error.message} />}
			</div>
			{!error && <Json text={member(text, "result")} />}
		</Section>
	);
}

function Raised({ type, message }: { type: string; message: string }) {
	return (
		<>
			<p class="strong">{type}</p>
			<p class="message">{message}</p>
		</>
	);
}
