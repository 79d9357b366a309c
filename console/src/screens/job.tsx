/** A job: what happened, why, and what can be done. */
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { useData } from "../api/cache";
import type { WholeJob } from "../api/types";
import { useKeys } from "../keys";
import { member } from "../logic/json";
import { hasEnded, isRetryable, isWaiting } from "../logic/states";
import { Progress } from "../parts/charts";
import { Copy } from "../parts/copy";
import { Json } from "../parts/json";
import { Loaded, Page, Section } from "../parts/page";
import { StateWord } from "../parts/state";
import { go, href } from "../place";
import { mayOperate } from "../session";
import type { ScreenProps } from ".";
import { Attempts } from "./job/attempts";
import { Edit } from "./job/edit";
import { Facts } from "./job/facts";
import { Life } from "./job/life";
import { Log } from "./job/log";
import { moreOf, shortId } from "./jobs/columns";
import { act, type Verb } from "./jobs/verbs";

/** The screen. */
export default function JobScreen({ at }: ScreenProps) {
	const id = at.id ?? "";
	const found = useData<WholeJob>(`jobs/${encodeURIComponent(id)}`, {
		topics: [`job:${id}`],
		every: (job: WholeJob) => (job.state === "running" ? 2000 : 0), // its progress
	});
	const job = found.data.value;
	return (
		<Page
			title={job?.task ?? shortId(id)}
			parent={{ title: "Jobs", to: "jobs" }}
			beside={
				<>
					<code class="quiet" title={job?.id}>
						{shortId(job?.id ?? id)}
					</code>
					<Copy text={job?.id ?? id} label="Copy the id" />
				</>
			}
			actions={
				<>
					{job && (
						<a class="button wide" href={href(`jobs/${job.id}/compare`)}>
							Compare
						</a>
					)}
					{job && mayOperate.value && <Actions job={job} text={found.text} etag={found.etag} />}
				</>
			}
		>
			<Loaded of={found} lines={8}>
				{(job) => <Whole job={job} text={found.text} />}
			</Loaded>
		</Page>
	);
}

function Whole({ job, text }: { job: WholeJob; text: string }) {
	const given = useMemo(() => member(text, "arguments"), [text]);
	const result = useMemo(() => member(text, "result"), [text]);
	return (
		<div class="split">
			<div class="stack">
				<section class="card state-card">
					<div class="state-head">
						<StateWord state={job.state} more={moreOf(job)} />
						{job.state === "running" && job.progress && (
							<>
								<Progress {...job.progress} note={job.progress.note} />
								<span class="quiet cut">{job.progress.note}</span>
							</>
						)}
					</div>
					<Why of={job.why} />
					<Life job={job} />
				</section>
				<Section title="Attempts">
					<Attempts job={job} />
				</Section>
				<div class="pair">
					<Section title="Arguments">
						<Json text={given === "{}" ? "" : given} empty="It takes none." />
					</Section>
					<Section title="Result">
						<Json
							text={job.state === "succeeded" ? result : ""}
							empty={hasEnded(job.state) ? "It has none." : "Not yet."}
						/>
					</Section>
				</div>
				<Log job={job} />
			</div>
			<Facts job={job} />
		</div>
	);
}

/** The server's own words about why the job stands as it does. */
function Why({ of }: { of: string[] }) {
	return (
		<div class="why">
			{of.map((one) => (
				<p key={one}>{one}</p>
			))}
		</div>
	);
}

function Actions({ job, text, etag }: { job: WholeJob; text: string; etag: string }) {
	const edits = useSignal(false);
	const which = useMemo(() => ({ ids: [job.id] }), [job.id]);
	const doIt = async (verb: Verb) => {
		if ((await act(verb, which)) && verb === "delete") go(href("jobs"));
	};
	useKeys(
		useMemo(
			() => [
				{ keys: "r", does: "Retry the job", run: () => void doIt("retry") },
				{ keys: "c", does: "Cancel the job", run: () => void doIt("cancel") },
			],
			[which],
		),
	);
	return (
		<>
			{isRetryable(job.state) && (
				<button type="button" class="main" onClick={() => void doIt("retry")}>
					Retry
				</button>
			)}
			{isWaiting(job.state) && (
				<button
					type="button"
					onClick={() => {
						edits.value = true;
					}}
				>
					Edit
				</button>
			)}
			{hasEnded(job.state) && !job.run && (
				<a
					class="button"
					title="The same call in the form of its task"
					href={href(`tasks/${encodeURIComponent(job.task)}`, {
						arguments: member(text, "arguments"),
					})}
				>
					Send again
				</a>
			)}
			{edits.value && (
				<Edit
					{...{ job, text, etag }}
					close={() => {
						edits.value = false;
					}}
				/>
			)}
			{!hasEnded(job.state) && (
				<button type="button" disabled={job.cancel_requested} onClick={() => void doIt("cancel")}>
					Cancel
				</button>
			)}
			{hasEnded(job.state) && (
				<button type="button" onClick={() => void doIt("delete")}>
					Delete
				</button>
			)}
		</>
	);
}
