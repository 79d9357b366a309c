/** Schedules: what fires when, in English, and how it has gone. */
import { useMemo } from "preact/hooks";
import { useData } from "../api/cache";
import type { Job, JobPage, Schedule, Schedules } from "../api/types";
import { length } from "../logic/lengths";
import { CopyLine } from "../parts/copy";
import { Empty, Loaded, Page } from "../parts/page";
import { useSeen } from "../parts/sight";
import { StateMark } from "../parts/state";
import { ACTIONS, Table } from "../parts/table";
import { When } from "../parts/when";
import { href } from "../place";
import { mayOperate } from "../session";
import { shortId } from "./jobs/columns";
import { isFiring, pauseSchedule, runNow, WORDS } from "./schedules/verbs";

/** The screen. */
export default function SchedulesScreen() {
	const schedules = useData<Schedules>("schedules?limit=500", {
		topics: ["schedules"],
		every: 15_000,
	});
	const items = schedules.data.value?.items;
	return (
		<Page
			title="Schedules"
			beside={items?.length}
			actions={
				mayOperate.value && (
					<a class="button main" href={href("schedules/$new")}>
						Add a schedule
					</a>
				)
			}
		>
			<Loaded of={schedules} lines={6}>
				{(data) => (data.items.length ? <List schedules={data.items} /> : <None />)}
			</Loaded>
		</Page>
	);
}

const HEADS = ["Schedule", "When", "Next", "Last firings", ACTIONS];

function List({ schedules }: { schedules: readonly Schedule[] }) {
	const sorted = useMemo(() => [...schedules].sort(byNext), [schedules]);
	return (
		<Table heads={HEADS}>
			{sorted.map((one) => (
				<Row key={one.name} schedule={one} />
			))}
		</Table>
	);
}

function byNext(one: Schedule, other: Schedule): number {
	const at = (schedule: Schedule) => (schedule.next ? Date.parse(schedule.next) : Infinity);
	return at(one) - at(other) || one.name.localeCompare(other.name);
}

function Row({ schedule }: { schedule: Schedule }) {
	const { element, seen } = useSeen<HTMLTableRowElement>();
	const { name, task, state } = schedule;
	return (
		<tr ref={element} class={state === "paused" ? "tall is-paused" : "tall"}>
			<th scope="row">
				<a class="cut strong" href={href(`schedules/${encodeURIComponent(name)}`)} title={name}>
					{name}
				</a>
				{task !== name && <span class="cut quiet second-line">{task}</span>}
			</th>
			<td>
				<span title={schedule.cron}>{schedule.description}</span>
			</td>
			<td data-name="next">
				<Stands schedule={schedule} />
			</td>
			<td>
				<Firings name={name} seen={seen} />
			</td>
			<td class="right act">
				{mayOperate.value && (
					<span class="buttons">
						{state !== "unknown_task" && state !== "unreadable" && (
							<button type="button" onClick={() => void runNow(schedule)}>
								Run now
							</button>
						)}
						{isFiring(schedule) && (
							<button type="button" onClick={() => void pauseSchedule(schedule)}>
								{state === "paused" ? "Resume" : "Pause"}
							</button>
						)}
					</span>
				)}
			</td>
		</tr>
	);
}

/** When it fires next, or why it does not. */
export function Stands({ schedule }: { schedule: Schedule }) {
	const { state, lag } = schedule;
	if (state === "paused")
		return (
			<span class="tag">
				paused <When at={schedule.paused_at} />
			</span>
		);
	if (state !== "active")
		return <span class={state === "ended" ? "quiet" : "bad-text"}>{WORDS[state] ?? state}</span>;
	return (
		<>
			<When at={schedule.next} zone={schedule.timezone} />
			{lag > 60 && <span class="bad-text"> {length(lag)} late</span>}
		</>
	);
}

/** The last jobs that it has fired, the newest at the right. */
function Firings({ name, seen }: { name: string; seen: boolean }) {
	const path = `jobs?schedule=${encodeURIComponent(name)}&limit=15`;
	const jobs = useData<JobPage>(seen ? path : null, { topics: ["schedules"], every: 15_000 });
	return <Marks jobs={jobs.data.value?.items ?? []} />;
}

/** Jobs as a row of marks, each a link; the newest comes first in the list, and last in the row. */
export function Marks({ jobs }: { jobs: readonly Job[] }) {
	return (
		<span class="marks">
			{[...jobs].reverse().map((job) => (
				<a
					key={job.id}
					href={href(`jobs/${job.id}`)}
					title={`${job.state}, ${job.instant ?? job.created_at}`}
				>
					<StateMark state={job.state} />
					<span class="unseen">
						{job.state}, {shortId(job.id)}
					</span>
				</a>
			))}
		</span>
	);
}

function None() {
	return (
		<Empty title="No schedule is there.">
			<p>A schedule enqueues a task at moments that it names: every so often, or as cron says.</p>
			<CopyLine text={'@scheduled("*/5 * * * *", name="cleanup")'} />
		</Empty>
	);
}
